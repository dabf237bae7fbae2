"""A task is four answers: its examples, its model, its loss, its scores."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

import torch
from torch import Tensor, nn

from elman.data import (
    Named,
    Source,
    Upload,
    read_text,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState
from elman.tasks.inspection.case import Case
from elman.tasks.live import Live
from elman.tasks.options import Options, schema_of
from elman.tasks.received import received_text
from elman.tasks.teacher import Teacher


class Batch(Protocol):
    """What a network reads at once, and what it should say."""

    @property
    def fresh(self) -> bool:
        """Does reading start here, from the initial state?"""
        ...


class Batches(Protocol):
    """The batches of an epoch, in the same order whenever asked."""

    def __len__(self) -> int: ...

    def batch(self, position: int) -> Any:
        """The batch at a position of an endless reading, epoch after epoch."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True)
class Examples:
    """What was read, for training and for validation."""

    train: Batches
    valid: Batches
    notes: tuple[str, ...]
    """What a person should know about how it was read."""
    rows: tuple[str, ...]
    """The first examples as they were read, for `--dry-run`."""
    facts: dict[str, Any]
    """Sizes for the model card."""
    fingerprint: str
    """Tells whether a later call reads the same data."""


@dataclass(frozen=True)
class Loss:
    """The loss of one batch."""

    mean: Tensor
    """Nats per target, what training minimises."""
    count: int
    """How many targets there were."""
    state: LayerState | None
    """Where the next batch goes on."""


class RunningLoss:
    """The mean loss over batches in their order, each going on from the state of the one before."""

    def __init__(self) -> None:
        self.total, self.count = 0.0, 0
        self.state: LayerState | None = None

    def add(self, task: "Task", network: nn.Module, batch: Batch) -> None:
        """Take in the next batch."""
        loss = task.loss(network, batch, None if batch.fresh else self.state)
        self.total, self.count, self.state = (
            self.total + float(loss.mean) * loss.count,
            self.count + loss.count,
            loss.state,
        )

    @property
    def mean(self) -> float:
        """Nats per target so far."""
        return self.total / max(1, self.count)


class Judge(ABC):
    """Finds out how good a network is, batch after batch in their order."""

    @abstractmethod
    def add(self, network: nn.Module, batch: Any) -> None:
        """Take in the next batch."""

    @abstractmethod
    def scores(self) -> dict[str, float]:
        """What has been found out so far, by name; `loss` is among them."""

    def notes(self) -> tuple[str, ...]:
        """How it was found out, such as the signature of a score."""
        return ()

    def written(self) -> Sequence[str]:
        """The network's answers, in the order of the file, for tasks whose answers are texts.

        Raises:
            OptionError: There are none.
        """
        raise OptionError("models of this task are judged without answers, there is nothing to write")

    def against(self, other: Any) -> dict[str, float]:
        """Both sides' scores on the same data, and how likely their difference is chance.

        Raises:
            OptionError: Judges of this kind cannot tell.
        """
        raise OptionError("models of this task cannot be compared; evaluate them one by one")


class Conversation(Protocol):
    """A trained model at work, one input after the other."""

    def read(self, text: str) -> None:
        """Take an input in."""
        ...

    def write(self, **settings: Any) -> Iterator[str]:
        """The answer, piece by piece."""
        ...


class OneByOne:
    """Answers each input by itself, in words.

    Args:
        answer: From an input and settings to its answer.
    """

    def __init__(self, answer: Callable[[str, dict[str, Any]], Any]) -> None:
        self.answer, self.asked = answer, ""

    def read(self, text: str) -> None:
        """Take an input in; another one before an answer replaces it."""
        self.asked = text

    def write(self, **settings: Any) -> Iterator[str]:
        """The answer, as one piece."""
        answer = self.answer(self.asked, settings)
        answer = answer.as_json() if hasattr(answer, "as_json") else answer
        yield answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


