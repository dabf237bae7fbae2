"""Everything there is to see of a network while it reads one input.

Key: T steps, U units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Inspection:
    """What was seen."""

    steps: Sequence[str]
    """What was read at each step."""
    answer: Any
    """What the network said."""
    layers: Sequence[Mapping[str, Tensor]]
    """For each layer and direction, gates and states by name, (T, U)."""
    importance: Tensor
    """(T,), the share of each step in how sure the answer is, by integrated gradients."""
    unexplained: float
    """What these shares do not add up to."""
    occlusion: Tensor
    """(T,), how much less sure it is where a step is hidden."""
    reach: Mapping[str, Tensor]
    """For this network, and fresh ones with other cells, the gradient's norm k steps back, (T,)."""
    written: Sequence[str] = ()
    """What was written, where there is an alignment."""
    alignment: Tensor | None = None
    """(units written, T)."""

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


def inspected(case: Case) -> Inspection:
    """Look into a network while it reads.

    Raises:
        OptionError: It has no recurrent layers.
    """
    if not isinstance(case.body, Recurrent):
        raise OptionError("this model has no recurrent layers to look into; expected network = recurrent")
    layers = _recorded(case)
    importance, unexplained = integrated_gradients(case)
    return Inspection(
        steps=case.steps,
        answer=case.answer,
        layers=layers,
        importance=importance,
        unexplained=unexplained,
        occlusion=occlusion(case),
        reach=_reach(case, case.body),
        written=case.written,
        alignment=case.alignment,
    )


@torch.no_grad()
def _recorded(case: Case) -> list[dict[str, Tensor]]:
    """Of the body's own layers, not of others that run beside it."""
    with recording(states=True) as heard:
        first: list[int] = []
        with case.reading(lambda _: first.append(len(heard))):
            case.score()
    assert isinstance(case.body, Recurrent)
    own = heard[first[0] : first[0] + len(case.body.cells)]
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
