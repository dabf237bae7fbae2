"""Sentences with a tag for every word: columns as in the shared tasks of CoNLL, or texts with spans as JSON lines."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from elman.data.files import read_text
from elman.data.labelled.motifs import motifs
from elman.data.tables import read_table, table_format
from elman.data.tagged.spans import OUTSIDE, Span, bio, bioes, is_span_tag, repairs, spans_of
from elman.data.text import VALIDATION_SHARE, held_out
from elman.errors import DataError

NOTHING = ("-", "_", "")
"""Stands where a word is no predicate."""

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Characters of scripts without spaces between words."""

WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]")


@dataclass(frozen=True)
class TagColumns:
    """Where in a line word and tag stand, numbers from 1."""

    word: int = 1
    tag: int | None = None
    """The last one when omitted."""
    predicate: int | None = None
    """The column that marks predicates; each of them, in their order, has a column of roles in brackets behind it."""


@dataclass(frozen=True)
class Sentence:
    """Words, a tag for each, and what is marked."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    marks: tuple[bool, ...] | None = None
    """Which words are the predicate."""


@dataclass(frozen=True)
class Tagged:
    """Sentences, and what a person should know about them."""

    sentences: tuple[Sentence, ...]
    spans: bool
    """Do the tags stand for stretches of words?"""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same."""
        return hashlib.sha256(json.dumps([(one.words, one.tags) for one in self.sentences]).encode()).hexdigest()

    def split(self, share: float = VALIDATION_SHARE) -> tuple["Tagged", "Tagged"]:
        """Those to train on, and the last ones for validation.

        Raises:
            DataError: There are too few.
        """
        count, note = held_out(len(self), share, "sentences")
        train = replace(self, sentences=self.sentences[:-count], notes=(*self.notes, note))
        return train, replace(self, sentences=self.sentences[-count:], notes=())


def read_tagged(path: Path, columns: TagColumns = TagColumns()) -> Tagged:
    """Sentences and their tags.

    - Columns: a word a line, blank lines between sentences, cells parted by tabs, or else by spaces; lines that begin
      with # at the start of a sentence, and -DOCSTART-, are passed over.
    - .jsonl: {"text": …, "spans": [[start, end, label], …]} with places in characters, from 0, the end behind the last;
      or {"words": […], "tags": […]}.

    Tags of stretches, in any scheme, become BIOES; those that go on with nothing begin a stretch, and are counted.

    Raises:
        DataError: The file cannot be used.
    """
    rows = _from_json(path) if table_format(path) in (".jsonl", ".ndjson") else _from_columns(path, columns)
    return tagged(list(rows), str(path))


def tagged(sentences: Sequence[Sentence], name: str, notes: tuple[str, ...] = ()) -> Tagged:
    """Sentences with tags of one scheme.

    Raises:
        DataError: There is none.
    """
    if not sentences:
        raise DataError(f"{name} has no sentences; expected a word and its tag a line, blank lines between sentences")
    if not all(is_span_tag(tag) for one in sentences for tag in one.tags):
        return Tagged(tuple(sentences), spans=False, notes=notes)
    mended = 0 if _only_inside(sentences) else sum(repairs(one.tags) for one in sentences)
    if mended:
        notes = (*notes, f"{mended:,} tags of {name} go on with a stretch that has not begun: they begin one")
    made = (replace(one, tags=tuple(bioes(spans_of(one.tags), len(one.tags)))) for one in sentences)
    return Tagged(tuple(made), spans=True, notes=notes)


def _only_inside(sentences: Sequence[Sentence]) -> bool:
    """Is the scheme IOB1, in which B- stands only between two stretches of one name?"""
    pairs = (pair for one in sentences for pair in zip((OUTSIDE, *one.tags), one.tags, strict=False))
    return not any(tag[0] in "BSU" and before[2:] != tag[2:] for before, tag in pairs)


# Columns


def _from_columns(path: Path, columns: TagColumns) -> Iterator[Sentence]:
    for number, rows in _blocks(read_text(path)):
        width = len(rows[0])
        for offset, cells in enumerate(rows):
            least = max(columns.word, columns.tag or 2, columns.predicate or 1)
            if len(cells) < least or len(cells) != width:
                raise DataError(
                    f"{path} line {number + offset:,} has {len(cells)} columns; expected {max(least, width)}, as in "
                    f"line {number:,}; mend it, or choose columns"
                )
        words = tuple(cells[columns.word - 1] for cells in rows)
        if columns.predicate is None:
            yield Sentence(words, tuple(cells[(columns.tag or width) - 1] for cells in rows))
        else:
            yield from _predicates(words, rows, columns.predicate, f"{path} line {number:,}")


