"""Wrappers: what they do in training, what is left of them in evaluation, and that they nest."""

from itertools import permutations

import pytest
import torch
from torch import Tensor, nn

from elman.engine import Cell, Context, State, scan, use_backend
from elman.errors import CellError, OptionError, ShapeError
from elman.layers.cells import ElmanCell, GRUCell, JordanCell, LSTMCell, ProjectedLSTMCell
from elman.layers.wrappers import OutputDropout, RecurrentDropout, Residual, WeightDrop, Wrapper, Zoneout, lent


class Watch(Cell):
    """Puts out what its recurrent products would see, and counts in its state."""

    def __init__(self, width: int) -> None:
        super().__init__(width, width, (width,))

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (ones,) = state
        return self.recurrent(torch.ones_like(ones)), (ones + x,)


class Deaf(Cell):
    """Never calls self.recurrent."""

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (h,) = state
        return x + h, (x + h,)


class Listener(Cell):
    """Adds the context that a caller passes."""

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (h,) = state
        (memory,) = context
        h = torch.tanh(x + self.recurrent(h) + memory)
        return h, (h,)


class NoContext(Cell):
    """Leaves the context parameter away, as the contract allows."""

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (h,) = state
        h = torch.tanh(x + self.recurrent(h))
        return h, (h,)


WRAPS = {
    "zoneout": lambda cell: Zoneout(cell, 0.3),
    "recurrent dropout": lambda cell: RecurrentDropout(cell, 0.3),
    "step dropout": lambda cell: RecurrentDropout(cell, 0.3, per="step"),
    "output dropout": lambda cell: OutputDropout(cell, 0.3),
    "weight drop": lambda cell: WeightDrop(cell, 0.3),
    "residual": Residual,
}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


# every wrapper


@pytest.mark.parametrize("wrap", WRAPS)
def test_sizes_and_initial_state_are_the_cells(wrap: str) -> None:
    class Learned(GRUCell):
        def initial_state(self, batch: int) -> State:
            return (torch.full((batch, self.hidden_size), 7.0),)

    cell = WRAPS[wrap](Learned(4, 4))
    assert (cell.input_size, cell.output_size, cell.state_shapes) == (4, 4, (4,))
    assert (cell.initial_state(2)[0] == 7).all()


@pytest.mark.parametrize("wrap", sorted(set(WRAPS) - {"zoneout", "residual"}))
def test_evaluation_is_the_cell_itself(wrap: str) -> None:
    inner = LSTMCell(4, 4)
    x = torch.randn(5, 2, 4)
    cell = WRAPS[wrap](inner).eval()
    assert cell.draw_context(2) == ()
    assert not cell.prepare()
    assert torch.equal(scan(cell, x)[0], scan(inner, x)[0])


@pytest.mark.parametrize("wrap", sorted(set(WRAPS) - {"residual"}))
def test_training_differs_between_calls(wrap: str) -> None:
    cell, x = WRAPS[wrap](LSTMCell(4, 4)), torch.randn(5, 2, 4)
    assert not torch.equal(scan(cell, x)[0], scan(cell, x)[0])


@pytest.mark.parametrize(
    "make",
    [
        lambda p: Zoneout(GRUCell(3, 4), p),
        lambda p: Zoneout(LSTMCell(3, 4), (0.1, p)),
        lambda p: RecurrentDropout(LSTMCell(3, 4), p),
        lambda p: OutputDropout(LSTMCell(3, 4), p),
        lambda p: WeightDrop(LSTMCell(3, 4), p),
    ],
)
@pytest.mark.parametrize("p", [1.0, 1, -0.1, float("nan"), "0.5", True])
def test_probability_must_be_one(make, p: object) -> None:
    with pytest.raises(OptionError, match=r"expects a probability from 0 up to, but without, 1; received") as caught:
        make(p)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wrap", WRAPS)
def test_parameters_are_the_cells_under_a_prefix(wrap: str) -> None:
    assert set(WRAPS[wrap](GRUCell(4, 4)).state_dict()) == {f"cell.{name}" for name in GRUCell(4, 4).state_dict()}


@pytest.mark.parametrize("wrap", ["zoneout", "output dropout", "weight drop", "residual"])
def test_cells_of_torch_are_welcome(wrap: str) -> None:
    assert scan(WRAPS[wrap](nn.GRUCell(4, 4)), torch.randn(5, 2, 4))[0].shape == (5, 2, 4)


