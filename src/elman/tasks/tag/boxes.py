"""A box in every frame of a video: where something is.

Key: T frames, B videos, H rows of pixels, W pixels in a row, C colours.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    ARRAYS,
    VIDEOS,
    SequenceBatch,
    SequenceBatches,
    Source,
    Videos,
    as_frames,
    brightness,
    made_videos,
    read_json,
    read_videos,
    write_json,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState
from elman.models import FrameEncoder, Tracker, overlap
from elman.pictures import draw_film
from elman.tasks.inspection.case import Case
from elman.tasks.options import Options, size_of
from elman.tasks.received import received_numbers
from elman.tasks.tag.base import TagTask
from elman.tasks.tag.options import Tagging
from elman.tasks.task import Batches, Examples, Judge, Loss, refuse_settings

AT_ONCE = 1000
"""Frames that are judged or answered side by side."""
DRAWN, SHOWN = 3, 12
"""Videos that are drawn when training has ended, and how many frames of each."""


class Boxes(TagTask):
    """Where something is in videos; batches have frames (T, B, H, W, C) and boxes (T, B, 4) in shares of the sides."""

    shape: tuple[int, int, int]
    """(H, W, C)."""
    usual: Tensor
    """The mean box of the training data, in shares of the sides."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.best, self.told = ("iou", "max"), ("iou",)
        self.size = size_of(self.options.image_size)

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_videos(together=1, doing="tracking shapes in") if train is None else self._read(train)
        found, held_out = found.split() if valid is None else (found, self._read(valid))
        if start is None:
            height, width, colours = found.frames[0].shape[1:]
            self.shape = height, width, colours
            known = torch.cat(self._boxes(found))
            self.usual = known[known.isfinite().all(1)].mean(0)
        else:
            self.load(start)
        steps = sum(map(len, found.frames))
        return Examples(
            train=self._batches(found.pieces(self.options.max_length), self.options.batch_size),
            valid=self._batches(held_out),
            notes=(*found.notes, *held_out.notes),
            rows=tuple(
                f"{place}: {len(one)} frames of {tuple(one.shape[1:])}, the first box {boxes[0].tolist()}"
                for one, boxes, place in zip(found.frames[:3], found.boxes or (), found.places, strict=False)
            ),
            facts={
                "training videos": len(found),
                "validation videos": len(held_out),
                "training frames": steps,
                "height": self.shape[0],
                "width": self.shape[1],
                "colours": self.shape[2],
            },
            fingerprint=found.fingerprint + held_out.fingerprint,
        )

    def _read(self, path: Path) -> Videos:
        found = read_videos(path, self.size, self.options.every)
        if found.boxes is None or not any(one.isfinite().all(1).any() for one in found.boxes):
            raise DataError(
                f"{path} has no boxes; expected .npz with boxes (N, T, 4): left, top, right and bottom in pixels"
            )
        return found

    def _boxes(self, found: Videos) -> list[Tensor]:
        """As shares of the frame's sides."""
        height, width, _ = found.frames[0].shape[1:]
        return [one / torch.tensor([width, height, width, height]) for one in found.boxes or ()]

    def _batches(self, found: Videos, batch_size: int | None = None) -> SequenceBatches:
        found = found.in_colours(self.shape[2])
        found.check_shape(self.shape)
        for place, boxes in zip(found.places, self._boxes(found), strict=True):
            if bool((boxes[:, :2] > boxes[:, 2:]).any()):
                raise DataError(f"{place} has a box whose left or top lies behind its right or bottom; mend it")
        units = None if batch_size else AT_ONCE
        return SequenceBatches(
            *(found.frames, self._boxes(found), batch_size), units=units, per_step=True, prepare=brightness
        )

    def read_to_score(self, path: Path) -> Batches:
        return self._batches(self._read(path))

    @property
    def uploads(self) -> tuple[str, ...]:
        return (*VIDEOS, *ARRAYS)

    def read_inputs(self, path: Source) -> list[Any]:
        return read_videos(path, self.size, self.options.every).named

    def received(self, given: Any) -> Any:
        return received_numbers(given, pixels=True)

    def description(self) -> dict[str, Any]:
        return {"takes": "frames", "shape": list(self.shape)}

    def settings_schema(self) -> dict[str, Any]:
        return {}

    def network(self) -> Tracker:
        options = self.options
        encoder = FrameEncoder(self.shape[2], options.embedding_size)
        body = options.body(options.embedding_size, bidirectional=options.bidirectional)
        return Tracker(encoder, body, options.embedding_size, **options.dropouts())

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        if network.training and self.teacher is not None:
            raise OptionError("kind = boxes has no teachers; leave --teacher away")
        known = boxed(batch)
        boxes, truth = network(batch.inputs, batch.lengths)[known], batch.targets[known]
        return Loss(distance(boxes, truth).sum() / max(1, len(truth)), len(truth), None)

    def judge(self, **settings: Any) -> "Overlap":
        refuse_settings(settings)
        return Overlap(self.usual)

    def settle(self, network: nn.Module, valid: Any, folder: Path) -> None:
        """Draw where something is and was seen in some of the validation data."""
        rows = range(min(DRAWN, len(valid.sequences)))
        videos = [valid.sequences[row][:SHOWN] for row in rows]
        is_there = [self._in_pixels(valid.targets[row][:SHOWN]) for row in rows]
        self._draw(folder / "pictures" / "boxes.png", videos, is_there, self._seen(network, videos))

    def _draw(self, path: Path, videos: Sequence[Tensor], is_there: Sequence[Tensor], seen: Sequence[Tensor]) -> None:
        strips = [(f"video {number}", video) for number, video in enumerate(videos, 1)]
        draw_film(path, strips, boxes=[list(zip(*both, strict=True)) for both in zip(is_there, seen, strict=True)])

    @torch.inference_mode()
    def _seen(self, network: nn.Module, videos: Sequence[Tensor]) -> list[Tensor]:
        """Boxes in pixels, (T, 4) for each video."""
        answers: list[Tensor] = [torch.empty(0)] * len(videos)
        nothing = [torch.zeros(len(video), 4) for video in videos]
        for batch in SequenceBatches(videos, nothing, units=AT_ONCE, per_step=True, prepare=brightness):
            boxes = network(batch.inputs, batch.lengths).clamp(0, 1)
            for column, row in enumerate(batch.rows):
                answers[row] = self._in_pixels(boxes[: batch.lengths[column], column])
        return answers

    def _in_pixels(self, boxes: Tensor) -> Tensor:
        height, width, _ = self.shape
        return boxes * torch.tensor([width, height, width, height])

    def case(self, network: nn.Module, given: Any) -> Case:
        """How near its boxes come to those that it gives: 0 where they are the same, the lower the farther they are.

        Each frame is also seen beside the layers that remember; what is shown is what they add.
        """
        assert isinstance(network, Tracker)
        video = self._video(given, "the input")
        (batch,) = SequenceBatches([video], [torch.zeros(len(video), 4)], 1, per_step=True, prepare=brightness)

        def boxes() -> Tensor:
            return network(batch.inputs, batch.lengths)[:, 0]

        with torch.no_grad():
            best = boxes()
        steps = [f"frame {number}" for number in range(1, len(video) + 1)]
        return Case(steps, network.body, self.predict(network, [video])[0], lambda: -distance(boxes(), best).sum())

    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """For each video, an array of bytes or a path, a box a frame: left, top, right and bottom in pixels."""
        options = Tagging.of(settings)
        if options.confidence or options.n_best:
            raise OptionError("confidence and n_best do not act on kind = boxes; leave them away")
        videos = [self._video(one, f"input {number}") for number, one in enumerate(inputs, 1)]
        return [[[round(side, 2) for side in box] for box in boxes.tolist()] for boxes in self._seen(network, videos)]

    def _video(self, given: Any, place: str) -> Tensor:
        return as_frames(given, self.shape, place, self.size, self.options.every)

    def draw(self, network: nn.Module, text: Any, path: Path, **settings: Any) -> None:
        video = self._video(text, "the input")
        seen = torch.tensor(self.predict(network, [video], **settings)[0])
        self._draw(path, [video[:SHOWN]], [torch.full_like(seen, torch.nan)[:SHOWN]], [seen[:SHOWN]])

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        write_json(folder / self.saved, {"shape": self.shape, "usual": self.usual.tolist()})

    def load(self, folder: Path) -> None:
        known = read_json(folder / self.saved)
        height, width, colours = known["shape"]
        self.shape, self.usual = (height, width, colours), torch.tensor(known["usual"])