def _blocks(text: str) -> Iterator[tuple[int, list[list[str]]]]:
    """The cells of each sentence, and the line where it begins."""
    rows: list[list[str]] = []
    for number, line in enumerate((*text.split("\n"), ""), 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if rows:
                yield number - len(rows), rows
            rows = []
        elif rows or not (line.startswith("# ") and "\t" not in line):
            rows.append(line.split("\t") if "\t" in line else line.split())


def _predicates(words: tuple[str, ...], rows: list[list[str]], column: int, place: str) -> Iterator[Sentence]:
    """The sentence once for each predicate."""
    marked = [step for step, cells in enumerate(rows) if cells[column - 1] not in NOTHING]
    if len(rows[0]) != column + len(marked):
        raise DataError(
            f"{place} begins a sentence with {len(marked)} predicates in column {column}, and {len(rows[0]) - column} "
            "columns behind; expected one for each"
        )
    for number, place_of in enumerate(marked):
        roles = [cells[column + number] for cells in rows]
        spans = _bracketed(roles, place)
        tags = bio((span for span in spans if span.label != "V"), len(words))
        yield Sentence(words, tuple(tags), tuple(step == place_of for step in range(len(words))))


def _bracketed(cells: Sequence[str], place: str) -> Iterator[Span]:
    """Spans of a column such as (A0*, *, *), (V*)."""
    start, label = 0, ""
    for step, cell in enumerate(cells):
        if cell.startswith("("):
            start, label = step, cell[1:].split("*")[0]
        if cell.endswith(")"):
            if not label:
                raise DataError(f"{place} begins a sentence with a bracket that closes none, {cell!r}; mend it")
            yield Span(start, step + 1, label)
            label = ""


# JSON lines


class Word(NamedTuple):
    """A word and where it stands in its text."""

    text: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """Words, signs, and single characters of scripts without spaces.

    >>> [word.text for word in split_words("Mr. Li lives in 北京.")]
    ['Mr', '.', 'Li', 'lives', 'in', '北', '京', '.']
    """
    return [Word(found[0], found.start(), found.end()) for found in WORD.finditer(text)]


def _from_json(path: Path) -> Iterator[Sentence]:
    try:
        table = read_table(path, ["words", "tags"])
    except DataError:
        table = read_table(path, ["text", "spans"])
    for row, (first, second) in enumerate(zip(*table.columns.values(), strict=True)):
        place = f"{path} {table.place(row)}"
        if "words" in table.columns:
            if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second) or not first:
                raise DataError(f"{place} expects as many tags as words; received {_size(second)} for {_size(first)}")
            yield Sentence(tuple(map(str, first)), tuple(map(str, second)))
        else:
            yield _spanned(str(first), second, place)


def _size(value: Any) -> str:
    return f"{len(value)}" if isinstance(value, list) else type(value).__name__


def _spanned(text: str, spans: Any, place: str) -> Sentence:
    found = split_words(text)
    if not found:
        raise DataError(f"{place} has no words; expected a text")
    tags = [OUTSIDE] * len(found)
    for span in spans if isinstance(spans, list) else [spans]:
        start, end, label = _span(span, place)
        steps = [step for step, word in enumerate(found) if word.start < end and word.end > start]
        if not steps:
            raise DataError(
                f"{place} has the span {start} to {end}, where no word stands; the text has {len(text)} characters"
            )
        for step in steps:
            tags[step] = f"{'B' if step == steps[0] else 'I'}-{label}"
    return Sentence(tuple(word.text for word in found), tuple(tags))


def _span(span: Any, place: str) -> tuple[int, int, str]:
    values = [span.get(name) for name in ("start", "end", "label")] if isinstance(span, dict) else span
    match values:
        case [int(start), int(end), label]:
            return start, end, str(label)
        case _:
            raise DataError(f"{place} expects spans [start, end, label]; received {span!r}")


def tagged_motifs() -> Tagged:
    """Made-up DNA, a letter a step, and its signs."""
    made = motifs()
    sentences = [
        Sentence(tuple(one.letters), tuple(bio((Span(*sign) for sign in one.signs), len(one.letters)))) for one in made
    ]
    note = f"no examples given: finding the signs in made-up DNA, {len(made):,} stretches"
    return tagged(sentences, "the made-up DNA", (note,))
