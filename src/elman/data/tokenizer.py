"""Text to numbers and back: characters, bytes, words or byte-pair units, kept by the `tokenizers` library."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers
from tokenizers.decoders import DecodeStream
from torch import Tensor

from elman.data.files import write_text
from elman.errors import DataError, RunError

Units = Literal["character", "byte", "word", "bpe"]

UNKNOWN = "<unk>"
END_OF_LINE = "<eos>"
BYTE_SYMBOLS = sorted(pre_tokenizers.ByteLevel.alphabet())
LINES_AT_ONCE = 10_000


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
    def learn(cls, text: str, units: Units, *, vocabulary_size: int | None = None, min_count: int = 1) -> "Tokenizer":
        """Find the units of a text.

        Args:
            text: What the model will be trained on.
            units: What one unit is.
            vocabulary_size: At most so many units. Byte-pair units stop here, 2,000 when omitted.
            min_count: Words and characters seen less often read as `<unk>`.
        """
        if units == "byte":
            return cls(_byte_level(models.BPE(vocab={s: n for n, s in enumerate(BYTE_SYMBOLS)}, merges=[])), units)
        if units == "bpe":
            backend = _byte_level(models.BPE())
            trainer = trainers.BpeTrainer(
                vocab_size=vocabulary_size or 2000, initial_alphabet=BYTE_SYMBOLS, show_progress=False
            )
            backend.train_from_iterator(text.splitlines(keepends=True), trainer)
            return cls(backend, units)
        counts = Counter(text if units == "character" else _words(text))
        frequent = [unit for unit, count in counts.most_common(vocabulary_size) if count >= min_count]
        if len(frequent) < len(counts) and UNKNOWN not in frequent:
            frequent.append(UNKNOWN)
        backend = Backend(models.WordLevel({unit: n for n, unit in enumerate(sorted(frequent))}, UNKNOWN))
        return cls(backend, units)

    def __len__(self) -> int:
        return self.backend.get_vocab_size()

    @property
    def vocabulary(self) -> dict[str, int]:
        return self.backend.get_vocab()

    def encode(self, text: str, source: str = "the text") -> Tensor:
        """Numbers of a text's units, (units,).

        Raises:
            DataError: The text has units that training did not see, and there is no `<unk>` to stand for them.
        """
        if self.units in ("character", "word"):
            return self._encode_known(text if self.units == "character" else _words(text), source)
        lines = text.splitlines(keepends=True)
        numbers: list[int] = []
        for first in range(0, len(lines), LINES_AT_ONCE):
            for encoding in self.backend.encode_batch_fast(lines[first : first + LINES_AT_ONCE]):
                numbers += encoding.ids
        return torch.tensor(numbers, dtype=torch.long)

    def _encode_known(self, units: str | list[str], source: str) -> Tensor:
        vocabulary = self.vocabulary
        unknown = vocabulary.get(UNKNOWN)
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

    def decode(self, numbers: list[int] | Tensor) -> str:
        """The text of some units."""
        return "".join(self.stream(int(number) for number in numbers))

    def stream(self, numbers: Iterator[int]) -> Iterator[str]:
        """Text as its units come; a character of several bytes comes when its last byte does."""
        if self.units in ("byte", "bpe"):
            yield from self._stream_bytes(numbers)
            return
        start_of_line = True
        for number in numbers:
            unit = self.backend.id_to_token(number)
            if self.units == "character":
                yield unit
                continue
            yield "\n" if unit == END_OF_LINE else unit if start_of_line else f" {unit}"
            start_of_line = unit == END_OF_LINE

    def _stream_bytes(self, numbers: Iterator[int]) -> Iterator[str]:
        stream = DecodeStream(skip_special_tokens=False)
        for number in numbers:
            piece = stream.step(self.backend, number)
            if piece:
                yield piece

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
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=isinstance(model, models.BPE))
    backend.decoder = decoders.ByteLevel()
    return backend
