"""The task `tag`: learn to say something about every word, or to find stretches of words."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from elman.data import (
    OUTSIDE,
    Sentence,
    Span,
    TagBatch,
    TagBatches,
    TagColumns,
    Tagged,
    Tokenizer,
    Vocabulary,
    Word,
    WordTable,
    may_follow,
    plain,
    read_json,
    read_tagged,
    spans_of,
    split_words,
    tagged_motifs,
    write_json,
)
from elman.errors import DataError, OptionError, RunError
from elman.layers import CRF, FORBIDDEN, LayerState, find_cell
from elman.models import Tagger, WordVectors
from elman.tasks.generate.task import Generate
from elman.tasks.options import Count, Options, WholeOrNone
from elman.tasks.tag.phrase_book import PhraseBook
from elman.tasks.tag.scores import accuracy, span_scores
from elman.tasks.task import Examples, Judge, Loss, Task, refuse_settings
from elman.tasks.word_options import WordOptions

STAR = "*"
"""Stands on both sides of a predicate."""

AT_ONCE = 16_000
"""Words that are judged or answered side by side, padding included."""


class TagOptions(WordOptions):
    """What is learned from tagged sentences, and with what."""

    reading: ClassVar[tuple[str, ...]] = (*WordOptions.reading, "word", "tag", "predicate")
    columns: ClassVar[tuple[str, ...]] = ("word", "tag", "predicate")
    learned: ClassVar[tuple[str, ...]] = ("min_count", "vocabulary_size")
    fixed: ClassVar[tuple[str, ...]] = (
        *(*WordOptions.fixed, "letter_size", "spelling_size", "mark_size", "crf", "bidirectional"),
    )

    word: Count = 1
    """The column of words."""
    tag: Count | None = None
    """The column of tags; the last one when nothing is said."""
    predicate: Count | None = None
    """The column that marks predicates, each with a column of its roles behind; so roles are learned."""
    min_count: Count = 1
    """Words seen less often are unknown; their letters are still read."""
    vocabulary_size: Count | None = None
    """Keep at most this many words."""
    letter_size: WholeOrNone = 32
    """Numbers in a letter's vector; 0 reads no letters, as for texts of single characters."""
    spelling_size: Count = 32
    """Numbers in each direction's output of the network that reads letters."""
    mark_size: Count = 32
    """Numbers in the vector that tells a predicate from other words."""
    bidirectional: bool = True
    """Read sentences from both ends."""
    crf: bool = True
    """Learn which tags follow each other, and choose all tags of a sentence together."""
    batch_size: Count = 32
    """Sentences that are read side by side."""


class Tagging(Options):
    """How it is answered."""

    confidence: bool = False
    """Say how probable each stretch or tag is."""
    n_best: Count | None = None
    """Give so many ways to tag a text, the best first, each with its probability."""


