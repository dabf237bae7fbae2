"""The task `classify`: learn what a sequence is, one label, several, or a number."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from elman.data import (
    Columns,
    Labelled,
    SequenceBatch,
    SequenceBatches,
    Source,
    Tokenizer,
    WordTable,
    cut_to,
    labelled_motifs,
    read_json,
    read_labelled,
    write_json,
)
from elman.errors import OptionError
from elman.layers import Embedding, LayerState, find_cell
from elman.models import Classifier, DocumentClassifier, FrameEncoder, cut_sentences
from elman.pictures import draw_confusion
from elman.tasks.classify.options import Classifying, ClassifyOptions
from elman.tasks.examiner import Examiner
from elman.tasks.inputs import Inputs, NumberInputs, SoundInputs, TextInputs, VideoInputs
from elman.tasks.inspection.case import Case
from elman.tasks.options import Options, size_of
from elman.tasks.task import Batches, Examples, Loss, Task, judged, refuse_settings
from elman.tasks.verdicts import VERDICTS, OneLabel, Verdict

PORTION = 100
"""Examples that come at once, when nothing is said."""


class Classify(Task):
    """What a text, a series of numbers, an image, a recording or a video is."""

    name: ClassVar[str] = "classify"
    summary: ClassVar[str] = (
        "Learn what a text, a series, an image, a sound or a video is: its label, its labels, or a number."
    )
    options_class: ClassVar[type[Options]] = ClassifyOptions
    predicting_class: ClassVar[type[Options]] = Classifying
    answers_with: ClassVar[str] = "answer"
    saved: ClassVar[str] = "answers.json"
    encoders: ClassVar[dict[str, dict[str, Any]]] = {"generate": {"bidirectional": False}}

    options: ClassifyOptions
    inputs: Inputs
    verdict: Verdict
    class_weights: Tensor | None = None
    table: WordTable | None = None
    """Vectors of words that others have trained."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        better = VERDICTS[self.options.answer].better
        self.best = (better, "max")
        self.told = (better,)

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = labelled_motifs() if train is None else self._labelled(train)
        found, held_out = found.split() if valid is None else (found, self._labelled(valid))
        if start is None or not (start / self.saved).exists():
            self._learn(found, start)
        else:
            self.load(start)
        self.table = self.options.table()
        batches, cut = self._batches(found, self.options.batch_size)
        if self.options.class_weights == "balanced":
            self.class_weights = self.verdict.weights(torch.stack(list(batches.targets)))
        notes = (f"{cut:,} steps cut at the {self.options.cut} of long sequences",) if cut else ()
        if self.table is not None:
            notes += (self.table.note(self.options.vectors, self._numbers()),)
        return Examples(
            train=batches,
            valid=self._batches(held_out)[0],
            notes=(*found.notes, *held_out.notes, *notes),
            rows=tuple(
                f"{self.inputs.shown(found.inputs[row])} → {found.answers[row]}" for row in range(min(3, len(found)))
            ),
            facts={
                "training examples": len(found),
                "validation examples": len(held_out),
                "training steps": sum(map(len, batches.sequences)),
                "answers": self.verdict.outputs,
                "vocabulary" if isinstance(self.inputs, TextInputs) else "features": self.inputs.width,
            },
            fingerprint=found.fingerprint + held_out.fingerprint,
        )

    def _labelled(self, path: Source, *, answered: bool = True) -> Labelled:
        options = self.options
        columns = Columns(
            *(options.text, options.label, options.values, options.sequence, options.path),
            *(size_of(options.image_size), options.every),
        )
        return read_labelled(path, columns, answered=answered)

    def _learn(self, found: Labelled, encoder: Path | None) -> None:
        if encoder is not None:
            self.inputs = TextInputs(Tokenizer.load(encoder / "tokenizer.json", self.options.units))
        elif found.kind == "text":
            self._check_heard("texts")
            self.inputs = TextInputs(self.options.learn_lines(found.inputs))
        elif found.kind == "video":
            options = self.options
            self.inputs = VideoInputs(found.inputs[0].shape[1:], size_of(options.image_size), options.every)
        elif found.kind == "sound":
            self.inputs = SoundInputs.of(found, self.options)
        else:
            self._check_heard("numbers")
            self.inputs = NumberInputs.of(found, self.options.scan)
        self.verdict = VERDICTS[self.options.answer].learn(found.answers, [found.place(n) for n in range(len(found))])

    def _check_heard(self, kind: str) -> None:
        names = "rate", "bands", "normalise", "speeds"
        if any(getattr(self.options, name) != ClassifyOptions.model_fields[name].default for name in names):
            raise OptionError(
                f"{', '.join(names[:-1])} and {names[-1]} act on recordings; received {kind}; leave them away"
            )

    def _batches(self, found: Labelled, batch_size: int | None = None) -> tuple[SequenceBatches, int]:
        places = [found.place(row) for row in range(len(found))]
        targets = self.verdict.targets(found.answers, places)
        sequences, cut = self._sequences(found.inputs, places)
        units, vary = (None if batch_size else self.inputs.at_once), self._varied(found.inputs)
        return SequenceBatches(sequences, targets, batch_size, units=units, prepare=self.inputs.prepare, vary=vary), cut

    def _varied(self, inputs: Sequence[Any]) -> Callable[[int, int], Tensor] | None:
        """How recordings are heard in training, where they are played faster and slower."""
        vary = self.inputs.at_speeds(inputs, self.options.speeds) if isinstance(self.inputs, SoundInputs) else None
        if vary is None:
            return None
        return lambda row, epoch: cut_to([vary(row, epoch)], self.options.max_length, self.options.cut)[0][0]

    def _sequences(self, inputs: Sequence[Any], places: Sequence[str]) -> tuple[list[Tensor], int]:
        return cut_to(self.inputs.sequences(inputs, places), self.options.max_length, self.options.cut)

    def read_to_score(self, path: Path) -> Batches:
        return self._batches(self._labelled(path))[0]

    def portions(self, path: Path, size: int | None) -> Iterator[tuple[Batches, Batches]]:
        found, size = self._labelled(path), size or PORTION
        self._batches(found)  # finds what cannot be read before anything is learned
        for first in range(0, len(found), size):
            part = found.some(range(first, min(first + size, len(found))))
            yield self._batches(part)[0], self._batches(part, self.options.batch_size)[0]

    @property
    def uploads(self) -> tuple[str, ...]:
        return self.inputs.ends

    def read_inputs(self, path: Source) -> list[Any]:
        return self._labelled(path, answered=False).named

    def received(self, given: Any) -> Any:
        return self.inputs.received(given)

    def description(self) -> dict[str, Any]:
        return {**self.inputs.description(), "labels": self.verdict.names}

    def sample(self) -> Any:
        return self.inputs.sample()

    def network(self) -> nn.Module:
        options, inputs, outputs = self.options, self.inputs, self.verdict.outputs
        embedding, width = None, inputs.width
        if isinstance(inputs, TextInputs | VideoInputs):
            if options.noise or options.masks:
                what = "texts" if isinstance(inputs, TextInputs) else "videos"
                raise OptionError(f"noise and masks act on numbers; received {what}; leave them away")
            width = options.embedding_size
        if isinstance(inputs, TextInputs):
            embedding = Embedding(inputs.width, width, options.word_dropout)
        elif isinstance(inputs, VideoInputs):
            embedding = FrameEncoder(inputs.width, width)
        if options.pooling != "hierarchical":
            body = options.body(width, bidirectional=options.bidirectional)
            distortion = {"noise": options.noise, "masks": options.masks}
            return Classifier(embedding, body, outputs, options.pooling, **distortion, **options.dropouts())
        if not isinstance(embedding, Embedding) or not isinstance(inputs, TextInputs):
            raise OptionError("pooling = hierarchical reads texts; received numbers; take another one")
        ends = inputs.numbers(options.sentence_ends.split())
        sizes = options.hidden_size, outputs
        return DocumentClassifier(embedding, find_cell(options.cell), *sizes, ends, **options.dropouts())

    def _numbers(self) -> dict[str, int]:
        """Of words."""
        if not isinstance(self.inputs, TextInputs):
            raise OptionError("vectors are of words; this data is of numbers; leave them away")
        return self.inputs.tokenizer.vocabulary

    def begin(self, network: nn.Module) -> None:
        if self.table is not None:
            assert isinstance(network, Classifier | DocumentClassifier)
            assert isinstance(network.embedding, Embedding)
            self.table.put_into(network.embedding.weight, self._numbers())

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        scores = network(batch.inputs, batch.lengths)
        weights, smoothing = (self.class_weights, self.options.label_smoothing) if network.training else (None, 0.0)
        loss = self.verdict.loss(scores, batch.targets, weights, smoothing)
        if network.training and self.teacher is not None:
            known = self.teacher.says(batch.inputs, batch.lengths)
            loss = self.teacher.mix(loss, self.verdict.distance(scores, known, self.teacher))
        return Loss(loss, len(batch.targets), None)

    def judge(self, **settings: Any) -> Examiner:
        refuse_settings(settings)
        return Examiner(self.verdict)

    def settle(self, network: nn.Module, valid: Batches, folder: Path) -> Examiner:
        """Calibrate on validation data, and draw what is taken for what."""
        examiner = judged(self.judge(), network, valid)
        assert isinstance(examiner, Examiner)
        self.verdict.calibrate(*examiner.found())
        self.save(folder)
        if isinstance(self.verdict, OneLabel):
            scores, targets = examiner.found()
            draw_confusion(folder / "pictures" / "confusion.png", self.verdict.labels.names, targets, scores.argmax(1))
        return examiner

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """Labels, lists of labels or numbers; or with `probabilities` those of every label."""
        options = Classifying.of(settings)
        sequences, _ = self._sequences(inputs, [f"input {number}" for number in range(1, len(inputs) + 1)])
        scores = self._scores(network, sequences)
        if options.probabilities:
            return self.verdict.probabilities(scores)
        said = self.verdict.say(scores)
        if not options.threshold:
            return said
        sure = [max(each.values()) >= options.threshold for each in self.verdict.probabilities(scores)]
        return [one if known else None for one, known in zip(said, sure, strict=True)]

    @torch.no_grad()
    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of the best answer; of a number, how large it is.

        Where sentences are read to a document, the steps are sentences.
        """
        assert isinstance(network, Classifier | DocumentClassifier)
        sequences, _ = self._sequences([given], ["the input"])
        batch = SequenceBatches(sequences, torch.zeros(1), 1, prepare=self.inputs.prepare).of([0])

        def score() -> Tensor:
            scores = network(batch.inputs, batch.lengths)[0]
            return scores.log_softmax(0) if isinstance(self.verdict, OneLabel) else scores

        scores = score()
        best = int(scores.argmax())
        (answer,) = self.verdict.say(scores.unsqueeze(0))
        if isinstance(network, Classifier):
            return Case(self.inputs.steps(sequences[0]), network.body, answer, lambda: score()[best])
        assert isinstance(self.inputs, TextInputs)
        sentences = [self.inputs.tokenizer.decode(one.tolist()) for one in cut_sentences(sequences[0], network.ends)]
        return Case(sentences, network.document.sentences, answer, lambda: score()[best])

    def _scores(self, network: nn.Module, sequences: Sequence[Tensor]) -> Tensor:
        """(N, C), in the order of the sequences."""
        batches = SequenceBatches(
            sequences, torch.zeros(len(sequences)), None, units=self.inputs.at_once, prepare=self.inputs.prepare
        )
        scores = torch.empty(len(sequences), self.verdict.outputs)
        for batch in batches:
            scores[list(batch.rows)] = network(batch.inputs, batch.lengths)
        return scores

    def save(self, folder: Path) -> None:
        self.inputs.save(folder)
        self.options.save_cell(folder)
        write_json(folder / self.saved, self.verdict.as_json())

    def load(self, folder: Path) -> None:
        if (folder / "tokenizer.json").exists():
            self.inputs = TextInputs(Tokenizer.load(folder / "tokenizer.json", self.options.units))
        elif (folder / "video.json").exists():
            self.inputs = VideoInputs.load(folder)
        else:
            self.inputs = (SoundInputs if (folder / "sound.json").exists() else NumberInputs).load(folder)
        self.verdict = VERDICTS[self.options.answer].from_json(read_json(folder / self.saved))
