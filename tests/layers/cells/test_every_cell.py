"""What must hold for each cell in the catalogue."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from elman.engine import Cell, as_sizes, recording, scan
from elman.layers.cells import CELLS
from elman.layers.cells.stacked import StackedCell

TIME, BATCH, INPUT, HIDDEN = 4, 2, 3, 4

LSTM_GATES = {"input_gate", "forget_gate", "candidate", "output_gate"}
RECORDS = {
    "elman": set(),
    "elman-relu": set(),
    "elman-sigmoid": set(),
    "jordan": {"hidden"},
    "gated": LSTM_GATES,
    "gated-states": LSTM_GATES,
    "lstm": LSTM_GATES,
    "peephole-lstm": LSTM_GATES,
    "peephole-lstm-full": LSTM_GATES,
    "projected-lstm": LSTM_GATES,
    "gru": {"reset_gate", "update_gate", "candidate"},
    "gru-reset-before": {"reset_gate", "update_gate", "candidate"},
    "update-gate": {"update_gate", "candidate"},
    "layer-norm-lstm": LSTM_GATES,
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """PyTorch's layer norm wakes its whole team even for two rows: minutes of waiting on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=sorted(CELLS))
def name(request: pytest.FixtureRequest) -> str:
    torch.manual_seed(0)
    return request.param


@pytest.fixture
def cell(name: str) -> Cell:
    return CELLS[name](INPUT, HIDDEN)


def random_state(cell: Cell, batch: int = BATCH, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    return tuple(torch.randn(batch, *as_sizes(shape), dtype=dtype) for shape in cell.state_shapes)


def test_gradients_agree_with_finite_differences(cell: Cell) -> None:
    cell = cell.double()
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.5)  # zeros would hide a missing factor
    x = torch.randn(TIME, BATCH, INPUT, dtype=torch.float64, requires_grad=True)
    state = tuple(tensor.requires_grad_() for tensor in random_state(cell, dtype=torch.float64))

    def run(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        outputs, after = scan(cell, x, rest[: len(state)])
        return outputs, *after

    assert gradcheck(run, (x, *state, *cell.parameters()))


def test_every_parameter_and_the_initial_state_matter(cell: Cell) -> None:
    for parameter in cell.parameters():
        nn.init.normal_(parameter, std=0.5)
    state = tuple(tensor.requires_grad_() for tensor in random_state(cell))
    scan(cell, torch.randn(TIME, BATCH, INPUT), state)[0].square().sum().backward()
    assert all(tensor.grad is not None and tensor.grad.abs().sum() > 0 for tensor in (*cell.parameters(), *state))


def test_shapes_are_those_that_the_cell_declares(cell: Cell) -> None:
    output, state = cell(torch.randn(BATCH, INPUT), cell.initial_state(BATCH))
    assert output.shape == (BATCH, cell.output_size)
    assert [tensor.shape[1:] for tensor in state] == [torch.Size(as_sizes(shape)) for shape in cell.state_shapes]


def test_the_output_is_the_first_state_tensor_itself(cell: Cell) -> None:
    output, state = cell(torch.randn(BATCH, INPUT), cell.initial_state(BATCH))
    assert output is state[0]  # zoneout relies on it


def test_width_one_works(name: str) -> None:
    cell = CELLS[name](1, 1)
    outputs, _ = scan(cell, torch.randn(3, 1, 1))
    assert outputs.shape == (3, 1, 1)
    assert outputs.isfinite().all()


def test_weights_are_stacked(cell: StackedCell) -> None:
    rows = len(cell.gates) * HIDDEN
    assert cell.weight_ih.shape == (rows, INPUT)
    assert cell.weight_hh.shape == (rows, cell.output_size)
    assert cell.bias.shape == (rows,)


def test_recurrent_blocks_start_orthogonal(cell: StackedCell) -> None:
    for block in cell.weight_hh.detach().chunk(len(cell.gates)):
        assert torch.allclose(block.T @ block, torch.eye(cell.output_size), atol=1e-5)  # f32 products of 4 terms


def test_input_blocks_start_within_glorot_bounds(cell: StackedCell) -> None:
    bound = (6 / (INPUT + HIDDEN)) ** 0.5
    largest = cell.weight_ih.detach().abs().max()
    assert 0.5 * bound < largest <= bound


def test_biases_start_at_zero_but_a_forget_gate_is_open(cell: StackedCell) -> None:
    expected = torch.cat([torch.full((HIDDEN,), float(gate == "forget_gate")) for gate in cell.gates])
    assert torch.equal(cell.bias, expected)


def test_gates_are_recorded(name: str, cell: Cell) -> None:
    with recording() as heard:
        scan(cell, torch.randn(TIME, BATCH, INPUT))
    assert set(heard[0]) == RECORDS[name]
    assert all(value.shape == (TIME, BATCH, HIDDEN) for value in heard[0].values())
    gates = [value for gate, value in heard[0].items() if gate.endswith("_gate")]
    assert all(((value > 0) & (value < 1)).all() for value in gates)


def test_recurrent_dropout_of_everything_leaves_memory_alone(name: str, cell: Cell) -> None:
    """With a mask of zeros the past reaches a step only as memory, never through a recurrent product."""
    x = torch.randn(BATCH, INPUT)
    cell._recurrent_mask = torch.zeros(BATCH, cell.output_size)
    first, other = random_state(cell), random_state(cell)
    if len(first) > 1:  # h of an LSTM is no memory, c is
        state = (other[0], *first[1:])
        assert torch.equal(cell(x, first)[0], cell(x, state)[0])
    elif name in ("elman", "elman-relu", "elman-sigmoid", "jordan"):
        assert torch.equal(cell(x, first)[0], cell(x, other)[0])
    else:
        assert not torch.equal(cell(x, first)[0], cell(x, other)[0])


def test_equation_is_plain_text(cell: StackedCell) -> None:
    assert "=" in cell.equation
    assert all(len(line) < 100 for line in cell.equation.splitlines())


def test_rows_do_not_depend_on_each_other(cell: Cell) -> None:
    x, state = torch.randn(BATCH, INPUT), random_state(cell)
    together, _ = cell(x, state)
    alone, _ = cell(x[:1], tuple(tensor[:1] for tensor in state))
    assert torch.allclose(together[:1], alone, atol=1e-6)  # PyTorch's products may round differently by row count


def test_meta_device_holds_no_numbers(name: str) -> None:
    with torch.device("meta"):
        assert all(parameter.is_meta for parameter in CELLS[name](INPUT, HIDDEN).parameters())