class Tag(Task):
    """Named entities, parts of speech, semantic roles, signs in DNA."""

    name: ClassVar[str] = "tag"
    summary: ClassVar[str] = "Learn to find names and other stretches in texts, or to give every word a tag."
    options_class: ClassVar[type[Options]] = TagOptions
    predicting_class: ClassVar[type[Options]] = Tagging
    answers_with: ClassVar[str] = "answer"
    saved: ClassVar[str] = "tags.json"
    encoders: ClassVar[dict[str, dict[str, Any]]] = {"generate": {"bidirectional": False, "letter_size": 0}}

    options: TagOptions
    words: Vocabulary
    letters: Vocabulary
    rare: frozenset[int] = frozenset()
    """Words that training has seen once."""
    table: WordTable | None = None
    """Vectors of words that others have trained."""
    tags: list[str]
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
        self.tags = sorted({tag for one in found.sentences for tag in one.tags})
        self._say_best(spans=found.spans)
        self.book = PhraseBook.of(found.sentences, spans=found.spans)
        if len(self.tags) < 2:
            raise DataError(
                f"every word has the tag {self.tags[0]!r}; expected two different ones or more; choose --tag"
            )

    def _say_best(self, *, spans: bool) -> None:
        self.spans = spans
        self.best = ("f1" if spans else "accuracy", "max")
        self.told = (self.best[0],)

    def _batches(
        self, sentences: Sequence[Sentence], batch_size: int | None = None, rare: frozenset[int] = frozenset()
    ) -> TagBatches:
        tags = {tag: number for number, tag in enumerate(self.tags)}
        units = None if batch_size else AT_ONCE
        return TagBatches(sentences, self.words, self.letters, tags, batch_size, units=units, rare=rare)

    def read_to_score(self, path: Path) -> TagBatches:
        return self._batches(self._tagged(path).sentences)

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
            word_dropout=options.word_dropout,
        )
        body = options.body(vectors.output_size, bidirectional=options.bidirectional)
        crf = self._chain() if options.crf else None
        return Tagger(vectors, body, len(self.tags), crf, **options.dropouts())

    def _chain(self) -> CRF:
        if not self.spans:
            return CRF(len(self.tags))
        allowed = torch.tensor([[may_follow(before, tag) for tag in self.tags] for before in self.tags])
        first = torch.tensor([may_follow(OUTSIDE, tag) for tag in self.tags])
        last = torch.tensor([may_follow(tag, OUTSIDE) for tag in self.tags])
        return CRF(len(self.tags), allowed, first, last)

    def begin(self, network: nn.Module) -> None:
        if self.table is not None:
            assert isinstance(network, Tagger)
            self.table.put_into(network.units.weight, self.words.numbers)

    def vectors_of(self, encoder: Task, vectors: Tensor) -> Tensor:
        """Those of the words of a language model, behind one for unknown words."""
        assert isinstance(encoder, Generate)
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

    def judge(self, **settings: Any) -> "Marker":
        refuse_settings(settings)
        return Marker(self)

    def named(self, tags: Tensor, lengths: Tensor) -> list[list[str]]:
        """Tags (T, B) in words, sentence by sentence."""
        rows = zip(tags.t().tolist(), lengths.tolist(), strict=True)
        return [[self.tags[number] for number in row[:length]] for row, length in rows]

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
        read = [self._read(text, f"input {number}") for number, text in enumerate(inputs, 1)]
        answers: list[list[dict[str, Any]]] = [[]] * len(read)
        for batch in self._batches([sentence for _, sentence in read]):
            scores = network(batch)
            texts = [(read[row][0], inputs[row]) for row in batch.rows]
            if options.n_best:
                found = self._best(network, scores, batch.lengths, texts, options.n_best)
            else:
                found = self._one(network, scores, batch.lengths, texts, sure=options.confidence)
            for row, answer in zip(batch.rows, found, strict=True):
                answers[row] = answer
        return answers

    def _one(
        self, network: Tagger, scores: Tensor, lengths: Tensor, texts: Sequence[tuple[list[Word], str]], *, sure: bool
    ) -> list[list[dict[str, Any]]]:
        """The best tags of each text; with how probable each stretch is, if that is wanted."""
        tags = self.named(network.best(scores, lengths), lengths)
        found = [self._spans(row) for row in tags]
        answers = [[_shown(span, *text) for span in spans] for spans, text in zip(found, texts, strict=True)]
        if sure:
            steps = [(column, span, tags[column]) for column, spans in enumerate(found) for span in spans]
            shares = self._probabilities(network, scores, lengths, steps)
            for shown, share in zip((one for answer in answers for one in answer), shares, strict=True):
                shown["probability"] = round(share, 4)
        return answers

    def _best(
        self, network: Tagger, scores: Tensor, lengths: Tensor, texts: Sequence[tuple[list[Word], str]], count: int
    ) -> list[list[dict[str, Any]]]:
        """Several ways to tag each text, the best first, each with its probability."""
        if network.crf is None:
            raise OptionError("n_best expects a model with a chain of tags; train one with crf, or leave n_best away")
        paths = network.crf.best(scores, lengths, count)
        shares = (paths.scores - network.crf.of_all(scores, lengths)).exp()
        answers: list[list[dict[str, Any]]] = [[] for _ in texts]
        for labels, of_path in zip(paths.labels, shares.tolist(), strict=True):
            for column, (tags, share) in enumerate(zip(self.named(labels, lengths), of_path, strict=True)):
                if share > 0:
                    spans = [_shown(span, *texts[column]) for span in self._spans(tags)]
                    answers[column].append({"probability": round(share, 4), "spans": spans})
        return answers

    def _spans(self, tags: list[str]) -> list[Span]:
        """Stretches of tags, or each tag by itself."""
        return spans_of(tags) if self.spans else [Span(n, n + 1, tag) for n, tag in enumerate(tags)]

    def _probabilities(
        self, network: Tagger, scores: Tensor, lengths: Tensor, steps: list[tuple[int, Span, list[str]]]
    ) -> list[float]:
        """How probable it is that the words of each stretch have just these tags, whatever the others have."""
        if not steps:
            return []
        columns = torch.tensor([column for column, _, _ in steps])
        forced = scores[:, columns].clone()
        for number, (_, (start, end, _), tags) in enumerate(steps):
            for step in range(start, end):
                only = torch.ones(len(self.tags), dtype=torch.bool)
                only[self.tags.index(tags[step])] = False
                forced[step, number].masked_fill_(only, FORBIDDEN)
        return (network.of_all(forced, lengths[columns]) - network.of_all(scores, lengths)[columns]).exp().tolist()

    def _read(self, text: str, place: str) -> tuple[list[Word], Sentence]:
        words = split_words(text) if isinstance(text, str) else []
        marks = None
        if self.options.predicate:
            words, marks = _marked(words, place)
        if not words:
            raise DataError(f"{place} has no words; expected a text; received {text!r}")
        return words, Sentence(tuple(word.text for word in words), (OUTSIDE,) * len(words), marks)

    def save(self, folder: Path) -> None:
        self.words.save(folder / "words.json")
        self.letters.save(folder / "letters.json")
        write_json(folder / "phrase_book.json", self.book.as_json())
        self.options.save_cell(folder)
        write_json(folder / self.saved, {"tags": self.tags, "spans": self.spans})

    def load(self, folder: Path) -> None:
        self.words = Vocabulary.load(folder / "words.json")
        self.letters = Vocabulary.load(folder / "letters.json")
        self.book = PhraseBook.from_json(read_json(folder / "phrase_book.json"))
        known = read_json(folder / self.saved)
        self.tags = known["tags"]
        self._say_best(spans=known["spans"])


