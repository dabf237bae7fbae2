"""Lists that threads walk through: addresses are filled in, and nobody goes on before all have come."""

import ctypes

import pytest
import torch

from elman.engine.backends.llvm import team
from elman.engine.backends.llvm.library import library
from elman.engine.backends.llvm.walk import ALIGNED, Place, Walk, shares

ROWS, SIZE = 64, 3


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> int:
    return min(request.param, team.threads())


def move(walk: Walk, source: Place | int, to: Place, table: torch.Tensor | None = None) -> None:
    """Rows of three numbers go from one place to another."""
    share = shares(ROWS, walk.threads)
    walk.hold((share, table))
    where = 0 if table is None else table.data_ptr()
    call = [source, to, where, SIZE * 4, ctypes.addressof(share), team.number_address()]
    walk.add(library(torch.float32)["move"], call)


def test_rows_go_where_they_shall(threads: int) -> None:
    walk, turned = Walk(threads), torch.arange(ROWS).flip(0)
    move(walk, Place("x"), Place("same"))
    move(walk, Place("x"), Place("turned"), turned)
    move(walk, 0, Place("zero"))
    move(walk, Place("nothing"), Place("zero too"))
    x = torch.randn(ROWS, SIZE)
    found = {name: torch.full((ROWS, SIZE), float("nan")) for name in ("same", "turned", "zero", "zero too")}
    walk.ready().run({"x": x, "nothing": None, **found})
    assert torch.equal(found["same"], x)
    assert torch.equal(found["turned"], x.flip(0))
    assert not found["zero"].any()
    assert not found["zero too"].any()


def test_nobody_goes_on_before_all_have_come(threads: int) -> None:
    """Each turn a thread reads what the other one wrote the turn before."""
    walk, turned = Walk(threads), torch.arange(ROWS).flip(0)
    rooms = [walk.room(ROWS * SIZE * 4) for _ in range(2)]
    move(walk, Place("x"), rooms[0])
    for turn in range(101):
        walk.wait()
        move(walk, rooms[turn % 2], rooms[1 - turn % 2], turned)
    walk.wait()
    move(walk, rooms[1], Place("y"))
    course = walk.ready()
    for _ in range(20):
        x, y = torch.randn(ROWS, SIZE), torch.empty(ROWS, SIZE)
        course.run({"x": x, "y": y, "room": torch.empty(course.room, dtype=torch.uint8)})
        assert torch.equal(y, x.flip(0))


def test_a_list_serves_many_calls(threads: int) -> None:
    walk = Walk(threads)
    move(walk, Place("x", SIZE * 4), Place("y"))
    course = walk.ready()
    assert set(course.bases) == {"x", "y"}
    for _ in range(3):
        x, y = torch.randn(ROWS + 1, SIZE), torch.empty(ROWS, SIZE)
        course.run({"x": x, "y": y, "not asked for": None})
        assert torch.equal(y, x[1:])


def test_room_is_aligned_and_apart() -> None:
    walk = Walk(1)
    places = [walk.room(size) for size in (1, 64, 65, 0, 7)]
    starts = [place.offset for place in places]
    assert starts == [0, 64, 128, 256, 256]
    assert walk.ready().room == 320
    assert all(start % ALIGNED == 0 for start in starts)


def test_a_call_that_lacks_something_is_an_error() -> None:
    walk = Walk(1)
    move(walk, Place("x"), Place("y"))
    with pytest.raises(KeyError, match="y"):
        walk.ready().run({"x": torch.empty(ROWS, SIZE)})


def test_shares_are_equal_and_whole() -> None:
    assert list(shares(7, 3, first=10)) == [10, 12, 12, 14, 14, 17]
    assert list(shares(1, 2)) == [0, 0, 0, 1]
