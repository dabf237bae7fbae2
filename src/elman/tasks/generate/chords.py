"""Music: learn which chord comes next, and write more of them.

Key: T steps, B pieces, P keys.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import (
    KEYS,
    MIDI,
    Chord,
    Named,
    PieceBatches,
    SequenceBatch,
    Source,
    as_chords,
    as_keys,
    made_pieces,
    read_pieces,
    write_json,
    write_midi,
)
from elman.errors import DataError
from elman.layers import LayerState, Recurrent, find_cell
from elman.models import ChordModel
from elman.tasks.generate.base import Expectation, GenerateTask
from elman.tasks.generate.options import Writing, generator_of
from elman.tasks.inspection.case import Case
from elman.tasks.task import Examples, Loss, refuse_settings

LENGTH = 64
"""Chords that are written at most, when nothing is said."""
AT_ONCE = 64
"""Pieces that are judged side by side."""


class Chords(GenerateTask):
    """Which notes sound together, a step after the other; batches have keys (T, B, P)."""

    saved: ClassVar[str] = "chords.json"
    files: ClassVar[tuple[str, ...]] = (".mid", ".midi")
    answers_with: ClassVar[str] = "chords"
    acting = ("temperature", "length")
    usual_length = LENGTH
    taught: ClassVar[bool] = False

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_pieces() if train is None else read_pieces(train)
        found, others = found.split() if valid is None else (found, read_pieces(valid))
        return Examples(
            train=PieceBatches(found.chords, self.options.batch_size, self.options.transpose),
            valid=PieceBatches(others.chords, AT_ONCE),
            notes=(*found.notes, *others.notes),
            rows=tuple(f"{len(one):,} chords: {as_chords(one[:4])} ..." for one in found.chords[:3]),
            facts={
                "training pieces": len(found),
                "validation pieces": len(others),
                "training chords": sum(map(len, found.chords)),
            },
            fingerprint=found.fingerprint + others.fingerprint,
        )

    def read_to_score(self, path: Path) -> PieceBatches:
        return PieceBatches(read_pieces(path).chords, AT_ONCE)

    @property
    def uploads(self) -> tuple[str, ...]:
        return (".json", *MIDI)

    def read_inputs(self, path: Source) -> Named:
        found = read_pieces(path)
        return Named([as_chords(one) for one in found.chords], found.names)

    def received(self, given: Any) -> Any:
        return given if isinstance(given, list) else self._nothing(given)

    def _nothing(self, given: Any) -> str:
        if given != "":
            raise DataError(f"chords expects a list of chords, or an empty text; received {given!r:.40}")
        return ""

    def description(self) -> dict[str, Any]:
        return {"takes": "chords"}

    def network(self) -> ChordModel:
        options = self.options
        sizes = KEYS, options.hidden_size, options.num_layers
        return ChordModel(Recurrent(find_cell(options.cell), *sizes, **options.regularisation()), **options.dropouts())

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        there = torch.arange(len(batch.inputs)).unsqueeze(1) < batch.lengths
        odds, keys = network(batch.inputs)[there], batch.inputs[there]
        return Loss(F.binary_cross_entropy_with_logits(odds, keys, reduction="none").sum(1).mean(), len(keys), None)

    def judge(self, **settings: Any) -> "Hearer":
        refuse_settings(settings)
        return Hearer(self)

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], *, seed: int = 0, **settings: Any) -> list[Any]:
        """For each piece, chords or a path or nothing, the chords that come next."""
        writing = self.writing(settings)
        pieces = [self._piece(given, f"input {number}") for number, given in enumerate(inputs, 1)]
        return [as_chords(torch.cat(list(_written(network, piece, writing, seed)))) for piece in pieces]

    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of the chord that it would write next."""
        assert isinstance(network, ChordModel)
        piece = self._piece(given, "the input")
        if not len(piece):
            raise DataError("the input has no chords; expected one or more")

        def odds() -> Tensor:
            return network.output(network.vectors(piece.unsqueeze(1))[0][-1])

        with torch.no_grad():
            chord = network.chord(odds(), 0.0, torch.Generator())
        names = [" ".join(map(str, notes)) or "rest" for notes in as_chords(piece)]
        return Case(
            names,
            network.body,
            as_chords(chord)[0],
            lambda: -F.binary_cross_entropy_with_logits(network.among_them(odds(), chord), chord, reduction="sum"),
        )

    def _piece(self, given: Any, place: str) -> Tensor:
        if isinstance(given, str) and not given:
            return torch.zeros(0, KEYS)
        if isinstance(given, str | Path):
            return self.only_one(read_pieces(Path(given)).chords, Path(given))
        return as_keys(given, place)

    def write(self, network: nn.Module, inputs: Sequence[Any], path: Path, **settings: Any) -> str:
        """A piece and how it goes on, as MIDI."""
        given = as_chords(self._piece(self.only_one(inputs, path), "the input"))
        chords: list[Chord] = [*given, *self.predict(network, inputs, **settings)[0]]
        write_midi(path, chords)
        return f"{len(chords)} chords"

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        write_json(folder / self.saved, {"keys": KEYS})

    def load(self, folder: Path) -> None:
        return


def _written(network: nn.Module, given: Tensor, writing: Writing, seed: int) -> Iterator[Tensor]:
    """Chords (1, P), one after the other."""
    assert isinstance(network, ChordModel)
    generator, state = generator_of(seed), None
    before = torch.zeros(1, KEYS)
    yield before[:0]
    for chord in given:
        _, state = network.step(before, state)
        before = chord.unsqueeze(0)
    for _ in range(LENGTH if writing.length is None else writing.length):
        odds, state = network.step(before, state)
        before = network.chord(odds, writing.temperature, generator)
        yield before


class Hearer(Expectation):
    """How well chords are expected; the loss is in nats a chord, as in the literature."""

    def scores(self) -> dict[str, float]:
        return {"loss": self.loss.mean}
