"""Everything there is to see of a network while it reads one input.

Key: T steps, U units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from elman.engine import Cell, recording
from elman.errors import OptionError
from elman.layers import Recurrent, find_cell, gradient_flow
from elman.tasks.inspection.case import Case
from elman.tasks.inspection.importance import integrated_gradients, occlusion
from elman.tasks.inspection.units import correlations, property_of, saturation

OTHERS = ("elman", "gru", "lstm")
"""Cells beside whose reach that of a network is seen."""
WIDEST = 512
"""Their units, at most: maps of a convolution have very many."""


@dataclass(frozen=True)
class Tracking:
    """A unit that follows a property."""

    layer: int
    name: str
    """Of the state."""
    unit: int
    correlation: float


class Inspection:
    """What is to be seen; each part is found out when it is first asked for.

    Args:
        case: What is read.

    Raises:
        OptionError: There are no recurrent layers.
    """

    def __init__(self, case: Case) -> None:
        if not isinstance(case.body, Recurrent):
            raise OptionError("this model has no recurrent layers to look into; expected network = recurrent")
        self.case, self.body = case, case.body
        self.steps = case.steps
        """What was read at each step."""
        self.answer = case.answer
        """What the network said."""
        self.written = case.written
        """What was written, where there is an alignment."""
        self.alignment = case.alignment
        """(units written, T)."""

    @cached_property
    def layers(self) -> list[dict[str, Tensor]]:
        """For each layer and direction, gates and states by name, (T, U)."""
        return _recorded(self.case, self.body)

    @property
    def importance(self) -> Tensor:
        """(T,), the share of each step in how sure the answer is, by integrated gradients."""
        return self._shares[0]

    @property
    def unexplained(self) -> float:
        """What these shares do not add up to."""
        return self._shares[1]

    @cached_property
    def _shares(self) -> tuple[Tensor, float]:
        return integrated_gradients(self.case)

    @cached_property
    def occlusion(self) -> Tensor:
        """(T,), how much less sure it is where a step is hidden."""
        return occlusion(self.case)

    @cached_property
    def reach(self) -> dict[str, Tensor]:
        """For this network, and fresh ones with other cells, the gradient's norm k steps back, (T,)."""
        return _reach(self.case, self.body)

    @property
    def saturation(self) -> list[dict[str, dict[str, float]]]:
        """For each layer and gate, the shares of its values that are as good as shut or open."""
        return [
            {name: saturation(values) for name, values in layer.items() if name.endswith("_gate")}
            for layer in self.layers
        ]

    def tracking(self, known: str | Sequence[float], count: int = 10) -> list[Tracking]:
        """The units of all states that best follow a property.

        Args:
            known: A number for each step, or a name that `property_of` knows.
            count: Of units, at most.

        Raises:
            OptionError: There is no such property, or it has another length.
        """
        wanted = property_of(self.steps, known) if isinstance(known, str) else known
        found = [
            Tracking(number, name, unit, round(value, 4))
            for number, layer in enumerate(self.layers)
            for name, values in layer.items()
            if not name.endswith(("_gate", "candidate"))
            for unit, value in enumerate(correlations(values, wanted).tolist())
        ]
        return sorted(found, key=lambda one: -abs(one.correlation))[:count]

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "steps": list(self.steps),
            "answer": self.answer,
            "layers": [{name: values.tolist() for name, values in layer.items()} for layer in self.layers],
            "importance": self.importance.tolist(),
            "unexplained": self.unexplained,
            "occlusion": self.occlusion.tolist(),
            "reach": {name: norms.tolist() for name, norms in self.reach.items()},
            "saturation": self.saturation,
            "written": list(self.written),
            "alignment": None if self.alignment is None else self.alignment.tolist(),
        }


@torch.no_grad()
def _recorded(case: Case, body: Recurrent) -> list[dict[str, Tensor]]:
    """Of the body's own layers, not of others that run beside it."""
    with recording(states=True) as heard:
        first: list[int] = []
        with case.reading(lambda _: first.append(len(heard))):
            case.score()
    own = heard[first[0] : first[0] + len(body.cells)]
    return [{name: values[:, case.row].flatten(1) for name, values in layer.items()} for layer in own]


def _reach(case: Case, body: Recurrent) -> dict[str, Tensor]:
    x = case.vectors()
    cells: list[Cell] = list(body.cells)  # pyright: ignore[reportAssignmentType]
    widths = [min(cell.output_size, WIDEST) for cell in cells[:: body.directions]]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        others = {name: Recurrent(find_cell(name), body.input_size, widths).eval() for name in OTHERS}
    found = {"this model": gradient_flow(body, x)[0]}
    return found | {f"{name}, untrained": gradient_flow(other, x)[0] for name, other in others.items()}
