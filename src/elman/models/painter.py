"""An image pixel by pixel, each given all that come before it: down the columns, then along each row (PixelRNN).

Key: H rows of pixels, W pixels in a row, B images, V shades, D width of what is known from above.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.layers import Factory, LayerState, Recurrent, Regularisation, drop_features


class Painter(nn.Module):
    """What each pixel will be, given the rows above it and the pixels to its left (van den Oord et al. 2016).

    One network goes down every column: at each row it reads the whole row above, as seen from that column. A second one
    goes along every row, and at each pixel reads what the first one knows there, and the pixel to the left. All columns
    of all images are one batch of sequences of H steps, and all rows one of W steps.

    Args:
        cell: A class or factory of cells.
        columns: W.
        levels: V.
        hidden_size: Of every layer of both networks.
        num_layers: Layers of each.
        input_dropout: Share of the pixels above that is not seen in training.
        output_dropout: Share of features dropped before the output.
        rest: As in `Recurrent`.
    """

    def __init__(
        self,
        cell: Factory,
        columns: int,
        levels: int,
        *,
        hidden_size: int,
        num_layers: int = 1,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        rest: Regularisation | None = None,
    ) -> None:
        super().__init__()
        self.columns, self.levels = columns, levels
        self.input_dropout, self.output_dropout = input_dropout, output_dropout
        self.down = Recurrent(cell, 2 * columns - 1, hidden_size, num_layers, **rest or {})
        self.along = Recurrent(cell, self.down.output_size + 1, hidden_size, num_layers, **rest or {})
        self.output = nn.Linear(self.along.output_size, levels)

    def forward(self, images: Tensor) -> Tensor:
        """Shades (H, B, W), whole numbers below V -> scores of every shade (H, B, W, V)."""
        pixels = self._bright(images)
        known, _ = self._downwards(F.pad(pixels, (0, 0, 0, 0, 1, 0))[:-1], None)
        left = F.pad(pixels, (1, 0))[..., :-1]
        scores, _ = self._rightwards(known.permute(2, 0, 1, 3), left.permute(2, 0, 1), None)
        return scores.permute(1, 2, 0, 3)

    @torch.no_grad()
    def draw(self, images: Tensor, kept: int, choose: Callable[[Tensor], Tensor]) -> Tensor:
        """The same images with new pixels in all but their upper rows.

        Args:
            images: (H, B, W).
            kept: Rows that stay.
            choose: From scores (B, V) to shades (B,).
        """
        images = images.clone()
        above, state = torch.zeros(1, *images.shape[1:]), None
        for number, row in enumerate(images):
            known, state = self._downwards(above, state)
            if number >= kept:
                self._draw_row(row, known, choose)
            above = self._bright(row).unsqueeze(0)
        return images

    def _draw_row(self, row: Tensor, known: Tensor, choose: Callable[[Tensor], Tensor]) -> None:
        """New pixels in a row (B, W), given what is known from above, (1, B, W, D)."""
        left, state = torch.zeros(1, 1, len(row)), None
        for column in range(self.columns):
            scores, state = self._rightwards(known[:, :, column].unsqueeze(0), left, state)
            row[:, column] = choose(scores[0, 0])
            left = self._bright(row[:, column]).view(1, 1, -1)

    def _bright(self, images: Tensor) -> Tensor:
        """Shades as numbers from -1 to 1; 0 stands for what is not there."""
        return images.float() * (2 / (self.levels - 1)) - 1

    def _downwards(self, above: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
        """Rows above each row (H, B, W) -> what is known of each pixel from above, (H, B, W, D)."""
        around = F.pad(above, (self.columns - 1, self.columns - 1)).unfold(2, 2 * self.columns - 1, 1)
        around = drop_features(around.flatten(1, 2), self.input_dropout, training=self.training, per_sequence=False)
        known, after = self.down(around, state)
        return known.unflatten(1, above.shape[1:]), after

    def _rightwards(self, known: Tensor, left: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
        """What is known from above (W, H, B, D), and pixels to the left (W, H, B) -> scores (W, H, B, V)."""
        x = torch.cat([known, left.unsqueeze(3)], dim=3)
        y, after = self.along(x.flatten(1, 2), state)
        y = drop_features(y, self.output_dropout, training=self.training, per_sequence=False)
        return self.output(y).unflatten(1, x.shape[1:3]), after
