"""Kernels answer for the attributes that a cell had when it was traced, and for no others."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import nn

from elman.engine import Cell
from elman.engine.fingerprint import fingerprint


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rate, self.table = 0.5, {"a": [1, 2]}


class Some(Cell):
    def __init__(self) -> None:
        super().__init__(3, 4)
        self.alpha, self.flag, self.name = 0.1, True, "some"
        self.sizes, self.kind, self.nothing = (1, 2), torch.float32, None
        self.gate = nn.Linear(3, 4)
        self.drop = nn.Dropout(0.5)
        self.inner = Inner()
        self.register_buffer("scale", torch.ones(4))
        self.constant = torch.ones(4)


CHANGES: dict[str, Callable[[Some], object]] = {
    "a number": lambda cell: setattr(cell, "alpha", 0.2),
    "a number for a truth value": lambda cell: setattr(cell, "flag", 1),
    "a whole number for a real one": lambda cell: setattr(cell.inner, "rate", 1) or setattr(cell, "alpha", 1),
    "a string": lambda cell: setattr(cell, "name", "other"),
    "a tuple": lambda cell: setattr(cell, "sizes", (1, 3)),
    "a list for a tuple": lambda cell: setattr(cell, "sizes", [1, 2]),
    "something for nothing": lambda cell: setattr(cell, "nothing", 0),
    "a dtype": lambda cell: setattr(cell, "kind", torch.float64),
    "a new attribute": lambda cell: setattr(cell, "beta", 1.0),
    "one less": lambda cell: delattr(cell, "alpha"),
    "evaluation": lambda cell: cell.eval(),
    "evaluation of a part": lambda cell: cell.drop.eval(),
    "a probability": lambda cell: setattr(cell.drop, "p", 0.4),
    "something inside a part": lambda cell: cell.inner.table["a"].append(3),
    "another part": lambda cell: setattr(cell, "gate", nn.Linear(3, 5)),
    "a part of another class": lambda cell: setattr(cell, "drop", nn.AlphaDropout(0.5)),
    "a dtype of tensors": lambda cell: cell.double(),
    "a bias": lambda cell: setattr(cell.gate, "bias", None),
    "a buffer": lambda cell: cell.register_buffer("more", torch.ones(1)),
    "a constant tensor in place": lambda cell: cell.constant.mul_(2),
    "another constant tensor": lambda cell: setattr(cell, "constant", torch.ones(4)),
    "a hook": lambda cell: cell.gate.register_forward_hook(lambda *_: None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_seen(name: str) -> None:
    cell = Some()
    before = fingerprint(cell)
    assert fingerprint(cell) == before
    assert hash(fingerprint(cell)) == hash(before)
    CHANGES[name](cell)
    assert fingerprint(cell) != before


def test_weights_may_have_any_values() -> None:
    cell = Some()
    before = fingerprint(cell)
    with torch.no_grad():
        cell.gate.weight.mul_(2)
        cell.scale.add_(1)
    cell.load_state_dict(Some().state_dict())
    cell.requires_grad_(requires_grad=False)
    assert fingerprint(cell) == before


def test_cells_of_one_make_share_kernels() -> None:
    one, other = Some(), Some()
    other.constant = one.constant
    assert fingerprint(one) == fingerprint(other)
    del one.constant, other.constant
    assert fingerprint(one) == fingerprint(other) == fingerprint(deepcopy(one))
    assert fingerprint(one) != fingerprint(Inner())


def test_what_was_compared_by_identity_is_kept_alive() -> None:
    cell = Some()
    cell.rule = lambda x: x
    before = fingerprint(cell)
    for _ in range(100):  # another function must not come to lie where the first one was
        cell.rule = lambda x: x
        assert fingerprint(cell) != before
