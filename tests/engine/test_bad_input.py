"""What a caller may get wrong, or strange but right: errors in words, empty results, odd memory; never a number beyond.

Key: T time, B batch.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from elman.engine import Cell, State, scan, use_backend
from elman.errors import ShapeError
from elman.layers import LSTMCell, PeepholeLSTMCell, Recurrent

pytestmark = pytest.mark.usefixtures("as_in_use")


class Shifted(Cell):
    """Looks at a context."""

    def __init__(self) -> None:
        super().__init__(3, 5)

    def forward(self, x: Tensor, state: State, context: State = ()) -> tuple[Tensor, State]:
        h = torch.tanh(state[0] + context[0] + x.sum(-1, keepdim=True))
        return h, (h,)


def run(cell: Cell, x: Tensor, state: State | None = None, **options: object) -> list[Tensor]:
    """Outputs, final states, and gradients of x, states and parameters."""
    y, after = scan(cell, x, state, **options)  # pyright: ignore
    wanted = [each for each in (x, *(state or ()), *cell.parameters()) if each.requires_grad]
    loss = y.sin().sum() + sum(each.square().sum() for each in after)
    loss = loss + 0 * sum(each.sum() for each in wanted)  # where nothing happened, gradients are zeros
    return [y, *after, *torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)]


def assert_as_eager(
    cell: Cell, x: Tensor, state: State | None = None, without: Sequence[str] = (), **options: object
) -> list[Tensor]:
    with use_backend("llvm"):
        ours = run(cell, x, state, **options)
    with use_backend("eager"):
        theirs = run(cell, x, state, **options)
    results = 1 + len(cell.state_shapes)
    for a, b in list(zip(ours, theirs, strict=True))[: results if "gradients" in without else None]:
        assert_close(a, b, rtol=1e-5, atol=1e-5, equal_nan=True)
    return ours


# errors in words


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.zeros(4, 2), r"\(time, batch, 3\); received \(4, 2\)"),
        (torch.zeros(4, 2, 4), r"\(time, batch, 3\); received \(4, 2, 4\)"),
        (torch.zeros(4, 2, 3, dtype=torch.long), "floating-point input; received torch.int64"),
        (torch.zeros(4, 2, 3, dtype=torch.double), "weights of torch.float32; received input of torch.float64"),
        (torch.zeros(4, 2, 3, dtype=torch.half), "weights of torch.float32; received input of torch.float16"),
    ],
)
def test_input_that_does_not_fit(x: Tensor, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        scan(LSTMCell(3, 5), x)


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ([1, 5], "from 0 to 4, the steps of the input; received 1 to 5"),
        ([-1, 2], "received -1 to 2"),
        ([1, 2, 3], "2 whole numbers"),
        ([1.0, 2.0], "2 whole numbers"),
        ([True, False], "2 whole numbers"),
    ],
)
def test_lengths_that_do_not_fit(lengths: list[float], said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        scan(LSTMCell(3, 5), torch.zeros(4, 2, 3), lengths=torch.tensor(lengths))


@pytest.mark.parametrize(
    "sizes", [[(2, 5)], [(2, 5), (2, 4)], [(2, 5), (3, 5)], [(2, 5), (2, 5), (2, 5)], [(5,), (5,)]]
)
def test_states_that_do_not_fit(sizes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ShapeError, match="expects"):
        scan(LSTMCell(3, 5), torch.zeros(4, 2, 3), tuple(torch.zeros(size) for size in sizes))


@pytest.mark.parametrize("resets", [torch.zeros(4, 2), torch.zeros(2, 4, dtype=torch.bool)])
def test_resets_that_do_not_fit(resets: Tensor) -> None:
    with pytest.raises(ShapeError, match=r"booleans of shape \(4, 2\)"):
        scan(LSTMCell(3, 5), torch.zeros(4, 2, 3), resets=resets)


def test_a_context_of_other_rows() -> None:
    with pytest.raises(ShapeError, match="one entry a row"):
        scan(Shifted(), torch.zeros(4, 2, 3), context=(torch.zeros(3, 5),))


def test_tensors_without_numbers_go_where_they_can() -> None:
    y, (h, c) = scan(LSTMCell(3, 5).to("meta"), torch.zeros(4, 2, 3, device="meta"))
    assert (y.shape, y.device.type, h.shape, c.shape) == ((4, 2, 5), "meta", (2, 5), (2, 5))


# nothing, and no numbers


@pytest.mark.parametrize("make", [LSTMCell, PeepholeLSTMCell])
@pytest.mark.parametrize(("time", "batch"), [(0, 2), (3, 0), (0, 0)])
def test_nothing_gives_nothing(make: Callable[[int, int], Cell], time: int, batch: int) -> None:
    cell = make(3, 5)
    x = torch.randn(time, batch, 3, requires_grad=True)
    for state in (None, tuple(torch.randn(batch, 5, requires_grad=True) for _ in range(2))):
        for lengths in (None, torch.zeros(batch, dtype=torch.long)):
            y, *rest = assert_as_eager(cell, x, state, lengths=lengths)
            assert y.shape == (time, batch, 5)
            if state is not None:
                assert torch.equal(rest[0], state[0])
    with torch.no_grad():
        assert scan(cell, x)[0].shape == (time, batch, 5)


def test_layers_take_nothing_too() -> None:
    layer = Recurrent(LSTMCell, 3, 5, num_layers=2, bidirectional=True)
    for time, batch in ((0, 2), (3, 0)):
        y, state = layer(torch.randn(time, batch, 3))
        assert (y.shape, state[3][0].shape) == ((time, batch, 10), (batch, 5))
        (y.sum() + sum(each.sum() for one in state for each in one)).backward()
        assert all(parameter.grad is not None and not parameter.grad.any() for parameter in layer.parameters())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e30, -1e30])
@pytest.mark.parametrize("make", [LSTMCell, PeepholeLSTMCell])
def test_numbers_that_are_none_go_through_as_in_pytorch(make: Callable[[int, int], Cell], bad: float) -> None:
    cell = make(3, 21)
    x = torch.randn(5, 6, 3)
    x[2, 1, 0] = bad
    wild = bad in (float("inf"), -float("inf"))  # 0 times infinity: whether a gate closes wholly decides
    y, *_ = assert_as_eager(cell, x.requires_grad_(), without=["gradients"] * wild)
    clean, _ = scan(cell, x[:, 2:])
    assert torch.equal(y[:, 2:], clean), "other rows know nothing of it"
    assert y[:2].isfinite().all()
    assert bad == bad or y[2:, 1].isnan().all()
    state = (torch.full((6, 21), bad), torch.zeros(6, 21))
    assert_as_eager(cell, torch.randn(2, 6, 3), state, without=["gradients"] * wild)


# memory in any order


def odd_layouts(tensor: Tensor) -> dict[str, Tensor]:
    """The same numbers, lying otherwise."""
    wide = torch.full((*tensor.shape[:-1], 2 * tensor.shape[-1] + 1), float("nan"))
    wide[..., 1::2] = tensor
    turned = tensor.permute(*reversed(range(tensor.dim()))).contiguous()
    shifted = torch.full((tensor.numel() + 1,), float("nan"))
    shifted[1:] = tensor.flatten()
    return {
        "with gaps": wide[..., 1::2],
        "transposed": turned.permute(*reversed(range(tensor.dim()))),
        "shifted by one number": shifted[1:].view(tensor.shape),
    }


@pytest.mark.parametrize("make", [LSTMCell, PeepholeLSTMCell])
@pytest.mark.parametrize("layout", ["with gaps", "transposed", "shifted by one number"])
def test_inputs_may_lie_in_memory_as_they_like(make: Callable[[int, int], Cell], layout: str) -> None:
    cell = make(3, 5)
    x, state = torch.randn(4, 2, 3), tuple(torch.randn(2, 5) for _ in range(2))
    expected, after = scan(cell, x, state)
    y, rest = scan(cell, odd_layouts(x)[layout], tuple(odd_layouts(each)[layout] for each in state))
    assert torch.equal(y, expected)
    assert all(torch.equal(a, b) for a, b in zip(after, rest, strict=True))
    leaf = x.clone().requires_grad_()
    assert_as_eager(cell, odd_layouts(x)[layout].requires_grad_(), state)
    assert leaf.grad is None
    weights = {name: odd_layouts(each.detach())[layout] for name, each in cell.named_parameters()}
    assert torch.equal(scan(cell, x, state, parameters=weights)[0], expected)


def test_inputs_may_overlap() -> None:
    cell = LSTMCell(3, 5)
    one = torch.randn(3)
    for x in (
        one.expand(4, 2, 3),
        torch.randn(4, 1, 3).expand(4, 2, 3),
        torch.randn(20).as_strided((4, 2, 3), (2, 3, 1)),
        torch.randn(20).unfold(0, 3, 1)[:8].view(4, 2, 3),
    ):
        leaf = x.clone().requires_grad_()
        assert torch.equal(scan(cell, x)[0], scan(cell, leaf)[0])
        assert_as_eager(cell, x.detach().requires_grad_())
    row = torch.randn(1, 5)
    same = (row.expand(2, 5),) * 2
    expected = scan(cell, torch.ones(4, 2, 3), tuple(each.clone() for each in same))[0]
    assert torch.equal(scan(cell, torch.ones(4, 2, 3), same)[0], expected)


def test_contexts_and_gradients_may_lie_as_they_like() -> None:
    cell, context = Shifted(), torch.randn(2, 5)
    x = torch.randn(4, 2, 3, requires_grad=True)
    expected, _ = scan(cell, x, context=(context,))
    for other in (*odd_layouts(context).values(), context[:1].expand(2, 5)):
        same = scan(cell, x, context=(other.contiguous(),))[0]
        assert torch.equal(scan(cell, x, context=(other,))[0], same)
    gradient = torch.randn(4, 2, 5)
    for other in (*odd_layouts(gradient).values(), torch.ones(()).expand(4, 2, 5)):
        ours = torch.autograd.grad(expected, x, other, retain_graph=True)[0]
        theirs = torch.autograd.grad(expected, x, other.contiguous(), retain_graph=True)[0]
        assert torch.equal(ours, theirs)


def test_nobodys_tensors_are_written_to() -> None:
    cell = LSTMCell(3, 5)
    x, state = torch.randn(4, 2, 3), tuple(torch.randn(2, 5) for _ in range(2))
    given = [x, *state, *(each.detach() for each in cell.parameters())]
    before = [each.clone() for each in given]
    y, after = scan(cell, x, state)
    kept = [y.detach().clone(), *(each.detach().clone() for each in after)]
    torch.autograd.grad(y.sum(), [*cell.parameters()], retain_graph=True)
    scan(cell, torch.randn(4, 2, 3), tuple(after))
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))
    assert all(torch.equal(a, b) for a, b in zip([y, *after], kept, strict=True))


@pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect")
def test_no_kernel_looks_or_writes_beyond_its_tensors() -> None:
    program = Path(__file__).with_name("guarded.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or f"killed by signal {-done.returncode}"
    assert done.stdout == "inside\n"
