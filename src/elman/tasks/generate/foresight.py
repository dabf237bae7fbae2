"""How good expected frames are, and how wrong it was to expect them.

Key: T frames, B videos, H rows of pixels, W pixels in a row, C colours.
"""

from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import IGNORE, SequenceBatch
from elman.tasks.task import Judge
from elman.tasks.unusual import Threshold, auroc

PART = 0.2
"""The side of a part of a frame, as a share of the frame's."""
BEFORE = 5
"""Frames whose errors say what is usual in a video."""


class Foresight(Judge):
    """How near the expected frames are to those that came, beside going on with the last one that was given.

    Args:
        given: How many frames are read before others are expected.
        threshold: Of errors that are unusual, where it is known.
    """

    def __init__(self, given: int, threshold: Threshold | None) -> None:
        self.given, self.threshold = given, threshold
        self.nats, self.squares, self.copied, self.steps, self.frames = 0.0, 0.0, 0.0, 0, 0
        self.watcher = Watcher(self.given)

    def add(self, network: nn.Module, batch: SequenceBatch) -> None:
        given, inputs = self.given, batch.inputs
        scores = network(inputs[:given], len(inputs) - given).float()
        there = torch.arange(1, len(inputs)).unsqueeze(1) < batch.lengths
        self.nats += float(_each(F.binary_cross_entropy_with_logits(scores, inputs[1:], reduction="none"))[there].sum())
        self.steps += int(there.sum())
        came, behind = inputs[given:], there[given - 1 :]
        self.squares += float(_each((scores[given - 1 :].sigmoid() - came).square())[behind].sum())
        self.copied += float(_each((inputs[given - 1] - came).square())[behind].sum())
        self.frames += int(behind.sum())
        if (batch.targets != IGNORE).any():
            self.watcher.add(network, batch)

    def scores(self) -> dict[str, float]:
        mse, copied = (value / max(1, self.frames) for value in (self.squares, self.copied))
        found = {
            "loss": self.nats / max(1, self.steps),
            "mse": mse,
            "mse of copying the last frame": copied,
            "mse_ratio": mse / max(copied, 1e-12),
        }
        errors, unusual = self.watcher.found()
        if not unusual.any() or unusual.all():
            return found
        found["auroc"] = auroc(errors, unusual)
        if self.threshold is not None:
            told = errors > self.threshold.value
            found["share of unusual frames found"] = float(told[unusual].float().mean())
            found["share of false alarms"] = float(told[~unusual].float().mean())
        return found


class Watcher(Judge):
    """Errors of all frames behind the first ones, each expected from all before it.

    Args:
        given: The first ones.
    """

    def __init__(self, given: int) -> None:
        self.given = given
        self.errors: list[Tensor] = []
        self.unusual: list[Tensor] = []

    def add(self, network: nn.Module, batch: SequenceBatch) -> None:
        there = (torch.arange(len(batch.inputs)).unsqueeze(1) < batch.lengths)[self.given :]
        self.errors.append(surprise(network, batch.inputs)[self.given - 1 :][there])
        self.unusual.append(batch.targets[self.given :][there] == 1)

    def found(self) -> tuple[Tensor, Tensor]:
        """Of all of them: how large, and which were unusual."""
        nothing = torch.zeros(0)
        return torch.cat([nothing, *self.errors]), torch.cat([nothing, *self.unusual]).bool()

    def scores(self) -> dict[str, float]:
        return {"auroc": auroc(*self.found())}


@torch.inference_mode()
def surprise(network: nn.Module, frames: Tensor) -> Tensor:
    """Of frames (T, B, H, W, C) the error of each but the first, expected from those before it, (T - 1, B).

    The largest mean squared error of a part of the frame, as a multiple of what it was in the frames before: some
    videos are harder than others all along, and what nobody could expect is in one place.
    """
    errors = (network(frames).float().sigmoid() - frames[1:]).square().mean(4)
    sides = [ceil(PART * side) for side in errors.shape[2:]]
    worst = F.avg_pool2d(errors, sides, stride=[ceil(side / 3) for side in sides]).amax((2, 3))
    usual = [worst[max(0, step - BEFORE) : step or 1].mean(0) for step in range(len(worst))]
    return worst / torch.stack(usual).clamp_min(1e-9)


def _each(values: Tensor) -> Tensor:
    """The mean of each frame, (T, B)."""
    return values.flatten(2).mean(2)
