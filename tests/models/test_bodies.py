"""What stands in the place of recurrent layers: padding changes nothing, and a step sees what it should."""

import pytest
import torch

from elman.errors import OptionError
from elman.models import BODIES, Body, WindowBody
from elman.models.bodies import StepwiseBody, TransformerBody


def made(name: str) -> Body:
    torch.manual_seed(0)
    return BODIES[name](3, 8, 2, 0.1).eval()


@pytest.mark.parametrize("name", list(BODIES))
def test_padding_changes_nothing(name: str) -> None:
    body, x, lengths = made(name), torch.randn(7, 2, 3), torch.tensor([7, 4])
    y, state = body(x, lengths=lengths)
    assert (y.shape, state) == ((7, 2, 8), ())
    assert bool((y[4:, 1] == 0).all())
    x[4:, 1] = float("nan")
    torch.testing.assert_close(body(x, lengths=lengths)[0], y)
    torch.testing.assert_close(body(x[:4, 1:])[0], y[:4, 1:])


@pytest.mark.parametrize(("name", "sees"), [("transformer", True), ("cnn", True), ("mlp", False)])
def test_which_bodies_see_other_steps(name: str, sees: bool) -> None:
    body, x = made(name), torch.randn(7, 1, 3)
    before = body(x)[0][3]
    x[2] += 1
    assert bool((body(x)[0][3] != before).any()) is sees


def test_a_window_is_read_as_one() -> None:
    body, x = WindowBody(3, 8, 1, 0.0, 5), torch.randn(5, 2, 3)
    before = body(x)[0][-1]
    x[0] += 1
    assert bool((body(x)[0][-1] != before).any())
    assert isinstance(body, StepwiseBody)


def test_heads_must_share_the_width() -> None:
    with pytest.raises(OptionError, match="must divide by 4; received 6"):
        TransformerBody(3, 6, 1, 0.0)
