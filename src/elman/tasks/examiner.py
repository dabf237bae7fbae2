"""How good verdicts are."""

import torch
from torch import Tensor, nn

from elman.data import SequenceBatch
from elman.tasks.task import Judge
from elman.tasks.verdicts import Verdict


class Examiner(Judge):
    """How often a model is right."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.scores_found: list[Tensor] = []
        self.targets: list[Tensor] = []
        self.rows: list[int] = []

    def add(self, network: nn.Module, batch: SequenceBatch) -> None:
        self.scores_found.append(network(batch.inputs, batch.lengths))
        self.targets.append(batch.targets)
        self.rows += batch.rows

    def found(self) -> tuple[Tensor, Tensor]:
        """Scores and targets of all examples, in their order."""
        order = torch.tensor(self.rows).argsort(stable=True)
        return torch.cat(self.scores_found)[order], torch.cat(self.targets)[order]

    def scores(self) -> dict[str, float]:
        scores, targets = self.found()
        return {"loss": float(self.verdict.loss(scores, targets)), **self.verdict.measures(scores, targets)}

    def written(self) -> list[str]:
        said = self.verdict.say(self.found()[0])
        return [", ".join(one) if isinstance(one, list) else str(one) for one in said]
