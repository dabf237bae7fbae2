"""The task `translate`: learn from pairs of texts how to make the second of the first."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from elman.data import (
    NumberedPairs,
    PairBatch,
    PairBatches,
    Pairs,
    Tokenizer,
    UnitDropout,
    cut_to,
    embedded_pairs,
    read_pairs,
    tidy,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState, find_cell
from elman.models import RecurrentTranslator, TransformerTranslator, Translator
from elman.pictures import draw_alignment
from elman.tasks.inspection.case import Case
from elman.tasks.options import Options
from elman.tasks.task import Examples, Loss, Task
from elman.tasks.translate.answers import UNITS_AT_ONCE, Answers, Known
from elman.tasks.translate.dialogue import Dialogue
from elman.tasks.translate.options import TranslateOptions
from elman.tasks.translate.reader import Reader
from elman.tasks.translate.scores import bleu
from elman.tasks.translate.search import Searching

END = "⏎"
"""Stands for the end in a picture."""


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

    @torch.no_grad()
    def case(self, network: nn.Module, given: str) -> Case:
        """How sure it is of its answer, all units together."""
        if not isinstance(network, RecurrentTranslator):
            raise OptionError("this model has no recurrent layers to look into; expected network = recurrent")
        answer = self.answers(network)([given])[0][0]
        batch = self._batches(Pairs((tidy(given),), (answer.text,)), "the input").of([0])
        return Case(
            [*answer.source_units[:-1], END],
            network.body.encoder,
            answer.text,
            lambda: -network.loss(batch) * int(batch.target_lengths.sum()),
            answer.units,
            answer.alignment,
        )

    def judge(self, **settings: Any) -> Reader:
        if settings.get("n_best") is not None:
            raise OptionError("n_best does not act when a model is judged, by its best answers; leave it away")
        return Reader(self, self._answering(settings), thorough=True)

    def examiner(self) -> Reader:
        return Reader(self, self._answering({"beam_size": 1}))

    def _answering(self, settings: dict[str, Any]) -> Callable[[nn.Module], Answers]:
        return lambda network: self.answers(network, aligned=False, **settings)

    def amount(self, settings: Mapping[str, Any], given: Any = "") -> int:
        """Units of all answers that are searched for side by side, where somebody says how many there may be."""
        numbers = [settings.get(name) for name in ("max_length", "beam_size", "n_best")]
        length, *beams = (number if isinstance(number, int) else 0 for number in numbers)
        return length * max(1, *beams)

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
