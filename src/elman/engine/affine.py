"""Where in a tensor a loop looks: whole numbers that grow evenly with the loops' counters."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Affine:
    """`start` + the sum of `step` * counter over `steps`, which are (counter, step) in order, no step zero."""

    start: int = 0
    steps: tuple[tuple[int, int], ...] = ()

    def __add__(self, other: "Affine | int") -> "Affine":
        if isinstance(other, int):
            return Affine(self.start + other, self.steps)
        steps = dict(self.steps)
        for counter, step in other.steps:
            steps[counter] = steps.get(counter, 0) + step
        return Affine(self.start + other.start, tuple(sorted((c, s) for c, s in steps.items() if s)))

    def __mul__(self, factor: int) -> "Affine":
        if factor == 0:
            return Affine()
        return Affine(self.start * factor, tuple((counter, step * factor) for counter, step in self.steps))

    def step(self, counter: int) -> int:
        """How far one more of a counter leads."""
        return dict(self.steps).get(counter, 0)

    def bounds(self, extents: Sequence[int]) -> tuple[int, int]:
        """The least and the greatest value while each counter runs from 0 up to its extent."""
        spans = [(step * (extents[counter] - 1)) for counter, step in self.steps]
        return self.start + sum(min(span, 0) for span in spans), self.start + sum(max(span, 0) for span in spans)

    def __str__(self) -> str:
        terms = [f"{'' if step == 1 else f'{step}*'}{'ijklmn'[counter]}" for counter, step in self.steps]
        return " + ".join([*terms, str(self.start)] if self.start or not terms else terms)


def counter(number: int) -> Affine:
    """A loop's counter itself."""
    return Affine(0, ((number, 1),))


def flattened(index: Sequence[Affine], shape: Sequence[int]) -> Affine:
    """The place in memory of a tensor without gaps."""
    flat = Affine()
    for each, size in zip(index, shape, strict=True):
        flat = flat * size + each
    return flat


def unflattened(flat: Affine, shape: Sequence[int], extents: Sequence[int]) -> tuple[Affine, ...] | None:
    """The index that leads to a place in memory; None where it does not grow evenly with the counters."""
    index: list[Affine] = []
    for size in reversed(shape[1:]):
        inner = Affine(flat.start % size, tuple((c, s % size) for c, s in flat.steps if s % size))
        low, high = inner.bounds(extents)
        if low < 0 or high >= size:
            return None
        outer = flat + inner * -1
        index.append(inner)
        flat = Affine(outer.start // size, tuple((c, s // size) for c, s in outer.steps))
    return (flat, *reversed(index)) if shape else ()
