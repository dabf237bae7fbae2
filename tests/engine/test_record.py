"""What cells name on their way, in order and in shape."""

import pytest
import torch
from torch import Tensor

from elman.engine import Cell, Context, State, recording, scan, use_backend
from elman.errors import CellError
from elman.layers import GRU, LSTM, GRUCell, LSTMCell, Recurrent


class Clock(Cell):
    """Records what it sees, and how often it has been called."""

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (count,) = state
        count = self.record("count", count + 1)
        self.record("seen", x)
        return count, (count,)


@pytest.mark.parametrize("reverse", [False, True])
def test_entry_t_is_step_t_in_both_directions(reverse: bool) -> None:
    x = torch.randn(5, 2, 1)
    with recording() as heard:
        scan(Clock(1, 1), x, reverse=reverse)
    (entry,) = heard
    assert torch.equal(entry["seen"], x)
    count = torch.arange(1.0, 6)
    assert torch.equal(entry["count"][:, 0, 0], count.flip(0) if reverse else count)


@pytest.mark.parametrize(
    ("layer", "gates", "width"),
    [
        (lambda: LSTM(3, 4, 2, bidirectional=True), ["input_gate", "forget_gate", "candidate", "output_gate"], 4),
        (lambda: GRU(3, 4, 2, bidirectional=True), ["reset_gate", "update_gate", "candidate"], 4),
        (lambda: LSTM(3, 4, 4, proj_size=2), ["input_gate", "forget_gate", "candidate", "output_gate"], 4),
        (
            lambda: Recurrent(GRUCell, 3, 4, 2, bidirectional=True, zoneout=0.1),
            ["reset_gate", "update_gate", "candidate"],
            4,
        ),
    ],
)
def test_one_entry_a_layer_and_direction(layer, gates: list[str], width: int) -> None:
    with recording() as heard:
        layer()(torch.randn(5, 2, 3), lengths=torch.tensor([5, 2]))
    assert len(heard) == 4
    for entry in heard:
        assert list(entry) == gates
        assert all(value.shape == (5, 2, width) for value in entry.values())


def test_gates_explain_the_state() -> None:
    with recording() as heard:
        y, ((_, c),) = Recurrent(LSTMCell, 3, 4)(torch.randn(5, 2, 3))
    (gates,) = heard
    memory = torch.zeros(2, 4)
    for i, f, g, o, output in zip(*gates.values(), y, strict=True):
        memory = f * memory + i * g
        torch.testing.assert_close(o * torch.tanh(memory), output)
    torch.testing.assert_close(memory, c)


def test_gradients_pass_through() -> None:
    with recording() as heard:
        y, _ = scan(LSTMCell(3, 4), torch.randn(5, 2, 3))
    (gradient,) = torch.autograd.grad(y[-1].sum(), heard[0]["forget_gate"], allow_unused=True, materialize_grads=True)
    assert gradient.shape == (5, 2, 4)


def test_an_empty_sequence_keeps_its_place() -> None:
    with recording() as heard:
        Recurrent(LSTMCell, 3, 4, 2)(torch.zeros(0, 2, 3))
    assert heard == [{}, {}]


def test_only_the_block_is_heard() -> None:
    cell, x = Clock(1, 1), torch.zeros(2, 1, 1)
    scan(cell, x)
    with recording() as outer:
        with recording() as inner:
            scan(cell, x)
        scan(cell, x)
        scan(cell, x)
    scan(cell, x)
    assert (len(outer), len(inner)) == (2, 1)


def test_a_name_belongs_to_every_step() -> None:
    class Sometimes(Clock):
        def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
            if state[0].sum() > 0:
                self.record("late", x)
            return super().forward(x, state, context)

    with recording(), pytest.raises(CellError, match="record expects 'late' at every step"):
        scan(Sometimes(1, 1), torch.zeros(3, 2, 1))
    with use_backend("eager"):
        scan(Sometimes(1, 1), torch.zeros(3, 2, 1))  # free when nobody listens


def test_an_error_ends_the_listening() -> None:
    with pytest.raises(ZeroDivisionError), recording() as heard:
        1 / 0  # noqa: B018
    scan(Clock(1, 1), torch.zeros(2, 1, 1))
    assert heard == []
