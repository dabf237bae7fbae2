import pytest
import torch
from torch import nn

from elman.engine import scan
from elman.errors import CellError
from elman.layers.cells import ProjectedLSTMCell


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # PyTorch's own remark on oneDNN
def test_same_numbers_as_torch() -> None:
    torch.manual_seed(0)
    theirs, ours = nn.LSTM(3, 5, proj_size=2), ProjectedLSTMCell(3, 5, proj_size=2)
    weights = {name: getattr(theirs, f"{name}_l0") for name in ("weight_ih", "weight_hh", "weight_hr")}
    ours.load_state_dict(weights | {"bias": theirs.bias_ih_l0 + theirs.bias_hh_l0})
    x, h, c = torch.randn(7, 4, 3), torch.randn(4, 2), torch.randn(4, 5)
    outputs, state = scan(ours, x, (h, c))
    expected, expected_state = theirs(x, (h[None], c[None]))
    assert torch.allclose(outputs, expected, atol=1e-6)
    assert all(torch.allclose(a, b[0], atol=1e-6) for a, b in zip(state, expected_state, strict=True))


def test_projection_must_be_positive() -> None:
    with pytest.raises(CellError):
        ProjectedLSTMCell(3, 5, proj_size=0)
