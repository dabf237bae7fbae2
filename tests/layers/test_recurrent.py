"""Any cell over layers and directions, against stacks of loops and PyTorch's own layers."""

import copy
import io

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from elman.engine import Cell, Context, State, recording, scan
from elman.errors import CellError, ElmanError, OptionError, ShapeError
from elman.layers import (
    ElmanCell,
    GRUCell,
    LSTMCell,
    ProjectedLSTMCell,
    Recurrent,
    RecurrentDropout,
    WeightDrop,
    Zoneout,
    detach_state,
)

T, B, FEATURES, HIDDEN = 6, 4, 3, 5
LENGTHS = torch.tensor([2, 6, 1, 3])  # in no order


class Matrix(Cell):
    """Two states of different shapes, one a matrix, and a learned start."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, ((2, 3), hidden_size))
        self.w = nn.Parameter(torch.randn(input_size, 6) * 0.3)
        self.r = nn.Parameter(torch.randn(6 + hidden_size, hidden_size) * 0.3)
        self.start = nn.Parameter(torch.randn(hidden_size))

    def initial_state(self, batch: int) -> State:
        return super().initial_state(batch)[0], self.start.expand(batch, -1)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        matrix, vector = state
        matrix = 0.5 * matrix + torch.tanh(x @ self.w).view(-1, 2, 3)
        vector = torch.tanh(torch.cat([matrix.flatten(1), self.recurrent(vector)], dim=1) @ self.r)
        return vector, (matrix, vector)


NETWORKS = {
    "lstm": lambda **more: Recurrent(LSTMCell, FEATURES, HIDDEN, 2, **more),
    "both ways": lambda **more: Recurrent(GRUCell, FEATURES, HIDDEN, 2, bidirectional=True, **more),
    "matrix": lambda **more: Recurrent(Matrix, FEATURES, HIDDEN, 2, bidirectional=True, **more),
    "of torch": lambda **more: Recurrent(nn.LSTMCell, FEATURES, HIDDEN, 2, **more),
    "residual": lambda **more: Recurrent(ElmanCell, FEATURES, [FEATURES, FEATURES, 4], residual=True, **more),
    "sigmoid head": lambda **more: Recurrent(
        Matrix, FEATURES, HIDDEN, bidirectional=True, output_size=2, output_activation="sigmoid", **more
    ),
    "last step": lambda **more: Recurrent(
        GRUCell, FEATURES, HIDDEN, 2, bidirectional=True, output_size=2, output_at="last step", **more
    ),
}
networks = pytest.mark.parametrize("name", NETWORKS)


def some_input(time: int = T, batch: int = B) -> Tensor:
    return torch.randn(time, batch, FEATURES, dtype=torch.float64)


def assert_same(ours, expected) -> None:
    """Rounding only: a product may change its last bits with the number of rows."""
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)


def flat(state) -> list[Tensor]:
    return [tensor for one in state for tensor in one]


def test_layers_and_directions_stand_on_each_other() -> None:
    network = Recurrent(Matrix, FEATURES, [5, 2, 4], bidirectional=True).double()
    x = some_input()
    y, state = network(x)
    below, expected = x, []
    for layer in range(3):
        forward, backward = network.cells[2 * layer : 2 * layer + 2]
        a, last = scan(forward, below)
        b, first = scan(backward, below.flip(0))
        below = torch.cat([a, b.flip(0)], dim=-1)
        expected += [last, first]
    assert_same(y, below)
    assert_same(state, tuple(expected))
    assert [cell.input_size for cell in network.cells] == [3, 3, 10, 10, 4, 4]
    assert network.output_size == y.shape[-1] == 8


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("cell", "layer"), [(nn.LSTMCell, nn.LSTM), (nn.GRUCell, nn.GRU), (nn.RNNCell, nn.RNN)])
def test_cells_of_torch_make_layers_of_torch(cell, layer, bidirectional: bool) -> None:
    theirs = layer(FEATURES, HIDDEN, 2, bidirectional=bidirectional).double()
    ours = Recurrent(cell, FEATURES, HIDDEN, 2, bidirectional=bidirectional).double()
    with torch.no_grad():
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            a.copy_(b)
    packed = pack_padded_sequence(some_input(), LENGTHS, enforce_sorted=False)
    y, state = ours(packed)
    expected, last = theirs(packed)
    assert_same(y.data, expected.data)
    last = last if isinstance(last, tuple) else (last,)
    assert_same([torch.stack(each) for each in zip(*state, strict=True)], list(last))


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("with_resets", [False, True])
@networks
def test_each_row_is_the_row_run_alone(name: str, with_resets: bool, given: bool) -> None:
    network = NETWORKS[name]().double()
    x = some_input()
    for number, length in enumerate(LENGTHS):
        x[length:, number] = float("nan")
    x.requires_grad_()
    state = (
        tuple(tuple(torch.randn_like(t) for t in cell.initial_state(B)) for cell in network.cells) if given else None
    )
    resets = torch.rand(T, B) < 0.4 if with_resets else None
    y, final = network(x, state, lengths=LENGTHS, resets=resets)
    loss = x.new_zeros(())
    for row, length in enumerate(LENGTHS.tolist()):
        alone, last = network(
            x[:length, row],  # unbatched
            None if state is None else tuple(tuple(tensor[row] for tensor in one) for one in state),
            resets=None if resets is None else resets[:length, row],
        )
        loss = loss + alone.square().sum()
        assert_same([tensor[row] for tensor in flat(final)], flat(last))
        if name == "last step":
            assert_same(y[row], alone)
        else:
            assert_same(y[:length, row], alone)
            assert (y[length:, row] == 0).all()
    leaves = [x, *network.parameters()]
    ours = torch.autograd.grad(y.square().sum(), leaves, allow_unused=True, materialize_grads=True)
    assert_same(ours, torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True))


@networks
def test_the_door_changes_no_number(name: str) -> None:
    """Batch first, packed, strided: the same sequences in another form."""
    network, x = NETWORKS[name]().double(), some_input()
    other = NETWORKS[name](batch_first=True).double()
    other.load_state_dict(network.state_dict())
    resets = torch.rand(T, B) < 0.3
    y, state = network(x, lengths=LENGTHS, resets=resets)
    swapped, same = other(x.transpose(0, 1), lengths=LENGTHS, resets=resets.T)
    packed, packed_state = network(pack_padded_sequence(x, LENGTHS, enforce_sorted=False), resets=resets)
    if name != "last step":
        swapped = swapped.transpose(0, 1)
        packed, _ = pad_packed_sequence(packed)
    assert_same([swapped, *flat(same)], [y, *flat(state)])
    assert_same([packed, *flat(packed_state)], [y, *flat(state)])


@pytest.mark.parametrize("cut", [1, 3])
@pytest.mark.parametrize("name", ["lstm", "of torch", "residual"])
def test_a_carried_state_over_two_parts_is_one_run(name: str, cut: int) -> None:
    network, x = NETWORKS[name]().double(), some_input()
    y, state = network(x)
    first, between = network(x[:cut])
    second, last = network(x[cut:], between)
    assert_same([torch.cat([first, second]), *flat(last)], [y, *flat(state)])
    assert all(tensor.grad_fn is None and not tensor.requires_grad for tensor in flat(detach_state(between)))
    assert_same(flat(detach_state(between)), [tensor.detach() for tensor in flat(between)])
    assert detach_state(None) is None


@networks
def test_a_reset_cuts_the_sequence_in_every_layer_of_one(name: str) -> None:
    """Layers see their whole input, so a cut everywhere is the cut sequence."""
    network, x = NETWORKS[name]().double(), some_input()
    resets = torch.zeros(T, B, dtype=torch.bool)
    resets[4] = True
    y, state = network(x, resets=resets)
    first, start = network(x[:4])
    second, end = network(x[4:])
    directions = network.directions
    expected = [start[n] if n % directions else end[n] for n in range(len(state))]
    assert_same(flat(state), flat(expected))
    if name != "last step":
        assert_same(y, torch.cat([first, second]))


@pytest.mark.parametrize(("time", "batch"), [(0, 3), (3, 0), (0, 0), (1, 1), (63, 1), (2, 63)])
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "last step"])
def test_odd_sizes(name: str, time: int, batch: int) -> None:
    network = NETWORKS[name]().double()
    y, state = network(some_input(time, batch), lengths=torch.full((batch,), time))
    assert y.shape == (time, batch, network.output_size)
    assert y.isfinite().all()
    assert all(tensor.shape[0] == batch for tensor in flat(state))


@pytest.mark.parametrize("hidden", [1, 63])
def test_odd_widths(hidden: int) -> None:
    y, _ = Recurrent(LSTMCell, 1, hidden, 2, bidirectional=True)(torch.randn(3, 2, 1))
    assert y.shape == (3, 2, 2 * hidden)


def test_residual_starts_where_widths_agree() -> None:
    network = Recurrent(ElmanCell, FEATURES, [5, 5, 5, 2], residual=True).double()
    x = some_input()
    a, b, c, d = network.cells
    first = scan(a, x)[0]
    second = first + scan(b, first)[0]
    third = second + scan(c, second)[0]
    assert_same(network(x)[0], scan(d, third)[0])


ACTIVATIONS = {
    "identity": lambda y: y,
    "sigmoid": lambda y: 1 / (1 + (-y).exp()),
    "tanh": lambda y: (y.exp() - (-y).exp()) / (y.exp() + (-y).exp()),
    "relu": lambda y: y * (y > 0),
    "softmax": lambda y: y.exp() / y.exp().sum(-1, keepdim=True),
}


@pytest.mark.parametrize("at", ["every step", "last step"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_output_layer(activation: str, at: str) -> None:
    network = Recurrent(
        GRUCell, FEATURES, HIDDEN, bidirectional=True, output_size=2, output_activation=activation, output_at=at
    ).double()
    assert network.output is not None
    x = some_input()
    forward, backward = (scan(cell, x, lengths=LENGTHS, reverse=n == 1) for n, cell in enumerate(network.cells))
    if at == "every step":
        hidden = torch.cat([forward[0], backward[0]], dim=-1)
    else:
        hidden = torch.cat([forward[1][0], backward[1][0]], dim=-1)  # the final states, which a GRU puts out
    expected = ACTIVATIONS[activation](hidden @ network.output.weight.T + network.output.bias)
    if at == "every step":
        for row, length in enumerate(LENGTHS):
            expected[length:, row] = 0
    assert_same(network(x, lengths=LENGTHS)[0], expected)


def test_output_activation_may_be_a_function() -> None:
    torch.manual_seed(1)
    network = Recurrent(GRUCell, FEATURES, HIDDEN, output_size=2, output_activation=torch.exp).double()
    torch.manual_seed(1)
    plain = Recurrent(GRUCell, FEATURES, HIDDEN, output_size=2).double()
    x = some_input()
    assert_same(network(x)[0], plain(x)[0].exp())


def test_last_step_without_an_output_layer() -> None:
    network = Recurrent(ElmanCell, FEATURES, HIDDEN, output_at="last step").double()
    y, ((h,),) = network(some_input(), lengths=LENGTHS)
    assert_same(y, h)
    assert network(some_input()[:, 0])[0].shape == (HIDDEN,)


def test_a_row_without_steps_puts_out_zeros_at_its_last_step() -> None:
    network = Recurrent(ElmanCell, FEATURES, HIDDEN, bidirectional=True, output_at="last step").double()
    y, _ = network(some_input(), lengths=torch.tensor([0, 6, 0, 1], dtype=torch.uint8))
    assert (y[0] == 0).all()
    assert (y[1] != 0).all()


def test_one_instance_makes_one_layer() -> None:
    cell = ProjectedLSTMCell(FEATURES, HIDDEN, proj_size=2)
    network = Recurrent(cell)
    assert (network.input_size, network.output_size) == (FEATURES, 2)
    assert network.cells[0] is cell
    assert list(network.state_dict()) == [f"cells.0.{name}" for name in cell.state_dict()]
    assert Recurrent(nn.GRUCell(3, 4), 3, 4, 1).output_size == 4  # sizes may be said again


def test_a_factory_may_be_any_function() -> None:
    widths = []

    def factory(input_size: int, hidden_size: int) -> Cell:
        widths.append((input_size, hidden_size))
        return ProjectedLSTMCell(input_size, hidden_size, proj_size=2)

    network = Recurrent(factory, FEATURES, HIDDEN, 2, bidirectional=True)
    assert widths == [(3, 5), (3, 5), (4, 5), (4, 5)]
    assert network.output_size == 4


def test_regularisation_wears_zoneout_outside() -> None:
    (cell,) = Recurrent(LSTMCell, 3, 4, zoneout=0.1, recurrent_dropout=0.2, weight_drop=0.3).cells
    assert isinstance(cell, Zoneout)
    assert isinstance(cell.cell, RecurrentDropout)
    assert isinstance(cell.cell.cell, WeightDrop)
    assert isinstance(cell.cell.cell.cell, LSTMCell)
    assert isinstance(Recurrent(LSTMCell, 3, 4).cells[0], LSTMCell)


class Copy(Cell):
    """Puts out its input."""

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        return x, state


@pytest.mark.parametrize("per", ["step", "sequence"])
def test_dropout_acts_between_layers_only(per) -> None:
    network = Recurrent(Copy, 40, 40, 2, dropout=0.25, dropout_per=per)
    x = torch.ones(5, 7, 40)
    y, _ = network(x)
    torch.testing.assert_close(y.unique(), torch.tensor([0, 4 / 3]))
    assert abs((y == 0).double().mean() - 0.25) < 0.11  # over four standard deviations of 280 draws' mean
    assert bool((y == y[0]).all()) == (per == "sequence")
    assert not torch.equal(y[:, 0], y[:, 1])
    assert not torch.equal(network(x)[0], y)
    assert torch.equal(network.eval()(x)[0], x)
    assert torch.equal(Recurrent(Copy, 40, 40, 1, dropout=0.25)(x)[0], x)


def through_torch_save(layer: nn.Module) -> nn.Module:
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


@pytest.mark.parametrize("way", [copy.deepcopy, through_torch_save], ids=lambda way: way.__name__)
@networks
def test_copies_compute_the_same(name: str, way) -> None:
    network, x = NETWORKS[name]().double(), some_input()
    y, _ = network(x)
    clone = way(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert torch.equal(clone(x)[0], y)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_can_be_saved(activation: str) -> None:
    network = Recurrent(GRUCell, 3, 4, output_size=2, output_activation=activation)
    x = torch.randn(2, 1, 3)
    assert torch.equal(through_torch_save(network)(x)[0], network(x)[0])


@pytest.mark.parametrize(
    "options",
    [
        {"num_layers": 2, "bidirectional": True, "residual": True, "output_size": 2, "output_activation": "softmax"},
        {"num_layers": 2, "output_at": "last step", "output_size": 2, "output_activation": "tanh"},
        {"zoneout": 0.2, "batch_first": True, "bidirectional": True, "output_at": "last step"},
    ],
    ids=["softmax", "tanh at last", "zoneout"],
)
@pytest.mark.parametrize("cell", [Matrix, GRUCell])
def test_gradients_agree_with_finite_differences(cell, options: dict) -> None:
    network = Recurrent(cell, 2, 2, **options).double().eval()
    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    lengths, resets = torch.tensor([1, 2, 2]), torch.tensor([[0, 0, 1], [0, 1, 0]]) > 0
    if options.get("batch_first"):
        lengths, resets = torch.tensor([3, 1]), torch.tensor([[0, 0, 1], [0, 1, 0]]) > 0
    names, values = zip(*network.named_parameters(), strict=True)

    def run(x: Tensor, *parameters: Tensor) -> tuple[Tensor, ...]:
        stand_in = dict(zip(names, parameters, strict=True))
        y, state = torch.func.functional_call(network, stand_in, (x,), {"lengths": lengths, "resets": resets})
        return y, *flat(state)

    assert torch.autograd.gradcheck(run, (x, *values), fast_mode=True)


def test_learned_start_learns_through_resets() -> None:
    network = Recurrent(Matrix, FEATURES, HIDDEN).double()
    x, start = some_input(), network.cells[0].start
    given = tuple(tuple(torch.zeros_like(t) for t in cell.initial_state(B)) for cell in network.cells)
    resets = torch.zeros(T, B, dtype=torch.bool)
    (none,) = torch.autograd.grad(
        network(x, given, resets=resets)[0].sum(), start, materialize_grads=True, allow_unused=True
    )
    resets[2, 1] = True
    (some,) = torch.autograd.grad(network(x, given, resets=resets)[0].sum(), start)
    assert (none == 0).all()
    assert (some != 0).all()


def test_recording_knows_wrapped_cells() -> None:
    with recording() as heard:
        Recurrent(LSTMCell, 3, 4, zoneout=0.1)(torch.randn(5, 2, 3))
    assert heard[0]["forget_gate"].shape == (5, 2, 4)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((LSTMCell,), {}, "input_size and hidden_size are needed"),
        ((LSTMCell, 3), {}, "input_size and hidden_size are needed"),
        ((LSTMCell, 3, 4, 0), {}, "num_layers expects a whole number of at least 1; received 0"),
        ((LSTMCell, 3, 4, 1.5), {}, "num_layers expects a whole number of at least 1; received 1.5"),
        ((LSTMCell, 3, 4.0), {}, "hidden_size expects a whole number, or a list of them; received 4.0"),
        ((LSTMCell, 3, []), {}, "num_layers is None, but hidden_size names 0 widths"),
        ((LSTMCell, 3, [4, 5], 3), {}, "num_layers is 3, but hidden_size names 2 widths"),
        ((LSTMCell(3, 4), None, None, 2), {}, "one cell instance makes one layer"),
        ((LSTMCell(3, 4),), {"bidirectional": True}, "one cell instance makes one layer"),
        ((LSTMCell(3, 4), 5), {}, "input_size of this LSTMCell is 3; leave it away, received 5"),
        ((LSTMCell(3, 4), 3, 7), {}, "hidden_size of this LSTMCell is 4; leave it away, received 7"),
        (
            (LSTMCell, 3, 4),
            {"dropout": 1.0},
            "dropout expects a probability from 0 up to, but without, 1; received 1.0",
        ),
        ((LSTMCell, 3, 4), {"dropout": "half"}, "dropout expects a probability"),
        ((LSTMCell, 3, 4), {"zoneout": -0.1}, "p of Zoneout expects a probability"),
        ((LSTMCell, 3, 4), {"recurrent_dropout": 2}, "p of RecurrentDropout expects a probability"),
        ((LSTMCell, 3, 4), {"weight_drop": float("nan")}, "p of WeightDrop expects a probability"),
        ((LSTMCell, 3, 4), {"dropout_per": "stpe"}, "dropout_per cannot be 'stpe'; did you mean 'step'?"),
        ((LSTMCell, 3, 4), {"output_at": "last"}, "output_at cannot be 'last'; did you mean 'last step'?"),
        ((LSTMCell, 3, 4), {"output_size": 0}, "output_size expects a whole number of at least 1; received 0"),
        (
            (LSTMCell, 3, 4),
            {"output_size": 2, "output_activation": "sigmiod"},
            "output_activation cannot be 'sigmiod'; did you mean 'sigmoid'?",
        ),
        ((LSTMCell, 3, 4), {"output_activation": "tanh"}, "output_activation 'tanh' needs an output layer"),
    ],
)
def test_an_impossible_option_is_refused(arguments: tuple, options: dict, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Recurrent(*arguments, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("lstm", "expected a cell, a cell class or a factory; received 'lstm'"),
        (nn.Linear, "expected an elman.Cell or a torch.nn cell; received Linear"),
        (nn.LSTM(3, 4), "expected an elman.Cell or a torch.nn cell; received LSTM"),
        (lambda a, b: None, "expected an elman.Cell or a torch.nn cell; received NoneType"),
    ],
)
def test_what_makes_no_cells_is_refused(cell, message: str) -> None:
    with pytest.raises(CellError) as caught:
        Recurrent(cell, *(() if isinstance(cell, nn.Module) else (3, 4)))
    assert str(caught.value) == message


h = torch.zeros(B, 5)


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize(
    ("arguments", "expected", "received"),
    [
        ({"x": torch.zeros(3)}, "(time, features)", "1 dimensions, (3,)"),
        ({"x": torch.zeros(1, T, B, 3)}, "(time, features)", "4 dimensions, (1, 6, 4, 3)"),
        ({"x": torch.zeros(T, B, 2)}, "(time, batch, 3)", "(6, 4, 2)"),
        ({"x": torch.zeros(T, B, 3, dtype=torch.long)}, "floating-point", "torch.int64"),
        ({"lengths": torch.tensor([1, 2, 3])}, "4 whole numbers", "(3,)"),
        ({"lengths": torch.tensor([1, 2, 3, 7])}, "0 to 6", "1 to 7"),
        ({"resets": torch.zeros(B, T, dtype=torch.bool)}, "(6, 4)", "(4, 6)"),
        ({"resets": torch.zeros(T, dtype=torch.bool)}, "(6, 4)", "(6,)"),
        ({"state": ()}, "2 entries, one for each layer and direction", "0"),
        ({"state": ((h,),)}, "2 entries, one for each layer and direction", "1"),
        ({"state": ((h,), h)}, "each a tuple of tensors", "Tensor"),
        ({"state": ((h,), (h, h))}, "1 tensors in a tuple", "tuple of 2"),
        ({"state": ((h,), (h[:1],))}, "state 0 of GRUCell expects shape (4, 5)", "(1, 5)"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict, expected: str, received: str) -> None:
    network = Recurrent(GRUCell, FEATURES, 5, 2)
    with pytest.raises(ShapeError) as caught:
        network(**({"x": torch.zeros(T, B, FEATURES)} | arguments))
    assert isinstance(caught.value, ElmanError)
    message = str(caught.value)
    assert expected in message.split("received")[0]
    assert received in message.split("received")[1]
    assert "\n" not in message


def test_the_last_of_nothing_is_refused() -> None:
    with pytest.raises(ShapeError, match="last output of an empty sequence does not exist"):
        Recurrent(GRUCell, 3, 4, output_at="last step")(torch.zeros(0, 2, 3))


def test_repr_names_sizes() -> None:
    assert repr(Recurrent(LSTMCell, 3, 4)).startswith("Recurrent(\n  3, 4, directions=1")
