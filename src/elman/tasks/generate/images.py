"""Images: learn how they are made, pixel by pixel; make new ones, or the rest of one.

Key: H rows of pixels, W pixels in a row, B images.
"""

import hashlib
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    ARRAYS,
    IMAGES,
    VALIDATION_SHARE,
    Named,
    SequenceBatch,
    SequenceBatches,
    Source,
    as_bytes,
    as_picture,
    check_shape,
    held_out,
    made_scenes,
    read_json,
    read_pictures,
    shades,
    write_json,
)
from elman.errors import OptionError
from elman.layers import LayerState, find_cell
from elman.models import Painter
from elman.pictures import draw_grid
from elman.tasks.decoding import sample
from elman.tasks.generate.base import Expectation, GenerateTask
from elman.tasks.generate.options import Writing, generator_of
from elman.tasks.inspection.case import Case
from elman.tasks.options import size_of
from elman.tasks.received import received_numbers
from elman.tasks.task import Examples, Loss, refuse_settings

AT_ONCE = 64
"""Images that are judged side by side."""
COLUMNS = 8
"""Of a picture of new images."""


class Images(GenerateTask):
    """Grey images of one size; batches have shades (H, B, W)."""

    saved: ClassVar[str] = "images.json"
    files: ClassVar[tuple[str, ...]] = (".png",)
    acting = ("temperature", "top_k", "top_p", "count", "kept")
    taught: ClassVar[bool] = False

    size: tuple[int, int]
    """(H, W)."""

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        images, notes = self._training(train)
        if valid is None:
            count, note = held_out(len(images), VALIDATION_SHARE, "images")
            images, others, notes = images[:-count], images[-count:], (*notes, note)
        else:
            others = self._read(valid)
        if start is None:
            height, width = images[0].shape
            self.size = height, width
        else:
            self.load(start)
        digest = hashlib.sha256()
        for one in (*images, *others):
            digest.update(one.numpy().tobytes())
        return Examples(
            train=self._batches(images, self.options.batch_size),
            valid=self._batches(others),
            notes=notes,
            rows=tuple(f"{tuple(one.shape)}, {float(one.float().mean()):.2f} bright" for one in images[:3]),
            facts={
                "training images": len(images),
                "validation images": len(others),
                "height": self.size[0],
                "width": self.size[1],
            },
            fingerprint=digest.hexdigest(),
        )

    def _training(self, train: Path | None) -> tuple[list[Tensor], tuple[str, ...]]:
        if train is not None:
            return self._read(train), ()
        scenes = made_scenes()
        note = f"no images given: learning to draw from {len(scenes):,} made-up ones"
        return shades(scenes.images, self.options.levels), (note,)

    def _read(self, path: Path) -> list[Tensor]:
        images, _ = read_pictures(path, size_of(self.options.image_size))
        return shades(images, self.options.levels)

    def _batches(self, images: Sequence[Tensor], batch_size: int = AT_ONCE) -> SequenceBatches:
        for number, one in enumerate(images, 1):
            check_shape(one, self.size, f"image {number:,}")
        return SequenceBatches(images, torch.zeros(len(images)), batch_size, name="the images")

    def read_to_score(self, path: Path) -> SequenceBatches:
        return self._batches(self._read(path))

    @property
    def uploads(self) -> tuple[str, ...]:
        return (*IMAGES, *ARRAYS)

    def read_inputs(self, path: Source) -> Named:
        return Named(*read_pictures(path, size_of(self.options.image_size)))

    def received(self, given: Any) -> Any:
        return "" if given == "" else received_numbers(given, pixels=True)

    def description(self) -> dict[str, Any]:
        return {"takes": "image", "shape": [*self.size, 1]}

    def network(self) -> Painter:
        options = self.options
        return Painter(
            find_cell(options.cell),
            self.size[1],
            options.levels,
            hidden_size=options.hidden_size,
            num_layers=options.num_layers,
            input_dropout=options.input_dropout,
            output_dropout=options.output_dropout,
            rest=options.regularisation(),
        )

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        pixels = batch.inputs.flatten()
        return Loss(F.cross_entropy(network(batch.inputs).flatten(0, 2), pixels), len(pixels), None)

    def judge(self, **settings: Any) -> "Likelihood":
        refuse_settings(settings)
        return Likelihood(self)

    def settle(self, network: nn.Module, valid: Any, folder: Path) -> None:
        """Draw new images, and the lower halves of some of the validation data."""
        self._draw(folder / "pictures" / "samples.png", self._new(network, Writing(temperature=1.0), 0), COLUMNS)
        given = [valid.sequences[row] for row in range(min(COLUMNS, len(valid.sequences)))]
        self._draw_completed(folder / "pictures" / "completed.png", network, given, Writing(temperature=1.0), 0)

    def predict(self, network: nn.Module, inputs: Sequence[Any], *, seed: int = 0, **settings: Any) -> list[Any]:
        """For each image, bytes (H, W) or (H, W, C), or a path, all its rows of bytes; for nothing, new images."""
        writing = self._writing(settings, inputs)
        return [
            as_bytes(self._answer(network, given, f"input {number}", writing, seed), self.options.levels).tolist()
            for number, given in enumerate(inputs, 1)
        ]

    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of what it makes of an image, or of nothing: of all pixels behind the rows that are kept.

        Of its two networks the one that goes down is looked into: its steps are rows, and each column is a sequence, of
        which the middle one is shown. The other goes along each row and has no memory of those above.
        """
        assert isinstance(network, Painter)
        nothing = isinstance(given, str) and not given
        writing = Writing(count=1)
        kept = 0 if nothing else self._kept(writing)
        shades = self._new(network, writing, 0)[0] if nothing else self._answer(network, given, "the input", writing, 0)
        made = shades.unsqueeze(1)

        def score() -> Tensor:
            return network(made).log_softmax(3).gather(3, made.unsqueeze(3))[kept:].sum()

        steps = ["nothing", *(f"row {number}" for number in range(1, len(made)))]
        answer = as_bytes(shades, self.options.levels).tolist()
        return Case(steps, network.down, answer, score, row=network.columns // 2)

    def _writing(self, settings: dict[str, Any], inputs: Sequence[Any]) -> Writing:
        """Settings that act: how many where nothing is given, what is kept where something is."""
        fresh = [isinstance(given, str) and not given for given in inputs]
        idle = "kept" if all(fresh) else None if any(fresh) else "count"
        if idle in settings:
            what = "new images; they keep nothing" if idle == "kept" else "images that are given; each goes on once"
            raise OptionError(f"{idle} does not act on {what}; leave it away")
        return self.writing(settings)

    def amount(self, settings: Mapping[str, Any], given: Any = "") -> int:
        """Pixels; one image where one is given to go on with."""
        count = settings.get("count", Writing().count) if isinstance(given, str) else 1
        return (count if isinstance(count, int) else 1) * self.size[0] * self.size[1]

    def _answer(self, network: nn.Module, given: Any, place: str, writing: Writing, seed: int) -> Tensor:
        """An image completed (H, W), or new ones (N, H, W)."""
        if isinstance(given, str) and not given:
            return self._new(network, writing, seed)
        return self._completed(network, [self._image(given, place)], writing, seed)[0]

    def _new(self, network: nn.Module, writing: Writing, seed: int) -> Tensor:
        """(N, H, W)."""
        empty = torch.zeros(self.size[0], writing.count, self.size[1], dtype=torch.long)
        return self._drawn(network, empty, 0, writing, [generator_of(seed)])

    def _completed(self, network: nn.Module, images: Sequence[Tensor], writing: Writing, seed: int) -> Tensor:
        """(N, H, W), their upper rows as they were; each as it would be alone."""
        own = [generator_of(seed) for _ in images]
        return self._drawn(network, torch.stack(list(images), 1), self._kept(writing), writing, own)

    def _kept(self, writing: Writing) -> int:
        return round(writing.kept * self.size[0])

    def _drawn(
        self, network: nn.Module, images: Tensor, kept: int, writing: Writing, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Chance comes from one generator for all, or from one for each."""
        assert isinstance(network, Painter)

        def choose(scores: Tensor) -> Tensor:
            parts = zip(scores.chunk(len(generators)), generators, strict=True)
            return torch.cat([sample(part, writing, generator) for part, generator in parts])

        return network.draw(images, kept, choose).transpose(0, 1)

    def _image(self, given: Any, place: str) -> Tensor:
        """Shades (H, W)."""
        (image,) = shades([as_picture(given, place, size_of(self.options.image_size))], self.options.levels)
        check_shape(image, self.size, place)
        return image

    def write(self, network: nn.Module, inputs: Sequence[Any], path: Path, *, seed: int = 0, **settings: Any) -> str:
        """New images as a PNG; or those that are given, what is kept of them, and what becomes of them."""
        writing = self._writing(settings, inputs)
        if any(isinstance(given, str) and not given for given in inputs):
            self.only_one(inputs, path)
            self._draw(path, self._new(network, writing, seed), COLUMNS)
            return f"{writing.count} new images"
        images = [self._image(given, f"input {number}") for number, given in enumerate(inputs, 1)]
        self._draw_completed(path, network, images, writing, seed)
        return f"{len(images)} images, what is kept of each, and how they go on"

    def _draw_completed(
        self, path: Path, network: nn.Module, images: Sequence[Tensor], writing: Writing, seed: int
    ) -> None:
        given = torch.stack(list(images))
        kept = given.clone()
        kept[:, self._kept(writing) :] = 0
        sheets = given, kept, self._completed(network, images, writing, seed)
        self._draw(path, torch.stack(sheets, 1).flatten(0, 1), 3)

    def _draw(self, path: Path, images: Tensor, columns: int) -> None:
        draw_grid(path, as_bytes(images, self.options.levels), columns)

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        write_json(folder / self.saved, {"size": self.size})

    def load(self, folder: Path) -> None:
        height, width = read_json(folder / self.saved)["size"]
        self.size = height, width


class Likelihood(Expectation):
    """How well images are expected."""

    def scores(self) -> dict[str, float]:
        height, width = self.task.size
        nats = self.loss.mean
        return {"loss": nats, "nats_per_image": nats * height * width, "bits_per_pixel": nats / log(2)}
