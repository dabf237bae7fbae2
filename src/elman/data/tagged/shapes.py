"""Made-up pictures: bars, squares and rings on a noisy ground, some over others, and masks that say where they are."""

import torch
from torch import Tensor

from elman.data.tagged.scenes import Scenes

SIDE = 24
"""Pixels along a picture's side."""
SHAPES = ("bar", "square", "ring")
"""Classes from 1; 0 is the ground."""


def made_scenes(count: int = 600, seed: int = 0) -> Scenes:
    """So many pictures with one to three shapes each, the same for the same seed.

    Example:
        >>> made_scenes(2).images[0].shape
        torch.Size([24, 24, 1])
    """
    generator = torch.Generator().manual_seed(seed)
    pairs = [_scene(generator) for _ in range(count)]
    note = f"no pictures given: finding bars, squares and rings in {count:,} made-up ones"
    return Scenes([image for image, _ in pairs], [mask for _, mask in pairs], (note,))


def _scene(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    image = 40 + 20 * torch.randn(SIDE, SIDE, generator=generator)
    mask = torch.zeros(SIDE, SIDE, dtype=torch.long)
    for _ in range(_drawn(1, 4, generator)):
        kind = _drawn(0, len(SHAPES), generator)
        where = _shape(SHAPES[kind], generator)
        mask[where] = kind + 1
        image[where] = 180 + 20 * torch.randn(int(where.sum()), generator=generator)
    return image.clamp(0, 255).byte().unsqueeze(2), mask


def _shape(name: str, generator: torch.Generator) -> Tensor:
    """Where it is, (H, W)."""
    size = _drawn(5, 10, generator)
    top, left = (_drawn(0, SIDE - size, generator) for _ in range(2))
    rows, columns = (torch.arange(SIDE) - first for first in (top, left))
    inside = ((rows >= 0) & (rows < size)).unsqueeze(1) & ((columns >= 0) & (columns < size))
    if name == "square":
        return inside
    if name == "bar":
        return inside & ((rows - size // 2).abs() < 2).unsqueeze(1)
    middle = (size - 1) / 2
    distance = ((rows - middle) ** 2).unsqueeze(1) + (columns - middle) ** 2
    return (distance <= (size / 2) ** 2) & (distance >= (size / 2 - 2) ** 2)


def _drawn(low: int, high: int, generator: torch.Generator) -> int:
    return int(torch.randint(low, high, (1,), generator=generator))
