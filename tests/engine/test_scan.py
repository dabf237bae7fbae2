"""A cell over time, against loops of a few lines."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from elman.engine import Cell, Context, State, as_cell, explain_scan, probe_states, recording, scan, use_backend
from elman.errors import OptionError, ShapeError

T, B, FEATURES, OUT = 6, 4, 3, 5
LENGTHS = torch.tensor([2, 6, 0, 3])  # in no order, one empty, one full


class Matrix(Cell):
    """Two states of different shapes, one a matrix; a learned start; context, if there is some."""

    def __init__(self) -> None:
        super().__init__(FEATURES, OUT, ((2, 3), OUT))
        self.w = nn.Parameter(torch.randn(FEATURES, 6, dtype=torch.float64) * 0.3)
        self.r = nn.Parameter(torch.randn(6 + OUT, OUT, dtype=torch.float64) * 0.3)
        self.start = nn.Parameter(torch.randn(OUT, dtype=torch.float64))

    def initial_state(self, batch: int) -> State:
        return super().initial_state(batch)[0], self.start.expand(batch, OUT)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        matrix, vector = state
        matrix = 0.5 * matrix + self.record("seen", torch.tanh(x @ self.w)).view(-1, 2, 3)
        vector = torch.tanh(torch.cat([matrix.flatten(1), vector], dim=1) @ self.r + sum(context))
        return vector * matrix.mean(dim=(1, 2), keepdim=True).squeeze(-1), (matrix, vector)


class NoParameters(Cell):
    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:  # pyright: ignore[reportIncompatibleMethodOverride]
        total = state[0] + x
        return total, (total,)


CELLS = {
    "matrix": Matrix,
    "lstm": lambda: as_cell(nn.LSTMCell(FEATURES, OUT).double()),
    "gru": lambda: as_cell(nn.GRUCell(FEATURES, OUT).double()),
    "rnn": lambda: as_cell(nn.RNNCell(FEATURES, OUT, nonlinearity="relu").double()),
}


@pytest.fixture(params=CELLS)
def cell(request: pytest.FixtureRequest) -> Cell:
    return CELLS[request.param]()


def some_input(time: int = T, batch: int = B) -> Tensor:
    return torch.randn(time, batch, FEATURES, dtype=torch.float64)


def some_state(cell: Cell, batch: int = B) -> State:
    return tuple(torch.randn_like(tensor, requires_grad=True) for tensor in cell.initial_state(batch))


def row(state: State, number: int) -> State:
    return tuple(tensor[number : number + 1] for tensor in state)


def assert_same(ours: State | list[Tensor], expected: State | list[Tensor]) -> None:
    """Within rounding: a matrix product may change its last bits with the number of rows."""
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def one_row(cell: Cell, x: Tensor, state: State, resets: list[bool], reverse: bool) -> tuple[Tensor, State]:
    """The definition, for one row (T, 1, FEATURES) without padding."""
    time = len(x)
    order = range(time - 1, -1, -1) if reverse else range(time)
    outputs: list[Tensor] = [x.new_zeros(1, cell.output_size)] * time
    for t in order:
        boundary = t + 1 if reverse else t
        if boundary < time and resets[boundary]:
            state = cell.initial_state(1)
        outputs[t], state = cell(x[t], state)
    return torch.stack(outputs) if time else x.new_zeros(0, 1, cell.output_size), state


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("with_resets", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS, LENGTHS.to(torch.uint8)], ids=["full", "lengths", "uint8"])
@pytest.mark.parametrize("given", [False, True])
def test_each_row_is_the_row_run_alone(
    cell: Cell, reverse: bool, with_resets: bool, lengths: Tensor | None, given: bool
) -> None:
    x = some_input()
    counts = [T] * B if lengths is None else lengths.tolist()
    for number, length in enumerate(counts):
        x[length:, number] = float("nan")
    x.requires_grad_()
    state = some_state(cell) if given else None
    resets = torch.rand(T, B) < 0.4 if with_resets else torch.zeros(T, B, dtype=torch.bool)
    ys, final = scan(cell, x, state, lengths=lengths, resets=resets if with_resets else None, reverse=reverse)

    alone = [
        one_row(
            cell,
            x[:length, b : b + 1],
            cell.initial_state(1) if state is None else row(state, b),
            resets[:, b].tolist()[:length],
            reverse,
        )
        for b, length in enumerate(counts)
    ]
    for b, (length, (y, last)) in enumerate(zip(counts, alone, strict=True)):
        assert_same([ys[:length, b : b + 1]], [y])
        assert (ys[length:, b] == 0).all()
        assert_same(row(final, b), last)

    leaves = [x, *cell.parameters(), *(state or ())]
    ours = torch.autograd.grad(ys.square().sum() + sum(s.sum() for s in final), leaves, materialize_grads=True)
    loss = sum(y.square().sum() + sum(s.sum() for s in last) for y, last in alone)
    assert_same(list(ours), list(torch.autograd.grad(loss, leaves, materialize_grads=True)))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_reset_cuts_the_sequence(cell: Cell, reverse: bool) -> None:
    x, state, cut = some_input(), some_state(cell), 4
    resets = torch.zeros(T, B, dtype=torch.bool)
    resets[cut] = True
    y, final = scan(cell, x, state, resets=resets, reverse=reverse)
    first, last = (x[cut:], x[:cut]) if reverse else (x[:cut], x[cut:])
    before, _ = scan(cell, first, state, reverse=reverse)
    after, expected = scan(cell, last, reverse=reverse)
    assert_same([y, *final], [torch.cat([after, before] if reverse else [before, after]), *expected])


@pytest.mark.parametrize("reverse", [False, True])
def test_a_carried_state_over_two_halves_is_one_run(cell: Cell, reverse: bool) -> None:
    x = some_input()
    y, final = scan(cell, x, reverse=reverse)
    halves = [x[:2], x[2:]]
    outputs: list[Tensor] = []
    state: State | None = None
    for half in reversed(halves) if reverse else halves:
        out, state = scan(cell, half, state, reverse=reverse)
        outputs.append(out)
    assert state is not None
    assert_same([y, *final], [torch.cat(outputs[::-1] if reverse else outputs), *state])


@pytest.mark.parametrize(("time", "batch"), [(0, 3), (3, 0), (0, 0), (1, 1), (63, 1), (2, 63)])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_odd_sizes(cell: Cell, time: int, batch: int, reverse: bool, padded: bool) -> None:
    state = some_state(cell, batch)
    extra = {"lengths": torch.full((batch,), time), "resets": torch.zeros(time, batch, dtype=torch.bool)}
    y, final = scan(cell, some_input(time, batch), state, reverse=reverse, **(extra if padded else {}))
    assert y.shape == (time, batch, OUT)
    assert y.isfinite().all()
    assert [tensor.shape for tensor in final] == [tensor.shape for tensor in state]
    if time == 0:
        assert_same(final, state)


def test_the_own_state_comes_back_when_time_is_empty() -> None:
    cell = Matrix()
    _, final = scan(cell, some_input(time=0))
    assert_same(final, cell.initial_state(B))


@pytest.mark.parametrize(
    "strided",
    [
        lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
        lambda x: x.repeat_interleave(2, dim=0)[::2],
        lambda x: torch.cat([x, x], dim=-1)[..., :FEATURES],
        lambda x: x[:, :1].expand(-1, B, -1),
    ],
)
def test_strides_do_not_matter(cell: Cell, strided) -> None:
    x = strided(some_input())
    assert_same([scan(cell, x)[0]], [scan(cell, x.contiguous())[0]])


def test_context_is_seen_at_every_step() -> None:
    cell, x, context = Matrix(), some_input(), torch.randn(B, OUT, dtype=torch.float64, requires_grad=True)
    y, _ = scan(cell, x, context=(context, context))
    state, outputs = cell.initial_state(B), []
    for step in x.unbind(0):
        output, state = cell(step, state, (2 * context,))
        outputs.append(output)
    expected = torch.stack(outputs)
    assert_same([y], [expected])
    assert_same([*torch.autograd.grad(y.sum(), context)], [*torch.autograd.grad(expected.sum(), context)])


def test_a_cells_own_context_comes_first() -> None:
    class Drawing(Matrix):
        def draw_context(self, batch: int) -> Context:
            return (torch.arange(batch, dtype=torch.float64).unsqueeze(1),)

        def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
            drawn, passed = context
            assert drawn.flatten().tolist() == [*range(B)]
            assert (passed == 7).all()
            return super().forward(x, state, context)

    with use_backend("eager"):
        scan(Drawing(), some_input(), context=(torch.full((B, OUT), 7.0, dtype=torch.float64),))


def test_parameters_stand_in() -> None:
    cell, other, x = Matrix(), Matrix(), some_input()
    stand_in = dict(other.named_parameters())
    y, final = scan(cell, x, parameters=stand_in)
    expected, last = scan(other, x)
    assert_same([y, *final], [expected, *last])
    grads = torch.autograd.grad(y.sum(), [*stand_in.values()])
    assert_same([*grads], [*torch.autograd.grad(expected.sum(), [*other.parameters()])])


def test_what_a_cell_prepares_is_computed_once_and_stands_in() -> None:
    calls = 0

    class Prepared(Matrix):
        def prepare(self) -> dict[str, Tensor]:
            nonlocal calls
            calls += 1
            return {"w": 2 * self.w}

    cell, x = Prepared(), some_input()
    y, _ = scan(cell, x)
    assert calls == 1
    doubled = dict(cell.named_parameters()) | {"w": 2 * cell.w}
    plain = Matrix()
    assert_same([y], [scan(plain, x, parameters=doubled)[0]])


def test_weight_norm_is_computed_once_a_scan() -> None:
    class Counting(nn.Module):
        calls = 0

        def forward(self, weight: Tensor) -> Tensor:
            Counting.calls += 1
            return weight

    cell, x = Matrix(), some_input()
    expected, _ = scan(cell, x)
    weight_norm(cell, "w")
    nn.utils.parametrize.register_parametrization(cell, "w", Counting())
    Counting.calls = 0
    with use_backend("eager"):
        y, _ = scan(cell, x)
    assert Counting.calls == 1
    assert_same([y], [expected])
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in cell.parameters())
    with torch.no_grad():
        cell.parametrizations.w.original0.mul_(2)  # a later call sees new weights
    assert not torch.allclose(scan(cell, x)[0], y)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_cell_without_parameters_keeps_the_inputs_dtype(dtype: torch.dtype) -> None:
    x = torch.randn(T, B, FEATURES, dtype=dtype)
    y, (total,) = scan(NoParameters(FEATURES, FEATURES), x, lengths=torch.full((B,), T))
    torch.testing.assert_close(y, x.cumsum(0))
    assert total.dtype == dtype


def test_gradients_agree_with_finite_differences() -> None:
    cell, lengths, resets = Matrix(), torch.tensor([2, 3]), torch.tensor([[0, 0], [1, 0], [0, 1]]) > 0
    names, values = zip(*cell.named_parameters(), strict=True)

    def run(x: Tensor, matrix: Tensor, vector: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        stand_in = dict(zip(names, parameters, strict=True))
        y, final = scan(cell, x, (matrix, vector), lengths=lengths, resets=resets, reverse=True, parameters=stand_in)
        return y, *final

    inputs = (some_input(3, 2).requires_grad_(), *some_state(cell, 2), *values)
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_second_derivatives_agree_with_finite_differences() -> None:
    cell = Matrix()
    inputs = (some_input(2, 1).requires_grad_(), *some_state(cell, 1))
    assert torch.autograd.gradgradcheck(lambda x, a, b: scan(cell, x, (a, b))[0], inputs, fast_mode=True)


@pytest.mark.parametrize(
    ("arguments", "expected", "received"),
    [
        ({"x": torch.zeros(T, FEATURES)}, "(time, batch, 3)", "(6, 3)"),
        ({"x": torch.zeros(T, B, FEATURES + 1)}, "(time, batch, 3)", "(6, 4, 4)"),
        ({"x": torch.zeros(T, B, FEATURES, dtype=torch.long)}, "floating-point", "torch.int64"),
        ({"lengths": torch.tensor([1, 2])}, "4 whole numbers", "(2,)"),
        ({"lengths": torch.ones(B)}, "4 whole numbers", "torch.float32"),
        ({"lengths": torch.ones(B, dtype=torch.bool)}, "4 whole numbers", "torch.bool"),
        ({"lengths": torch.ones(B, 1, dtype=torch.long)}, "4 whole numbers", "(4, 1)"),
        ({"lengths": [1, 2, 3]}, "4 whole numbers", "(3,)"),
        ({"lengths": torch.tensor([1, 2, 7, 3])}, "0 to 6", "1 to 7"),
        ({"lengths": torch.tensor([1, -2, 6, 3])}, "0 to 6", "-2 to 6"),
        ({"resets": torch.zeros(B, T, dtype=torch.bool)}, "(6, 4)", "(4, 6)"),
        ({"resets": torch.zeros(T, dtype=torch.bool)}, "(6, 4)", "(6,)"),
        ({"resets": torch.zeros(T, B)}, "booleans", "torch.float32"),
        ({"state": ()}, "2 tensors in a tuple", "tuple of 0"),
        ({"state": (torch.zeros(B, 2, 3),)}, "2 tensors in a tuple", "tuple of 1"),
        ({"state": [torch.zeros(B, 2, 3), torch.zeros(B, OUT)]}, "2 tensors in a tuple", "list of 2"),
        ({"state": torch.zeros(2, B, OUT)}, "2 tensors in a tuple", "Tensor of 2"),
        ({"state": 7}, "2 tensors in a tuple", "int"),
        ({"state": (torch.zeros(B, 6), torch.zeros(B, OUT))}, "state 0 of Matrix expects shape (4, 2, 3)", "(4, 6)"),
        ({"state": (torch.zeros(B, 2, 3), torch.zeros(1, OUT))}, "state 1 of Matrix expects shape (4, 5)", "(1, 5)"),
        ({"state": (torch.zeros(B, 2, 3), None)}, "state 1 of Matrix expects shape (4, 5)", "NoneType"),
        ({"context": (torch.zeros(B, 2), torch.zeros(1, OUT))}, "context 1 expects a tensor (4, ...)", "(1, 5)"),
    ],
)
@pytest.mark.usefixtures("as_in_use")
def test_what_does_not_fit_is_refused(arguments: dict, expected: str, received: str) -> None:
    with pytest.raises(ShapeError) as caught:
        scan(Matrix(), **({"x": some_input()} | arguments))
    message = str(caught.value)
    assert expected in message.split("received")[0]
    assert received in message.split("received")[1]
    assert "\n" not in message


@pytest.mark.usefixtures("as_in_use")
def test_lengths_may_be_a_list() -> None:
    cell, x = Matrix(), some_input()
    assert_same([scan(cell, x, lengths=LENGTHS.tolist())[0]], [scan(cell, x, lengths=LENGTHS)[0]])  # pyright: ignore


def test_a_backend_can_be_forced() -> None:
    cell = Matrix()
    free = explain_scan(cell)
    assert (free.cell, free.backend) == ("Matrix", "llvm")
    with use_backend("eager"):
        assert explain_scan(cell).reason == "use_backend asked for it"
        assert str(explain_scan(cell)) == "Matrix runs on eager: use_backend asked for it"
    assert explain_scan(cell).reason == free.reason


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(OptionError, match="no backend is called 'eagre'; did you mean 'eager'"), use_backend("eagre"):
        pass


def test_nobody_listening_changes_nothing() -> None:
    cell, x = Matrix(), some_input()
    silent, _ = scan(cell, x)
    with recording(), probe_states():
        heard, _ = scan(cell, x)
    assert_same([heard], [silent])
