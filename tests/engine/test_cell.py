"""The contract of a cell: its sizes, its zeros, and PyTorch's own cells under it."""

import pytest
import torch
from torch import Tensor, nn

from elman.engine import Cell, Context, State, TorchCell, as_cell, as_sizes, scan, state_size
from elman.errors import CellError, ElmanError


class Sum(Cell):
    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        total = state[0] + x
        return total, (total,)


def test_one_state_as_wide_as_the_output_when_none_is_named() -> None:
    assert Cell(3, 4).state_shapes == (4,)


@pytest.mark.parametrize("shapes", [(), (5,), (5, 2), ((2, 3), 4), (5, (1, 1, 1))])
def test_initial_state_is_zeros_of_the_named_shapes(shapes: tuple[int | tuple[int, ...], ...]) -> None:
    cell = Cell(3, 4, shapes)
    state = cell.initial_state(7)
    assert [tuple(tensor.shape) for tensor in state] == [(7, *as_sizes(shape)) for shape in shapes]
    assert all((tensor == 0).all() for tensor in state)
    assert state_size(cell) == sum(tensor[0].numel() for tensor in state)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_initial_state_has_the_parameters_dtype(dtype: torch.dtype) -> None:
    assert as_cell(nn.GRUCell(3, 4)).to(dtype).initial_state(2)[0].dtype == dtype


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize(
    "sizes",
    [(0, 4), (3, 0), (-1, 4), (3.0, 4), ("3", 4), (3, 4, (0,)), (3, 4, ((2, 0),)), (3, 4, ([2, 3],)), (3, 4, 4)],
    ids=str,
)
def test_impossible_sizes_are_refused(sizes: tuple) -> None:
    with pytest.raises(CellError) as caught:
        Sum(*sizes)
    message = str(caught.value)
    assert "Sum" in message
    assert repr(sizes[-1] if len(sizes) == 3 else sizes[0]) in message
    assert "\n" not in message


def test_a_cell_without_forward_says_so() -> None:
    with pytest.raises(CellError, match=r"Cell has no forward\(x, state\)"):
        Cell(3, 4)(torch.zeros(1, 3), (torch.zeros(1, 4),))


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_cells_of_torch_step_as_before(kind: type[nn.RNNCellBase]) -> None:
    theirs = kind(3, 4)
    cell = as_cell(theirs)
    assert isinstance(cell, TorchCell)
    states = 2 if kind is nn.LSTMCell else 1
    state = tuple(torch.randn(5, 4) for _ in range(states))
    x = torch.randn(5, 3)
    output, after = cell(x, state)
    expected = theirs(x, state if states == 2 else state[0])
    expected = expected if states == 2 else (expected,)
    assert len(after) == states == len(cell.state_shapes)
    assert torch.equal(output, expected[0])
    assert all(torch.equal(a, b) for a, b in zip(after, expected, strict=True))


def test_a_cell_is_left_as_it_is() -> None:
    cell = Sum(3, 3)
    assert as_cell(cell) is cell


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize("module", [nn.Linear(3, 4), nn.LSTM(3, 4), nn.Identity()])
def test_what_is_no_cell_is_refused(module: nn.Module) -> None:
    with pytest.raises(CellError, match=f"received {type(module).__name__}"):
        as_cell(module)


def test_record_gives_the_value_back() -> None:
    value = torch.randn(2, 3)
    assert Cell(3, 4).record("gate", value) is value


class Promises(Cell):
    """Returns whatever it is told to."""

    def __init__(self, result: object, initial: object = None) -> None:
        super().__init__(3, 4, (4, (2, 5)))
        self.result, self.initial = result, initial

    def initial_state(self, batch: int) -> State:
        return super().initial_state(batch) if self.initial is None else self.initial  # pyright: ignore

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        return self.result  # pyright: ignore


output, h, m = torch.zeros(7, 4), torch.zeros(7, 4), torch.zeros(7, 2, 5)


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize(
    ("result", "received"),
    [
        (output, "a tensor (7, 4)"),
        (None, "NoneType"),
        ((output, h, m), "a tuple of (a tensor (7, 4), a tensor (7, 4), a tensor (7, 2, 5))"),
        ((output, [h, m]), "a list of"),
        ((output, h), "a tuple of (a tensor (7, 4), a tensor (7, 4))"),
        ((output, (h,)), "a tuple of (a tensor (7, 4), a tuple of (a tensor (7, 4)))"),
        ((output, (m, h)), "a tuple of (a tensor (7, 2, 5), a tensor (7, 4))"),
        ((output[:1], (h, m)), "a tensor (1, 4)"),
        ((output, (h, m[:, :, :1])), "a tensor (7, 2, 1)"),
        (((h, m), output), "a tuple of (a tuple of"),
    ],
)
def test_a_broken_promise_names_the_cell_and_both_shapes(result: object, received: str) -> None:
    with pytest.raises(CellError) as caught:
        scan(Promises(result), torch.zeros(2, 7, 3))
    message = str(caught.value)
    assert message.startswith("forward of Promises expects to return an output (7, 4) and a state in a tuple")
    assert "((7, 4), (7, 2, 5)); received" in message
    assert received in message
    assert "\n" not in message


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize("initial", [(), (h,), (h, m[:1]), h, [h, m]], ids=["none", "one", "batch", "tensor", "list"])
def test_a_broken_initial_state_is_refused(initial: object) -> None:
    with pytest.raises(CellError, match=r"initial_state\(7\) of Promises expects to give a state in a tuple") as caught:
        scan(Promises((output, (h, m)), initial), torch.zeros(2, 7, 3))
    assert isinstance(caught.value, ElmanError)
    assert "\n" not in str(caught.value)
