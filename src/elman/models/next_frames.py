"""Frames that come next: maps with a memory, which read what was seen and then what they expect (Shi et al. 2015).

Key: T frames, B batch, H rows of pixels, W pixels in a row, C colours, P pixels along a patch's side, F frames to come.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import State
from elman.layers import ConvLSTMCell, LayerState, Recurrent, Stacked


class NextFrames(nn.Module):
    """Convolutional LSTMs over patches; each patch of the next frame is read off the maps of all layers at its place.

    Each frame that is given is read, and the next one is expected; behind the last one given, what was expected is
    read. So one network both encodes and forecasts, and it learns from every frame but the first.

    Args:
        size: H and W.
        colours: C.
        patch: P.
        hidden_size: Channels of each layer's map.
        num_layers: Layers on top of each other.
        kernel: Places of the map that a place sees, along the side of a square.
    """

    def __init__(
        self,
        size: tuple[int, int],
        colours: int,
        *,
        patch: int,
        hidden_size: int,
        num_layers: int = 1,
        kernel: int = 3,
    ) -> None:
        super().__init__()
        self.size, self.patch = size, patch
        rows, columns = (-(-side // patch) for side in size)
        self.map = rows, columns
        widths = [colours * patch**2, *[hidden_size] * num_layers]
        sizes = [width * rows * columns for width in widths]
        self.cell = Stacked(
            ConvLSTMCell(below, above, size=self.map, kernel=kernel) for below, above in pairwise(sizes)
        )
        self.output = nn.Conv2d(num_layers * hidden_size, widths[0], 1)

    def forward(self, frames: Tensor, count: int = 0) -> Tensor:
        """How bright frames are expected to be, before the sigmoid.

        Args:
            frames: (T, B, H, W, C), from 0 to 1.
            count: F, how many frames behind the last one are expected too.

        Returns:
            (T - 1 + F, B, H, W, C), the first one for the second frame; with F = 0 one for each frame but the first.
        """
        seen = frames if count else frames[:-1]
        state, expected = self.cell.initial_state(frames.shape[1]), []
        for step in range(len(seen) + max(0, count - 1)):
            frame = seen[step] if step < len(seen) else torch.sigmoid(expected[-1])
            scores, state = self._step(frame, state)
            expected.append(scores)
        return torch.stack(expected)

    def _step(self, frame: Tensor, state: State) -> tuple[Tensor, State]:
        """From a frame (B, H, W, C) to what is expected of the next one."""
        _, state = self.cell(self._patches(frame).flatten(1), state)
        return self._said(state[::2]), state  # h of every layer, without its c

    def _said(self, maps: Sequence[Tensor]) -> Tensor:
        return self._pixels(self.output(torch.cat(list(maps), dim=1)))

    def read(self, frames: Tensor) -> Tensor:
        """Frames (T, B, H, W, C) as its layers read them, (T, B, F)."""
        return torch.stack([self._patches(frame).flatten(1) for frame in frames])

    def over_time(self) -> Recurrent:
        """Its cells as layers, which read frames that are all known."""
        cells = [cell for cell in self.cell.cells if isinstance(cell, ConvLSTMCell)]
        widths, rest = [cell.output_size for cell in cells], iter(cells)
        return Recurrent(lambda *_: next(rest), cells[0].input_size, widths).eval()

    def expected(self, state: LayerState) -> Tensor:
        """How bright the next frame is expected to be, (B, H, W, C), from the states of all layers behind the last."""
        return self._said([layer[0] for layer in state])

    def _patches(self, frame: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, P P C, rows, columns), with black beyond the border."""
        (rows, columns), patch = self.map, self.patch
        height, width = self.size
        frame = F.pad(frame, (0, 0, 0, columns * patch - width, 0, rows * patch - height))
        return F.pixel_unshuffle(frame.permute(0, 3, 1, 2), patch)

    def _pixels(self, patches: Tensor) -> Tensor:
        """The way back."""
        height, width = self.size
        return F.pixel_shuffle(patches, self.patch).permute(0, 2, 3, 1)[:, :height, :width]
