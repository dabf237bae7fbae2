"""How good tags are."""

from torch import nn

from elman.data import Sentence, TagBatch
from elman.models import Tagger
from elman.tasks.tag.phrase_book import PhraseBook
from elman.tasks.tag.scores import accuracy, span_scores
from elman.tasks.tag.tags import Tags
from elman.tasks.task import Judge


class Marker(Judge):
    """How many stretches, or words, a model gets right; beside it what a list of phrases gets right."""

    def __init__(self, tags: Tags, book: PhraseBook) -> None:
        self.tags, self.book = tags, book
        self.nats, self.count = 0.0, 0
        self.judged: dict[int, tuple[Sentence, list[str]]] = {}

    def add(self, network: nn.Module, batch: TagBatch) -> None:
        assert isinstance(network, Tagger)
        scores, words = network(batch), int(batch.lengths.sum())
        self.nats, self.count = self.nats + words * float(network.loss(scores, batch)), self.count + words
        tags = self.tags.named(network.best(scores, batch.lengths), batch.lengths)
        self.judged.update(zip(batch.rows, zip(batch.sentences, tags, strict=True), strict=True))

    def _columns(self) -> tuple[list[tuple[str, ...]], list[list[str]], list[list[str]]]:
        """True tags, those of the model and those of the phrase book, in the order of the file."""
        pairs = [self.judged[row] for row in sorted(self.judged)]
        books = [self.book.tags(one.words) for one, _ in pairs]
        return [one.tags for one, _ in pairs], [tags for _, tags in pairs], books

    def scores(self) -> dict[str, float]:
        wanted, said, books = self._columns()
        loss = {"loss": self.nats / max(1, self.count)}
        right = {"accuracy": accuracy(said, wanted)}
        if not self.tags.spans:
            return loss | right | {"accuracy of the phrase book": accuracy(books, wanted)}
        found, book = span_scores(said, wanted)[""], span_scores(books, wanted)[""]
        of_spans = {"f1": found.f1, "precision": found.precision, "recall": found.recall}
        return loss | of_spans | {"f1 of the phrase book": book.f1} | right

    def notes(self) -> tuple[str, ...]:
        if not self.tags.spans:
            return ()
        wanted, said, _ = self._columns()
        return tuple(
            f"{name}: F1 {one.f1:.4f}, precision {one.precision:.4f}, recall {one.recall:.4f}, {one.wanted:,} there"
            for name, one in span_scores(said, wanted).items()
            if name
        )

    def written(self) -> list[str]:
        return [" ".join(tags) for tags in self._columns()[1]]
