"""Where weights lie: views of the caller's tensors are read in place, everything else is computed."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from elman.engine import Cell, State, scan, use_backend
from elman.engine.backends.llvm.weights import Weights

F32 = torch.float32


def weights(compute: Callable[..., Sequence[Tensor]], direct: set[int] | None = None) -> Weights:
    return Weights(compute, F32, direct or set())


def test_views_are_read_in_place() -> None:
    given = [torch.randn(4, 3), torch.randn(5)]
    tensors, lying = weights(lambda a, b: (b, a.t(), a[1:]))(given)
    assert tensors is given
    assert [(each.place.base, each.place.offset, each.strides) for each in lying.weights] == [
        ("weight 1", 0, (1,)),
        ("weight 0", 0, (1, 3)),
        ("weight 0", 12, (3, 1)),
    ]


def test_one_arithmetic_operation_and_all_are_computed() -> None:
    given = [torch.randn(4, 3)]
    tensors, lying = weights(lambda a: (a.t(), a * 2))(given)
    assert lying.computed
    assert torch.equal(tensors[1], given[0] * 2)
    assert [each.place.base for each in lying.weights] == ["weight 0", "weight 1"]


def test_what_kernels_read_as_it_is_stands_in_order() -> None:
    tensors, lying = weights(lambda a: (a.t(),), direct={0})([torch.randn(4, 3)])
    assert lying.computed
    assert tensors[0].is_contiguous()


def test_another_dtype_is_computed() -> None:
    tensors, lying = weights(lambda a: (a,))([torch.randn(3, dtype=torch.float64)])
    assert lying.computed
    assert tensors[0].dtype == F32


def test_how_they_lie_is_found_once_for_each_layout() -> None:
    find = weights(lambda a: (a.t(),))
    first, second = find([torch.randn(4, 3)])[1], find([torch.randn(4, 3)])[1]
    assert first is second
    assert find([torch.randn(3, 4).t()])[1] is not first


class TwoWeights(Cell):
    def __init__(self, flat: Tensor) -> None:
        super().__init__(3, 3)
        self.a, self.b = nn.Parameter(flat[:9].view(3, 3)), nn.Parameter(flat[9:].view(3, 3))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(x @ self.a + state[0] @ self.b)
        return h, (h,)


def test_weights_in_one_storage_are_told_apart_from_those_in_two() -> None:
    flat, x = torch.randn(18), torch.randn(5, 2, 3)
    for cell in (TwoWeights(flat), TwoWeights(flat[:9].repeat(2)), TwoWeights(torch.randn(18))):
        apart = TwoWeights(torch.randn(18))
        apart.a, apart.b = nn.Parameter(cell.a.detach().clone()), nn.Parameter(cell.b.detach().clone())
        with torch.no_grad():
            for each in (cell, apart):
                with use_backend("eager"):
                    expected, _ = scan(each, x)
                assert_close(scan(each, x)[0], expected)
