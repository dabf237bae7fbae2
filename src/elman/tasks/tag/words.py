"""Tags of words: names and other stretches, or one for each word."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from elman.data import (
    Sentence,
    TagBatch,
    TagBatches,
    TagColumns,
    Tagged,
    Tokenizer,
    Vocabulary,
    WordTable,
    plain,
    read_json,
    read_tagged,
    tagged_motifs,
    write_json,
)
from elman.errors import DataError, RunError
from elman.layers import LayerState, find_cell
from elman.models import Tagger, WordVectors
from elman.tasks.generate.text import Texts
from elman.tasks.inspection.case import Case
from elman.tasks.tag.answers import Answers, Asked
from elman.tasks.tag.base import TagTask
from elman.tasks.tag.marker import Marker
from elman.tasks.tag.options import Tagging
from elman.tasks.tag.phrase_book import PhraseBook
from elman.tasks.tag.tags import Tags
from elman.tasks.task import Examples, Loss, Task, refuse_settings

AT_ONCE = 16_000
"""Words that are judged or answered side by side, padding included."""


class Words(TagTask):
    """Named entities, parts of speech, semantic roles, signs in DNA."""

    words: Vocabulary
    letters: Vocabulary
    rare: frozenset[int] = frozenset()
    """Words that training has seen once."""
    table: WordTable | None = None
    """Vectors of words that others have trained."""
    tags: Tags
    book: PhraseBook

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = tagged_motifs() if train is None else self._tagged(train)
        found, held_out = found.split() if valid is None else (found, self._tagged(valid))
        self.table = self.options.table()
        if start is None or not (start / self.saved).exists():
            self._learn(found, start)
        else:
            self.load(start)
        counts = Counter(self.words.of_forms(word, plain(word)) for one in found.sentences for word in one.words)
        self.rare = frozenset(number for number, count in counts.items() if count == 1)
        notes = () if self.table is None else (self.table.note(self.options.vectors, self.words.numbers),)
        batches = self._batches(found.sentences, self.options.batch_size, rare=self.rare)
        return Examples(
            train=batches,
            valid=self._batches(held_out.sentences),
            notes=(*found.notes, *held_out.notes, *notes),
            rows=tuple(" ".join(map("/".join, zip(one.words, one.tags, strict=True))) for one in found.sentences[:3]),
            facts={
                "training sentences": len(found),
                "validation sentences": len(held_out),
                "training words": sum(len(one.words) for one in found.sentences),
                "known words": len(self.words),
                "known letters": len(self.letters),
                "tags": len(self.tags),
            },
            fingerprint=found.fingerprint + held_out.fingerprint,
        )

    def _tagged(self, path: Path) -> Tagged:
        return read_tagged(path, TagColumns(self.options.word, self.options.tag, self.options.predicate))

    def _learn(self, found: Tagged, encoder: Path | None) -> None:
        options = self.options
        words = [word for one in found.sentences for word in one.words]
        if encoder is None:
            self.words = Vocabulary.of(map(plain, words), min_count=options.min_count, size=options.vocabulary_size)
            others = () if self.table is None else (word for word in self.table.words if word not in self.words.numbers)
            self.words = Vocabulary([*self.words.known, *others])
        else:
            self.words = Vocabulary(_units_of(encoder))
        self.letters = Vocabulary.of(letter for word in words for letter in word)
        self._know(Tags(sorted({tag for one in found.sentences for tag in one.tags}), spans=found.spans))
        self.book = PhraseBook.of(found.sentences, spans=found.spans)
        if len(self.tags) < 2:
            raise DataError(
                f"every word has the tag {self.tags.names[0]!r}; expected two different ones or more; choose --tag"
            )

    def _know(self, tags: Tags) -> None:
        self.tags = tags
        self.best = ("f1" if tags.spans else "accuracy", "max")
        self.told = (self.best[0],)

    def _batches(
        self, sentences: Sequence[Sentence], batch_size: int | None = None, rare: frozenset[int] = frozenset()
    ) -> TagBatches:
        units, numbers = None if batch_size else AT_ONCE, self.tags.numbers
        return TagBatches(sentences, self.words, self.letters, numbers, batch_size, units=units, rare=rare)

    def read_to_score(self, path: Path) -> TagBatches:
        return self._batches(self._tagged(path).sentences)

    def description(self) -> dict[str, Any]:
        return {"takes": "text", "labels": self.tags.names, "marked": self.options.predicate is not None}

    def network(self) -> Tagger:
        options = self.options
        vectors = WordVectors(
            len(self.words),
            len(self.letters),
            find_cell(options.cell),
            word_size=options.embedding_size,
            letter_size=options.letter_size,
            spelling_size=options.spelling_size,
            mark_size=options.mark_size if options.predicate else 0,
            pair_size=options.pair_size,
            word_dropout=options.word_dropout,
        )
        body = options.body(vectors.output_size, bidirectional=options.bidirectional)
        crf = self.tags.chain() if options.crf else None
        return Tagger(vectors, body, len(self.tags), crf, **options.dropouts())

    def begin(self, network: nn.Module) -> None:
        if self.table is not None:
            assert isinstance(network, Tagger)
            self.table.put_into(network.units.weight, self.words.numbers)

    def vectors_of(self, encoder: Task, vectors: Tensor) -> Tensor:
        """Those of the words of a language model, behind one for unknown words."""
        assert isinstance(encoder, Texts)
        unknown = encoder.tokenizer.unknown
        return torch.cat(
            [vectors.mean(0, keepdim=True) if unknown is None else vectors[unknown : unknown + 1], vectors]
        )

    def loss(self, network: nn.Module, batch: TagBatch, state: LayerState | None) -> Loss:
        assert isinstance(network, Tagger)
        scores = network(batch)
        loss = network.loss(scores, batch)
        if network.training and self.teacher is not None:
            assert isinstance(self.teacher.network, Tagger)
            loss = self.teacher.mix(loss, network.surprise(scores, batch, self.teacher.network))
        return Loss(loss, int(batch.lengths.sum()), None)

    def judge(self, **settings: Any) -> Marker:
        refuse_settings(settings)
        return Marker(self.tags, self.book)

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """For each text its stretches, or its words with their tags, as dictionaries ready for JSON.

        Args:
            network: What tags.
            inputs: Texts. Where roles are learned, *stars* stand around the predicate.
            settings: Those of `Tagging`.
        """
        assert isinstance(network, Tagger)
        options = Tagging.of(settings)
        marked = self.options.predicate is not None
        asked = [Asked.of(text, f"input {number}", marked=marked) for number, text in enumerate(inputs, 1)]
        answers: list[list[dict[str, Any]]] = [[]] * len(asked)
        for batch in self._batches([one.sentence() for one in asked]):
            said, some = Answers(network, self.tags, batch), [asked[row] for row in batch.rows]
            found = said.several(some, options.n_best) if options.n_best else said.best(some, sure=options.confidence)
            for row, answer in zip(batch.rows, found, strict=True):
                answers[row] = answer
        return answers

    @torch.no_grad()
    def case(self, network: nn.Module, given: str) -> Case:
        """How sure it is of the best tag of each word by itself, all together."""
        assert isinstance(network, Tagger)
        asked = Asked.of(given, "the input", marked=self.options.predicate is not None)
        batch = next(iter(self._batches([asked.sentence()])))

        def score() -> Tensor:
            return network(batch)[:, 0].log_softmax(1).amax(1).sum()

        (answer,) = self.predict(network, [given])
        return Case([word.text for word in asked.words], network.body, answer, score)

    def save(self, folder: Path) -> None:
        self.words.save(folder / "words.json")
        self.letters.save(folder / "letters.json")
        write_json(folder / "phrase_book.json", self.book.as_json())
        self.options.save_cell(folder)
        write_json(folder / self.saved, {"tags": self.tags.names, "spans": self.tags.spans})

    def load(self, folder: Path) -> None:
        self.words = Vocabulary.load(folder / "words.json")
        self.letters = Vocabulary.load(folder / "letters.json")
        self.book = PhraseBook.from_json(read_json(folder / "phrase_book.json"))
        known = read_json(folder / self.saved)
        self._know(Tags(known["tags"], spans=known["spans"]))


def _units_of(encoder: Path) -> list[str]:
    """The units that a language model knows, in their order."""
    units = read_json(encoder / "config.json")["settings"]["units"]
    if units not in ("word", "character"):
        raise RunError(f"{encoder} reads {units} units; expected words or characters, for each of which there is a tag")
    numbers = Tokenizer.load(encoder / "tokenizer.json", units).vocabulary
    return sorted(numbers, key=numbers.__getitem__)