class Overlap(Judge):
    """How much of a box is seen where it is, beside a box that is always the usual one.

    Args:
        usual: That one.
    """

    def __init__(self, usual: Tensor) -> None:
        self.usual, self.found = usual, torch.zeros(4, dtype=torch.double)
        """Sums of distances, overlaps, overlaps above a half, overlaps of the usual box."""
        self.count = 0

    def add(self, network: nn.Module, batch: SequenceBatch) -> None:
        known = boxed(batch)
        boxes, truth = network(batch.inputs, batch.lengths)[known].clamp(0, 1), batch.targets[known]
        shares, usual = overlap(boxes, truth), overlap(self.usual.expand_as(truth), truth)
        self.found += torch.stack(
            [each.double().sum() for each in (distance(boxes, truth), shares, shares > 0.5, usual)]
        )
        self.count += len(truth)

    def scores(self) -> dict[str, float]:
        names = ("loss", "iou", "share of frames above one half", "iou of the usual box")
        return dict(zip(names, (self.found / max(1, self.count)).tolist(), strict=True))


def boxed(batch: SequenceBatch) -> Tensor:
    """Which frames have a box, (T, B)."""
    there = torch.arange(len(batch.inputs)).unsqueeze(1) < batch.lengths
    return there & batch.targets.isfinite().all(2)


def distance(boxes: Tensor, truth: Tensor) -> Tensor:
    """How far boxes (N, 4) are off, (N,): their edges in shares of the sides, and what they do not have in common."""
    return F.l1_loss(boxes, truth, reduction="none").sum(1) + 1 - overlap(boxes, truth)
