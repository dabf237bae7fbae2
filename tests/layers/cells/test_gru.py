import pytest
import torch
from torch import nn

from elman.engine import scan
from elman.errors import OptionError
from elman.layers.cells import GRUCell


def test_same_numbers_as_torch() -> None:
    torch.manual_seed(0)
    theirs, ours = nn.GRU(3, 4), GRUCell(3, 4)
    inside, outside = theirs.bias_hh_l0, theirs.bias_ih_l0
    bias = outside + torch.cat([inside[:8], torch.zeros(4)])
    weights = {"weight_ih": theirs.weight_ih_l0, "weight_hh": theirs.weight_hh_l0}
    ours.load_state_dict(weights | {"bias": bias, "bias_hn": inside[8:]})
    x, h = torch.randn(7, 2, 3), torch.randn(2, 4)
    outputs, _ = scan(ours, x, (h,))
    assert torch.allclose(outputs, theirs(x, h[None])[0], atol=1e-6)


@pytest.mark.parametrize("update", ["keep", "take"])
def test_reset_before_follows_the_equations(update: str) -> None:
    torch.manual_seed(0)
    cell = GRUCell(3, 4, reset="before", update=update)
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    a, R = x @ cell.weight_ih.T + cell.bias, cell.weight_hh
    r, z = torch.sigmoid(a[:, :4] + h @ R[:4].T), torch.sigmoid(a[:, 4:8] + h @ R[4:8].T)
    n = torch.tanh(a[:, 8:] + (r * h) @ R[8:].T)
    expected = z * h + (1 - z) * n if update == "keep" else (1 - z) * h + z * n
    assert torch.allclose(cell(x, (h,))[0], expected, atol=1e-6)


def test_second_bias_exists_only_inside_the_reset_product() -> None:
    assert "bias_hn" in GRUCell(3, 4).state_dict()
    assert "bias_hn" not in GRUCell(3, 4, reset="before").state_dict()


@pytest.mark.parametrize(("option", "value"), [("reset", "befor"), ("update", "kep")])
def test_unknown_choice_is_refused(option: str, value: str) -> None:
    with pytest.raises(OptionError, match=f"^{option} cannot be '{value}'; did you mean"):
        GRUCell(3, 4, **{option: value})
