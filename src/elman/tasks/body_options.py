"""The settings of networks that read a sequence with one body: recurrent layers, or others to compare with."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from elman.layers import Recurrent, chrono_, find_cell
from elman.models import BODIES, Body, WindowBody
from elman.tasks.network_options import NetworkOptions
from elman.tasks.options import WholeOrNone


class BodyOptions(NetworkOptions):
    """What reads."""

    fixed: ClassVar[tuple[str, ...]] = (*NetworkOptions.fixed, "network", "memory")

    network: Literal["recurrent", "transformer", "cnn", "mlp"] = "recurrent"
    """Recurrent layers, or to compare torch's own: a Transformer, convolutions, or layers that see no order."""
    memory: WholeOrNone = 0
    """Steps, 3 or more, that gates of fresh cells remember at most (Tallec and Ollivier 2018); 0 leaves them."""

    @model_validator(mode="after")
    def _what_acts_on_recurrent_layers(self) -> Self:
        if self.memory in (1, 2):
            raise ValueError(f"memory expects 3 steps or more, or 0; received {self.memory}")
        recurrent = self.residual, self.zoneout, self.weight_drop, self.recurrent_dropout, self.memory
        if self.network != "recurrent" and any(recurrent):
            raise ValueError(
                "residual, zoneout, weight_drop, recurrent_dropout and memory act on recurrent networks only; "
                "leave them away"
            )
        return self

    def body(self, width: int, *, bidirectional: bool = False, window: int | None = None) -> Recurrent | Body:
        """What reads vectors of a width, steps of any number or always so many."""
        sizes = width, self.hidden_size, self.num_layers
        if self.network == "recurrent":
            layers = Recurrent(find_cell(self.cell), *sizes, bidirectional=bidirectional, **self.regularisation())
            if self.memory:
                chrono_(layers, self.memory)
            return layers
        if self.network == "mlp" and window is not None:
            return WindowBody(*sizes, self.dropout, window)
        return BODIES[self.network](*sizes, self.dropout)