def test_what_is_no_cell_is_refused() -> None:
    with pytest.raises(CellError, match="received Linear"):
        Wrapper(nn.Linear(3, 4))


# nesting


@pytest.mark.parametrize("order", list(permutations(["zoneout", "recurrent dropout", "weight drop", "residual"])))
def test_wrappers_nest_in_any_order(order: tuple[str, ...]) -> None:
    cell: Cell = LSTMCell(4, 4)
    for wrap in order:
        cell = WRAPS[wrap](cell)
    x = torch.randn(5, 2, 4, requires_grad=True)
    outputs, state = scan(cell, x)
    (outputs.sum() + state[1].sum()).backward()
    assert outputs.shape == (5, 2, 4)
    assert x.grad is not None
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in cell.parameters())
    evaluated = scan(cell.eval(), x)[0]
    assert torch.equal(evaluated, scan(cell, x)[0])


def test_context_of_a_caller_reaches_the_cell() -> None:
    cell: Cell = Listener(4, 4)
    for wrap in ("recurrent dropout", "zoneout", "step dropout", "recurrent dropout", "output dropout", "residual"):
        cell = WRAPS[wrap](cell)
    memory = torch.randn(2, 4, requires_grad=True)
    assert len(cell.draw_context(2)) == 2
    scan(cell, torch.randn(5, 2, 4), context=(memory,))[0].sum().backward()
    assert memory.grad is not None
    assert scan(cell.eval(), torch.randn(5, 2, 4), context=(memory,))[0].shape == (5, 2, 4)


def test_a_cell_may_leave_the_context_away() -> None:
    cell: Cell = NoContext(4, 4)
    for wrap in WRAPS:
        if wrap != "weight drop":
            cell = WRAPS[wrap](cell)
    assert scan(cell, torch.randn(5, 2, 4))[0].shape == (5, 2, 4)


# zoneout


@pytest.mark.parametrize("p", [0.25, (0.1, 0.6)])
def test_zoneout_keeps_each_number_with_its_probability(p: float | tuple[float, float]) -> None:
    cell = Zoneout(LSTMCell(3, 100), p)
    old = (torch.full((200, 100), 5.0), torch.full((200, 100), 50.0))  # values that no step computes
    output, state = cell(torch.randn(200, 3), old)
    for share, before, after in zip(cell.p, old, state, strict=True):
        assert abs((before == after).float().mean().item() - share) < 0.015  # 4 standard deviations of 20 000 draws
    assert output is state[0]


def test_zoneout_gives_the_new_value_where_it_keeps_none() -> None:
    inner = LSTMCell(3, 50)
    cell = Zoneout(inner, 0.5)
    x, old = torch.randn(20, 3), (torch.full((20, 50), 5.0), torch.full((20, 50), 50.0))
    _, new = inner(x, old)
    _, zoned = cell(x, old)
    for before, after, fresh in zip(old, zoned, new, strict=True):
        assert ((after == before) | (after == fresh)).all()
        assert (after == fresh).any()


def test_zoneout_takes_the_expectation_in_evaluation() -> None:
    inner = LSTMCell(3, 4)
    x, old = torch.randn(2, 3), (torch.randn(2, 4), torch.randn(2, 4))
    _, (h, c) = inner(x, old)
    output, zoned = Zoneout(inner, (0.2, 0.5)).eval()(x, old)
    assert torch.allclose(zoned[0], 0.2 * old[0] + 0.8 * h)
    assert torch.allclose(zoned[1], 0.5 * old[1] + 0.5 * c)
    assert output is zoned[0]


def test_zoneout_leaves_another_output_alone() -> None:
    x, state = torch.randn(2, 4), (torch.randn(2, 4),)
    inner = Residual(GRUCell(4, 4))
    assert torch.equal(Zoneout(inner, 0.5)(x, state)[0], inner(x, state)[0])


def test_zoneout_needs_one_probability_a_state() -> None:
    with pytest.raises(OptionError, match="expects 2 probabilities, one a state tensor"):
        Zoneout(LSTMCell(3, 4), (0.1, 0.2, 0.3))


# recurrent dropout


