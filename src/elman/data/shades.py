"""Images as shades of grey, as few as one wants.

Key: N images, H rows of pixels, W pixels in a row, C colours, V shades.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from elman.errors import DataError


def shades(images: Sequence[Tensor], levels: int) -> list[Tensor]:
    """Images of bytes (H, W, C) as whole numbers (H, W) from 0 to V - 1, black to white.

    Of two shades, each pixel is drawn once by chance, white as often as it is bright (Salakhutdinov and Murray 2008),
    always the same way for the same images; of more, they are steps of brightness.

    Args:
        images: All of one size; colours are mixed to grey.
        levels: V.

    Raises:
        DataError: They are not of one size.

    Example:
        >>> [one.tolist() for one in shades([torch.tensor([[[0], [255]]], dtype=torch.uint8)], 2)]
        [[[0, 1]]]
        >>> shades([torch.tensor([[[0], [100], [255]]], dtype=torch.uint8)], 4)[0].tolist()
        [[0, 1, 3]]
    """
    generator, found = torch.Generator().manual_seed(0), []
    for number, image in enumerate(images, 1):
        if image.shape != images[0].shape:
            raise DataError(
                f"image {number:,} has the shape {tuple(image.shape)}; expected {tuple(images[0].shape)}, as the first "
                "one; make all alike, or give --image-size"
            )
        grey = image.float().mean(2)
        if levels == 2:
            found.append((torch.rand(grey.shape, generator=generator) < grey / 255).long())
        else:
            found.append((grey * (levels / 256)).long())
    return found


def as_bytes(images: Tensor, levels: int) -> Tensor:
    """Shades of grey from 0 to V - 1 as bytes.

    >>> as_bytes(torch.tensor([[0, 1]]), 2).tolist()
    [[0, 255]]
    """
    return (images * (255 / (levels - 1))).round().byte()
