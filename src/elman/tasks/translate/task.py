"""The task `translate`: learn from pairs of texts how to make the second of the first."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from torch import nn

from elman.data import (
    EmbeddedName,
    NumberedPairs,
    PairBatch,
    PairBatches,
    Pairs,
    Tokenizer,
    UnitDropout,
    cut_to,
    embedded_pairs,
    read_pairs,
)
from elman.errors import DataError, OptionError
from elman.layers import Attend, LayerState, find_cell
from elman.models import RecurrentTranslator, Tied, TransformerTranslator, Translator
from elman.pictures import draw_alignment
from elman.tasks.network_options import NetworkOptions
from elman.tasks.options import Count, Options, Share
from elman.tasks.task import Examples, Judge, Loss, RunningLoss, Task
from elman.tasks.text_options import TextOptions
from elman.tasks.translate.answers import UNITS_AT_ONCE, Answers, Known
from elman.tasks.translate.dialogue import Dialogue
from elman.tasks.translate.scores import bleu, chrf, paired_bootstrap, rouge, tokenizer_for
from elman.tasks.translate.search import Searching

END = "⏎"
"""Stands for the end in a picture."""


class TranslateOptions(NetworkOptions, TextOptions):
    """What is learned from pairs of texts, and with what."""

    reading: ClassVar[tuple[str, ...]] = ("source", "target", "history", "embedded", "max_length", "too_long")
    columns: ClassVar[tuple[str, ...]] = ("source", "target")
    learned: ClassVar[tuple[str, ...]] = (*TextOptions.learned, "vocabulary")
    fixed: ClassVar[tuple[str, ...]] = (
        *NetworkOptions.fixed,
        *("network", "decoder_layers", "attention", "attend", "heads", "tied"),
    )

    source: str | None = None
    """Where the sources stand: a column, a path in JSON such as dial[].usr.text, or the end of a file's name."""
    target: str | None = None
    """The same of the targets; with neither, the first two columns, or those named source and target."""
    embedded: EmbeddedName = "spelled"
    """The set where no file is given: numbers spelled out, reports summed up, letters copied or turned round."""
    history: int = Field(default=0, ge=0)
    """Earlier turns of a dialogue that stand before a source."""
    vocabulary: Literal["joint", "separate"] = "joint"
    """One vocabulary for sources and targets together, or one for each."""
    unit_dropout: Share = 0.0
    """Share of the merges of byte-pair units passed over in training, so that words come in many pieces."""
    max_length: Count = 200
    """Units of a source or target in training; what becomes of longer ones `too_long` says."""
    too_long: Literal["drop", "cut", "keep"] = "drop"
    """Longer ones are dropped, cut at their end, or kept; how many there are is said."""
    batch_units: Count = 1500
    """Units that are read side by side, padding included, on the longer side of the pairs."""
    network: Literal["recurrent", "transformer"] = "recurrent"
    """Recurrent layers, or to compare a Transformer of torch's own, with feed-forward networks of hidden_size."""
    decoder_layers: Count | None = None
    """Layers of the network that writes; as many as of the one that reads when nothing is said."""
    attention: Literal["additive", "general", "query_key", "multi_head", "none"] = "additive"
    """How a place of the source is compared with what is sought: a score of one look, several looks, or none."""
    attend: Attend = "after"
    """Look after the recurrence, between its layers, inside before each step, or after each, feeding it to the next."""
    heads: Count = 4
    """Looks side by side, of multi_head."""
    tied: Tied = "output"
    """What uses the same vectors: nothing, the target's units and the output layer, or all with the source's too."""
    label_smoothing: Share = 0.1
    """Share of the target that is spread over all units in training."""

    @model_validator(mode="after")
    def _options_that_act(self) -> Self:
        recurrent = self.attention, self.attend, self.residual, self.zoneout, self.weight_drop, self.recurrent_dropout
        if self.network == "transformer" and recurrent != ("additive", "after", False, 0, 0, 0):
            raise ValueError(
                "attention, attend, residual, zoneout, weight_drop and recurrent_dropout act on recurrent networks "
                "only; leave them away"
            )
        if self.attention == "none" and self.attend != "after":
            raise ValueError(f"attend = {self.attend} expects an attention; received none; leave one of them away")
        if self.unit_dropout and (self.units != "bpe" or self.too_long == "cut"):
            raise ValueError("unit_dropout expects units = bpe, and long pairs that are dropped or kept; leave it away")
        if self.tied == "all" and self.vocabulary == "separate":
            raise ValueError("tied = all expects one vocabulary; take vocabulary = joint, or tied = output")
        return self


