"""The fused loss is the loss of an output layer and torch's cross-entropy."""

import pytest
import torch
from torch.nn import functional as F

from elman.errors import ShapeError
from elman.layers import linear_cross_entropy


@pytest.mark.parametrize("rows", [1, 63, 1025])  # one block, and one and a bit
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_torch_forward_and_backward(rows: int, smoothing: float):
    ours = [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((rows, 5), (17, 5), (17,))]
    theirs = [each.detach().clone().requires_grad_() for each in ours]
    targets = torch.randint(0, 17, (rows,))
    loss = linear_cross_entropy(*ours, targets, smoothing=smoothing)
    expected = F.cross_entropy(F.linear(*theirs), targets, label_smoothing=smoothing)
    (3 * loss).backward()
    (3 * expected).backward()
    torch.testing.assert_close(loss, expected)
    for mine, its in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, its.grad)
    with torch.no_grad():
        torch.testing.assert_close(linear_cross_entropy(*ours, targets, smoothing=smoothing), expected)


def test_steps_that_do_not_count_are_left_out():
    x, weight, bias = torch.randn(4, 3, 5, requires_grad=True), torch.randn(7, 5), torch.randn(7)
    targets = torch.randint(0, 7, (4, 3))
    targets[2:, 1] = -100
    loss = linear_cross_entropy(x, weight, bias, targets)
    torch.testing.assert_close(loss, F.cross_entropy(F.linear(x, weight, bias).flatten(0, 1), targets.flatten()))
    (gradient,) = torch.autograd.grad(loss, x)
    assert not gradient[2:, 1].any()


def test_large_scores_do_not_overflow():
    x = torch.tensor([[1000.0]], requires_grad=True)
    loss = linear_cross_entropy(x, torch.tensor([[1.0], [-1.0]]), torch.zeros(2), torch.tensor([1]))
    loss.backward()
    assert loss == 2000
    assert x.grad == 2


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"\(4, 3\)"):
        linear_cross_entropy(torch.zeros(2, 5), torch.zeros(4, 3), torch.zeros(4), torch.zeros(2, dtype=torch.long))


@pytest.mark.parametrize("incoming", [torch.float32, torch.bfloat16])
def test_autocast_rounds_what_is_multiplied_only(incoming: torch.dtype):
    x, weight, bias = torch.randn(40, 64).to(incoming).requires_grad_(), torch.randn(30, 64) / 8, torch.randn(30)
    targets = torch.randint(0, 30, (40,))
    weights = [weight.requires_grad_(), bias.requires_grad_()]
    exact = torch.autograd.grad(linear_cross_entropy(x.float(), *weights, targets), [x, *weights])
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(x, *weights, targets)
        with torch.no_grad():
            assert torch.equal(linear_cross_entropy(x, *weights, targets), loss)
    rounded = torch.autograd.grad(loss, [x, *weights])
    assert loss.dtype == torch.float32
    for ours, theirs in zip(rounded, exact, strict=True):
        assert ours.dtype == theirs.dtype
        assert 0 < (ours - theirs).norm() / theirs.norm() < 0.01
