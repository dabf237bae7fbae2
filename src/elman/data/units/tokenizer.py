"""Text to numbers and back: characters, bytes, words or byte-pair units, kept by the `tokenizers` library."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers
from torch import Tensor

from elman.data.files import write_text
from elman.data.units.decoder import BYTE_OF, END_OF_LINE, Bytewise, Decoder, Spaced
from elman.errors import DataError, OptionError, RunError

Units = Literal["character", "byte", "word", "bpe"]

UNKNOWN = "<unk>"
BYTE_SYMBOLS = sorted(BYTE_OF)
LINES_AT_ONCE = 10_000
BPE_UNITS = 4_000
"""Byte-pair units, when nothing is said."""


class Tokenizer:
    """Units of text and their numbers.

    Characters are Unicode code points. Words stand between white space, and a line end is the word `<eos>`, as in
    the Penn Treebank of Mikolov et al. (2010). Byte-pair units (Sennrich et al. 2016) work on bytes, so bytes and
    byte-pair units can write any text.

    Example:
        >>> tokenizer = Tokenizer.learn("to be or not to be", "word", min_count=2)
        >>> tokenizer.decode(tokenizer.encode("to see"))
        'to <unk>'
    """

    def __init__(self, backend: Backend, units: Units) -> None:
        self.backend = backend
        self.units: Units = units

    @classmethod
    def learn(
        cls,
        text: str,
        units: Units,
        *,
        vocabulary_size: int | None = None,
        min_count: int = 1,
        unknown: bool = False,
    ) -> "Tokenizer":
        """Find the units of a text.

        Args:
            text: What the model will be trained on.
            units: What one unit is.
            vocabulary_size: At most so many units. Byte-pair units stop here, 4,000 when omitted.
            min_count: Words and characters seen less often read as `<unk>`; above 1 there always is an `<unk>`.
            unknown: Have an `<unk>` and the end of a line among words and characters in any case.

        Raises:
            OptionError: There are fewer byte-pair units than bytes.
        """
        if units == "byte":
            return cls(_byte_level(models.BPE(vocab={s: n for n, s in enumerate(BYTE_SYMBOLS)}, merges=[])), units)
        if units == "bpe":
            if vocabulary_size is not None and vocabulary_size < len(BYTE_SYMBOLS):
                raise OptionError(
                    f"vocabulary_size expects at least {len(BYTE_SYMBOLS)}, the bytes, for byte-pair units; "
                    f"received {vocabulary_size}; try 2000"
                )
            backend = _byte_level(models.BPE())
            trainer = trainers.BpeTrainer(
                vocab_size=vocabulary_size or BPE_UNITS, initial_alphabet=BYTE_SYMBOLS, show_progress=False
            )
            backend.train_from_iterator(text.splitlines(keepends=True), trainer)
            return cls(backend, units)
        counts = Counter(text if units == "character" else _words(text))
        end = "\n" if units == "character" else END_OF_LINE
        special = {UNKNOWN, *({end} if unknown else ())}
        known = [unit for unit, count in counts.most_common() if count >= min_count and unit not in special]
        if unknown or UNKNOWN in counts or min_count > 1 or (vocabulary_size and len(known) > vocabulary_size):
            known = [*known[: vocabulary_size and max(0, vocabulary_size - len(special))], *special]
        backend = Backend(models.WordLevel({unit: n for n, unit in enumerate(sorted(known))}, UNKNOWN))
        return cls(backend, units)

    def __len__(self) -> int:
        return self.backend.get_vocab_size()

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """Units and their numbers; asked for once, because the library builds it anew each time."""
        return self.backend.get_vocab()

    def encode(self, text: str, source: str = "the text") -> Tensor:
        """Numbers of a text's units, (units,).

        Raises:
            DataError: The text has units that training did not see, and there is no `<unk>` to stand for them; or
                it is no text of Unicode.
        """
        if self.units in ("character", "word"):
            return self._encode_known(text if self.units == "character" else _words(text), source)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"{source} has {text[error.start]!r} at {error.start:,}, half a character; take it out"
            ) from None
        lines = text.splitlines(keepends=True)
        numbers: list[int] = []
        for first in range(0, len(lines), LINES_AT_ONCE):
            for encoding in self.backend.encode_batch_fast(lines[first : first + LINES_AT_ONCE]):
                numbers += encoding.ids
        return torch.tensor(numbers, dtype=torch.long)

    def encode_lines(self, lines: Sequence[str], source: str = "the text") -> list[Tensor]:
        """Numbers of each line's units; the lines have no line ends in them.

        Raises:
            DataError: As `encode`.
        """
        if self.units == "character":
            return [self.encode(line, source) for line in lines]
        if self.units == "word":  # a word that looks like the end of a line is none
            lists = ([UNKNOWN if word == END_OF_LINE else word for word in line.split()] for line in lines)
            return [self._encode_known(each, source) for each in lists]
        try:
            encodings = self.backend.encode_batch_fast(list(lines))
        except TypeError:  # some line is no text of Unicode: let `encode` name its place
            return [self.encode(line, f"line {number} of {source}") for number, line in enumerate(lines, 1)]
        return [torch.tensor(encoding.ids, dtype=torch.long) for encoding in encodings]

    @property
    def border(self) -> int:
        """The number of a line's end, which also stands before a line.

        Raises:
            DataError: The tokenizer was learned from a single line.
        """
        return int(self.encode("\n", "the end of a line")[0])

    def _encode_known(self, units: str | list[str], source: str) -> Tensor:
        vocabulary = self.vocabulary
        unknown = self.unknown
        numbers = [vocabulary.get(unit, unknown) for unit in units]
        if None in numbers:
            missing = Counter(unit for unit in units if unit not in vocabulary)
            shown = ", ".join(repr(unit) for unit, _ in missing.most_common(5))
            raise DataError(
                f"{source} has {len(missing)} {self.units}s that the training text lacks: {shown}"
                f"{', ...' if len(missing) > 5 else ''}; expected known ones; take them out, "
                f"or train with --units byte, --units bpe or --min-count 2"
            )
        return torch.tensor(numbers, dtype=torch.long)

    @property
    def unknown(self) -> int | None:
        """The number that stands for units that training did not see, where there is one."""
        return self.vocabulary.get(UNKNOWN)

    @property
    def marks(self) -> set[str]:
        """Units that are no text: the end of a line, and what stands for units that training did not see."""
        return {UNKNOWN, END_OF_LINE, "\n"} & self.vocabulary.keys()

    def pieces(self, numbers: Iterable[int]) -> list[str]:
        """Each unit as a text of its own, for people; bytes that are no character by themselves are �."""
        return [self._pieces[number] for number in numbers]

    @cached_property
    def _pieces(self) -> list[str]:
        return [self.decoder().put(self.backend.id_to_token(number) or "") for number in range(len(self))]

    def decode(self, numbers: Iterable[int] | Tensor) -> str:
        """The text of some units."""
        return "".join(self.stream(int(number) for number in numbers))

    def stream(self, numbers: Iterable[int], decoder: Decoder | None = None) -> Iterator[str]:
        """Text as its units come; a character of several bytes comes when its last byte does.

        Args:
            numbers: The units.
            decoder: What `decoder` made, to go on after another text.
        """
        decoder = decoder or self.decoder()
        for number in numbers:
            piece = decoder.put(self.backend.id_to_token(number) or "")
            if piece:
                yield piece

    def decoder(self) -> Decoder:
        """What turns units into text, at the start of one."""
        return {"character": Decoder, "word": Spaced, "byte": Bytewise, "bpe": Bytewise}[self.units]()

    def save(self, path: Path) -> None:
        """Write one JSON file that the `tokenizers` library reads too."""
        write_text(path, self.backend.to_str(pretty=True))

    @classmethod
    def load(cls, path: Path, units: Units) -> "Tokenizer":
        """Read what `save` wrote.

        Raises:
            RunError: The file is missing or damaged.
        """
        try:
            return cls(Backend.from_str(path.read_text(encoding="utf-8")), units)
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror}; is this a run folder of elman?") from error
        except Exception as error:  # the library raises bare Exception
            raise RunError(f"{path} is damaged: {error}; restore it or train again") from error


def _words(text: str) -> list[str]:
    """Words between white space; each line ends with `<eos>`."""
    lines = text.split("\n")
    words = [word for line in lines[:-1] for word in (*line.split(), END_OF_LINE)]
    return words + lines[-1].split()


def _byte_level(model: models.Model) -> Backend:
    backend = Backend(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend
