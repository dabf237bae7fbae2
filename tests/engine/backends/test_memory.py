"""Memory that is used again: aligned, given back when the last tensor on it goes, never before."""

import gc

import torch

from elman.engine.backends.llvm.memory import ALIGNED, SMALLEST, release, take

COUNT = SMALLEST  # numbers of four bytes: large enough to be kept


def test_it_is_aligned_and_of_the_size_asked_for() -> None:
    for dtype in (torch.float32, torch.float64, torch.uint8):
        tensor = take(dtype, 3, COUNT)
        assert tensor.shape == (3, COUNT)
        assert tensor.dtype == dtype
        assert tensor.data_ptr() % ALIGNED == 0


def test_what_is_let_go_of_is_used_again() -> None:
    release()
    first = take(torch.float32, COUNT)
    place = first.data_ptr()
    assert take(torch.float32, COUNT).data_ptr() != place, "two at once are apart"
    release()
    del first
    gc.collect()
    assert take(torch.float32, COUNT).data_ptr() == place


def test_a_view_keeps_it() -> None:
    release()
    first = take(torch.float32, COUNT)
    first.fill_(7)
    view, place = first[10:20], first.data_ptr()
    del first
    gc.collect()
    assert take(torch.float32, COUNT).fill_(0).data_ptr() != place
    assert (view == 7).all()


def test_small_pieces_are_pytorchs() -> None:
    assert take(torch.float32, 2, 3).untyped_storage().resizable()
