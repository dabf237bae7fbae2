"""Made-up videos: glyphs that move in a straight line and bounce off the borders (Srivastava et al. 2015).

Key: T frames, H rows of pixels, W pixels in a row, N glyphs, S pixels along a glyph's side, K glyphs in a video.
"""

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

import torch
from torch import Tensor

Event = Literal["jump", "change", "vanish"]

SPEED = 0.1
"""Share of its free way that a glyph goes from one frame to the next."""


@dataclass(frozen=True)
class MovingVideo:
    """What can be seen, and where it is."""

    frames: Tensor
    """(T, H, W, 1), bytes."""
    boxes: Tensor
    """(K, T, 4): left, top, right and bottom of each glyph's pixels; NaN where it is not there."""
    glyphs: tuple[int, ...]
    """Which ones move, at first."""
    unusual: Tensor
    """(T,), True where something happens that nobody could expect."""


@dataclass(frozen=True)
class Moving:
    """Makes videos, each from a number of its own.

    Example:
        >>> moving = Moving(made_glyphs(), side=24, together=1)
        >>> video = moving.video(7)
        >>> video.frames.shape, video.boxes.shape
        (torch.Size([20, 24, 24, 1]), torch.Size([1, 20, 4]))
        >>> torch.equal(video.frames, moving.video(7).frames)
        True
    """

    glyphs: Tensor
    """(N, S, S), bytes."""
    side: int = 64
    """H and W."""
    frames: int = 20
    """T."""
    together: int = 2
    """K."""
    clutter: int = 0
    """Pieces of other glyphs that move as well; nobody asks where they are."""
    noise: int = 0
    """Each pixel of the ground is as bright as this at most."""

    def video(self, seed: int, event: Event | None = None, earliest: int = 1) -> MovingVideo:
        """Video number `seed`; with an event that happens to one glyph, once, and is drawn by chance, too.

        Args:
            seed: The same number makes the same video.
            event: A glyph is suddenly elsewhere, becomes another one, or is gone.
            earliest: The frame before which nothing happens.
        """
        generator = torch.Generator().manual_seed(seed)
        frames = torch.zeros(self.frames, self.side, self.side, dtype=torch.uint8)
        if self.noise:
            frames += torch.randint(0, self.noise, frames.shape, generator=generator, dtype=torch.uint8)
        numbers = [_drawn(0, len(self.glyphs), generator) for _ in range(self.together)]
        for _ in range(self.clutter):
            piece = self._piece(generator)
            _paint(frames, [piece] * self.frames, self._way(len(piece), generator))
        unusual, boxes = torch.zeros(self.frames, dtype=torch.bool), []
        for place, number in enumerate(numbers):
            shown: list[Tensor | None] = [self.glyphs[number]] * self.frames
            way = self._way(self.glyphs.shape[1], generator)
            if event is not None and place == 0:
                at = _drawn(earliest, self.frames, generator)
                unusual[at] = True
                self._happen(event, at, number, shown, way, generator)
            _paint(frames, shown, way)
            boxes.append(_boxes(shown, way))
        return MovingVideo(frames.unsqueeze(3), torch.stack(boxes), tuple(numbers), unusual)

    def _way(self, size: int, generator: torch.Generator) -> Tensor:
        """Row and column of the upper left corner at each frame, (T, 2)."""
        free = self.side - size
        row, column, angle = torch.rand(3, generator=generator).tolist()
        place, step = [row, column], [SPEED * sin(2 * pi * angle), SPEED * cos(2 * pi * angle)]
        way = []
        for _ in range(self.frames):
            way.append([int(free * one) for one in place])
            for axis in range(2):
                place[axis] += step[axis]
                if not 0 <= place[axis] <= 1:
                    place[axis], step[axis] = min(max(place[axis], 0.0), 1.0), -step[axis]
        return torch.tensor(way)

    def _happen(
        self,
        event: Event,
        at: int,
        number: int,
        shown: list[Tensor | None],
        way: Tensor,
        generator: torch.Generator,
    ) -> None:
        if event == "vanish":
            shown[at:] = [None] * (self.frames - at)
        elif event == "change":
            other = (number + _drawn(1, len(self.glyphs), generator)) % len(self.glyphs)
            shown[at:] = [self.glyphs[other]] * (self.frames - at)
        else:
            free = self.side - self.glyphs.shape[1]
            way[at:] = (way[at:] + torch.tensor([_drawn(free // 3, 2 * free // 3, generator) for _ in range(2)])) % free

    def _piece(self, generator: torch.Generator) -> Tensor:
        """A part of some glyph, about a third as high and as wide."""
        size = self.glyphs.shape[1] // 3
        top, left = (_drawn(0, self.glyphs.shape[1] - size, generator) for _ in range(2))
        return self.glyphs[_drawn(0, len(self.glyphs), generator), top : top + size, left : left + size]


def _paint(frames: Tensor, shown: list[Tensor | None], way: Tensor) -> None:
    """Where glyphs lie on each other, the brighter one is seen."""
    for frame, glyph, (top, left) in zip(frames, shown, way.tolist(), strict=True):
        if glyph is not None:
            there = frame[top : top + len(glyph), left : left + len(glyph)]
            torch.maximum(there, glyph, out=there)


def _boxes(shown: list[Tensor | None], way: Tensor) -> Tensor:
    """(T, 4)."""
    edges = {id(glyph): _edges(glyph) for glyph in shown if glyph is not None}
    gone = torch.full((4,), torch.nan)
    corners = way.flip(1).repeat(1, 2)  # column, row, column, row
    return torch.stack(
        [gone if glyph is None else at + edges[id(glyph)] for glyph, at in zip(shown, corners, strict=True)]
    )


def _edges(glyph: Tensor) -> Tensor:
    """Left, top, right and bottom of what is not black."""
    rows, columns = (glyph.amax(axis).nonzero().flatten() for axis in (1, 0))
    return torch.tensor([int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]).float()


def made_glyphs(size: int = 8) -> Tensor:
    """A square, a ring, a cross, a bar and a corner, (5, S, S).

    Example:
        >>> made_glyphs(8).shape
        torch.Size([5, 8, 8])
    """
    glyphs = torch.zeros(5, size, size, dtype=torch.uint8)
    square, ring, cross, bar, corner = glyphs
    thick, half = max(1, size // 4), max(1, size // 8)
    middle = slice(size // 2 - half, size // 2 + half)
    square[:] = 255
    ring[:] = 255
    ring[thick:-thick, thick:-thick] = 0
    cross[middle], cross[:, middle] = 255, 255
    bar[:, :thick] = 255
    corner[:thick], corner[:, -thick:] = 255, 255
    return glyphs


def _drawn(low: int, high: int, generator: torch.Generator) -> int:
    return int(torch.randint(low, high, (1,), generator=generator))
