"""Places that grow evenly with counters, against counting them out."""

import random
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import numpy as np
import pytest

from elman.engine.affine import Affine, counter, flattened, unflattened

SEEDS = range(40)


def value(place: Affine, counters: Sequence[int]) -> int:
    return place.start + sum(step * counters[loop] for loop, step in place.steps)


def turns(extents: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return product(*map(range, extents))


def some_place(draw: random.Random, loops: int) -> Affine:
    place = Affine(draw.randint(-9, 9))
    for loop in draw.sample(range(loops), draw.randint(0, loops)):
        place = place + counter(loop) * draw.randint(-4, 4)
    return place


@pytest.mark.parametrize("seed", SEEDS)
def test_arithmetic_is_that_of_the_values(seed: int) -> None:
    draw = random.Random(seed)
    extents = [draw.randint(1, 4) for _ in range(3)]
    a, b, factor, more = some_place(draw, 3), some_place(draw, 3), draw.randint(-3, 3), draw.randint(-5, 5)
    for counters in turns(extents):
        assert value(a + b, counters) == value(a, counters) + value(b, counters)
        assert value(a + more, counters) == value(a, counters) + more
        assert value(a * factor, counters) == value(a, counters) * factor
        for loop in range(3):
            onward = [each + (i == loop) for i, each in enumerate(counters)]
            assert value(a, onward) - value(a, counters) == a.step(loop)


@pytest.mark.parametrize("seed", SEEDS)
def test_bounds_are_reached_and_not_passed(seed: int) -> None:
    draw = random.Random(seed)
    extents = [draw.randint(1, 5) for _ in range(3)]
    place = some_place(draw, 3)
    values = [value(place, counters) for counters in turns(extents)]
    assert place.bounds(extents) == (min(values), max(values))


def test_equal_places_are_equal() -> None:
    one, other = counter(0) * 2 + counter(1) + 3, counter(1) + 3 + counter(0) + counter(0)
    assert one == other
    assert len({one, other}) == 1
    assert counter(0) + counter(0) * -1 == Affine()
    assert counter(2) * 0 == Affine()


@pytest.mark.parametrize("shape", [(7,), (2, 3), (3, 1, 4), (2, 3, 2, 2)])
def test_flattened_is_the_place_in_memory(shape: tuple[int, ...]) -> None:
    index = [counter(i) for i in range(len(shape))]
    for counters in turns(shape):
        assert value(flattened(index, shape), counters) == np.ravel_multi_index(counters, shape)


@pytest.mark.parametrize("seed", range(300))
def test_unflattened_is_the_index_or_nothing(seed: int) -> None:
    draw = random.Random(seed)
    extents = [draw.choice([1, 2, 3, 4, 6]) for _ in range(draw.randint(1, 3))]
    flat = flattened([counter(i) for i in range(len(extents))], extents)
    factor = draw.choice([1, 1, 2, 3, -1])  # a piece of something larger, perhaps backwards
    flat = flat * factor
    flat = flat + -flat.bounds(extents)[0] + draw.randint(0, 4)
    high = flat.bounds(extents)[1]
    shape = [draw.choice([1, 2, 3, 4, 5]) for _ in range(draw.randint(1, 3))]
    shape[0] += -(-(high + 1) // prod(shape)) * shape[0]
    index = unflattened(flat, shape, extents)
    expected = {counters: np.unravel_index(value(flat, counters), shape) for counters in turns(extents)}
    if index is None:  # backwards, some are given up that could be had
        assert factor < 0 or not all(
            evenly(extents, {c: each[dim] for c, each in expected.items()}) for dim in range(len(shape))
        )
    else:
        for counters, place in expected.items():
            assert tuple(value(each, counters) for each in index) == tuple(map(int, place))


def evenly(extents: Sequence[int], values: dict[tuple[int, ...], int]) -> bool:
    """Do values grow by the same step wherever a counter goes on, and never fall?"""
    for loop in range(len(extents)):
        steps = {
            int(values[(*counters[:loop], counters[loop] + 1, *counters[loop + 1 :])] - values[counters])
            for counters in values
            if counters[loop] + 1 < extents[loop]
        }
        if len(steps) > 1 or min(steps, default=0) < 0:
            return False
    return True


def test_an_index_of_no_dimension() -> None:
    assert unflattened(Affine(), (), ()) == ()
    assert flattened((), ()) == Affine()


def test_places_are_printed_as_one_would_write_them() -> None:
    assert str(counter(0) * 12 + counter(1) + 3) == "12*i + j + 3"
    assert str(counter(2)) == "k"
    assert str(Affine()) == "0"
