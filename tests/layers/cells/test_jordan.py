import pytest
import torch

from elman.engine import recording, scan
from elman.errors import OptionError
from elman.layers.cells import JordanCell


def test_the_output_enters_the_next_step() -> None:
    torch.manual_seed(0)
    cell = JordanCell(3, 4, output_size=2, activation="relu", output_activation="sigmoid")
    x, y = torch.randn(5, 6, 3), torch.randn(6, 2)
    outputs, (last,) = scan(cell, x, (y,))
    for step, output in zip(x, outputs, strict=True):
        h = torch.relu(step @ cell.weight_ih.T + y @ cell.weight_hh.T + cell.bias)
        y = torch.sigmoid(h @ cell.weight_ho.T + cell.bias_o)
        assert torch.allclose(output, y, atol=1e-6)
    assert torch.equal(last, outputs[-1])


def test_output_is_as_wide_as_the_hidden_layer_by_default_and_linear() -> None:
    cell = JordanCell(3, 4)
    with recording() as heard:
        outputs, _ = scan(cell, torch.randn(2, 1, 3))
    assert cell.output_size == 4
    assert torch.allclose(outputs, heard[0]["hidden"] @ cell.weight_ho.T + cell.bias_o, atol=1e-6)


def test_hidden_layer_is_recorded_at_its_own_width() -> None:
    with recording() as heard:
        scan(JordanCell(3, 4, output_size=2), torch.randn(5, 6, 3))
    assert heard[0]["hidden"].shape == (5, 6, 4)


@pytest.mark.parametrize("option", ["activation", "output_activation"])
def test_unknown_activation_is_refused(option: str) -> None:
    with pytest.raises(OptionError, match=f"^{option} cannot be 'cube'"):
        JordanCell(3, 4, **{option: "cube"})
