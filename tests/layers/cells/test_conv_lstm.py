"""A cell whose state is a map."""

import warnings
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import elman
from elman.engine import scan
from elman.errors import CellError
from elman.layers import ConvLSTMCell, LSTMCell, Recurrent

SIZE = (3, 5)
PLACES = 15


def cell(channels: int = 2, hidden: int = 3, kernel: int = 3) -> ConvLSTMCell:
    return ConvLSTMCell(channels * PLACES, hidden * PLACES, size=SIZE, kernel=kernel)


def by_hand(one: ConvLSTMCell, x: Tensor) -> Tensor:
    """The equations place by place: each sees the square around it, with zeros beyond the border."""
    batch = x.shape[1]
    (rows, columns), around, outputs = one.size, one.kernel // 2, []
    h = c = torch.zeros(batch, one.weight_hh.shape[1], rows, columns, dtype=x.dtype)
    for step in x.unbind(0):
        sums = torch.empty(batch, len(one.bias), rows, columns, dtype=x.dtype)
        seen = F.pad(step.view(batch, -1, rows, columns), (around,) * 4)
        past = F.pad(h, (around,) * 4)
        for row in range(rows):
            for column in range(columns):
                square = (..., slice(row, row + one.kernel), slice(column, column + one.kernel))
                sums[..., row, column] = (
                    torch.einsum("bchw,ochw->bo", seen[square], one.weight_ih)
                    + torch.einsum("bchw,ochw->bo", past[square], one.weight_hh)
                    + one.bias
                )
        i, f, g, o = sums.chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h.flatten(1))
    return torch.stack(outputs)


@pytest.mark.filterwarnings("ignore:ConvLSTMCell runs on eager")
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_same_numbers_and_gradients_as_a_loop_over_places(kernel: int) -> None:
    one = cell(kernel=kernel).double()
    x = torch.randn(4, 2, 2 * PLACES, dtype=torch.double, requires_grad=True)
    ours, theirs = scan(one, x)[0], by_hand(one, x)
    torch.testing.assert_close(ours, theirs)
    wanted = [x, *one.parameters()]
    weight = torch.randn_like(ours)
    for a, b in zip(*(torch.autograd.grad((y * weight).sum(), wanted) for y in (ours, theirs)), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.filterwarnings("ignore:ConvLSTMCell runs on eager")
def test_finite_differences() -> None:
    network = Recurrent(partial(ConvLSTMCell, size=(2, 2)), 4, 8, num_layers=2).double()
    x = torch.randn(3, 1, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: network(x)[0], (x,))


@pytest.mark.filterwarnings("ignore:ConvLSTMCell runs on eager")
def test_a_map_of_one_place_is_an_lstm() -> None:
    maps, plain = ConvLSTMCell(3, 4, size=(1, 1), kernel=1), LSTMCell(3, 4)
    plain.load_state_dict(
        {name: value.flatten(1) if value.dim() > 1 else value for name, value in maps.named_parameters()}
    )
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(scan(maps, x)[0], scan(plain, x)[0])


@pytest.mark.filterwarnings("ignore:ConvLSTMCell runs on eager")
def test_lengths_carried_state_directions_and_steps() -> None:
    one = cell()
    x, lengths = torch.randn(6, 3, 2 * PLACES), torch.tensor([6, 2, 4])
    whole, state = scan(one, x, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, its_state = scan(one, x[:length, row : row + 1])
        torch.testing.assert_close(whole[:length, row], alone[:, 0])
        assert not whole[length:, row].any()
        torch.testing.assert_close(state[1][row], its_state[1][0])
    early, between = scan(one, x[:4])
    late, _ = scan(one, x[4:], between)
    torch.testing.assert_close(torch.cat([early, late]), scan(one, x)[0])
    both, _ = Recurrent(partial(ConvLSTMCell, size=SIZE), 2 * PLACES, 3 * PLACES, bidirectional=True)(
        x, lengths=lengths
    )
    assert both.shape == (6, 3, 2 * 3 * PLACES)


def test_the_engine_names_the_convolution_and_warns_once() -> None:
    assert "convolution" in elman.explain(cell()).reason
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for _ in range(2):
            scan(cell(), torch.randn(2, 1, 2 * PLACES))
    assert len(found) <= 1  # none, where another test of this process was told already


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((31, 45, SIZE, 3), "input_size of ConvLSTMCell expects whole maps of 3 x 5, a multiple of 15; received 31"),
        ((30, 0, SIZE, 3), "hidden_size of ConvLSTMCell expects whole maps"),
        ((30, 45, SIZE, 2), "kernel of ConvLSTMCell expects an odd whole number; received 2"),
    ],
)
def test_impossible_sizes(arguments: tuple, message: str) -> None:
    with pytest.raises(CellError, match=message):
        ConvLSTMCell(*arguments[:2], size=arguments[2], kernel=arguments[3])
