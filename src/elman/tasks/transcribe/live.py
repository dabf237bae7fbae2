"""Many people speak at once, and what each says is written down while they do.

Key: N samples.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import torch
from torch import Tensor

from elman.errors import DataError, OptionError
from elman.layers import LayerState
from elman.models import Transcriber
from elman.tasks.live import STRANGE, Event, Live, Memory, Takes, Talk
from elman.tasks.transcribe.hearings import Heard, Hearings
from elman.tasks.transcribe.options import Transcribing
from elman.tasks.transcribe.transcript import BestPath, Said, Transcript, Word

AT_ONCE = 2.0
"""Seconds of one sound that are heard at once."""
WAITING = 10
"""So many times as much may wait."""
LOUDEST = 32768.0
"""What 16 bits call 1."""


class Remembered(msgspec.Struct, forbid_unknown_fields=True):
    """What is no tensor."""

    heard: int
    begun: bool
    steps: int
    lasting: Said | None
    text: str
    units: list[Said]
    decoder: str
    said: str


class SoundTalk(Talk):
    """Somebody who speaks."""

    takes: ClassVar[Takes] = "sound"

    def __init__(self, sound: Heard, most: int) -> None:
        super().__init__()
        self.sound, self.most = sound, most
        self.size = 0
        """Bytes that wait."""
        self.heard = 0
        """Samples since the beginning."""
        self.text = ""
        """Of all words that are complete."""

    @property
    def full(self) -> bool:
        return self.size > 2 * WAITING * self.most

    def hear(self, samples: bytes) -> None:
        if len(samples) % 2 or not samples:
            raise DataError(f"samples expect two bytes each, one or more; received {len(samples):,} bytes")
        self.inbox.append(samples)
        self.size += len(samples)

    def finish(self) -> None:
        self.inbox.append(None)

    def add(self, words: Sequence[Word]) -> None:
        """Words that have become complete."""
        self.text = Transcript.of([Word(self.text, 0, 0, 1), *words] if self.text else words).text

    def piece(self) -> Tensor:
        """The next samples (N,) from -1 to 1, up to the end of what was said, and not too many."""
        pieces, left = [], 2 * self.most
        while self.inbox and self.inbox[0] is not None and left:
            first = self.inbox.popleft()
            pieces.append(first[:left])
            if len(first) > left:
                self.inbox.appendleft(first[left:])
            else:
                self.taken += 1
            left -= len(pieces[-1])
        joined = bytearray(b"".join(pieces))
        self.size -= len(joined)
        return torch.frombuffer(joined, dtype=torch.int16) / LOUDEST if joined else torch.zeros(0)

    def memory(self) -> Memory:
        sound, path = self.sound, self.sound.decoding
        assert isinstance(path, BestPath)
        tensors = {"samples": sound.ear.waiting, "moments": sound.progress.moments, "outputs": sound.progress.outputs}
        states = sound.progress.state
        tensors |= {f"state.{c}.{n}": tensor for c, cell in enumerate(states) for n, tensor in enumerate(cell)}
        scribe = sound.scribe
        facts = (scribe.text, [*scribe.units], scribe.decoder.memory, self.text)
        return Memory(tensors, Remembered(self.heard, sound.ear.begun, path.steps, path.lasting, *facts))


class LiveSounds(Live):
    """Speech of any number of people.

    Args:
        hearings: Writes it down.
    """

    takes: ClassVar[Takes] = "sound"

    def __init__(self, hearings: Hearings) -> None:
        network = hearings.live.network
        assert isinstance(network, Transcriber)
        super().__init__(network)
        self.hearings = hearings
        self.rate = hearings.inputs.mel.rate

    def begin(self, settings: Mapping[str, Any], state: str | None = None) -> SoundTalk:
        options = Transcribing.of(dict(settings))
        if options.beam != 1:
            raise OptionError(f"while somebody speaks, beam expects 1; received {options.beam}; leave it away")
        assert self.rate is not None
        talk = SoundTalk(self._sound(), round(AT_ONCE * self.rate))
        if state is not None:
            try:
                _restore(talk, self.restored(state, talk.memory()))
            except UnicodeError as error:
                raise DataError(STRANGE) from error
        return talk

    @torch.inference_mode()
    def advance(self, talks: Sequence[SoundTalk]) -> list[list[Event]]:
        pieces = [talk.piece() for talk in talks]
        assert self.rate is not None
        found = self.hearings.hear([talk.sound for talk in talks], pieces, self.rate)
        return [self._told(talk, piece, words) for talk, piece, words in zip(talks, pieces, found, strict=True)]

    def _use(self, talk: SoundTalk) -> None:
        talk.hear(bytes(2 * talk.most))
        talk.finish()

    def _told(self, talk: SoundTalk, piece: Tensor, words: list[Word]) -> list[Event]:
        talk.add(words)
        talk.heard += len(piece)
        told: list[Event] = []
        if len(piece):
            rest = " ".join(word.text for word in talk.sound.open)
            told.append({"type": "partial", "heard": talk.heard, "words": words, "text": rest})
        if talk.inbox and talk.inbox[0] is None:
            talk.inbox.popleft()
            talk.taken += 1
            told.append(self._final(talk))
        return told

    def _final(self, talk: SoundTalk) -> Event:
        words = self.hearings.end(talk.sound)
        talk.add(words)
        final: Event = {"type": "final", "heard": talk.heard, "words": words, "text": talk.text}
        talk.sound, talk.text = self._sound(), ""
        return final

    def _sound(self) -> Heard:
        sound = self.hearings.begin(Transcribing())
        sound.ear.rate = self.rate
        return sound


def _restore(talk: SoundTalk, memory: Memory) -> None:
    facts, sound = memory.facts, talk.sound
    assert isinstance(facts, Remembered)
    assert isinstance(sound.decoding, BestPath)
    vocabulary = len(sound.scribe.tokenizer)
    if not all(0 <= said.unit < vocabulary for said in (*facts.units, *filter(None, [facts.lasting]))):
        raise DataError(STRANGE)
    sound.ear.waiting, sound.ear.begun = memory.tensors["samples"], facts.begun
    sound.progress.moments, sound.progress.outputs = memory.tensors["moments"], memory.tensors["outputs"]
    sound.progress.state = _in_form(sound.progress.state, memory.tensors)
    sound.decoding.steps, sound.decoding.lasting = facts.steps, facts.lasting
    sound.scribe.text, sound.scribe.units = facts.text, tuple(facts.units)
    sound.scribe.decoder.memory = facts.decoder
    talk.text, talk.heard = facts.said, facts.heard


def _in_form(state: LayerState, tensors: Mapping[str, Tensor]) -> LayerState:
    return tuple(tuple(tensors[f"state.{c}.{n}"] for n in range(len(cell))) for c, cell in enumerate(state))
