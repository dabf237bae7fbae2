"""Drawing the next unit against brute force on a small distribution."""

import pytest
import torch

from elman.errors import OptionError
from elman.tasks import Writing, sample

SCORES = torch.tensor([0.1, 2.0, -1.0, 1.5, 0.7, 1.5])
DRAWS = 20_000


def frequencies(**settings: object) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    drawn = sample(SCORES.expand(DRAWS, -1), Writing.of(settings), generator)
    return drawn.bincount(minlength=len(SCORES)) / DRAWS


def expected(temperature: float = 1.0, top_k: int = 6, top_p: float = 1.0) -> torch.Tensor:
    """Word for word: sort, keep, share out again."""
    shares = (SCORES / temperature).softmax(0).tolist()
    order = sorted(range(len(shares)), key=lambda unit: -shares[unit])[:top_k]
    total, kept, reached = sum(shares[unit] for unit in order), [], 0.0
    for unit in order:
        if reached < top_p:
            kept.append(unit)
        reached += shares[unit] / total
    result = torch.tensor([shares[unit] if unit in kept else 0.0 for unit in range(len(shares))])
    return result / result.sum()


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 1.0},
        {"temperature": 0.5},
        {"temperature": 3.0},
        {"temperature": 1.0, "top_k": 1},
        {"temperature": 1.0, "top_k": 3},
        {"temperature": 1.0, "top_k": 99},
        {"temperature": 1.0, "top_p": 0.5},
        {"temperature": 1.0, "top_p": 1e-9},
        {"temperature": 0.7, "top_k": 4, "top_p": 0.8},
    ],
    ids=str,
)
def test_shares_are_those_of_brute_force(settings):
    # three standard deviations of a share from 20,000 draws are 0.011 at most
    torch.testing.assert_close(frequencies(**settings), expected(**settings), atol=0.011, rtol=0)
    assert torch.equal(frequencies(**settings) > 0, expected(**settings) > 0)


def test_of_equals_only_k_can_come():
    assert (frequencies(temperature=1.0, top_k=2) > 0).sum() == 2  # two units share the second place


@pytest.mark.parametrize("temperature", [0, 1e-30, 1e-4])
def test_no_temperature_takes_the_best(temperature):
    scores = torch.randn(50, 20)
    assert torch.equal(sample(scores, Writing(temperature=temperature)), scores.argmax(dim=-1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"temperature": -1},
            "temperature expects a number greater than or equal to 0; received -1; the default is 0.8",
        ),
        ({"temperature": float("nan")}, "temperature expects a finite number; received nan"),
        ({"temperature": float("inf")}, "temperature expects a finite number; received inf"),
        ({"temperature": "hot"}, "temperature expects a valid number; received 'hot'"),
        ({"top_k": 0}, "top_k expects a number greater than or equal to 1; received 0"),
        ({"top_k": 2.5}, "top_k expects a whole number; received 2.5"),
        ({"top_p": 0}, "top_p expects a number greater than 0; received 0"),
        ({"top_p": 2}, "top_p expects a number less than or equal to 1; received 2"),
        ({"length": -1}, "length expects a number greater than or equal to 0; received -1"),
        ({"length": True}, "length expects a whole number; received True"),
        ({"stop": 3}, "stop expects a valid string; received 3"),
        ({"temprature": 1}, "there is no option 'temprature'; did you mean 'temperature'?"),
    ],
    ids=str,
)
def test_what_is_impossible_is_said_in_one_line(settings, message):
    with pytest.raises(OptionError) as error:
        Writing.of(settings)
    assert str(error.value).startswith(message)
