"""Videos in memory, and what is known of each of their frames.

Key: N videos, T frames, H rows of pixels, W pixels in a row, C colours, 1 or 3.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from elman.data.cuts import cuts
from elman.data.labelled.labelled import Named
from elman.data.text import VALIDATION_SHARE, held_out
from elman.data.video.moving import Moving, made_glyphs
from elman.errors import DataError

LUMA = torch.tensor([0.299, 0.587, 0.114])
"""How bright red, green and blue are."""


@dataclass(frozen=True)
class Videos:
    """Videos whose frames are all of one shape."""

    frames: Sequence[Tensor]
    """Each (T, H, W, C), bytes."""
    places: Sequence[str]
    """What to call each."""
    boxes: Sequence[Tensor] | None = None
    """Each (T, 4), left, top, right and bottom in pixels; NaN where nothing is known."""
    unusual: Sequence[Tensor] | None = None
    """Each (T,), True where something unusual happens."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def named(self) -> Named:
        """The frames, each video by its place."""
        return Named(self.frames, self.places)

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same."""
        digest = hashlib.sha256()
        for one in (*self.frames, *(self.boxes or ()), *(self.unusual or ())):
            digest.update(one.numpy().tobytes())
        return digest.hexdigest()

    def pieces(self, longest: int) -> "Videos":
        """The same, cut so that none is longer."""
        parts = cuts(map(len, self.frames), longest)
        known = ("frames", "boxes", "unusual")
        cut = {
            name: None if (of := getattr(self, name)) is None else [of[row][part] for row, part in parts]
            for name in known
        }
        return replace(self, **cut, places=[self.places[row] for row, _ in parts])

    def in_colours(self, colours: int) -> "Videos":
        """The same in so many colours, 1 or 3: grey as bright as the colours were, or in all of them."""
        return replace(self, frames=[in_colours(one, colours) for one in self.frames])

    def some(self, rows: range, **changes: tuple[str, ...]) -> "Videos":
        """Some of them."""
        known = ("frames", "places", "boxes", "unusual")
        kept = {name: None if (of := getattr(self, name)) is None else [of[row] for row in rows] for name in known}
        return replace(self, **kept, **changes)

    def split(self, share: float = VALIDATION_SHARE) -> tuple["Videos", "Videos"]:
        """Those to train on, and the last ones for validation.

        Raises:
            DataError: There are too few.
        """
        count, note = held_out(len(self), share, "videos")
        train = self.some(range(len(self) - count), notes=(*self.notes, note))
        return train, self.some(range(len(self) - count, len(self)), notes=())

    def check_shape(self, shape: Sequence[int]) -> None:
        """Raise DataError where frames have another shape than (H, W, C)."""
        for one, place in zip(self.frames, self.places, strict=True):
            if tuple(one.shape[1:]) != tuple(shape):
                raise DataError(
                    f"{place} has frames of {tuple(one.shape[1:])}; expected {tuple(shape)}, as in training; "
                    "give --image-size, or make all alike"
                )


def in_colours(frames: Tensor, colours: int) -> Tensor:
    """Frames (T, H, W, C) of bytes in so many colours, 1 or 3 (ITU-R BT.601).

    >>> in_colours(torch.tensor([[[[0, 255, 0]]]], dtype=torch.uint8), 1).tolist()
    [[[[150]]]]
    """
    if frames.shape[3] == colours or not {frames.shape[3], colours} <= {1, 3}:
        return frames
    if colours == 3:
        return frames.expand(-1, -1, -1, 3)
    return (frames.float() @ LUMA).round().byte().unsqueeze(3)


def brightness(frames: Tensor) -> Tensor:
    """Bytes as numbers from 0 to 1."""
    return frames.float() / 255


def made_videos(count: int = 600, *, together: int = 2, doing: str = "going on with") -> Videos:
    """Small videos of shapes that move, the same at each call, with boxes of the first shape.

    Example:
        >>> made_videos(3).frames[0].shape
        torch.Size([20, 20, 20, 1])
    """
    moving = Moving(made_glyphs(), side=20, together=together)
    made = [moving.video(seed) for seed in range(count)]
    return Videos(
        [one.frames for one in made],
        [f"video {number:,}" for number in range(1, count + 1)],
        [one.boxes[0] for one in made],
        [one.unusual for one in made],
        (f"no videos given: {doing} {count:,} made-up ones of shapes that move",),
    )
