"""Numbers brought to a mean of zero and a deviation of one, as networks want them.

Key: T steps, F features.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class Scaler:
    """Takes a mean from every feature, and divides by a deviation.

    Args:
        mean: (F,).
        deviation: (F,); 0, where a feature never changes, counts as 1.

    Example:
        >>> scaler = Scaler.of([torch.tensor([[1.0], [3.0]])])
        >>> scaler(torch.tensor([[1.0], [2.0]])).flatten().tolist()
        [-1.0, 0.0]
    """

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        self.mean = mean
        self.deviation = torch.where(deviation > 0, deviation, 1.0)

    @classmethod
    def of(cls, sequences: Sequence[Tensor], *, together: bool = False) -> "Scaler":
        """What training sequences (T, F) have.

        Args:
            sequences: One or more.
            together: All features are of one kind, as the pixels of an image are.
        """
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for one in sequences:
            rows = one.double().flatten().unsqueeze(1) if together else one.double()
            count, total, squares = count + len(rows), total + rows.sum(0), squares + rows.square().sum(0)
        mean = total / count
        deviation = (squares / count - mean.square()).clamp_min(0).sqrt()
        width = sequences[0].shape[1]
        return cls(mean.float().expand(width), deviation.float().expand(width))

    def __call__(self, sequence: Tensor) -> Tensor:
        """Scaled numbers (..., F)."""
        return (sequence - self.mean) / self.deviation

    def back(self, sequence: Tensor) -> Tensor:
        """The numbers that became these."""
        return sequence * self.deviation + self.mean

    def as_json(self) -> dict[str, list[float]]:
        """What `from_json` reads."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_json(cls, value: Any) -> "Scaler":
        """What `as_json` gave."""
        return cls(torch.tensor(value["mean"]), torch.tensor(value["deviation"]))
