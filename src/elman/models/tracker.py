"""A box in every frame: where something is.

Key: T time, B batch, H rows of pixels, W pixels in a row, C colours, F features.
"""

import torch
from torch import Tensor, nn

from elman.layers import Recurrent
from elman.models.bodies import Body
from elman.models.frame_encoder import FrameEncoder
from elman.models.reader import Reader


class Tracker(Reader):
    """Frames become vectors, a body reads these, and four numbers come of both.

    Args:
        encoder: What makes vectors of frames.
        body: What reads the vectors.
        features: F, the width of the vectors.
        input_dropout: As in `Reader`.
        output_dropout: As in `Reader`.
        variational: As in `Reader`.
    """

    def __init__(
        self,
        encoder: FrameEncoder,
        body: Recurrent | Body,
        features: int,
        *,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__(
            encoder, body, input_dropout=input_dropout, output_dropout=output_dropout, variational=variational
        )
        self.output = nn.Linear(features + body.output_size, 4)
        nn.init.zeros_(self.output.weight)
        with torch.no_grad():
            self.output.bias.copy_(torch.tensor([0.25, 0.25, 0.75, 0.75]))  # at first the middle of the frame

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(T, B, H, W, C), from 0 to 1 -> (T, B, 4): left, top, right and bottom, as shares of the frame's sides."""
        assert self.embedding is not None
        seen = self.embedding(x)
        steps, _ = self.body(self.drop(seen, self.input_dropout), None, lengths=lengths)
        return self.output(torch.cat([seen, self.drop(steps, self.output_dropout)], dim=2)).float()


def overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """What two boxes (..., 4) have in common, as a share of what either has (IoU, Jaccard 1912), (...).

    >>> overlap(torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 0, 3, 2]))
    tensor(0.3333)
    """
    common = _area(torch.cat([torch.maximum(boxes, others)[..., :2], torch.minimum(boxes, others)[..., 2:]], dim=-1))
    return common / (_area(boxes) + _area(others) - common).clamp_min(1e-9)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(-1)