def test_one_mask_for_each_row_and_sequence() -> None:
    outputs, _ = scan(RecurrentDropout(Watch(50), 0.5), torch.randn(6, 3, 50))
    assert torch.equal(outputs, outputs[:1].expand_as(outputs))
    assert not torch.equal(outputs[0, 0], outputs[0, 1])
    assert set(outputs.unique().tolist()) == {0.0, 2.0}  # inverted scaling 1 / (1 - p)


def test_a_fresh_mask_each_step() -> None:
    outputs, _ = scan(RecurrentDropout(Watch(50), 0.5, per="step"), torch.randn(6, 3, 50))
    assert all(not torch.equal(a, b) for a, b in zip(outputs[1:], outputs, strict=False))


@pytest.mark.parametrize("per", ["sequence", "step"])
def test_share_of_dropped_numbers(per: str) -> None:
    outputs, _ = scan(RecurrentDropout(Watch(100), 0.3, per=per), torch.randn(1, 200, 100))
    assert abs((outputs == 0).float().mean().item() - 0.3) < 0.015  # 4 standard deviations of 20 000 draws
    assert abs(outputs.mean().item() - 1) < 0.03


def test_memory_is_not_dropped() -> None:
    x, h = torch.zeros(2, 4), torch.randn(2, 4)
    cell = GRUCell(4, 4)
    nn.init.constant_(cell.bias[cell.rows("update_gate")], 50.0)  # keeps all
    assert torch.equal(scan(RecurrentDropout(cell, 0.9), x[None], (h,))[1][0], h)


@pytest.mark.parametrize("inner", [JordanCell(3, 4, output_size=2), ProjectedLSTMCell(3, 4, proj_size=2)])
def test_mask_is_as_wide_as_the_first_state(inner: Cell) -> None:
    cell = RecurrentDropout(inner, 0.5)
    assert cell.draw_context(7)[0].shape == (7, 2)
    assert scan(cell, torch.randn(5, 7, 3))[0].shape == (5, 7, 2)


def test_mask_has_the_cells_dtype() -> None:
    assert RecurrentDropout(GRUCell(3, 4).double(), 0.5).draw_context(2)[0].dtype == torch.float64


def test_two_dropouts_multiply_their_masks() -> None:
    cell = RecurrentDropout(RecurrentDropout(Watch(100), 0.5), 0.5, per="step")
    outputs, _ = scan(cell, torch.randn(2, 50, 100))
    assert set(outputs.unique().tolist()) == {0.0, 4.0}
    assert abs((outputs == 0).float().mean().item() - 0.75) < 0.02


def test_the_cell_is_left_as_it_was() -> None:
    inner = GRUCell(3, 4)
    before = set(vars(inner))
    scan(RecurrentDropout(inner, 0.5), torch.randn(5, 2, 3))
    assert set(vars(inner)) == before


def test_the_cell_is_left_as_it_was_after_an_error() -> None:
    inner = GRUCell(3, 4)
    before = set(vars(inner))
    cell = RecurrentDropout(inner, 0.5)
    with pytest.raises(RuntimeError):
        cell(torch.randn(2, 99), cell.initial_state(2), cell.draw_context(2))
    assert set(vars(inner)) == before


@pytest.mark.parametrize("per", ["sequence", "step"])
@pytest.mark.parametrize("inner", [Deaf(4, 4), nn.GRUCell(4, 4), Zoneout(Deaf(4, 4), 0.1)])
def test_a_cell_that_does_not_listen_is_refused(inner: nn.Module, per: str) -> None:
    cell = RecurrentDropout(inner, 0.5, per=per)
    for _ in range(2):
        with pytest.raises(CellError, match=r"must pass its previous output through self\.recurrent"):
            scan(cell, torch.randn(5, 2, 4))


def test_a_step_by_hand_without_its_mask_is_refused() -> None:
    cell = RecurrentDropout(GRUCell(3, 4), 0.5)
    with pytest.raises(CellError, match="found no mask"):
        cell(torch.randn(2, 3), cell.initial_state(2))


def test_unknown_lifetime_is_refused() -> None:
    with pytest.raises(OptionError, match="per cannot be 'sequences'; did you mean 'sequence'"):
        RecurrentDropout(GRUCell(3, 4), 0.5, per="sequences")


def test_gradients_agree_with_finite_differences_under_a_mask() -> None:
    cell = RecurrentDropout(LSTMCell(2, 3), 0.5).double()
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)

    def run(x: Tensor, *_: Tensor) -> Tensor:
        torch.manual_seed(1)  # the same mask each time
        return scan(cell, x)[0]

    assert torch.autograd.gradcheck(run, (x, *cell.parameters()))


