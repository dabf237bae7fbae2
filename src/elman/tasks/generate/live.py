"""Many texts are written at once, a unit of each with one step of the network."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import torch
from torch import Tensor

from elman.errors import DataError, ElmanError
from elman.models import LanguageModel
from elman.tasks.generate.options import Writing
from elman.tasks.generate.pen import Pen
from elman.tasks.generate.session import Session, write_on
from elman.tasks.live import STRANGE, Event, Live, Memory, Takes, Talk

MOST = 100_000
"""Units that a restored answer may still have."""


class Written(msgspec.Struct, forbid_unknown_fields=True):
    """An answer that is not complete."""

    left: int
    stops: list[str]
    held: list[str]
    settings: dict[str, Any]
    text: str


class Remembered(msgspec.Struct, forbid_unknown_fields=True):
    """What is no tensor."""

    decoder: str
    begun: bool
    writing: Written | None


class TextTalk(Talk):
    """A text in the making."""

    takes: ClassVar[Takes] = "text"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.text = ""
        """Of the answer so far."""

    @property
    def waiting(self) -> bool:
        return bool(self.inbox) or self.session.pen is not None

    def read(self, text: str) -> None:
        self.session.tokenizer.encode(text, source="the text")
        self.inbox.append(text)

    def write(self, settings: Mapping[str, Any]) -> None:
        Writing.of(dict(settings))
        self.inbox.append(dict(settings))

    def finish(self) -> None:
        """An answer that is being written ends here."""
        if self.session.pen is not None:
            self.session.pen.left = 0

    def memory(self) -> Memory:
        session = self.session
        scores = torch.zeros(1, len(session.tokenizer)) if session.scores is None else session.scores
        tensors: dict[str, Tensor] = {"scores": scores, "chance": session.generator.get_state()}
        tensors |= {f"state.{c}.{n}": tensor for c, cell in enumerate(session.state) for n, tensor in enumerate(cell)}
        return Memory(tensors, Remembered(session.decoder.memory, session.scores is not None, self._writing()))

    def _writing(self) -> Written | None:
        pen = self.session.pen
        if pen is None:
            return None
        stops, held = [stop.text for stop in pen.stops], [stop.held for stop in pen.stops]
        return Written(pen.left, stops, held, self.session.writing.model_dump(exclude_unset=True), self.text)


class LiveTexts(Live):
    """Texts of any number of people.

    Args:
        network: A language model.
        session: Makes a session from a seed.
    """

    takes: ClassVar[Takes] = "text"

    def __init__(self, network: LanguageModel, session: Any) -> None:
        super().__init__(network)
        self.session = session

    def begin(self, settings: Mapping[str, Any], state: str | None = None) -> TextTalk:
        rest = dict(settings)
        talk = TextTalk(self.session(rest.pop("seed", 0)))
        Writing.of(rest)
        if state is not None:
            try:
                _restore(talk, self.restored(state, talk.memory()))
            except (UnicodeError, RuntimeError) as error:
                raise DataError(STRANGE) from error
        return talk

    def advance(self, talks: Sequence[TextTalk]) -> list[list[Event]]:
        told: list[list[Event]] = [[] for _ in talks]
        for talk, events in zip(talks, told, strict=True):
            try:
                _take_in(talk)
            except ElmanError as error:
                events.append({"type": "error", "error": str(error)})
        rows = [row for row, talk in enumerate(talks) if talk.session.pen is not None]
        for row, piece in zip(rows, write_on([talks[row].session for row in rows]), strict=True):
            talk = talks[row]
            talk.text += piece
            if piece:
                told[row].append({"type": "partial", "text": piece})
            if talk.session.pen is None:
                told[row].append({"type": "final", "text": talk.text})
                talk.text = ""
        return told

    def _use(self, talk: TextTalk) -> None:
        talk.write({"length": 3})


def _take_in(talk: TextTalk) -> None:
    """What waits, up to an answer or a part of a text that is long."""
    while talk.inbox and talk.session.pen is None:
        one = talk.inbox.popleft()
        if isinstance(one, dict):
            talk.session.begin(**one)
        elif isinstance(one, str):
            talk.inbox.extendleft(reversed(talk.session.parts(one)))
        else:
            talk.session.step(one)
            return


def _restore(talk: TextTalk, memory: Memory) -> None:
    session, facts = talk.session, memory.facts
    assert isinstance(facts, Remembered)
    session.state = tuple(
        tuple(memory.tensors[f"state.{c}.{n}"] for n in range(len(cell))) for c, cell in enumerate(session.state)
    )
    session.scores = memory.tensors["scores"] if facts.begun else None
    session.generator.set_state(memory.tensors["chance"])
    session.decoder.memory = facts.decoder
    if (writing := facts.writing) is not None:
        session.begin(**writing.settings)
        session.pen, talk.text = Pen(writing.stops, min(writing.left, MOST), writing.held), writing.text
