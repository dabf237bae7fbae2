"""A traced function as plain data: it runs as before, and comes back from JSON."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from elman.engine.calls import Calls

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "nothing": lambda a, b: (b, a),
    "views": lambda a, b: (a.t().reshape(-1), b[1:, ::2]),
    "several results": lambda a, b: (*a.split([1, 2]), *b.unbind(1)),
    "a list of tensors": lambda a, b: (torch.cat([a, b], dim=1),),
    "settings": lambda a, b: (
        a.to(torch.float64),
        torch.full((2,), 0.5, dtype=torch.float32),
        a.sum(dim=0, keepdim=True),
    ),
    "numbers": lambda a, b: (torch.where(a > 0.5, a, -1.0) * 2 + b,),
}


def traced(function: Callable[..., Any], *given: Tensor) -> Any:
    return make_fx(function)(*given)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_is_the_same_function(name: str) -> None:
    given = torch.rand(3, 4), torch.rand(3, 4)
    calls = Calls.of(traced(FUNCTIONS[name], *given))
    assert calls is not None
    again = msgspec.json.decode(msgspec.json.encode(calls), type=Calls)
    assert again == calls
    other = torch.rand(3, 4), torch.rand(3, 4)
    for ours, theirs in zip(again(*other), FUNCTIONS[name](*other), strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_a_constant_tensor_is_no_plain_data() -> None:
    constant = torch.tensor([1.0, 2.0])
    assert Calls.of(traced(lambda a: (a + constant,), torch.ones(2))) is None


def test_what_json_has_no_number_for_is_no_plain_data() -> None:
    assert Calls.of(traced(lambda a: (a.clamp(max=float("inf")),), torch.ones(2))) is None