class Marker(Judge):
    """How many stretches, or words, a model gets right; beside it what a list of phrases gets right."""

    def __init__(self, task: Tag) -> None:
        self.task = task
        self.nats, self.count = 0.0, 0
        self.judged: dict[int, tuple[Sentence, list[str]]] = {}

    def add(self, network: nn.Module, batch: TagBatch) -> None:
        assert isinstance(network, Tagger)
        scores, words = network(batch), int(batch.lengths.sum())
        self.nats, self.count = self.nats + words * float(network.loss(scores, batch)), self.count + words
        tags = self.task.named(network.best(scores, batch.lengths), batch.lengths)
        self.judged.update(zip(batch.rows, zip(batch.sentences, tags, strict=True), strict=True))

    def _columns(self) -> tuple[list[tuple[str, ...]], list[list[str]], list[list[str]]]:
        """True tags, those of the model and those of the phrase book, in the order of the file."""
        pairs = [self.judged[row] for row in sorted(self.judged)]
        books = [self.task.book.tags(one.words) for one, _ in pairs]
        return [one.tags for one, _ in pairs], [tags for _, tags in pairs], books

    def scores(self) -> dict[str, float]:
        wanted, said, books = self._columns()
        loss = {"loss": self.nats / max(1, self.count)}
        right = {"accuracy": accuracy(said, wanted)}
        if not self.task.spans:
            return loss | right | {"accuracy of the phrase book": accuracy(books, wanted)}
        found, book = span_scores(said, wanted)[""], span_scores(books, wanted)[""]
        of_spans = {"f1": found.f1, "precision": found.precision, "recall": found.recall}
        return loss | of_spans | {"f1 of the phrase book": book.f1} | right

    def notes(self) -> tuple[str, ...]:
        if not self.task.spans:
            return ()
        wanted, said, _ = self._columns()
        return tuple(
            f"{name}: F1 {one.f1:.4f}, precision {one.precision:.4f}, recall {one.recall:.4f}, {one.wanted:,} there"
            for name, one in span_scores(said, wanted).items()
            if name
        )

    def written(self) -> list[str]:
        return [" ".join(tags) for tags in self._columns()[1]]


def _units_of(encoder: Path) -> list[str]:
    """The units that a language model knows, in their order."""
    units = read_json(encoder / "config.json")["settings"]["units"]
    if units not in ("word", "character"):
        raise RunError(f"{encoder} reads {units} units; expected words or characters, for each of which there is a tag")
    numbers = Tokenizer.load(encoder / "tokenizer.json", units).vocabulary
    return sorted(numbers, key=numbers.__getitem__)


def _shown(span: Span, words: Sequence[Word], text: str) -> dict[str, Any]:
    start, end = words[span.start].start, words[span.end - 1].end
    return {"start": start, "end": end, "label": span.label, "text": text[start:end]}


def _marked(words: list[Word], place: str) -> tuple[list[Word], tuple[bool, ...]]:
    """Words without the stars around the predicate, and which word it is."""
    stars = [step for step, word in enumerate(words) if word.text == STAR]
    if len(stars) != 2 or stars[1] != stars[0] + 2:
        raise DataError(f"{place} expects stars around its predicate, such as: She *gave* him a book")
    kept = [word for word in words if word.text != STAR]
    return kept, tuple(step == stars[0] for step in range(len(kept)))
