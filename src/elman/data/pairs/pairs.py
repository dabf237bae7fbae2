"""Pairs of texts to learn from: a source and what to make of it, from two files, a table or dialogues."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from elman.data.files import read_bytes, read_text
from elman.data.tables import READERS, is_table, kind_of, read_table, table_format
from elman.data.text import VALIDATION_SHARE
from elman.errors import DataError, OptionError

TURN = " ⏎ "


@dataclass(frozen=True)
class Pairs:
    """Sources, their targets, and what a person should know about them.

    Example:
        >>> train, valid = Pairs(("one", "two", "three"), ("un", "deux", "trois")).split(1 / 3)
        >>> len(train), valid.targets
        (2, ('trois',))
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def fingerprint(self) -> str:
        """Tells whether a later call reads the same pairs."""
        return hashlib.sha256(json.dumps([self.sources, self.targets]).encode()).hexdigest()

    def split(self, share: float = VALIDATION_SHARE) -> tuple["Pairs", "Pairs"]:
        """Pairs to train on, and the last ones for validation.

        Args:
            share: Of the pairs that are for validation, between 0 and 1.

        Raises:
            DataError: There are too few pairs for one in each part.
            OptionError: The share leaves nothing for one part, however many pairs there are.
        """
        if not 0 < share < 1:
            raise OptionError(f"share expects a number between 0 and 1; received {share}; try {VALIDATION_SHARE}")
        cut = len(self) - round(len(self) * share)
        if not 0 < cut < len(self):
            raise DataError(
                f"{_count(len(self))} cannot be split so that {share:.0%} is for validation; expected at least one in "
                "both parts; give more pairs, or others for validation"
            )
        note = f"no validation pairs given: the last {share:.0%}, {_count(len(self) - cut)}, is it"
        train = Pairs(self.sources[:cut], self.targets[:cut], (*self.notes, note))
        return train, Pairs(self.sources[cut:], self.targets[cut:])


class Turn(NamedTuple):
    """A source and a target, tidy, and the place that they come from."""

    place: str
    source: str
    target: str


def read_pairs(path: Path, source: str | None = None, target: str | None = None, *, history: int = 0) -> Pairs:
    """The pairs of two line-aligned files, of two columns of a table, or of dialogues.

    White space becomes one space. Pairs with an empty side are left out, and a note counts them.

    Args:
        path: A table, as in `read_table`; or the common start of two files, such as multi30k/train.
        source: The column of the sources, or the end of their file: en for multi30k/train.en, also with .gz behind
            it. In dialogues the path to a turn's source, such as dial[].usr.transcript.
        target: The same for the targets. With neither, columns 1 and 2 of .csv and .tsv without a header, "source"
            and "target" of JSON and Parquet.
        history: So many earlier turns of a dialogue, each a source and its target, stand before a source.

    Raises:
        DataError: A file cannot be used, the two do not fit together, or there is no pair.
        OptionError: One of source and target is missing, or there can be no history.
    """
    if (source is None) != (target is None):
        raise OptionError(f"source and target come together; received source={source!r}, target={target!r}; give both")
    if is_table(path):
        defaults = ("1", "2") if table_format(path) in (".csv", ".tsv") else ("source", "target")
        names = (source or defaults[0], target or defaults[1])
        _check_dialogue(path, *names, history)
        return _pairs(path, _from_table(path, *names), history)
    if source is None or target is None:
        raise DataError(
            f"{path} is {'a folder' if path.is_dir() else 'no table'}; expected a file that ends in "
            f"{', '.join(READERS)}, or the common start of two files and their ends as source and target"
        )
    _check_dialogue(path, source, target, history)
    return _pairs(path, _from_two_files(_found(path, source), _found(path, target)), history)


def tidy(text: str) -> str:
    """A text with one space wherever it has white space, and none around it.

    Example:
        >>> tidy("  a\\tb \\u3000 c\\n")
        'a b c'
    """
    return " ".join(text.split())


def join_turns(turns: Sequence[str]) -> str:
    """What was said in turn as one source, oldest first; who said nothing is left out.

    Example:
        >>> join_turns(["Hello!", "Hi. What would you like?", "A cheap  restaurant."])
        'Hello! ⏎ Hi. What would you like? ⏎ A cheap restaurant.'
    """
    return TURN.join(filter(None, map(tidy, turns)))


