"""A class for every pixel of a picture: patches read by columns and rows (ReSeg, Visin et al. 2016).

Key: H rows of pixels, W pixels in a row, B pictures, F features of a pixel, P pixels along a patch's side, C classes.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from elman.layers import Factory, ReNet, drop_features


class Segmenter(nn.Module):
    """Layers of `ReNet` over patches, and a score of every class for each pixel of a patch.

    Args:
        cell: A class or factory of cells.
        features: F.
        classes: C.
        patch: P.
        margin: Pixels on each side of a patch that are read with it.
        hidden_size: Of each direction of each layer.
        num_layers: Layers on top of each other.
        dropout: Share of the features dropped between layers.
        output_dropout: Share of the features dropped before the output.
    """

    def __init__(
        self,
        cell: Factory,
        features: int,
        classes: int,
        *,
        patch: int,
        margin: int = 0,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
        output_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.patch, self.margin, self.classes = patch, margin, classes
        self.dropout, self.output_dropout = dropout, output_dropout
        self.layers, width = nn.ModuleList(), features * (patch + 2 * margin) ** 2
        for _ in range(num_layers):
            self.layers.append(ReNet(cell, width, hidden_size))
            width = 2 * hidden_size
        self.output = nn.Linear(width, classes * patch**2)

    def forward(self, x: Tensor) -> Tensor:
        """(H, B, W, F) -> (H, B, W, C)."""
        height, width = x.shape[0], x.shape[2]
        y = self._patches(x)
        for number, layer in enumerate(self.layers):
            y = layer(drop_features(y, self.dropout if number else 0.0, training=self.training, per_sequence=False))
        y = drop_features(y, self.output_dropout, training=self.training, per_sequence=False)
        return self._pixels(self.output(y))[:height, :, :width]

    def _patches(self, x: Tensor) -> Tensor:
        """(H, B, W, F) -> (H / P, W / P, B, all features of a patch and its margin), with zeros around the picture."""
        side, around = self.patch, self.margin
        x = F.pad(x, (0, 0, around, around + -x.shape[2] % side, 0, 0, around, around + -x.shape[0] % side))
        x = x.unfold(0, side + 2 * around, side).unfold(2, side + 2 * around, side)  # rows, B, columns, F, down, right
        return x.permute(0, 2, 1, 4, 5, 3).flatten(3)

    def _pixels(self, scores: Tensor) -> Tensor:
        """The way back, (H / P, W / P, B, P P C) -> (H, B, W, C)."""
        x = scores.unflatten(3, (self.patch, self.patch, self.classes))  # rows, columns, B, P, P, C
        return x.permute(0, 3, 2, 1, 4, 5).flatten(0, 1).flatten(2, 3)
