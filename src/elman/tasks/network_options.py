"""The settings that every recurrent network shares."""

from pathlib import Path
from typing import ClassVar, TypedDict

from elman.data import read_text, write_text
from elman.layers import Regularisation
from elman.tasks.options import Count, Options, Share


class Dropouts(TypedDict):
    """What networks around recurrent layers take."""

    input_dropout: float
    output_dropout: float
    variational: bool


class NetworkOptions(Options):
    """What the network is made of, and where it drops out."""

    fixed: ClassVar[tuple[str, ...]] = ("cell", "embedding_size", "hidden_size", "num_layers", "residual")

    cell: str = "lstm"
    """The recurrent cell: a name that `elman cells` lists, or your own as package.module:Class or file.py:Class."""
    embedding_size: Count = 128
    """Numbers in a unit's vector."""
    hidden_size: Count = 256
    """Numbers in a layer's output."""
    num_layers: Count = 1
    """Recurrent layers on top of each other."""
    residual: bool = False
    """Add a layer's input to its output where the widths agree."""
    word_dropout: Share = 0.0
    """Share of the vocabulary that reads as zeros in a training step."""
    input_dropout: Share = 0.0
    """Share of the vectors' features dropped in training."""
    dropout: Share = 0.0
    """Share of features dropped between layers in training."""
    output_dropout: Share = 0.0
    """Share of features dropped before the output layer in training."""
    variational: bool = False
    """Keep one dropout mask for all steps of a sequence or window."""
    recurrent_dropout: Share = 0.0
    """Share of the previous output hidden from the recurrent products, one mask a sequence or window."""
    zoneout: Share = 0.0
    """Share of the state that keeps its old value at a step."""
    weight_drop: Share = 0.0
    """Share of the recurrent weights dropped in a training step."""

    def save_cell(self, folder: Path) -> None:
        """Keep somebody's own cell where the run is, to be read; it is never run from there."""
        source, _, _ = self.cell.rpartition(":")
        if source.endswith(".py"):
            write_text(folder / "cell.py", read_text(Path(source)))

    def regularisation(self) -> Regularisation:
        """What acts in the recurrent layers."""
        return {
            "residual": self.residual,
            "dropout": self.dropout,
            "dropout_per": "sequence" if self.variational else "step",
            "recurrent_dropout": self.recurrent_dropout,
            "zoneout": self.zoneout,
            "weight_drop": self.weight_drop,
        }

    def dropouts(self) -> Dropouts:
        """What acts before and behind them."""
        return {
            "input_dropout": self.input_dropout,
            "output_dropout": self.output_dropout,
            "variational": self.variational,
        }
