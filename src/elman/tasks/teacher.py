"""A teacher: a trained network whose answers a smaller one learns beside the true ones (Hinton, Vinyals, Dean 2015)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Teacher:
    """Somebody who knows."""

    network: nn.Module
    """In evaluation mode."""
    share: float
    """Of the loss that is the distance from its answers."""
    softness: float
    """What scores are divided by before they are compared: the larger, the more unlikely answers count."""

    @torch.no_grad()
    def says(self, *given: Any, **named: Any) -> Any:
        """What its network puts out."""
        return self.network(*given, **named)

    def mix(self, loss: Tensor, distance: Tensor) -> Tensor:
        """The loss of the true answers, and the distance from the teacher's."""
        return (1 - self.share) * loss + self.share * distance

    def surprise(self, scores: Tensor, known: Tensor) -> Tensor:
        """The mean cross-entropy of scores (N, C) from the teacher's, both softened, and as steep as without that."""
        soft = (known / self.softness).softmax(-1)
        return F.cross_entropy(scores / self.softness, soft) * self.softness**2
