import pytest
import torch

from elman.errors import OptionError
from elman.layers.cells import GatedCell


@pytest.mark.parametrize("kind", ["gates", "states"])
def test_follows_article_1(kind: str) -> None:
    torch.manual_seed(0)
    cell = GatedCell(3, 4, candidate=kind)
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    W, R, b, U = cell.weight_ih, cell.weight_hh, cell.bias, cell.weight_u

    def gate(rows: slice) -> torch.Tensor:
        return torch.sigmoid(x @ W[rows].T + h @ R[rows].T + b[rows])

    i, f, o = gate(slice(0, 4)), gate(slice(4, 8)), gate(slice(12, 16))
    W_hh = torch.cat([R[8:12], W[8:12]], dim=1)  # the article's matrix for [h, x]
    inside = torch.cat([h, x], dim=1) @ W_hh.T + b[8:12]
    if kind == "gates":
        inside = inside + torch.cat([i, f, o], dim=1) @ U.T
    else:
        inside = inside + (i * h) @ U.T + (f * h) @ U.T + (o * h) @ U.T
    expected = f * h + o * torch.tanh(inside)
    assert torch.allclose(cell(x, (h,))[0], expected, atol=1e-6)


def test_width_of_the_extra_matrix() -> None:
    assert GatedCell(3, 4).weight_u.shape == (4, 12)
    assert GatedCell(3, 4, candidate="states").weight_u.shape == (4, 4)


def test_unknown_candidate_is_refused() -> None:
    with pytest.raises(OptionError, match="candidate cannot be 'state'; did you mean 'states'"):
        GatedCell(3, 4, candidate="state")