def _check_dialogue(path: Path, source: str, target: str, history: int) -> None:
    if history < 0:
        raise OptionError(f"history expects 0 or more turns; received {history}")
    lists = ("[]" in source) + ("[]" in target)
    if lists == 1:
        raise OptionError(f"source and target expect [] in both or in neither; received {source!r} and {target!r}")
    if history and not lists:
        raise OptionError(
            f"history (={history}) needs dialogues, which {path} has not by source {source!r}; expected a path with "
            "[] into JSON, such as turns[].text; give one, or history 0"
        )


def _pairs(path: Path, dialogues: Iterable[Sequence[Turn]], history: int) -> Pairs:
    pairs, empty = [], []
    for dialogue in dialogues:
        for number, turn in enumerate(dialogue):
            if turn.source and turn.target:
                earlier = dialogue[max(0, number - history) : number]
                said = [text for one in earlier for text in (one.source, one.target)]
                pairs.append((join_turns([*said, turn.source]) if said else turn.source, turn.target))
            else:
                empty.append(turn.place)
    if not pairs:
        raise DataError(
            f"{path} has no pair: the source or the target is empty in all {len(empty):,}; expected text in both"
        )
    sources, targets = zip(*pairs, strict=True)
    return Pairs(sources, targets, _notes(empty))


def _notes(empty: list[str]) -> tuple[str, ...]:
    if not empty:
        return ()
    if len(empty) == 1:
        return (f"1 pair has an empty source or target and is left out, in {empty[0]}",)
    return (f"{len(empty):,} pairs have an empty source or target and are left out, the first in {empty[0]}",)


def _count(pairs: int) -> str:
    return f"{pairs:,} pair{'s' * (pairs != 1)}"


# Tables


def _from_table(path: Path, source: str, target: str) -> Iterator[list[Turn]]:
    table = read_table(path, [source, target])
    for row, values in enumerate(zip(table.columns[source], table.columns[target], strict=True)):
        place = table.place(row)
        if "[]" in source and all(isinstance(value, list) for value in values):
            yield _dialogue(path, place, *values)
        else:
            yield [Turn(place, *(_text(value, f"{path} {place}") for value in values))]


def _dialogue(path: Path, place: str, sources: list[Any], targets: list[Any]) -> list[Turn]:
    if len(sources) != len(targets):
        raise DataError(
            f"{path} {place} has {len(sources)} sources and {len(targets)} targets; expected a target for every source"
        )
    places = (f"{place}, turn {number}" for number in count(1))
    return [
        Turn(turn, _text(source, f"{path} {turn}"), _text(target, f"{path} {turn}"))
        for turn, source, target in zip(places, sources, targets, strict=False)
    ]


def _text(value: Any, place: str) -> str:
    if isinstance(value, list | dict | bytes):
        raise DataError(f"{place} expects text; received {kind_of(value)}; name the text in it, such as turns[].text")
    return "" if value is None else tidy(str(value))


# Two files


def _found(path: Path, end: str) -> Path:
    file = path.parent / f"{path.name}.{end.removeprefix('.')}"
    packed = file.with_name(f"{file.name}.gz")
    if not file.exists() and not packed.exists():
        raise DataError(
            f"there is no file {file}, nor {packed.name} beside it; expected it for {end!r}; check the path "
            f"(now in {Path.cwd()})"
        )
    return file if file.exists() else packed


def _from_two_files(source: Path, target: Path) -> Iterator[list[Turn]]:
    files = {path: _lines(path) for path in (source, target)}
    sources, targets = files[source], files[target]
    if len(sources) != len(targets):
        raise DataError(
            f"{source} has {len(sources):,} lines, but {target} has {len(targets):,}; expected a target for every "
            f"source, line by line; {_first_blank(files)}"
        )
    for number, pair in enumerate(zip(sources, targets, strict=True), 1):
        yield [Turn(f"line {number:,}", *pair)]


def _first_blank(files: Mapping[Path, list[str]]) -> str:
    """A hint at where two files may have come apart."""
    blank = [(lines.index(""), path) for path, lines in files.items() if "" in lines]
    if not blank:
        return "no line is blank"
    line, path = min(blank)
    return f"the first blank line is line {line + 1:,} of {path}"


def _lines(path: Path) -> list[str]:
    """Tidy lines. Only a line feed ends one: any other sign of white space inside would shift all that follow."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        text = read_text(path)  # says where it is not UTF-8
    if not text:
        raise DataError(f"{path} is empty; expected lines of text")
    return [tidy(line) for line in text.removesuffix("\n").split("\n")]