# output dropout


def test_output_dropout_spares_the_state() -> None:
    inner, x, state = GRUCell(3, 100), torch.randn(200, 3), (torch.randn(200, 100),)
    output, (h,) = OutputDropout(inner, 0.25)(x, state)
    expected, _ = inner(x, state)
    assert torch.equal(h, expected)
    kept = output != 0
    assert abs(1 - kept.float().mean().item() - 0.25) < 0.015
    assert torch.allclose(output[kept], h[kept] / 0.75)


def test_output_dropout_draws_at_each_step() -> None:
    outputs, _ = scan(OutputDropout(GRUCell(3, 50), 0.5), torch.randn(4, 1, 3))
    assert all(not torch.equal(a == 0, b == 0) for a, b in zip(outputs[1:], outputs, strict=False))


# weight drop


def test_weights_are_dropped_once_a_call() -> None:
    seen: list[Tensor] = []

    class Spy(ElmanCell):
        def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
            seen.append(self.weight_hh)
            return super().forward(x, state, context)

    cell = WeightDrop(Spy(3, 40), 0.25)
    whole = cell.cell.weight_hh
    with use_backend("eager"):  # where each step calls the cell
        scan(cell, torch.randn(5, 2, 3))
    assert all(weights is seen[0] for weights in seen)
    dropped = seen[0] == 0
    assert abs(dropped.float().mean().item() - 0.25) < 0.05  # 4.6 standard deviations of 1600 draws
    assert torch.allclose(seen[0][~dropped], whole[~dropped] / 0.75)
    assert cell.cell.weight_hh is whole


def test_dropped_weights_get_no_gradient_and_the_others_do() -> None:
    cell = WeightDrop(ElmanCell(3, 20), 0.5)
    scan(cell, torch.randn(5, 2, 3))[0].sum().backward()
    zeros = (cell.cell.weight_hh.grad == 0).float().mean().item()
    assert 0.35 < zeros < 0.65


@pytest.mark.parametrize(
    "wrap", [lambda c: Zoneout(WeightDrop(c, 0.5), 0.1), lambda c: WeightDrop(Zoneout(c, 0.1), 0.5)]
)
def test_weights_under_other_wrappers_are_found(wrap) -> None:
    cell = wrap(LSTMCell(3, 4))
    assert list(cell.prepare()) == ["cell.cell.weight_hh"]
    assert next(iter(cell.prepare())) in dict(cell.named_parameters())


def test_two_weight_drops_act_one_after_the_other() -> None:
    cell = WeightDrop(WeightDrop(ElmanCell(3, 60), 0.5), 0.5)
    (weights,) = cell.prepare().values()
    assert abs((weights == 0).float().mean().item() - 0.75) < 0.03


def test_names_may_be_chosen() -> None:
    cell = WeightDrop(LSTMCell(3, 4), 0.5, names=("weight_ih", "weight_hh"))
    assert set(cell.prepare()) == {"cell.weight_ih", "cell.weight_hh"}
    assert set(WeightDrop(LSTMCell(3, 4), 0.5, names="bias").prepare()) == {"cell.bias"}


def test_unknown_parameter_is_refused() -> None:
    with pytest.raises(CellError, match="LSTMCell has no parameter 'weight_hx' to drop; expected one of: weight_ih"):
        WeightDrop(LSTMCell(3, 4), 0.5, names=("weight_hx",))


# residual


def test_residual_adds_the_input_to_the_output_only() -> None:
    inner, x, state = GRUCell(4, 4), torch.randn(2, 4), (torch.randn(2, 4),)
    expected, _ = inner(x, state)
    output, (h,) = Residual(inner)(x, state)
    assert torch.equal(output, x + expected)
    assert torch.equal(h, expected)


def test_residual_needs_one_width() -> None:
    with pytest.raises(ShapeError, match="GRUCell has input_size=3 and output_size=4"):
        Residual(GRUCell(3, 4))


# lent attributes


def test_what_was_hidden_comes_back() -> None:
    module = nn.Identity()
    module.old = 1
    with lent(module, old=2, new=3):
        assert (module.old, module.new) == (2, 3)
    assert module.old == 1
    assert not hasattr(module, "new")
