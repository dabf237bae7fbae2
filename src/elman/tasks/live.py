"""Conversations that go on side by side with one network: what a server needs of a task to advance many at once."""

import json
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Literal

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from elman.errors import DataError

Takes = Literal["sound", "text"]
Event = dict[str, Any]
"""Something to tell: its `type`, and what there is to say."""
STRANGE = "a state expects what a session of this model gave out; received another text; start without one"


@dataclass(frozen=True)
class Memory:
    """All that a conversation remembers."""

    tensors: Mapping[str, Tensor]
    facts: msgspec.Struct


class Talk(ABC):
    """One conversation: what waits to be taken in, in its order."""

    takes: ClassVar[Takes]

    def __init__(self) -> None:
        self.inbox: deque[Any] = deque()
        self.taken = 0
        """Messages that are in what is remembered."""

    @property
    def waiting(self) -> bool:
        """Is there something to do?"""
        return bool(self.inbox)

    @property
    def full(self) -> bool:
        """Does so much wait that no more should come?"""
        return len(self.inbox) > 100

    def hear(self, samples: bytes) -> None:
        """Samples of 16 bits, the lower byte first.

        Raises:
            DataError: This conversation takes something else.
        """
        raise self._refusal("samples")

    def read(self, text: str) -> None:
        """A text.

        Raises:
            DataError: This conversation takes something else, or not this.
        """
        raise self._refusal("a text")

    def write(self, settings: Mapping[str, Any]) -> None:
        """An answer is wanted.

        Raises:
            DataError: This conversation answers by itself.
            OptionError: A setting is impossible.
        """
        raise self._refusal("a wish for an answer")

    @abstractmethod
    def finish(self) -> None:
        """What was said, or is written, ends here."""

    @abstractmethod
    def memory(self) -> Memory:
        """What is remembered between messages."""

    def _refusal(self, what: str) -> DataError:
        return DataError(f"this session takes {self.takes}; received {what}")


class Live(ABC):
    """Any number of conversations with a network.

    Args:
        network: It stays as it is.
    """

    takes: ClassVar[Takes]
    rate: int | None = None
    """Samples a second."""

    def __init__(self, network: nn.Module) -> None:
        self.owner = fingerprint(network)
        """Only states of the same network fit."""

    @abstractmethod
    def begin(self, settings: Mapping[str, Any], state: str | None = None) -> Any:
        """A new conversation, or one that goes on from a state.

        Raises:
            OptionError: A setting is impossible.
            DataError: The state is of another model, or none.
        """

    @abstractmethod
    def advance(self, talks: Sequence[Any]) -> list[list[Event]]:
        """Go on with all of them for a while, in one batch: what each has to tell.

        An error of one conversation is told to it alone.
        """

    def warm(self) -> None:
        """Go through all of it once, so that nobody waits for what is made at the first call."""
        talk = self.begin({})
        self._use(talk)
        while talk.waiting:
            self.advance([talk])

    @abstractmethod
    def _use(self, talk: Any) -> None:
        """Give a conversation something to do."""

    def export(self, talk: Talk) -> str:
        """All that a conversation remembers, as a text that `begin` takes, in another process too."""
        memory = talk.memory()
        facts = msgspec.json.encode(memory.facts).decode()
        tensors = {name: each.contiguous() for name, each in memory.tensors.items()}
        return b64encode(save(tensors, {"facts": f"{self.owner} {facts}"})).decode()  # one text: several have no order

    def restored(self, state: str, like: Memory) -> Memory:
        """What `export` wrote.

        Args:
            state: Its text.
            like: What a new conversation remembers; sizes of 0 may be any.

        Raises:
            DataError: It is of another model, or none.
        """
        try:
            content = b64decode(state, validate=True)
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
            owner, _, facts = header["facts"].partition(" ")
            if owner != self.owner:
                raise DataError("the state is of another model, or of other weights; start without one")
            tensors, facts = load(content), msgspec.json.decode(facts, type=type(like.facts))
        except (ValueError, KeyError, TypeError, SafetensorError, msgspec.MsgspecError, RecursionError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(STRANGE) from error
        if tensors.keys() != like.tensors.keys() or not all(
            _fits(tensors[name], wanted) for name, wanted in like.tensors.items()
        ):
            raise DataError(STRANGE)
        return Memory(tensors, facts)


def fingerprint(network: nn.Module) -> str:
    """Tells networks and their weights apart."""
    found = sha256()
    for name, tensor in network.state_dict().items():
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        found.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def _fits(tensor: Tensor, wanted: Tensor) -> bool:
    """Of the same kind and size, finite, and no longer than a while where any length will do."""
    sizes = zip(tensor.shape, wanted.shape, strict=False)
    return (
        tensor.dtype == wanted.dtype
        and tensor.dim() == wanted.dim()
        and all(size == expected or (expected == 0 and size < 100_000) for size, expected in sizes)
        and bool(torch.isfinite(tensor).all())
    )
