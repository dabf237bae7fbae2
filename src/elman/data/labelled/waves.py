"""Made-up series of waves that follow each other, sine, square and saw, in noise."""

import torch
from torch import Tensor

from elman.data.labelled.labelled import Labelled

STEPS = 120
"""Of a series."""
NOISE = 0.2
WAVES = ("sine", "square", "saw")


def made_waves(count: int = 1_000, seed: int = 0, *, numbers: bool = False) -> Labelled:
    """So many series, each with three or more stretches of a wave.

    Args:
        count: How many.
        seed: Where the randomness starts; the same seed gives the same series.
        numbers: The answer to a step is how high its wave goes; its name, when omitted.

    Example:
        >>> one = made_waves(1)
        >>> one.inputs[0].shape, one.answers[0][0], one.answers[0][-1]
        (torch.Size([120, 1]), 'saw', 'saw')
    """
    generator = torch.Generator().manual_seed(seed)
    inputs, answers = [], []
    for _ in range(count):
        values: list[Tensor] = []
        said: list[str | float] = []
        while len(said) < STEPS:
            name, height, part = _stretch(generator)
            values.append(part)
            said += [height if numbers else name] * len(part)
        inputs.append(torch.cat(values)[:STEPS].unsqueeze(1))
        answers.append(said[:STEPS])
    what = "how high the wave of every step goes" if numbers else "which wave every step is part of"
    note = f"no series given: finding {what} in {count:,} made-up ones"
    return Labelled("series", inputs, answers, "the waves", [f"series {n:,}" for n in range(1, count + 1)], (note,))


def _stretch(generator: torch.Generator) -> tuple[str, float, Tensor]:
    """A wave's name, how high it goes, and its noisy values."""
    name = WAVES[int(torch.randint(len(WAVES), (1,), generator=generator))]
    length = int(torch.randint(20, 41, (1,), generator=generator))
    height, start, period = (
        torch.rand(3, generator=generator) * torch.tensor([1.5, 1, 6]) + torch.tensor([0.5, 0, 6])
    ).tolist()
    turns = torch.arange(length) / period + start
    wave = {
        "sine": torch.sin(2 * torch.pi * turns),
        "square": torch.where(turns % 1 < 0.5, 1.0, -1.0),
        "saw": 2 * (turns % 1) - 1,
    }[name]
    return name, height, height * wave + NOISE * torch.randn(length, generator=generator)
