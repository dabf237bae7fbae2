"""Units of a layer: which ones move together, which are stuck, which follow something that a person knows.

Key: T steps, U units.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from elman.errors import OptionError

CLOSED, OPEN = 0.1, 0.9
"""A gate below the one is shut, above the other open."""
QUOTES = {'"': '"', "“": "”", "«": "»", "「": "」", "『": "』"}


def units_in_order(values: Tensor) -> list[int]:
    """Units (T, U) so that those that move together stand together: by their angle in the two main directions.

    >>> t = torch.linspace(0, 6, 50)
    >>> units_in_order(torch.stack([t.sin(), t.cos(), t.sin() * 2, t.cos() * 3], 1)) in ([0, 2, 1, 3], [1, 3, 0, 2])
    True
    """
    moving = values - values.mean(0)
    moving = moving / moving.norm(dim=0).clamp_min(1e-9)
    if min(moving.shape) < 2:
        return list(range(values.shape[1]))
    first, second = _main_directions(moving)
    return torch.atan2(second, first).argsort(stable=True).tolist()


def _main_directions(moving: Tensor) -> tuple[Tensor, Tensor]:
    """The two right singular vectors (U,) of the largest values, by way of the smaller square, which is quicker."""
    steps, units = moving.shape
    if units <= steps:
        found = torch.linalg.eigh(moving.T @ moving).eigenvectors
    else:
        found = moving.T @ torch.linalg.eigh(moving @ moving.T).eigenvectors[:, -2:]
        found = found / found.norm(dim=0).clamp_min(1e-9)
    return found[:, -1], found[:, -2]


def liveliest(values: Tensor, count: int) -> list[int]:
    """The units (T, U) that change most over time."""
    return values.std(0, correction=0).argsort(descending=True, stable=True)[:count].tolist()


def saturation(gate: Tensor) -> dict[str, float]:
    """The shares of a gate's values that are as good as shut, and as good as open.

    >>> saturation(torch.tensor([0.0, 0.5, 0.95, 0.99]))
    {'shut': 0.25, 'open': 0.5}
    """
    return {"shut": float((gate < CLOSED).float().mean()), "open": float((gate > OPEN).float().mean())}


def correlations(values: Tensor, known: Sequence[float]) -> Tensor:
    """Of each unit (T, U) with a property of the steps, (U,), from -1 to 1; 0 where one of them never changes.

    Raises:
        OptionError: The property has another length.
    """
    if len(known) != len(values):
        raise OptionError(f"a property expects a number for each of the {len(values)} steps; received {len(known)}")
    wanted = torch.tensor(known, dtype=values.dtype)
    wanted, moving = wanted - wanted.mean(), values - values.mean(0)
    length = wanted.norm() * moving.norm(dim=0)
    return torch.where(length > 1e-9, moving.T @ wanted / length.clamp_min(1e-9), 0.0)


def property_of(steps: Sequence[str], name: str) -> list[float]:
    """A property of steps by its name.

    Args:
        steps: What is read at each.
        name: `quote`: is the step within quotation marks? `position`: how many steps from the beginning of its line?
            `since:X`: how many steps since the last one that is X?

    Raises:
        OptionError: There is no such property.

    Example:
        >>> property_of(list('a"b"c'), "quote"), property_of(list("ab,cd"), "since:,")
        ([0.0, 1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0, 2.0])
    """
    if name == "quote":
        return _quoted(steps)
    if name == "position":
        return _in_line(steps)
    if name.startswith("since:") and len(name) > len("since:"):
        return _since(steps, name.removeprefix("since:"))
    raise OptionError(f"there is no property {name!r}; expected quote, position, or since: and what to count from")


def _quoted(steps: Sequence[str]) -> list[float]:
    closing, found = "", []
    for step in steps:
        inside = bool(closing)
        for letter in step:
            if closing and letter == closing:
                closing = ""
            elif not closing and letter in QUOTES:
                closing, inside = QUOTES[letter], True
        found.append(float(inside))
    return found


def _since(steps: Sequence[str], mark: str) -> list[float]:
    count, found = 0, []
    for place, step in enumerate(steps):
        there = step == mark or (step.strip(" ") == mark and mark != "")
        count = 0 if not place or there else count + 1
        found.append(float(count))
    return found


def _in_line(steps: Sequence[str]) -> list[float]:
    place, found = 0, []
    for step in steps:
        found.append(float(place))
        place = 0 if step.endswith("\n") else place + 1
    return found
