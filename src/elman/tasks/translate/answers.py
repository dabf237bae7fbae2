"""Inputs to answers: in batches of similar length, with what a person should know about odd inputs.

Key: S source time, T target time.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from elman.data import RowsByLength, Tokenizer, padded_sources, read_json, tidy, write_json
from elman.errors import DataError, RunError
from elman.models import Translator
from elman.tasks.translate.search import Found, Search, Searching

UNITS_AT_ONCE = 4_000
"""Source units that are answered side by side, padding included."""

STRANGE = 0.3
"""An input with a larger share of units that no source of the training had is perhaps of another language."""

FEW = 4
"""Fewer units than these tell nothing."""

SHOWN = 60
"""Characters of an input in a message."""


@dataclass(frozen=True)
class Answer:
    """What was written to an input."""

    text: str
    score: float
    """Its log-probability for its length, penalties included: of several answers, larger is better."""
    log_probability: float
    """In nats, of all its units together."""
    units: list[str]
    """What was written at each step."""
    source_units: list[str]
    """What was read at each step."""
    alignment: Tensor | None
    """(T, S), how much each place of the source mattered at each step; rows add up to one."""

    def as_json(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        rows = None if self.alignment is None else [[round(w, 4) for w in row] for row in self.alignment.tolist()]
        return vars(self) | {"alignment": rows}


@dataclass(frozen=True)
class Known:
    """What training has seen of sources."""

    unseen: frozenset[int]
    """Units of the vocabulary that none of them had."""
    longest: int
    """Units of the longest one."""

    def joined(self, other: "Known") -> "Known":
        """What both have seen."""
        return Known(self.unseen & other.unseen, max(self.longest, other.longest))

    @classmethod
    def of(cls, sources: Sequence[Tensor], vocabulary: int) -> "Known":
        """What is known after reading sources, each (N,)."""
        seen = set(torch.cat(list(sources)).tolist())
        return cls(frozenset(range(vocabulary)) - seen, max(map(len, sources)))

    def save(self, path: Path) -> None:
        """Write JSON."""
        write_json(path, {"unseen": sorted(self.unseen), "longest": self.longest})

    @classmethod
    def load(cls, path: Path) -> "Known":
        """Read what `save` wrote.

        Raises:
            RunError: The file is missing or damaged.
        """
        found = read_json(path)
        try:
            return cls(frozenset(map(int, found["unseen"])), int(found["longest"]))
        except (LookupError, TypeError, ValueError) as error:
            raise RunError(f"{path} is damaged: {error!r}; restore it or train again") from error


class Answers:
    """Answers inputs.

    Args:
        network: What writes.
        source: Units that are read.
        target: Units that are written.
        known: What training has seen.
        options: How to search.
        aligned: Keep where the network looked.

    Raises:
        OptionError: A setting is impossible with this network.
        DataError: The prefix has units that the target's vocabulary lacks.
    """

    def __init__(
        self,
        network: Translator,
        source: Tokenizer,
        target: Tokenizer,
        known: Known,
        options: Searching,
        *,
        aligned: bool = True,
    ) -> None:
        self.source, self.target, self.known = source, target, known
        prefix = None if options.prefix is None else self._prefix(options.prefix)
        forbidden = [] if target.unknown is None else [target.unknown]
        self.search = Search(network.eval(), target.border, options, prefix, forbidden, aligned=aligned)

    def _prefix(self, text: str) -> Tensor:
        (units,) = self.target.encode_lines([tidy(text)], "the prefix")
        if self.target.unknown in units.tolist():
            raise DataError(f"the prefix {text!r} has units that no target of the training had; take another one")
        return units

    def __call__(self, texts: Sequence[str], *, remark: bool = False) -> list[list[Answer]]:
        """To each text its answers, the best first.

        Args:
            texts: What is answered.
            remark: Warn where answers cannot be good.

        Raises:
            DataError: A text is empty, or has units that cannot be read.
        """
        sources = self._read(texts)
        if remark:
            self._remark(texts, sources)
        answers: dict[int, list[Answer]] = {}
        for rows in RowsByLength(torch.tensor([len(one) + 1 for one in sources]), UNITS_AT_ONCE):
            source, lengths = padded_sources([sources[row] for row in rows], self.source.border)
            for column, (row, found) in enumerate(zip(rows, self.search(source, lengths), strict=True)):
                read = source[: lengths[column], column]
                answers[row] = [self._answer(read, candidate) for candidate in found]
        return [answers[row] for row in range(len(texts))]

    def _read(self, texts: Sequence[str]) -> list[Tensor]:
        for number, text in enumerate(texts, 1):
            if not isinstance(text, str):
                raise DataError(f"input {number:,} expects text; received {type(text).__name__}")
            if not text.strip():
                raise DataError(f"input {number:,} is empty; expected text; take it out")
        return self.source.encode_lines([tidy(text) for text in texts], "the input")

    def _remark(self, texts: Sequence[str], sources: Sequence[Tensor]) -> None:
        strange = [number for number, one in enumerate(sources) if self._strange(one) > STRANGE]
        if strange:
            first = strange[0]
            others = f", and so for {len(strange) - 1:,} more of {len(texts):,} inputs" if len(strange) > 1 else ""
            warnings.warn(
                f"{self._strange(sources[first]):.0%} of the units of {texts[first][:SHOWN]!r} are in no source that "
                f"the model learned from{others}; is it the right language, and the right direction?",
                stacklevel=5,
            )
        longest = max(map(len, sources), default=0)
        if longest > 4 * self.known.longest:
            warnings.warn(
                f"an input has {longest:,} units, the longest that the model learned from had {self.known.longest:,}: "
                "its answer may be poor or cut short; try its sentences one by one",
                stacklevel=5,
            )

    def _strange(self, source: Tensor) -> float:
        """Share of units that training has not seen in sources."""
        units = source.tolist()
        unseen = sum(unit in self.known.unseen or unit == self.source.unknown for unit in units)
        return unseen / len(units) if len(units) >= FEW else 0.0

    def _answer(self, source: Tensor, found: Found) -> Answer:
        units = self.target.pieces(found.units)
        alignment = None if found.weights is None else found.weights[: len(units), : len(source)].clone()
        text = self.target.decode(found.units).strip()
        return Answer(text, found.score, found.log_probability, units, self.source.pieces(source.tolist()), alignment)
