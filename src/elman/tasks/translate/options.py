"""The settings of the task `translate`."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from elman.data import EmbeddedName
from elman.layers import Attend
from elman.models import Tied
from elman.tasks.network_options import NetworkOptions
from elman.tasks.options import Count, Share
from elman.tasks.text_options import TextOptions


class TranslateOptions(NetworkOptions, TextOptions):
    """What is learned from pairs of texts, and with what."""

    reading: ClassVar[tuple[str, ...]] = ("source", "target", "history", "embedded", "max_length", "too_long")
    columns: ClassVar[tuple[str, ...]] = ("source", "target")
    learned: ClassVar[tuple[str, ...]] = (*TextOptions.learned, "vocabulary")
    fixed: ClassVar[tuple[str, ...]] = (
        *NetworkOptions.fixed,
        *("network", "decoder_layers", "attention", "attend", "heads", "tied"),
    )

    source: str | None = None
    """Where the sources stand: a column, a path in JSON such as dial[].usr.text, or the end of a file's name."""
    target: str | None = None
    """The same of the targets; with neither, the first two columns, or those named source and target."""
    embedded: EmbeddedName = "spelled"
    """The set where no file is given: numbers spelled out, reports summed up, letters copied or turned round."""
    history: int = Field(default=0, ge=0)
    """Earlier turns of a dialogue that stand before a source."""
    vocabulary: Literal["joint", "separate"] = "joint"
    """One vocabulary for sources and targets together, or one for each."""
    unit_dropout: Share = 0.0
    """Share of the merges of byte-pair units passed over in training, so that words come in many pieces."""
    max_length: Count = 200
    """Units of a source or target in training; what becomes of longer ones `too_long` says."""
    too_long: Literal["drop", "cut", "keep"] = "drop"
    """Longer ones are dropped, cut at their end, or kept; how many there are is said."""
    batch_units: Count = 1500
    """Units that are read side by side, padding included, on the longer side of the pairs."""
    network: Literal["recurrent", "transformer"] = "recurrent"
    """Recurrent layers, or to compare a Transformer of torch's own, with feed-forward networks of hidden_size."""
    decoder_layers: Count | None = None
    """Layers of the network that writes; as many as of the one that reads when nothing is said."""
    attention: Literal["additive", "general", "query_key", "multi_head", "none"] = "additive"
    """How a place of the source is compared with what is sought: a score of one look, several looks, or none."""
    attend: Attend = "after"
    """Look after the recurrence, between its layers, inside before each step, or after each, feeding it to the next."""
    heads: Count = 4
    """Looks side by side, of multi_head."""
    tied: Tied = "output"
    """What uses the same vectors: nothing, the target's units and the output layer, or all with the source's too."""
    label_smoothing: Share = 0.1
    """Share of the target that is spread over all units in training."""

    @model_validator(mode="after")
    def _options_that_act(self) -> Self:
        recurrent = self.attention, self.attend, self.residual, self.zoneout, self.weight_drop, self.recurrent_dropout
        if self.network == "transformer" and recurrent != ("additive", "after", False, 0, 0, 0):
            raise ValueError(
                "attention, attend, residual, zoneout, weight_drop and recurrent_dropout act on recurrent networks "
                "only; leave them away"
            )
        if self.attention == "none" and self.attend != "after":
            raise ValueError(f"attend = {self.attend} expects an attention; received none; leave one of them away")
        if self.unit_dropout and (self.units != "bpe" or self.too_long == "cut"):
            raise ValueError("unit_dropout expects units = bpe, and long pairs that are dropped or kept; leave it away")
        if self.tied == "all" and self.vocabulary == "separate":
            raise ValueError("tied = all expects one vocabulary; take vocabulary = joint, or tied = output")
        return self
