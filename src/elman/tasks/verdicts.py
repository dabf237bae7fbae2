"""What can be said about a sequence: one label, several labels, or a number.

Key: N examples, C numbers that the network puts out.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import sqrt
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from elman.data import Labels, Scaler
from elman.errors import DataError
from elman.tasks.teacher import Teacher

SEPARATORS = re.compile(r"\s*[|;,]\s*")
"""Between several labels in a cell."""

CANDIDATES = torch.linspace(0.05, 0.95, 91)
"""Thresholds that are tried."""


class Verdict(ABC):
    """One kind of answer: how it is learned, measured and said."""

    outputs: int
    """C."""
    better: ClassVar[str]
    """The measure by which the best weights are chosen."""

    @property
    def names(self) -> tuple[str, ...]:
        """Labels that there are; none where answers are numbers."""
        return ()

    @classmethod
    @abstractmethod
    def learn(cls, answers: Sequence[Any], places: Sequence[str]) -> Self:
        """Find out what training answers there are.

        Raises:
            DataError: They are no answers of this kind.
        """

    @abstractmethod
    def targets(self, answers: Sequence[Any], places: Sequence[str]) -> Tensor:
        """Answers as a network learns them, (N, ...).

        Raises:
            DataError: One is none that training has seen.
        """

    def weights(self, targets: Tensor) -> Tensor | None:
        """Of classes, (C,), so that rare ones count as much as others; None where there are no classes."""
        return None

    @abstractmethod
    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
        """The mean loss of scores (N, C)."""

    @abstractmethod
    def distance(self, scores: Tensor, known: Tensor, teacher: Teacher) -> Tensor:
        """How far scores (N, C) are from those of a teacher."""

    @abstractmethod
    def measures(self, scores: Tensor, targets: Tensor) -> dict[str, float]:
        """How good scores (N, C) are, next to what can be had without a network."""

    def calibrate(self, scores: Tensor, targets: Tensor) -> None:
        """Find out on validation data how sure the network may be."""
        return

    @abstractmethod
    def say(self, scores: Tensor) -> list[Any]:
        """Scores (N, C) in words or numbers."""

    def probabilities(self, scores: Tensor) -> list[dict[str, float]]:
        """Of every label.

        Raises:
            DataError: There are no labels.
        """
        raise DataError("a model that answers with numbers has no probabilities; leave them away")

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads."""

    @classmethod
    @abstractmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `as_json` gave."""


class OneLabel(Verdict):
    """One of the classes.

    Args:
        labels: The classes.
        temperature: What scores are divided by before they become probabilities (Guo et al. 2017).
    """

    better = "accuracy"

    def __init__(self, labels: Labels, temperature: float = 1.0) -> None:
        self.labels, self.temperature = labels, temperature
        self.outputs = len(labels)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.labels.names)

    @classmethod
    def learn(cls, answers: Sequence[Any], places: Sequence[str]) -> Self:
        return cls(Labels.of(_label(answer, place) for answer, place in zip(answers, places, strict=True)))

    def targets(self, answers: Sequence[Any], places: Sequence[str]) -> Tensor:
        pairs = zip(answers, places, strict=True)
        return torch.tensor(
            [self.labels.number(_label(answer, place), place) for answer, place in pairs], dtype=torch.long
        )

    def weights(self, targets: Tensor) -> Tensor:
        counts = targets.bincount(minlength=self.outputs).clamp_min(1)
        return len(targets) / (self.outputs * counts)

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
        return F.cross_entropy(scores, targets, weights, label_smoothing=smoothing)

    def distance(self, scores: Tensor, known: Tensor, teacher: Teacher) -> Tensor:
        return teacher.surprise(scores, known)

    def measures(self, scores: Tensor, targets: Tensor) -> dict[str, float]:
        from torchmetrics.functional.classification import multiclass_f1_score

        said = scores.argmax(1)
        return {
            "accuracy": float((said == targets).float().mean()),
            "accuracy of the commonest label": float(targets.bincount().max() / len(targets)),
            "macro_f1": float(multiclass_f1_score(said, targets, self.outputs, average="macro")),
            "log_loss": float(F.cross_entropy(scores / self.temperature, targets)),
        }

    def calibrate(self, scores: Tensor, targets: Tensor) -> None:
        self.temperature = best_temperature(scores, targets)

    def say(self, scores: Tensor) -> list[str]:
        return [self.labels.names[number] for number in scores.argmax(1).tolist()]

    def probabilities(self, scores: Tensor) -> list[dict[str, float]]:
        rows = (scores / self.temperature).softmax(1).tolist()
        return [dict(zip(self.labels.names, row, strict=True)) for row in rows]

    def as_json(self) -> dict[str, Any]:
        return {"labels": self.labels.names, "temperature": self.temperature}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(Labels(value["labels"]), value["temperature"])


class SeveralLabels(Verdict):
    """Any number of the classes, none too.

    Args:
        labels: The classes.
        thresholds: (C,), probabilities from which a label is given.
    """

    better = "micro_f1"

    def __init__(self, labels: Labels, thresholds: Tensor | None = None) -> None:
        self.labels = labels
        self.outputs = len(labels)
        self.thresholds = torch.full((self.outputs,), 0.5) if thresholds is None else thresholds

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.labels.names)

    @classmethod
    def learn(cls, answers: Sequence[Any], places: Sequence[str]) -> Self:
        return cls(Labels.of(name for answer in answers for name in _several(answer)))

    def targets(self, answers: Sequence[Any], places: Sequence[str]) -> Tensor:
        found = torch.zeros(len(answers), self.outputs)
        for row, (answer, place) in enumerate(zip(answers, places, strict=True)):
            for name in _several(answer):
                found[row, self.labels.number(name, place)] = 1
        return found

    def weights(self, targets: Tensor) -> Tensor:
        given = targets.sum(0).clamp_min(1)
        return (len(targets) - given) / given

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
        targets = targets * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(scores, targets, pos_weight=weights)

    def distance(self, scores: Tensor, known: Tensor, teacher: Teacher) -> Tensor:
        pairs = (torch.stack([each, torch.zeros_like(each)], -1).flatten(0, 1) for each in (scores, known))
        return teacher.surprise(*pairs)

    def measures(self, scores: Tensor, targets: Tensor) -> dict[str, float]:
        said = self._given(scores)
        commonest = torch.zeros_like(said)
        commonest[:, targets.sum(0).argmax()] = 1
        return {
            "micro_f1": _f1(said.flatten(), targets.flatten()),
            "micro_f1 of the commonest label": _f1(commonest.flatten(), targets.flatten()),
            "macro_f1": sum(_f1(*pair) for pair in zip(said.T, targets.T, strict=True)) / self.outputs,
            "exact": float((said == targets).all(1).float().mean()),
            "log_loss": float(F.binary_cross_entropy_with_logits(scores, targets)),
        }

    def calibrate(self, scores: Tensor, targets: Tensor) -> None:
        columns = zip(scores.sigmoid().T, targets.T, strict=True)
        found = [[_f1((row >= at).float(), wanted) for at in CANDIDATES] for row, wanted in columns]
        self.thresholds = CANDIDATES[torch.tensor(found).argmax(1)]

    def say(self, scores: Tensor) -> list[list[str]]:
        rows = self._given(scores).tolist()
        return [[name for name, given in zip(self.labels.names, row, strict=True) if given] for row in rows]

    def _given(self, scores: Tensor) -> Tensor:
        return (scores.sigmoid() >= self.thresholds).float()

    def probabilities(self, scores: Tensor) -> list[dict[str, float]]:
        return [dict(zip(self.labels.names, row, strict=True)) for row in scores.sigmoid().tolist()]

    def as_json(self) -> dict[str, Any]:
        return {"labels": self.labels.names, "thresholds": self.thresholds.tolist()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(Labels(value["labels"]), torch.tensor(value["thresholds"]))


class Number(Verdict):
    """A number; the network learns it with a mean of zero and a deviation of one.

    Args:
        scaler: Of training answers.
    """

    better = "r2"
    outputs = 1

    def __init__(self, scaler: Scaler) -> None:
        self.scaler = scaler

    @classmethod
    def learn(cls, answers: Sequence[Any], places: Sequence[str]) -> Self:
        return cls(Scaler.of([_numbers(answers, places)]))

    def targets(self, answers: Sequence[Any], places: Sequence[str]) -> Tensor:
        return self.scaler(_numbers(answers, places))

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
        return F.mse_loss(scores, targets)

    def distance(self, scores: Tensor, known: Tensor, teacher: Teacher) -> Tensor:
        return F.mse_loss(scores, known)

    def measures(self, scores: Tensor, targets: Tensor) -> dict[str, float]:
        said, wanted = self.scaler.back(scores), self.scaler.back(targets)
        errors, spread = (said - wanted).square().mean(), (wanted - wanted.mean()).square().mean()
        return {
            "rmse": sqrt(errors),
            "rmse of the training mean": sqrt((wanted - self.scaler.mean).square().mean()),
            "mae": float((said - wanted).abs().mean()),
            "r2": float(1 - errors / spread),
        }

    def say(self, scores: Tensor) -> list[float]:
        return self.scaler.back(scores).squeeze(1).tolist()

    def as_json(self) -> dict[str, Any]:
        return {"scaler": self.scaler.as_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(Scaler.from_json(value["scaler"]))


VERDICTS: dict[str, type[Verdict]] = {"label": OneLabel, "labels": SeveralLabels, "number": Number}


def best_temperature(scores: Tensor, targets: Tensor) -> float:
    """What to divide scores (N, C) by so that targets (N,) are least surprising (Guo et al. 2017).

    >>> sure = torch.tensor([[9.0, 0.0], [9.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    >>> best_temperature(sure, torch.tensor([0, 0, 1, 1])) > 5
    True
    """
    candidates = torch.logspace(-1, 1, 201)
    losses = torch.stack([F.cross_entropy(scores / at, targets) for at in candidates])
    return float(candidates[losses.argmin()])


def _f1(said: Tensor, wanted: Tensor) -> float:
    """Of two rows of zeros and ones; 0 where neither has a one."""
    return float(2 * (said * wanted).sum() / (said.sum() + wanted.sum()).clamp_min(1))


def _label(answer: Any, place: str) -> str:
    if answer is None or isinstance(answer, list | dict) or not str(answer).strip():
        raise DataError(f"{place} expects a label; received {answer!r}; several labels are answer = labels")
    return str(answer).strip()


def _several(answer: Any) -> list[str]:
    if isinstance(answer, list | tuple):
        return [str(name) for name in answer]
    return [name for name in SEPARATORS.split(str(answer or "").strip()) if name]


def _numbers(answers: Sequence[Any], places: Sequence[str]) -> Tensor:
    """(N, 1)."""
    found = []
    for answer, place in zip(answers, places, strict=True):
        try:
            found.append(float(answer))
        except (TypeError, ValueError):
            raise DataError(f"{place} expects a number; received {answer!r}; words are answer = label") from None
    numbers = torch.tensor(found).unsqueeze(1)
    if not numbers.isfinite().all():
        raise DataError(f"{places[int((~numbers.isfinite()).nonzero()[0, 0])]} expects a number that is finite")
    return numbers
