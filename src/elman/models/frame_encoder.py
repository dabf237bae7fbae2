"""What there is in a frame, and where: convolutions, and for each feature its place.

Key: T time, B batch, H rows of pixels, W pixels in a row, C colours, F features.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.errors import DataError

NARROW, WIDE = 16, 32
"""Channels of maps half and a quarter as high and wide as the frame."""
SHARP = 3.0
"""At first the deviation of a map's scores; so what stands out most decides where its place is."""


class FrameEncoder(nn.Module):
    """A vector of each frame, for what reads vectors.

    Five convolutions make maps of features; of each map come its largest value and the place where it is, as the mean
    of all places in the shares of a softmax (spatial softmax: Levine, Finn, Darrell and Abbeel 2016). So motion is
    a number that grows, and where something is comes finer than places of a map are.

    Args:
        colours: C.
        features: F.

    Example:
        >>> FrameEncoder(1, 6)(torch.rand(5, 2, 20, 24, 1)).shape
        torch.Size([5, 2, 6])
    """

    def __init__(self, colours: int, features: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            *(nn.Conv2d(colours, NARROW, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2d(NARROW, WIDE, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv2d(WIDE, WIDE, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(WIDE, WIDE, 3, padding=1), nn.ReLU()),
            nn.Conv2d(WIDE, WIDE, 3, padding=1),
        )
        self.sharpness = nn.Parameter(torch.full((WIDE, 1, 1), SHARP))
        self.output = nn.Linear(3 * WIDE, features)

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, H, W, C), from 0 to 1 -> (T, B, F).

        Raises:
            DataError: Frames are so small that all of one is a single place.
        """
        maps = self.maps(x.flatten(0, 1).permute(0, 3, 1, 2) - 0.5).float()
        if maps.shape[2:].numel() == 1:
            raise DataError(
                f"frames of {x.shape[2]} x {x.shape[3]} pixels are too small; expected more than 4 along a side; "
                "give larger ones, or --image-size 16x16"
            )
        sharp = self.sharpness * F.instance_norm(maps)
        found = torch.cat([maps.amax((2, 3)), 4 * places(sharp).flatten(1) - 2], dim=1)  # of a deviation of about 1
        return self.output(found).unflatten(0, x.shape[:2])


def places(maps: Tensor) -> Tensor:
    """Where maps (N, F, rows, columns) are large: row and column from 0 to 1, (N, F, 2).

    >>> maps = torch.zeros(1, 1, 4, 8)
    >>> maps[0, 0, 0, 7] = 100
    >>> places(maps).tolist()
    [[[0.125, 0.9375]]]
    """
    shares = F.softmax(maps.flatten(2), dim=2).view(maps.shape)
    middles = [(torch.arange(size, device=maps.device) + 0.5) / size for size in maps.shape[2:]]
    return torch.stack([shares.sum(3) @ middles[0], shares.sum(2) @ middles[1]], dim=2)
