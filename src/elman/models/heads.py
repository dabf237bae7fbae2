"""What a forecaster says about a number to come: one value, quantiles, or a distribution.

Key: ... any shape of numbers to come, H steps of the horizon, B windows, K numbers the network puts out for each,
    L levels.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.distributions import Distribution, NegativeBinomial, StudentT
from torch.nn import functional as F

from elman.errors import check_option

HeadName = Literal["mse", "mae", "quantiles", "student_t", "negative_binomial"]

SMALL = 1e-3
"""Widths are at least this."""

DRAWS = 500
"""Numbers drawn to find quantiles of a distribution."""


class Head(ABC):
    """One way to say it; numbers are scaled: (value - centre) / scale."""

    size: int
    """K."""

    @abstractmethod
    def loss(self, outputs: Tensor, target: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        """Of outputs (..., K) for scaled numbers (...), each by itself."""

    @abstractmethod
    def middle(self, outputs: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        """The best single guess, scaled, (...)."""

    def quantiles(self, outputs: Tensor, levels: Sequence[float], centre: Tensor, scale: Tensor) -> Tensor | None:
        """Below which a number stays with each probability, scaled, (..., L); None where nothing is known of that."""
        return None


class Point(Head):
    """One value, near in squares or in absolute distance."""

    size = 1

    def __init__(self, distance: Literal["mse", "mae"]) -> None:
        self.distance = distance

    def loss(self, outputs: Tensor, target: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        error = outputs.squeeze(-1) - target
        return error.square() if self.distance == "mse" else error.abs()

    def middle(self, outputs: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        return outputs.squeeze(-1)


class Quantiles(Head):
    """A value for each level, by the pinball loss (Koenker and Bassett 1978).

    Args:
        levels: Probabilities, rising.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = tuple(levels)
        self.size = len(self.levels)

    def loss(self, outputs: Tensor, target: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        levels = outputs.new_tensor(self.levels)
        error = target.unsqueeze(-1) - outputs
        return 2 * torch.maximum(levels * error, (levels - 1) * error).mean(-1)

    def middle(self, outputs: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        return self._at(outputs, 0.5)

    def quantiles(self, outputs: Tensor, levels: Sequence[float], centre: Tensor, scale: Tensor) -> Tensor:
        return torch.stack([self._at(outputs, level) for level in levels], -1)

    def _at(self, outputs: Tensor, level: float) -> Tensor:
        """Between the levels on both sides of one, in a line."""
        ordered = outputs.sort(-1).values
        if self.size == 1:
            return ordered[..., 0]
        place = min(max(sum(known <= level for known in self.levels) - 1, 0), self.size - 2)
        low, high = self.levels[place], self.levels[place + 1]
        share = min(max((level - low) / (high - low), 0.0), 1.0)
        return torch.lerp(ordered[..., place], ordered[..., place + 1], share)


class Distributed(Head):
    """The parameters of a distribution, by the likelihood of what came."""

    @abstractmethod
    def distribution(self, outputs: Tensor, centre: Tensor, scale: Tensor) -> Distribution:
        """Of numbers as they are, not scaled."""

    def loss(self, outputs: Tensor, target: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        return -self.distribution(outputs, centre, scale).log_prob(self.possible(target * scale + centre))

    def possible(self, values: Tensor) -> Tensor:
        """The nearest numbers that the distribution has."""
        return values

    def middle(self, outputs: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        return (self.distribution(outputs, centre, scale).mean - centre) / scale

    def quantiles(self, outputs: Tensor, levels: Sequence[float], centre: Tensor, scale: Tensor) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            drawn = self.distribution(outputs, centre, scale).sample(torch.Size([DRAWS]))
        found = ((drawn - centre) / scale).quantile(drawn.new_tensor(list(levels)), dim=0)
        return found.movedim(0, -1)


class HeavyTails(Distributed):
    """Student's t, which expects an outlier now and then."""

    size = 3

    def distribution(self, outputs: Tensor, centre: Tensor, scale: Tensor) -> Distribution:
        freedom, middle, width = outputs.unbind(-1)
        width = F.softplus(width) + SMALL
        return StudentT(2 + F.softplus(freedom) + SMALL, centre + scale * middle, scale * width)


class Counts(Distributed):
    """The negative binomial, for counts such as sales (Salinas et al. 2020)."""

    size = 2

    def distribution(self, outputs: Tensor, centre: Tensor, scale: Tensor) -> Distribution:
        middle, width = outputs.unbind(-1)
        mean = F.softplus(centre + scale * middle) + SMALL
        spread = F.softplus(width) + SMALL
        return NegativeBinomial(1 / spread, logits=(mean * spread).log())

    def possible(self, values: Tensor) -> Tensor:
        return values.round().clamp_min(0)


def find_head(name: HeadName, levels: Sequence[float]) -> Head:
    """By its name; levels are those of quantiles.

    Raises:
        OptionError: There is none of that name.
    """
    known = {
        "mse": lambda: Point("mse"),
        "mae": lambda: Point("mae"),
        "quantiles": lambda: Quantiles(levels),
        "student_t": HeavyTails,
        "negative_binomial": Counts,
    }
    check_option("head", name, known)
    return known[name]()


@dataclass(frozen=True)
class Outputs:
    """What a network says of windows, scaled."""

    head: Head
    numbers: Tensor
    """(H, B, K)."""
    centre: Tensor
    """(B,)."""
    scale: Tensor
    """(B,)."""

    def scaled(self, coming: Tensor) -> Tensor:
        """What comes (H, B), as the network sees it."""
        return (coming - self.centre) / self.scale

    def loss(self, coming: Tensor) -> tuple[Tensor, int]:
        """The mean loss for what comes (H, B), NaN where nothing is known; and how many numbers are."""
        target = self.scaled(coming)
        there = ~target.isnan()
        each = self.head.loss(self.numbers, target.nan_to_num(), self.centre, self.scale)
        return (each * there).sum() / there.sum().clamp_min(1), int(there.sum())

    def middle(self) -> Tensor:
        """(H, B)."""
        return self.head.middle(self.numbers, self.centre, self.scale)

    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """(H, B, L); all of them the middle where the head knows none."""
        found = self.head.quantiles(self.numbers, levels, self.centre, self.scale)
        return self.middle().unsqueeze(2).expand(-1, -1, len(levels)) if found is None else found
