"""Many texts are written at once, a unit of each with one step of the network."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import torch
from torch import Tensor

from elman.errors import DataError, ElmanError, OptionError
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


class Part(msgspec.Struct):
    """A part of a text, as numbers of units."""

    numbers: Tensor | None
    last: bool = False


class TextTalk(Talk):
    """A text in the making."""

    takes: ClassVar[Takes] = "text"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.text = ""
        """Of the answer so far."""
        self.finishes = 0
        """Ends of answers that wait."""

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
        self.finishes += 1
        self.inbox.append(None)

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
            memory = self.restored(state, talk.memory())
            try:
                _restore(talk, memory)
            except (ValueError, RuntimeError, OptionError) as error:
                raise DataError(STRANGE) from error
        return talk

    def advance(self, talks: Sequence[TextTalk]) -> list[list[Event]]:
        told: list[list[Event]] = [[] for _ in talks]
        drawn: dict[int, int] = {}
        for row, (talk, events) in enumerate(zip(talks, told, strict=True)):
            try:
                _take_in(talk, events)
                if talk.session.pen is not None:
                    drawn[row] = talk.session.draw()
            except ElmanError as error:
                talk.session.pen, talk.text = None, ""
                events.append({"type": "error", "error": str(error)})
        pieces = write_on([talks[row].session for row in drawn], [*drawn.values()])
        for row, piece in zip(drawn, pieces, strict=True):
            talk = talks[row]
            talk.text += piece
            if piece:
                told[row].append({"type": "partial", "text": piece})
            if talk.session.pen is None:
                told[row].append(_final(talk))
        return told

    def _use(self, talk: TextTalk) -> None:
        talk.write({"length": 3})


def _take_in(talk: TextTalk, events: list[Event]) -> None:
    """What waits, up to an answer or a part of a text that is long; an answer ends where `finish` waits behind it."""
    while talk.inbox and (talk.session.pen is None or talk.finishes):
        if talk.session.pen is not None:
            events.append(_ended(talk))
        one = talk.inbox.popleft()
        match one:
            case str():
                *parts, last = talk.session.parts(one) or [None]
                talk.inbox.extendleft(reversed([*map(Part, parts), Part(last, last=True)]))
            case dict():
                talk.taken += 1
                talk.session.begin(**one)
                if talk.session.pen is None:  # of no length
                    events.append(_final(talk))
            case Part(numbers, last):
                talk.taken += last
                if numbers is not None:
                    talk.session.step(numbers)
                    return
            case _:
                talk.taken += 1
                talk.finishes -= 1


def _ended(talk: TextTalk) -> Event:
    talk.session.pen = None
    return _final(talk)


def _final(talk: TextTalk) -> Event:
    final: Event = {"type": "final", "text": talk.text}
    talk.text = ""
    return final


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
        assert session.pen is not None
        held = {stop.text: text for stop, text in zip(session.pen.stops, writing.held, strict=True)}
        if writing.stops != [*held] or any(len(text) >= len(stop) for stop, text in held.items()):
            raise ValueError("other stops than its settings have")
        session.pen, talk.text = Pen(writing.stops, min(writing.left, MOST), writing.held), writing.text
