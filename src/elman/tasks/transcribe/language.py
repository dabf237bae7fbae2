"""What a language model expects of texts while they are written.

Key: V units of a transcriber, W of a language model, B texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from elman.data import Tokenizer
from elman.errors import DataError, OptionError
from elman.layers import LayerState
from elman.models import LanguageModel
from elman.tasks.generate.options import GenerateOptions
from elman.tasks.generate.task import Generate
from elman.tasks.run_folder import load_weights, read_config


@dataclass(frozen=True)
class Expected:
    """What comes behind a text."""

    shares: ndarray
    """(V,), the logarithm of how probable each unit is."""
    state: LayerState | None
    """Of this text alone."""


class Language:
    """A language model that follows several texts at once.

    Args:
        folder: A run of `generate` that learned text in units of the same kind.
        ours: The units that are written.

    Raises:
        RunError: The run is unfinished or damaged.
        OptionError: It is of another task, or does not know the units.
    """

    def __init__(self, folder: Path, ours: Tokenizer) -> None:
        self.network, theirs = _loaded(folder, ours)
        known, unknown = theirs.vocabulary, theirs.unknown
        numbers = {number: known.get(unit, unknown) for unit, number in ours.vocabulary.items()}
        lacking = {unit for unit, number in ours.vocabulary.items() if numbers[number] is None} - ours.marks
        if lacking:
            raise OptionError(
                f"the language model {folder} lacks {len(lacking):,} of the units that this model writes, such as "
                f"{min(lacking)!r}; train it on texts that have them, or with --min-count 2, which knows of others"
            )
        places = [numbers[number] for number in range(len(ours))]
        self.places = torch.tensor([len(theirs) if place is None else place for place in places])
        """(V,), the number of each unit among the W; W, that of nothing, where it is not there."""
        try:
            self.border: int | None = theirs.border
        except DataError:  # it was learned from a single line
            self.border = None

    @torch.inference_mode()
    def begin(self) -> Expected:
        """What comes first: behind the end of a line."""
        if self.border is None:
            count = self.network.output.out_features
            shares = torch.full((len(self.places),), 1 / count).log()
            return Expected(shares.masked_fill(self.places == count, -torch.inf).numpy(), None)
        return self._read(torch.tensor([self.border]), None)[0]

    @torch.inference_mode()
    def follow(self, texts: Sequence[Expected], units: Sequence[int]) -> list[Expected]:
        """What comes behind texts that go on with a unit each."""
        numbers, found = self.places[list(units)], dict[int, Expected]()
        for fresh in (True, False):
            rows = [row for row, text in enumerate(texts) if (text.state is None) == fresh]
            if rows:
                found |= zip(rows, self._read(numbers[rows], _together([texts[row] for row in rows])), strict=True)
        return [found[row] for row in range(len(texts))]

    def _read(self, units: Tensor, state: LayerState | None) -> list[Expected]:
        scores, after = self.network(units.unsqueeze(0), state)
        logs = F.pad(scores[0].log_softmax(1), (0, 1), value=-torch.inf)[:, self.places].numpy()
        rows = (tuple(tuple(each[row : row + 1] for each in layer) for layer in after) for row in range(len(units)))
        return [Expected(shares, own) for shares, own in zip(logs, rows, strict=True)]


def _together(texts: Sequence[Expected]) -> LayerState | None:
    """The states of texts side by side; None where they have none."""
    states = [text.state for text in texts if text.state is not None]
    layers = zip(*states, strict=True)
    return tuple(tuple(torch.cat(rows) for rows in zip(*layer, strict=True)) for layer in layers) if states else None


def _loaded(folder: Path, ours: Tokenizer) -> tuple[LanguageModel, Tokenizer]:
    """The network of a run, and its units."""
    config = read_config(folder)
    known = {name: value for name, value in config["settings"].items() if name in GenerateOptions.model_fields}
    if config["task"] != "generate" or known.get("kind", "text") != "text":
        raise OptionError(f"language_model expects a run of generate that writes text; {folder} is another one")
    options = GenerateOptions.of(known)
    if options.units != ours.units:
        raise OptionError(
            f"the language model {folder} reads units = {options.units}; expected {ours.units}, as this model writes; "
            f"train it with --units {ours.units}"
        )
    task = Generate.fitting(options)(options)
    task.load(folder)
    network = task.network()
    load_weights(folder / "model.safetensors", network)
    assert isinstance(network, LanguageModel)
    return network.eval(), Tokenizer.load(folder / "tokenizer.json", options.units)
