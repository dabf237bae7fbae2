"""How good translations are."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

from torch import nn

from elman.data import PairBatch
from elman.tasks.task import Judge, RunningLoss, Task
from elman.tasks.translate.answers import Answers
from elman.tasks.translate.scores import bleu, chrf, paired_bootstrap, rouge, tokenizer_for


@dataclass(frozen=True)
class Judged:
    """One pair, and what was written."""

    source: str
    answer: str
    reference: str


class Reader(Judge):
    """How well a model expects references, and how near to them its answers come.

    Args:
        task: The task, whose loss it is.
        answering: From a network to what answers sources.
        thorough: Count ROUGE too, which takes seconds.
    """

    def __init__(self, task: Task, answering: Callable[[nn.Module], Answers], *, thorough: bool = False) -> None:
        self.task, self.answering, self.thorough, self.loss = task, answering, thorough, RunningLoss()
        self.pairs: dict[int, Judged] = {}

    def add(self, network: nn.Module, batch: PairBatch) -> None:
        self.loss.add(self.task, network, batch)
        answers = self.answering(network)(batch.sources)
        written = (each[0].text for each in answers)
        for row, *judged in zip(batch.rows, batch.sources, written, batch.references, strict=True):
            self.pairs[row] = Judged(*judged)

    def ordered(self) -> list[Judged]:
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