class Translate(Task):
    """Pairs of texts of any kind: translations, summaries, answers in a dialogue."""

    name: ClassVar[str] = "translate"
    summary: ClassVar[str] = "Learn to make one text of another: a translation, a summary, an answer."
    options_class: ClassVar[type[Options]] = TranslateOptions
    predicting_class: ClassVar[type[Options]] = Searching
    answers_when_judged: ClassVar[bool] = True
    saved: ClassVar[str] = "source_units.json"
    taught: ClassVar[bool] = False
    best: tuple[str, Literal["min", "max"]] = ("chrf", "max")
    told: tuple[str, ...] = ("bleu", "chrf")

    options: TranslateOptions
    source: Tokenizer
    target: Tokenizer
    known: Known
    """What training has seen of sources."""

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        bleu(["a"], ["a"])  # asks for its library before anything is trained
        pairs = self._training_pairs(train)
        held_out = None if valid is None else self._pairs(valid)
        pairs, held_out = pairs.split() if held_out is None else (pairs, held_out)
        if start is None:
            self._learn(pairs)
        else:
            self.load(start)
        kept, note = self._bounded(self._numbered(pairs, "the training pairs"))
        known = Known.of(kept.sources, len(self.source))
        self.known = known if start is None else self.known.joined(known)
        varied = None
        if p := self.options.unit_dropout:
            varied = UnitDropout(self.source, p), UnitDropout(self.target, p)
        batches = PairBatches(kept, self._borders(), self.options.batch_units, "the training pairs", varied)
        shown = batches.of(range(min(3, len(kept))))
        return Examples(
            train=batches,
            valid=self._batches(held_out, "the validation pairs"),
            notes=(*pairs.notes, *held_out.notes, *note),
            rows=tuple(f"{a} → {b}" for a, b in zip(shown.sources, shown.references, strict=True)),
            facts={
                "training pairs": len(kept),
                "validation pairs": len(held_out),
                "source units": sum(map(len, kept.sources)),
                "target units": sum(map(len, kept.targets)),
                "source vocabulary": len(self.source),
                "target vocabulary": len(self.target),
            },
            fingerprint=pairs.fingerprint + held_out.fingerprint,
        )

    def _training_pairs(self, path: Path | None) -> Pairs:
        options = self.options
        if path is not None and options.embedded != "spelled":
            raise OptionError(f"embedded = {options.embedded} needs no file; received {path}; leave one of them away")
        if path is None and (options.source or options.history):
            raise OptionError("source, target and history are for pairs in a file; give one with --train")
        return embedded_pairs(options.embedded) if path is None else self._pairs(path)

    def _pairs(self, path: Path) -> Pairs:
        return read_pairs(path, self.options.source, self.options.target, history=self.options.history)

    def _learn(self, pairs: Pairs) -> None:
        if self.options.vocabulary == "joint":
            self.source = self.target = self.options.learn_lines((*pairs.sources, *pairs.targets))
        else:
            self.source, self.target = map(self.options.learn_lines, (pairs.sources, pairs.targets))

    def _numbered(self, pairs: Pairs, name: str) -> NumberedPairs:
        sources = self.source.encode_lines(pairs.sources, f"the sources of {name}")
        targets = self.target.encode_lines(pairs.targets, f"the targets of {name}")
        return NumberedPairs(sources, targets, pairs.sources, pairs.targets)

    def _bounded(self, pairs: NumberedPairs) -> tuple[NumberedPairs, tuple[str, ...]]:
        """Without sequences that are too long, and what a person should know about it."""
        limit, way = self.options.max_length, self.options.too_long
        long = [n for n in range(len(pairs)) if max(len(pairs.sources[n]), len(pairs.targets[n])) > limit]
        if not long:
            return pairs, ()
        what = {"drop": "left out", "cut": "cut at the end", "keep": "kept"}[way]
        note = (f"{len(long):,} of {len(pairs):,} pairs are longer than {limit:,} units and are {what}",)
        if way == "drop" and len(long) == len(pairs):
            raise DataError(
                f"all {len(pairs):,} training pairs are longer than max_length, {limit:,} units; expected shorter "
                "ones; give a larger --max-length, or --too-long cut"
            )
        if way == "drop":
            return pairs.without(long), note
        if way == "keep":
            return pairs, note
        sources, _ = cut_to(pairs.sources, limit, "end")
        targets, _ = cut_to(pairs.targets, limit, "end")
        return NumberedPairs(sources, targets, pairs.source_texts, pairs.target_texts), note

    def _batches(self, pairs: Pairs, name: str) -> PairBatches:
        return PairBatches(self._numbered(pairs, name), self._borders(), UNITS_AT_ONCE, name)

    def _borders(self) -> tuple[int, int]:
        return self.source.border, self.target.border

    def read_to_score(self, path: Path) -> PairBatches:
        pairs = self._pairs(path)
        for note in pairs.notes:
            warnings.warn(f"in {path}: {note}", stacklevel=3)
        return self._batches(pairs, str(path))

    def network(self) -> Translator:
        options = self.options
        sizes = {
            "embedding_size": options.embedding_size,
            "hidden_size": options.hidden_size,
            "num_layers": options.num_layers,
            "decoder_layers": options.decoder_layers,
            "heads": options.heads,
        }
        around = {"tied": options.tied, "word_dropout": options.word_dropout, **options.dropouts()}
        vocabularies = len(self.source), len(self.target)
        if options.network == "transformer":
            return TransformerTranslator(*vocabularies, dropout=options.dropout, **sizes, **around)
        return RecurrentTranslator(
            *vocabularies,
            find_cell(options.cell),
            attention=options.attention,
            attend=options.attend,
            regularisation=options.regularisation(),
            **sizes,
            **around,
        )

    def loss(self, network: nn.Module, batch: PairBatch, state: LayerState | None) -> Loss:
        assert isinstance(network, Translator)
        smoothing = self.options.label_smoothing if network.training else 0.0
        return Loss(network.loss(batch, smoothing), int(batch.target_lengths.sum()), None)

    def answers(self, network: nn.Module, *, aligned: bool = True, **settings: Any) -> Answers:
        """What a network writes, searched for under these settings.

        Raises:
            OptionError: A setting is unknown or impossible.
        """
        assert isinstance(network, Translator)
        options = Searching.of(settings)
        return Answers(network, self.source, self.target, self.known, options, aligned=aligned)

    def predict(self, network: nn.Module, inputs: Sequence[str], **settings: Any) -> list[Any]:
        """Answers: texts, or lists of `Answer` where `n_best` is given."""
        several = settings.get("n_best") is not None
        found = self.answers(network, aligned=several, **settings)(inputs, remark=True)
        return found if several else [each[0].text for each in found]

    def draw(self, network: nn.Module, text: str, path: Path, **settings: Any) -> None:
        answer = self.answers(network, **settings)([text])[0][0]
        if answer.alignment is None:
            raise OptionError("this model has no attention to draw; train one with attention")
        draw_alignment(path, [*answer.source_units[:-1], END], answer.units, answer.alignment)

    def judge(self, **settings: Any) -> "Reader":
        if settings.get("n_best") is not None:
            raise OptionError("n_best does not act when a model is judged, by its best answers; leave it away")
        return Reader(self, settings, thorough=True)

    def examiner(self) -> "Reader":
        return Reader(self, {"beam_size": 1})

    def session(self, network: nn.Module, seed: int = 0) -> Dialogue:
        def answer(source: str, **settings: Any) -> str:
            return self.answers(network, aligned=False, **settings)([source], remark=True)[0][0].text

        return Dialogue(answer, self.options.history, seed)

    def save(self, folder: Path) -> None:
        self.options.save_cell(folder)
        self.source.save(folder / "tokenizer.json")
        if self.target is not self.source:
            self.target.save(folder / "target_tokenizer.json")
        self.known.save(folder / self.saved)

    def load(self, folder: Path) -> None:
        self.source = self.target = Tokenizer.load(folder / "tokenizer.json", self.options.units)
        if self.options.vocabulary == "separate":
            self.target = Tokenizer.load(folder / "target_tokenizer.json", self.options.units)
        self.known = Known.load(folder / self.saved)


