"""Tags of places: what every pixel of a picture shows.

Key: H rows of pixels, W pixels in a row, B pictures, C classes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    ARRAYS,
    IGNORE,
    IMAGES,
    Named,
    Scaler,
    Scenes,
    SequenceBatch,
    SequenceBatches,
    Source,
    as_picture,
    check_shape,
    made_scenes,
    read_json,
    read_pictures,
    read_scenes,
    write_json,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState, ReNet, find_cell
from elman.models import Segmenter
from elman.pictures import draw_scenes
from elman.tasks.inspection.case import Case
from elman.tasks.options import Options, size_of
from elman.tasks.received import received_numbers
from elman.tasks.tag.base import TagTask
from elman.tasks.tag.options import Tagging
from elman.tasks.task import Examples, Judge, Loss, refuse_settings

AT_ONCE = 64
"""Pictures that are judged or answered side by side."""
DRAWN = 6
"""Pictures that are drawn when training has ended."""


class Scenery(TagTask):
    """A class for every pixel; batches have pictures (H, B, W, colours) and masks (H, B, W)."""

    shape: tuple[int, int, int]
    """(H, W, colours)."""
    classes: int
    scaler: Scaler

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.best, self.told = ("miou", "max"), ("miou", "accuracy")
        self.size = size_of(self.options.image_size)

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_scenes() if train is None else read_scenes(train, self.size)
        found, held_out = found.split() if valid is None else (found, read_scenes(valid, self.size))
        if start is None:
            self._learn(found)
        else:
            self.load(start)
        return Examples(
            train=self._batches(found, self.options.batch_size),
            valid=self._batches(held_out),
            notes=(*found.notes, *held_out.notes),
            rows=tuple(
                f"{tuple(image.shape)}, classes {mask.unique().tolist()}"
                for image, mask in zip(found.images[:3], found.masks[:3], strict=True)
            ),
            facts={
                "training pictures": len(found),
                "validation pictures": len(held_out),
                "height": self.shape[0],
                "width": self.shape[1],
                "classes": self.classes,
            },
            fingerprint=found.fingerprint + held_out.fingerprint,
        )

    def _learn(self, found: Scenes) -> None:
        height, width, colours = found.images[0].shape
        self.shape = height, width, colours
        self.classes = 1 + max(int(mask.max()) for mask in found.masks)
        self.scaler = Scaler.of([image.flatten(0, 1).float() for image in found.images])
        if self.classes < 2:
            raise DataError("every pixel has the class 0; expected two classes or more; are the masks the right ones?")

    def _batches(self, found: Scenes, batch_size: int = AT_ONCE) -> SequenceBatches:
        for number, (image, mask) in enumerate(zip(found.images, found.masks, strict=True), 1):
            check_shape(image, self.shape, f"picture {number:,}")
            if int(mask.max()) >= self.classes:
                raise DataError(
                    f"the mask of picture {number:,} has the class {int(mask.max())}; training knows those below "
                    f"{self.classes}; mend it, or train with all classes"
                )
        return SequenceBatches(found.images, found.masks, batch_size, per_step=True, prepare=self._prepared)

    def _prepared(self, image: Tensor) -> Tensor:
        return self.scaler(image.float())

    def read_to_score(self, path: Path) -> SequenceBatches:
        return self._batches(read_scenes(path, self.size))

    @property
    def uploads(self) -> tuple[str, ...]:
        return (*IMAGES, *ARRAYS)

    def read_inputs(self, path: Source) -> list[Any]:
        return Named(*read_pictures(path, self.size))

    def received(self, given: Any) -> Any:
        return received_numbers(given, pixels=True)

    def description(self) -> dict[str, Any]:
        return {"takes": "image", "shape": list(self.shape), "labels": [str(n) for n in range(self.classes)]}

    def settings_schema(self) -> dict[str, Any]:
        return {}

    def network(self) -> Segmenter:
        options = self.options
        if options.network != "recurrent":
            raise OptionError(f"kind = scenes is read by recurrent layers; received network = {options.network}")
        return Segmenter(
            find_cell(options.cell),
            self.shape[2],
            self.classes,
            patch=options.patch,
            margin=options.margin,
            hidden_size=options.hidden_size,
            num_layers=options.num_layers,
            dropout=options.dropout,
            output_dropout=options.output_dropout,
        )

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        scores = network(batch.inputs).flatten(0, 2)
        targets = batch.targets.flatten()
        loss = F.cross_entropy(scores, targets, ignore_index=IGNORE)
        if network.training and self.teacher is not None:
            loss = self.teacher.mix(loss, self.teacher.surprise(scores, self.teacher.says(batch.inputs).flatten(0, 2)))
        return Loss(loss, len(targets), None)

    def judge(self, **settings: Any) -> "Overlaps":
        refuse_settings(settings)
        return Overlaps(self.classes)

    def settle(self, network: nn.Module, valid: Any, folder: Path) -> None:
        """Draw what is seen in some pictures of the validation data."""
        rows = list(range(min(DRAWN, len(valid.sequences))))
        seen = self._seen(network, valid.of(rows))
        drawn = [(valid.sequences[row], valid.targets[row], mask) for row, mask in zip(rows, seen, strict=True)]
        draw_scenes(folder / "pictures" / "scenes.png", drawn, ("picture", "is", "seen"), self.classes)

    @torch.inference_mode()
    def _seen(self, network: nn.Module, batch: SequenceBatch) -> list[Tensor]:
        """The class of every pixel, (H, W) for each picture."""
        return list(network(batch.inputs).argmax(3).unbind(1))

    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of the best class of every pixel, all together.

        The steps are rows of patches, as the first layer reads them down and up every column; shown is the middle one.
        """
        assert isinstance(network, Segmenter)
        image = self._picture(given, "the input")
        x = self._prepared(image).unsqueeze(1)
        rows, columns = (-(-side // network.patch) for side in self.shape[:2])
        firsts = range(1, rows * network.patch + 1, network.patch)
        steps = [f"rows {first} to {min(first + network.patch - 1, self.shape[0])}" for first in firsts]
        (first_layer, *_) = network.layers
        assert isinstance(first_layer, ReNet)
        return Case(
            steps if network.patch > 1 else [f"row {first}" for first in firsts],
            first_layer.columns,
            self.predict(network, [image])[0],
            lambda: network(x).log_softmax(3).amax(3).sum(),
            row=columns // 2,
        )

    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """For each picture, bytes (H, W, colours) or (H, W), or a path, the class of every pixel as rows."""
        Tagging.of(settings)
        images = [self._picture(given, f"input {number}") for number, given in enumerate(inputs, 1)]
        answers: list[Any] = [None] * len(images)
        empty = [torch.zeros(self.shape[:2], dtype=torch.long)] * len(images)
        for batch in SequenceBatches(images, empty, AT_ONCE, per_step=True, prepare=self._prepared):
            for row, mask in zip(batch.rows, self._seen(network, batch), strict=True):
                answers[row] = mask.tolist()
        return answers

    def _picture(self, given: Any, place: str) -> Tensor:
        image = as_picture(given, place, self.size)
        check_shape(image, self.shape, place)
        return image

    def draw(self, network: nn.Module, text: Any, path: Path, **settings: Any) -> None:
        image = self._picture(text, "the input")
        (mask,) = self.predict(network, [image], **settings)
        draw_scenes(path, [(image, torch.tensor(mask))], ("picture", "seen"), self.classes)

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        value = {"shape": self.shape, "classes": self.classes, "scaler": self.scaler.as_json()}
        write_json(folder / self.saved, value)

    def load(self, folder: Path) -> None:
        known = read_json(folder / self.saved)
        height, width, colours = known["shape"]
        self.shape = height, width, colours
        self.classes, self.scaler = known["classes"], Scaler.from_json(known["scaler"])


class Overlaps(Judge):
    """How much of each class is where it should be.

    Args:
        classes: How many there are.
    """

    def __init__(self, classes: int) -> None:
        self.nats, self.counts = 0.0, torch.zeros(classes, classes, dtype=torch.long)
        """A row for each true class, a column for each that is seen."""

    def add(self, network: nn.Module, batch: SequenceBatch) -> None:
        scores, targets = network(batch.inputs).flatten(0, 2), batch.targets.flatten()
        classes = len(self.counts)
        self.nats += float(F.cross_entropy(scores, targets, reduction="sum"))
        self.counts += (targets * classes + scores.argmax(1)).bincount(minlength=classes**2).view(classes, classes)

    def scores(self) -> dict[str, float]:
        total = int(self.counts.sum())
        commonest = torch.zeros_like(self.counts)
        commonest[:, int(self.counts.sum(1).argmax())] = self.counts.sum(1)
        return {
            "loss": self.nats / max(1, total),
            "miou": mean_overlap(self.counts),
            "miou of the commonest class": mean_overlap(commonest),
            "accuracy": float(self.counts.diagonal().sum() / max(1, total)),
        }


def mean_overlap(counts: Tensor) -> float:
    """The mean over classes of what is both there and seen, as a share of what is one of them (Jaccard 1912).

    Args:
        counts: (C, C), pixels by true class and by class that is seen; classes that are neither do not count.

    Example:
        >>> mean_overlap(torch.tensor([[3, 1], [0, 4]]))
        0.775
    """
    both = counts.diagonal()
    either = counts.sum(0) + counts.sum(1) - both
    return round(float((both[either > 0] / either[either > 0]).mean()), 6)
