"""An answer to every step of a series of numbers: a label, or a number.

Key: T steps, B series, F features, C numbers that the network puts out for a step, N steps of all series.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from elman.data import (
    IGNORE,
    Columns,
    Labelled,
    SequenceBatch,
    SequenceBatches,
    Source,
    made_waves,
    read_json,
    read_labelled,
    write_json,
)
from elman.errors import DataError, OptionError
from elman.layers import LayerState
from elman.models import StepReader
from elman.pictures import draw_confusion, draw_steps
from elman.tasks.examiner import Examiner
from elman.tasks.inputs import AT_ONCE, NumberInputs
from elman.tasks.inspection.case import Case
from elman.tasks.options import Options, schema_of
from elman.tasks.tag.base import TagTask
from elman.tasks.tag.options import Tagging
from elman.tasks.task import Batches, Examples, Loss, judged, refuse_settings
from elman.tasks.verdicts import VERDICTS, Number, OneLabel, Verdict

FEW = 10
"""Fewer series than these are cut in time to have some for validation."""
DRAWN = 4
"""Series that are drawn when training has ended."""


class Steps(TagTask):
    """What happens at every step; batches have targets (T, B) of labels, or (T, B, 1)."""

    inputs: NumberInputs
    verdict: Verdict

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        better = VERDICTS[self.options.answer].better
        self.best, self.told = (better, "max"), (better,)

    def read(self, train: Path | None, valid: Path | None, start: Path | None = None) -> Examples:
        found = made_waves(numbers=self.options.answer == "number") if train is None else self._labelled(train)
        split = found.split if len(found) >= FEW else found.split_in_time
        found, held_out = split() if valid is None else (found, self._labelled(valid))
        if start is None:
            self.inputs = NumberInputs.of(found, "row")
            _check_answers(found)
            self.verdict = VERDICTS[self.options.answer].learn(*_flat(found))
        else:
            self.load(start)
        pieces = found.pieces(self.options.max_length)
        taught = [row for row, said in enumerate(pieces.answers) if not all(map(_missing, said))]
        steps = sum(map(len, (*found.inputs, *held_out.inputs)))
        unknown = steps - sum(not _missing(one) for each in (found, held_out) for said in each.answers for one in said)
        notes = (f"{unknown:,} of {steps:,} steps have no answer and teach nothing",) if unknown else ()
        return Examples(
            train=self._batches(pieces.some(taught), self.options.batch_size),
            valid=self._batches(held_out),
            notes=(*found.notes, *held_out.notes, *notes),
            rows=tuple(
                f"{self.inputs.shown(one)} → {said[:5]}"
                for one, said in zip(found.inputs[:3], found.answers, strict=False)
            ),
            facts={
                "training series": len(found),
                "validation series": len(held_out),
                "training steps": sum(map(len, found.inputs)),
                "answers": self.verdict.outputs,
                "features": self.inputs.width,
            },
            fingerprint=found.fingerprint + held_out.fingerprint,
        )

    def _labelled(self, path: Source, *, answered: bool = True) -> Labelled:
        options = self.options
        columns = Columns(label=options.label, values=options.values, sequence=options.sequence, stepwise=True)
        return read_labelled(path, columns, answered=answered)

    def _batches(self, found: Labelled, batch_size: int | None = None) -> SequenceBatches:
        _check_answers(found)
        places = [found.place(row) for row in range(len(found))]
        targets = [self._targets(said, place) for said, place in zip(found.answers, places, strict=True)]
        return self._read(self.inputs.sequences(found.inputs, places), targets, batch_size)

    def _targets(self, answers: Sequence[Any], place: str) -> Tensor:
        """Those of a series, (T,) or (T, 1); where there is no answer, what `_known` finds."""
        given = torch.tensor([not _missing(answer) for answer in answers])
        said = self.verdict.targets([one for one in answers if not _missing(one)], [place] * int(given.sum()))
        targets = said.new_full((len(answers), *said.shape[1:]), torch.nan if said.is_floating_point() else IGNORE)
        targets[given] = said
        return targets

    def _read(
        self, sequences: Sequence[Tensor], targets: Sequence[Tensor], batch_size: int | None = None
    ) -> SequenceBatches:
        units = None if batch_size else AT_ONCE
        return SequenceBatches(
            sequences, targets, batch_size, units=units, per_step=True, prepare=self.inputs.prepare, name="the series"
        )

    def read_to_score(self, path: Path) -> SequenceBatches:
        return self._batches(self._labelled(path))

    @property
    def uploads(self) -> tuple[str, ...]:
        return self.inputs.ends

    def read_inputs(self, path: Source) -> list[Any]:
        return self._labelled(path, answered=False).named

    def received(self, given: Any) -> Any:
        return self.inputs.received(given)

    def description(self) -> dict[str, Any]:
        return {**self.inputs.description(), "labels": self.verdict.names}

    def settings_schema(self) -> dict[str, Any]:
        return {"confidence": schema_of(Tagging)["confidence"]}

    def sample(self) -> Any:
        return self.inputs.sample()

    def network(self) -> StepReader:
        options = self.options
        body = options.body(self.inputs.width, bidirectional=options.bidirectional)
        return StepReader(body, self.verdict.outputs, noise=options.noise, **options.dropouts())

    def loss(self, network: nn.Module, batch: SequenceBatch, state: LayerState | None) -> Loss:
        known = answered(batch)
        scores = network(batch.inputs, batch.lengths)[known]
        loss = self.verdict.loss(scores, batch.targets[known])
        if network.training and self.teacher is not None:
            said = self.teacher.says(batch.inputs, batch.lengths)[known]
            loss = self.teacher.mix(loss, self.verdict.distance(scores, said, self.teacher))
        return Loss(loss, len(scores), None)

    def judge(self, **settings: Any) -> "StepExaminer":
        refuse_settings(settings)
        return StepExaminer(self.verdict)

    def settle(self, network: nn.Module, valid: Batches, folder: Path) -> Examiner:
        """Calibrate on validation data, and draw some of it, and what is taken for what."""
        examiner = judged(self.judge(), network, valid)
        assert isinstance(examiner, Examiner)
        assert isinstance(valid, SequenceBatches)
        scores, targets = examiner.found()
        self.verdict.calibrate(scores, targets)
        self.save(folder)
        if isinstance(self.verdict, OneLabel):
            draw_confusion(folder / "pictures" / "confusion.png", self.verdict.labels.names, targets, scores.argmax(1))
        self._draw(network, valid, folder / "pictures" / "steps.png")
        return examiner

    @torch.inference_mode()
    def _draw(self, network: nn.Module, valid: SequenceBatches, path: Path) -> None:
        batch = valid.of(range(min(DRAWN, len(valid.sequences))))
        scores = network(batch.inputs, batch.lengths)
        rows = zip(batch.lengths.tolist(), batch.targets.unbind(1), scores.unbind(1), strict=True)
        drawn = [
            (valid.sequences[row], self._drawn(came[:length]), self._drawn(said[:length]))
            for row, (length, came, said) in enumerate(rows)
        ]
        draw_steps(path, drawn, self.verdict.labels.names if isinstance(self.verdict, OneLabel) else None)

    def _drawn(self, steps: Tensor) -> Tensor:
        """Targets or scores of T steps as heights (T,), NaN where there is no answer."""
        if isinstance(self.verdict, Number):
            return self.verdict.scaler.back(steps).squeeze(1)
        numbers = steps if steps.dim() == 1 else steps.argmax(1)
        return numbers.float().where(numbers != IGNORE, torch.nan)

    @torch.inference_mode()
    def predict(self, network: nn.Module, inputs: Sequence[Any], **settings: Any) -> list[Any]:
        """For each series (T, F) its label or number at every step; with `confidence`, how probable labels are."""
        options = Tagging.of(settings)
        if options.n_best:
            raise OptionError("n_best acts on words; leave it away for kind = steps")
        sequences = self.inputs.sequences(inputs, [f"input {number}" for number in range(1, len(inputs) + 1)])
        answers: list[Any] = [None] * len(sequences)
        for batch in self._read(sequences, [torch.zeros(len(one)) for one in sequences]):
            scores = network(batch.inputs, batch.lengths)
            for column, row in enumerate(batch.rows):
                answers[row] = self._said_of(scores[: batch.lengths[column], column], sure=options.confidence)
        return answers

    @torch.no_grad()
    def case(self, network: nn.Module, given: Any) -> Case:
        """How sure it is of the best answer to each step, all together; of numbers, how large they are."""
        assert isinstance(network, StepReader)
        (sequence,) = self.inputs.sequences([given], ["the input"])
        (batch,) = self._read([sequence], [torch.zeros(len(sequence))])

        def score() -> Tensor:
            scores = network(batch.inputs, batch.lengths)[:, 0]
            return (scores if scores.shape[1] == 1 else scores.log_softmax(1)).amax(1).sum()

        (answer,) = self.predict(network, [given])
        return Case(self.inputs.steps(sequence), network.body, answer, score)

    def _said_of(self, scores: Tensor, *, sure: bool) -> list[Any]:
        """Of scores (T, C)."""
        said = self.verdict.say(scores)
        if not sure:
            return said
        shares = (max(each.values()) for each in self.verdict.probabilities(scores))
        return [{"label": one, "probability": round(share, 4)} for one, share in zip(said, shares, strict=True)]

    def save(self, folder: Path) -> None:
        self.inputs.save(folder)
        self.options.save_cell(folder)
        write_json(folder / self.saved, self.verdict.as_json())

    def load(self, folder: Path) -> None:
        self.inputs = NumberInputs.load(folder)
        self.verdict = VERDICTS[self.options.answer].from_json(read_json(folder / self.saved))


class StepExaminer(Examiner):
    """How often the answers to single steps are right."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.said: dict[int, Tensor] = {}
        """Scores of every step of each series."""

    def add(self, network: nn.Module, batch: SequenceBatch) -> None:
        known, scores = answered(batch).T, network(batch.inputs, batch.lengths).transpose(0, 1)
        self.scores_found.append(scores[known])
        self.targets.append(batch.targets.transpose(0, 1)[known])
        self.rows += [row for row, steps in zip(batch.rows, known.sum(1).tolist(), strict=True) for _ in range(steps)]
        steps = zip(scores, batch.lengths.tolist(), strict=True)
        self.said |= zip(batch.rows, (each[:length] for each, length in steps), strict=True)

    def written(self) -> list[str]:
        """An answer to every step, series after series."""
        return [str(one) for row in sorted(self.said) for one in self.verdict.say(self.said[row])]


def answered(batch: SequenceBatch) -> Tensor:
    """Which steps have an answer, (T, B)."""
    steps = torch.arange(len(batch.inputs)).unsqueeze(1) < batch.lengths
    targets = batch.targets
    return steps & (targets.isfinite().squeeze(2) if targets.is_floating_point() else targets != IGNORE)


def _missing(answer: Any) -> bool:
    return answer is None or answer != answer or answer == ""


def _check_answers(found: Labelled) -> None:
    if all(_missing(one) for said in found.answers for one in said):
        raise DataError(f"{found.name} has no answer at any step; expected some; is it the right column?")


def _flat(found: Labelled) -> tuple[list[Any], list[str]]:
    """All answers that there are, and where each stands."""
    places = (found.place(row) for row in range(len(found)))
    rows = zip(found.answers, places, strict=True)
    pairs = [(one, place) for said, place in rows for one in said if not _missing(one)]
    return [answer for answer, _ in pairs], [place for _, place in pairs]
