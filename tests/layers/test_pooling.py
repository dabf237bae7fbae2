"""Steps as one vector: whatever lies past a length counts for nothing."""

import pytest
import torch

from elman.errors import OptionError
from elman.layers import Pooling

STEPS = torch.tensor([[1.0, 9.0], [3.0, 5.0], [2.0, 7.0]]).unsqueeze(1).repeat(1, 2, 1)
LENGTHS = torch.tensor([3, 2])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("last", [[2.0, 7.0], [3.0, 5.0]]),
        ("mean", [[2.0, 7.0], [2.0, 7.0]]),
        ("max", [[3.0, 9.0], [3.0, 9.0]]),
        ("concat", [[2.0, 7.0, 3.0, 9.0, 2.0, 7.0], [3.0, 5.0, 3.0, 9.0, 2.0, 7.0]]),
    ],
)
def test_values(name: str, expected: list[list[float]]) -> None:
    steps = STEPS.clone()
    steps[2, 1] = 100.0
    pooling = Pooling(name, 2)  # pyright: ignore[reportArgumentType]
    assert pooling(steps, LENGTHS).tolist() == expected
    assert pooling.output_size == len(expected[0])


def test_the_last_step_of_a_direction_that_reads_backwards_is_the_first() -> None:
    assert Pooling("last", 2, directions=2)(STEPS, LENGTHS).tolist() == [[2.0, 9.0], [3.0, 9.0]]


def test_attention_does_not_see_padding() -> None:
    torch.manual_seed(0)
    pooling, steps = Pooling("attention", 2), STEPS.clone()
    before = pooling(steps, LENGTHS)
    steps[2, 1] = 100.0
    assert torch.equal(pooling(steps, LENGTHS), before)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(OptionError, match="did you mean 'max'"):
        Pooling("maxx", 2)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("lengths", [[3, 3], [3, 2]])
def test_the_gradient_of_the_largest_is_that_of_amax(lengths: list[int]) -> None:
    steps = torch.tensor([[1.0, 2.0], [4.0, 2.0], [4.0, 5.0]], dtype=torch.float64).unsqueeze(1).repeat(1, 2, 1)
    ours, theirs = steps.clone().requires_grad_(), steps.clone().requires_grad_()
    of_results = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    Pooling("max", 2)(ours, torch.tensor(lengths)).backward(of_results)
    torch.stack([theirs[:length, row].amax(0) for row, length in enumerate(lengths)]).backward(of_results)
    assert ours.grad is not None
    assert theirs.grad is not None
    assert ours.grad.tolist() == theirs.grad.tolist()


@pytest.mark.parametrize("name", ["mean", "max"])
def test_what_stands_in_padding_goes_no_further(name: str) -> None:
    steps = STEPS.clone()
    steps[2, 1] = float("nan")
    steps.requires_grad_()
    Pooling(name, 2)(steps, LENGTHS).sum().backward()  # pyright: ignore[reportArgumentType]
    assert steps.grad is not None
    assert steps.grad.isfinite().all()


def test_the_gradient_of_the_largest_has_a_gradient() -> None:
    torch.manual_seed(0)
    steps = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: Pooling("max", 3)(x, LENGTHS + 2), steps)


def test_no_sequences_come_to_none() -> None:
    assert Pooling("max", 3)(torch.ones(4, 0, 3), torch.zeros(0, dtype=torch.long)).shape == (0, 3)