class Task(ABC):
    """One kind of work: subclasses say what they learn from, with what, and how it is judged."""

    name: ClassVar[str]
    """The word on the command line."""
    summary: ClassVar[str]
    """What it is for, in one sentence."""
    options_class: ClassVar[type[Options]]
    """The settings of its data and model."""
    predicting_class: ClassVar[type[Options]]
    """The settings of a prediction."""
    saved: ClassVar[str]
    """The file that `save` writes last."""
    continues: ClassVar[bool] = False
    """Does an answer go on where its input ends?"""
    needs_input: ClassVar[bool] = True
    """Is there no answer without an input?"""
    answers_with: ClassVar[str] = "text"
    """What an answer is called in JSON."""
    answers_in_rows: ClassVar[bool] = False
    """Are answers rows of a table, several for an input?"""
    answers_when_judged: ClassVar[bool] = False
    """Do the settings of a prediction act when a model is judged?"""
    encoders: ClassVar[dict[str, dict[str, Any]]] = {}
    """Other tasks whose networks can read for this one, and what options must be for that."""
    files: ClassVar[tuple[str, ...]] = ()
    """Ends of the names of files that `write` writes, such as .wav."""
    taught: ClassVar[bool] = True
    """Can its networks learn from a teacher?"""
    teacher: Teacher | None = None
    """Whose answers count in `loss`, in training."""
    best: tuple[str, Literal["min", "max"]] = ("loss", "min")
    """The score by which the best weights are chosen, and which end of it is good."""
    told: tuple[str, ...] = ()
    """Scores that are told after each validation, beside the loss."""

    def __init__(self, options: Options) -> None:
        self.options: Any = options

    @classmethod
    def fitting(cls, options: Options) -> "type[Task]":
        """The class for some options, where there are several."""
        return cls

    def reading(self, **columns: str) -> Self:
        """The same task, for a file in which things stand elsewhere."""
        task = copy(self)
        task.options = type(self.options).of(self.options.model_dump() | columns)
        return task

    @abstractmethod
    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        """Read examples, and learn from the training part what the model needs to know, such as its vocabulary.

        Args:
            train: The training data; what comes with the package when omitted.
            valid: The validation data; split from the training data when omitted.
            start: A run folder in which what the model needs to know stands already; where it is of one of the
                `encoders`, the vocabulary.
        """

    @abstractmethod
    def read_to_score(self, path: Path) -> Batches:
        """Read examples that a trained model is to be judged on."""

    def portions(self, path: Path, size: int | None) -> Iterator[tuple[Batches, Batches]]:
        """New examples in the order in which they came, portion by portion: to be judged on, and then to be learned.

        Args:
            path: Where they are.
            size: Examples, or steps, of a portion; the task's own choice when omitted.

        Raises:
            OptionError: The task does not go on learning.
            DataError: The data cannot be used.
        """
        raise OptionError(f"{self.name} does not go on learning; train with --from RUN on the new data")

    def read_inputs(self, path: Source) -> Sequence[Any]:
        """Read what `predict` takes; a text a line, unless the task knows other files.

        Raises:
            DataError: The file cannot be used.
        """
        return read_text(path).removesuffix("\n").split("\n")

    def received(self, given: Any) -> Any:
        """What somebody has sent over a wire, as an input of `predict`: never a path.

        Raises:
            DataError: It is of another kind.
        """
        return received_text(given)

    def description(self) -> dict[str, Any]:
        """For whoever asks from afar: what an input is, what is known of it, and of answers.

        `takes` is text, numbers, image, sound, frames, table or chords; `shape` or `rate` say more of it; `labels` are
        those that there are.
        """
        return {"takes": "text"}

    def settings_schema(self) -> dict[str, Any]:
        """Settings of an answer that act on this model and lead to no file, each as a JSON schema."""
        return schema_of(self.predicting_class)

    @property
    def looked_into(self) -> bool:
        """May there be something to see inside its networks?"""
        return type(self).case is not Task.case

    @property
    def uploads(self) -> tuple[str, ...]:
        """Ends of the names of files that may be sent, also with .gz behind them where they are text."""
        return (".txt",)

    def uploaded(self, upload: Upload) -> Sequence[Any]:
        """What is in a file that somebody has sent, as inputs of `predict`: never a path.

        Raises:
            DataError: It is of another kind, damaged, or too large once it is unpacked.
        """
        if not upload.name.lower().removesuffix(".gz").endswith(self.uploads):
            raise DataError(f"{upload} cannot be read by this model; expected a name with {', '.join(self.uploads)}")
        return self.read_inputs(upload)

    def sample(self) -> Any:
        """An input of `predict`, made up, to try whether all works; None where there is none at hand."""
        return None

    @abstractmethod
    def network(self) -> nn.Module:
        """A fresh model; call it after `read` or `load`."""

    def vectors_of(self, encoder: "Task", vectors: Tensor) -> Tensor:
        """The vectors (V, E) of this task's units, of those of one of the `encoders`."""
        return vectors

    def begin(self, network: nn.Module) -> None:
        """Put into a fresh network what is known before training, such as vectors of words."""
        return

    @abstractmethod
    def loss(self, network: nn.Module, batch: Any, state: LayerState | None) -> Loss:
        """The loss of one batch, going on from a state; in training a teacher has a share in it, if there is one."""

    @abstractmethod
    def judge(self, **settings: Any) -> Judge:
        """Whoever judges a network; settings are those of a prediction."""

    def examiner(self) -> Judge:
        """Whoever judges it while it is trained: quick, where `judge` is thorough."""
        return self.judge()

    def heed(self, judge: Judge) -> None:
        """Keep what judging new examples has shown, before they are learned."""
        return

    def settle(self, network: nn.Module, valid: Batches, folder: Path) -> Judge | None:
        """Do what is left to do in a run folder once training has ended; and judge anew where that changes scores."""
        return None

    @abstractmethod
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """Answers of a trained model."""

    def write(self, network: nn.Module, inputs: Sequence[Any], path: Path, **settings: Any) -> str:
        """Answer into a file of one of the kinds in `files`, whole or not at all.

        Returns:
            What is in it, in a few words.
        """
        raise OptionError(f"{self.name} writes no {path.suffix}; expected .csv or .jsonl")

    def rows(self, inputs: Sequence[Any], answers: Sequence[Any]) -> list[dict[str, Any]]:
        """Inputs and answers, ready for JSON; an input that is no text by its name, or its number."""
        others = inputs.names if isinstance(inputs, Named) else range(1, len(inputs) + 1)
        names = [one if isinstance(one, str) else other for one, other in zip(inputs, others, strict=True)]
        return [{"input": name, **self.as_json(answer)} for name, answer in zip(names, answers, strict=True)]

    def as_json(self, answer: Any) -> dict[str, Any]:
        """An answer, ready for JSON."""
        if hasattr(answer, "as_json"):
            return answer.as_json()
        if isinstance(answer, list) and answer and hasattr(answer[0], "as_json"):
            return {"answers": [one.as_json() for one in answer]}
        return {self.answers_with: answer}

    def draw(self, network: nn.Module, text: str, path: Path, **settings: Any) -> None:
        """Draw how an answer came about, as a PNG.

        Raises:
            OptionError: The task has no such picture.
        """
        raise OptionError(f"{self.name} has no picture of an answer; leave it away")

    def case(self, network: nn.Module, given: Any) -> Case:
        """An input in the hands of a network, to be looked into.

        Raises:
            OptionError: The task has no such view.
            DataError: The input cannot be read.
        """
        raise OptionError(f"models like this one of {self.name} cannot be looked into")

    def live(self, network: nn.Module) -> Live | None:
        """Conversations side by side, where the task has such that keep the network's state; None where not."""
        return None

    def session(self, network: nn.Module, seed: int = 0) -> "Conversation":
        """A trained model that remembers what it has read and written, where the task has use for that."""
        return OneByOne(lambda given, settings: self._alone(self.predict(network, [given], **settings)))

    def _alone(self, answers: list[Any]) -> Any:
        """The answer to one input."""
        return answers if self.answers_in_rows else answers[0]

    def amount(self, settings: Mapping[str, Any], given: Any = "") -> int:
        """Steps that the answer to an input may have, where that is not bounded by the input; 0 where it is."""
        return 0

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what `read` learned, such as the vocabulary."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""


def refuse_settings(settings: dict[str, Any]) -> None:
    """For tasks that are judged without settings of a prediction.

    Raises:
        OptionError: There are some.
    """
    if settings:
        raise OptionError(f"{min(settings)} does not act when a model is judged; leave it away")


@torch.inference_mode()
def judged(judge: Judge, network: nn.Module, batches: Batches) -> Judge:
    """The judge, after all batches, with the network in evaluation mode."""
    training = network.training
    network.eval()
    for batch in batches:
        judge.add(network, batch)
    network.train(training)
    return judge
