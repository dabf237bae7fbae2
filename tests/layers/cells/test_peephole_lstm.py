import pytest
import torch

from elman.errors import OptionError
from elman.layers.cells import LSTMCell, PeepholeLSTMCell


@pytest.mark.parametrize("peepholes", ["diagonal", "full"])
@pytest.mark.parametrize("output_sees", ["new", "old"])
def test_follows_the_equations(peepholes: str, output_sees: str) -> None:
    torch.manual_seed(0)
    cell = PeepholeLSTMCell(3, 4, peepholes=peepholes, output_sees=output_sees)
    torch.nn.init.normal_(cell.weight_ch)
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    a_i, a_f, a_g, a_o = (x @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias).split(4, dim=1)
    matrices = [torch.diag(p) if peepholes == "diagonal" else p for p in cell.weight_ch.split(4)]
    i, f = torch.sigmoid(a_i + c @ matrices[0].T), torch.sigmoid(a_f + c @ matrices[1].T)
    new = f * c + i * torch.tanh(a_g)
    o = torch.sigmoid(a_o + (new if output_sees == "new" else c) @ matrices[2].T)
    output, (_, memory) = cell(x, (h, c))
    assert torch.allclose(memory, new, atol=1e-6)
    assert torch.allclose(output, o * torch.tanh(new), atol=1e-6)


def test_diagonal_peepholes_start_as_a_plain_lstm() -> None:
    cell, plain = PeepholeLSTMCell(3, 4), LSTMCell(3, 4)
    plain.load_state_dict({name: value for name, value in cell.state_dict().items() if name != "weight_ch"})
    x, state = torch.randn(2, 3), (torch.randn(2, 4), torch.randn(2, 4))
    assert torch.equal(cell(x, state)[0], plain(x, state)[0])


def test_full_peepholes_start_orthogonal() -> None:
    for block in PeepholeLSTMCell(3, 4, peepholes="full").weight_ch.detach().chunk(3):
        assert torch.allclose(block @ block.T, torch.eye(4), atol=1e-5)


@pytest.mark.parametrize("option", ["peepholes", "output_sees"])
def test_unknown_choice_is_refused(option: str) -> None:
    with pytest.raises(OptionError, match=f"^{option} cannot be 'x'; expected one of"):
        PeepholeLSTMCell(3, 4, **{option: "x"})
