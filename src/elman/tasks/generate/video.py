"""Videos: learn how they go on; write the next frames, or say which frames nobody could expect.

Key: T frames, B videos, H rows of pixels, W pixels in a row, C colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    ARRAYS,
    IGNORE,
    VIDEOS,
    SequenceBatch,
    SequenceBatches,
    Source,
    Videos,
    as_frames,
    brightness,
    cuts,
    made_videos,
    read_json,
    read_videos,
    replacing,
    write_json,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState
from elman.models import NextFrames
from elman.pictures import draw_film
from elman.tasks.generate.base import GenerateTask
from elman.tasks.generate.foresight import Foresight, Watcher, surprise
from elman.tasks.generate.options import Writing
from elman.tasks.inspection.case import Case
from elman.tasks.options import Options, size_of
from elman.tasks.received import received_numbers
from elman.tasks.task import Batches, Examples, Loss, judged, refuse_settings
from elman.tasks.unusual import Threshold

AT_ONCE = 32
"""Videos that are judged side by side."""
DRAWN = 3
"""Videos that are drawn when training has ended."""


@dataclass(frozen=True)
class ClipBatch(SequenceBatch):
    """Clips of videos; targets say which frames are unusual."""

    guided: bool = False
    """Is each frame expected from true ones only?"""


class Clips(SequenceBatches):
    """Clips of similar length in batches.

    Args:
        clips: Each (T, H, W, C), bytes.
        unusual: Of each which frames are, (T,).
        batch_size: Clips in a batch at most.
        guided: Epochs whose batches are.
    """

    def __init__(self, clips: Sequence[Tensor], unusual: Sequence[Tensor], batch_size: int, guided: int) -> None:
        super().__init__(clips, unusual, batch_size, per_step=True, prepare=brightness)
        self.guided = guided

    def batch(self, position: int) -> ClipBatch:
        return ClipBatch(**vars(super().batch(position)), guided=position < self.guided * len(self))


class Film(GenerateTask):
    """Videos of one size; batches have frames (T, B, H, W, C) from 0 to 1, and which are unusual (T, B)."""

    saved: ClassVar[str] = "video.json"
    files: ClassVar[tuple[str, ...]] = (".gif", ".png")
    acting = ("length", "given", "unusual")
    seeded = False
    taught: ClassVar[bool] = False

    shape: tuple[int, int, int]
    """(H, W, C)."""
    threshold: Threshold | None = None
    """Of errors that are unusual; known once training has ended."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.best, self.told = ("mse", "min"), ("mse", "mse_ratio")
        self.size = size_of(self.options.image_size)

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_videos() if train is None else self._read(train)
        found, held_out = found.split() if valid is None else (found, self._read(valid))
        if start is None:
            height, width, colours = found.frames[0].shape[1:]
            self.shape = height, width, colours
        else:
            self.load(start)
        train_batches, short = self._batches(found, self.options.batch_size, self.options.guided)
        valid_batches, _ = self._batches(held_out)
        return Examples(
            train=train_batches,
            valid=valid_batches,
            notes=(*found.notes, *held_out.notes, *short),
            rows=tuple(
                f"{place}: {len(one)} frames of {tuple(one.shape[1:])}"
                for one, place in zip(found.frames[:3], found.places, strict=False)
            ),
            facts={
                "training videos": len(found),
                "validation videos": len(held_out),
                "training clips": len(train_batches.sequences),
                "height": self.shape[0],
                "width": self.shape[1],
                "colours": self.shape[2],
            },
            fingerprint=found.fingerprint + held_out.fingerprint,
        )

    def _read(self, path: Source) -> Videos:
        return read_videos(path, self.size, self.options.every)

    def _batches(self, found: Videos, batch_size: int = AT_ONCE, guided: int = 0) -> tuple[Clips, tuple[str, ...]]:
        """Clips of as many frames as are given and expected, and a note on frames that are in none."""
        found = found.in_colours(self.shape[2])
        found.check_shape(self.shape)
        given, longest = self.options.given, self.options.given + self.options.ahead
        parts = cuts(map(len, found.frames), longest, given + 1)
        left_out = sum(map(len, found.frames)) - sum(len(found.frames[row][part]) for row, part in parts)
        if not parts:
            raise DataError(
                f"no video has more than {given} frames, the longest {max(map(len, found.frames))}; "
                "give longer ones, or fewer frames with --given"
            )
        clips = [found.frames[row][part] for row, part in parts]
        nothing = [torch.full((len(one),), IGNORE) for one in clips]
        known = nothing if found.unusual is None else [found.unusual[row][part].long() for row, part in parts]
        notes = (f"{left_out:,} frames at the ends of videos are too few for a clip and left out",) if left_out else ()
        return Clips(clips, known, batch_size, guided), notes

    def read_to_score(self, path: Path) -> Batches:
        return self._batches(self._read(path))[0]

    @property
    def uploads(self) -> tuple[str, ...]:
        return (*VIDEOS, *ARRAYS)

    def read_inputs(self, path: Source) -> list[Any]:
        return self._read(path).named

    def received(self, given: Any) -> Any:
        return received_numbers(given, pixels=True)

    def description(self) -> dict[str, Any]:
        return {"takes": "frames", "shape": list(self.shape)}

    def network(self) -> NextFrames:
        options = self.options
        if options.cell != "lstm":
            raise OptionError(f"kind = video is read by convolutional LSTMs; received cell = {options.cell}")
        return NextFrames(
            self.shape[:2],
            self.shape[2],
            patch=options.patch,
            hidden_size=options.hidden_size,
            num_layers=options.num_layers,
            kernel=options.kernel,
        )

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        if network.training and self.teacher is not None:
            raise OptionError("kind = video has no teachers; leave --teacher away")
        given = len(batch.inputs) if isinstance(batch, ClipBatch) and batch.guided else self.options.given
        scores = network(batch.inputs[:given], len(batch.inputs) - given)
        there = torch.arange(1, len(batch.inputs)).unsqueeze(1) < batch.lengths
        if there.all():
            loss = F.binary_cross_entropy_with_logits(scores, batch.inputs[1:])
        else:
            loss = F.binary_cross_entropy_with_logits(scores[there], batch.inputs[1:][there])
        return Loss(loss, int(there.sum()), None)

    def judge(self, **settings: Any) -> "Foresight":
        refuse_settings(settings)
        return Foresight(self.options.given, self.threshold)

    def settle(self, network: nn.Module, valid: Batches, folder: Path) -> None:
        """Learn which errors are usual, and draw some of the validation data."""
        assert isinstance(valid, SequenceBatches)
        watcher = judged(Watcher(self.options.given), network, valid)
        assert isinstance(watcher, Watcher)
        errors, unusual = watcher.found()
        self.threshold = Threshold.of(errors[~unusual])
        self.threshold.save(folder)
        clips = [valid.sequences[row] for row in range(min(DRAWN, len(valid.sequences)))]
        self._draw(network, clips, folder / "pictures" / "frames.png")

    def _draw(self, network: nn.Module, videos: Sequence[Tensor], path: Path, **settings: Any) -> None:
        """Of each video a strip of what is, and one of what was expected where that ends."""
        strips, borders = [], set()
        for video, frames in zip(videos, self._written(network, videos, **settings), strict=True):
            border = self._given(video, Writing.of(settings))
            came = video[: border + len(frames)]
            rest = came.new_zeros(border + len(frames) - len(came), *came.shape[1:])  # nobody knows what came there
            borders.add(border)
            strips += [("is", torch.cat([came, rest])), ("expected", frames)]
        draw_film(path, strips, list(borders) if len(borders) == 1 else [])

    def _given(self, video: Tensor, writing: Writing) -> int:
        """How many frames of a video are read before others are written."""
        return min(len(video), writing.given or self.options.given)

    @torch.inference_mode()
    def _written(self, network: nn.Module, videos: Sequence[Tensor], **settings: Any) -> list[Tensor]:
        """The frames that come next, (F, H, W, C) of bytes for each video."""
        writing = self.writing(settings)
        if writing.unusual:
            raise OptionError("unusual gives numbers, no frames; leave it away for a film or a picture")
        count = self.options.ahead if writing.length is None else writing.length
        answers = []
        for video in videos:
            given = self._given(video, writing)
            scores = network(brightness(video[:given]).unsqueeze(1), count)[given - 1 :] if count else video[:0]
            answers.append((torch.sigmoid(scores.float()).squeeze(1) * 255).round().byte() if count else scores)
        return answers

    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of every pixel of the frame that it expects next, all together."""
        assert isinstance(network, NextFrames)
        video = self._video(given, "the input")
        x, body = network.read(brightness(video).unsqueeze(1)), network.over_time()

        def scores() -> Tensor:
            return network.expected(body(x)[1])

        with torch.no_grad():
            expected = scores()
        answer = (torch.sigmoid(expected[0]) * 255).round().byte()
        return Case(
            [f"frame {number}" for number in range(1, len(video) + 1)],
            body,
            (answer.squeeze(2) if self.shape[2] == 1 else answer).tolist(),
            lambda: -F.binary_cross_entropy_with_logits(scores(), (expected > 0).float(), reduction="sum"),
        )

    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """For each video, bytes (T, H, W, C) or (T, H, W), or a path, the frames that come next, as rows of pixels.

        With `unusual`, for each frame behind the first given ones its error and whether that is unusual.
        """
        videos = [self._video(one, f"input {number}") for number, one in enumerate(inputs, 1)]
        if self.writing(settings).unusual:
            return [self._judged(network, video) for video in videos]
        frames = self._written(network, videos, **settings)
        return [(one.squeeze(3) if self.shape[2] == 1 else one).tolist() for one in frames]

    def _judged(self, network: nn.Module, video: Tensor) -> list[dict[str, Any]]:
        threshold = Threshold.wanted(self.threshold)
        if len(video) <= self.options.given:
            return []
        errors = surprise(network, brightness(video).unsqueeze(1))[self.options.given - 1 :, 0].tolist()
        return [
            {"frame": number, "error": round(error, 6), "unusual": threshold.judge(error)}
            for number, error in enumerate(errors, self.options.given + 1)
        ]

    def _video(self, given: Any, place: str) -> Tensor:
        return as_frames(given, self.shape, place, self.size, self.options.every)

    def write(self, network: nn.Module, inputs: Sequence[Any], path: Path, **settings: Any) -> str:
        """A film of what was given and what comes next, side by side for several videos; as PNG, strips of frames."""
        videos = [self._video(one, f"input {number}") for number, one in enumerate(inputs, 1)]
        if path.suffix.lower() == ".png":
            self._draw(network, videos, path, **settings)
        else:
            frames = self._written(network, videos, **settings)
            writing = Writing.of(settings)
            films = [
                torch.cat([video[: self._given(video, writing)], next_ones])
                for video, next_ones in zip(videos, frames, strict=True)
            ]
            write_gif(path, films)
        return f"{len(videos)} {'video' if len(videos) == 1 else 'videos'} with what comes next"

    def draw(self, network: nn.Module, text: Any, path: Path, **settings: Any) -> None:
        self._draw(network, [self._video(text, "the input")], path, **settings)

    def save(self, folder: Path) -> None:
        write_json(folder / self.saved, {"shape": self.shape})

    def load(self, folder: Path) -> None:
        height, width, colours = read_json(folder / self.saved)["shape"]
        self.shape = height, width, colours
        self.threshold = Threshold.load(folder)


def write_gif(path: Path, films: Sequence[Tensor], pause: int = 120) -> None:
    """Films (T, H, W, C) of bytes side by side as a GIF that begins anew at its end.

    Short films stay at their last frame.

    Args:
        path: Where it goes.
        films: One or more.
        pause: Milliseconds of a frame.
    """
    from PIL import Image

    longest = max(map(len, films))
    wide = [torch.cat([film, film[-1:].expand(longest - len(film), -1, -1, -1)]) for film in films]
    between = wide[0].new_full((*wide[0].shape[:2], 2, wide[0].shape[3]), 128)
    row = torch.cat([each for film in wide for each in (film, between)][:-1], dim=2).numpy()
    images = [Image.fromarray(frame.squeeze(2) if frame.shape[2] == 1 else frame) for frame in row]
    with replacing(path) as temporary:
        images[0].save(temporary, format="gif", save_all=True, append_images=images[1:], duration=pause, loop=0)
