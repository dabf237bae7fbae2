"""A task is four answers: its examples, its model, its loss, its scores."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from elman.data import Window
from elman.layers import LayerState
from elman.tasks.options import Options


class Batches(Protocol):
    """The batches of an epoch, in the same order whenever asked."""

    def __len__(self) -> int: ...

    def batch(self, position: int) -> Window:
        """The batch at a position of an endless reading, epoch after epoch."""
        ...

    def __iter__(self) -> Iterator[Window]: ...


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

    def add(self, task: "Task", network: nn.Module, batch: Window) -> None:
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


class Task(ABC):
    """One kind of work: subclasses say what they learn from, with what, and how it is judged."""

    name: ClassVar[str]
    """The word on the command line."""
    summary: ClassVar[str]
    """What it is for, in one sentence."""
    options_class: ClassVar[type[Options]]
    """The settings of its data and model."""

    def __init__(self, options: Options) -> None:
        self.options: Any = options

    @abstractmethod
    def read(self, train: Path | None, valid: Path | None) -> Examples:
        """Read examples, and learn from the training part what the model needs to know, such as its vocabulary."""

    @abstractmethod
    def read_to_score(self, path: Path) -> Batches:
        """Read examples that a trained model is to be judged on."""

    @abstractmethod
    def network(self) -> nn.Module:
        """A fresh model; call it after `read` or `load`."""

    @abstractmethod
    def loss(self, network: nn.Module, batch: Window, state: LayerState | None) -> Loss:
        """The loss of one batch, going on from a state."""

    @abstractmethod
    def scores(self, mean_loss: float) -> dict[str, float]:
        """What is reported, by name; `loss` is among them, and smaller is better."""

    @abstractmethod
    def predict(self, network: nn.Module, inputs: Sequence[str], **settings: Any) -> list[Any]:
        """Answers of a trained model."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what `read` learned, such as the vocabulary."""

    @abstractmethod
    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
