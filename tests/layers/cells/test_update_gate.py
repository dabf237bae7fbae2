import torch

from elman.layers.cells import UpdateGateCell


def test_follows_article_4() -> None:
    torch.manual_seed(0)
    cell = UpdateGateCell(3, 4)
    x, h = torch.randn(2, 3), torch.randn(2, 4)
    a_z, a_n = (x @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias).split(4, dim=1)
    z = torch.sigmoid(a_z)
    assert torch.allclose(cell(x, (h,))[0], (1 - z) * h + z * torch.tanh(a_n), atol=1e-6)


def test_collins_gate_keeps_the_old_state() -> None:
    cell = UpdateGateCell(3, 4, update="keep")
    torch.nn.init.constant_(cell.bias[cell.rows("update_gate")], 50.0)
    h = torch.randn(2, 4)
    assert torch.equal(cell(torch.randn(2, 3), (h,))[0], h)