@dataclass(frozen=True)
class Judged:
    """One pair, and what was written."""

    source: str
    answer: str
    reference: str


class Reader(Judge):
    """How well a model expects references, and how near to them its answers come.

    Args:
        task: The task.
        settings: How answers are searched for.
        thorough: Count ROUGE too, which takes seconds.
    """

    def __init__(self, task: Translate, settings: dict[str, Any], *, thorough: bool = False) -> None:
        self.task, self.settings, self.thorough, self.loss = task, settings, thorough, RunningLoss()
        self.pairs: dict[int, Judged] = {}

    def add(self, network: nn.Module, batch: PairBatch) -> None:
        self.loss.add(self.task, network, batch)
        answers = self.task.answers(network, aligned=False, **self.settings)(batch.sources)
        written = (each[0].text for each in answers)
        for row, *judged in zip(batch.rows, batch.sources, written, batch.references, strict=True):
            self.pairs[row] = Judged(*judged)

    def ordered(self) -> list["Judged"]:
        """What was written, in the order of the file."""
        return [self.pairs[row] for row in sorted(self.pairs)]

    def scores(self) -> dict[str, float]:
        pairs = self.ordered()
        texts = self.written(), [pair.reference for pair in pairs]
        return {
            "loss": self.loss.mean,
            "perplexity": exp(min(self.loss.mean, 700)),
            "bleu": bleu(*texts, tokenizer_for(texts[1])).value,
            "chrf": chrf(*texts).value,
            **(rouge(*texts) if self.thorough else {}),
            "exact": sum(pair.answer == pair.reference for pair in pairs) / len(pairs),
        }

    def written(self) -> list[str]:
        return [pair.answer for pair in self.ordered()]

    def against(self, other: "Reader") -> dict[str, float]:
        references = [pair.reference for pair in self.ordered()]
        tokenize = tokenizer_for(references)
        found = paired_bootstrap(self.written(), other.written(), references, tokenize=tokenize)
        return {
            "bleu": found.a,
            "bleu of the other": found.b,
            "difference": found.difference,
            "95% from": found.interval[0],
            "95% to": found.interval[1],
            "p": found.p_value,
        }

    def notes(self) -> tuple[str, ...]:
        texts = self.written(), [pair.reference for pair in self.ordered()]
        signatures = bleu(*texts, tokenizer_for(texts[1])).signature, chrf(*texts).signature
        return f"BLEU {signatures[0]}", f"chrF {signatures[1]}"
