"""What a person sees while training runs: a bar on a terminal, quiet lines elsewhere, and how long it will take."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar
from rich.console import Console

WARM_UP, MEASURED = 3, 10
"""Steps before the time estimate: the first are slow, the others are timed."""


class Bar(RichProgressBar):
    """One bar for the whole training; Lightning would count its single epoch."""

    def _get_train_description(self, current_epoch: int) -> str:
        return "Training"

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> Any:
        metrics = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)  # the version of the log
        return metrics


class Lines(Callback):
    """Says how long training will take, and how good each validation was.

    Args:
        console: Where the lines go.
        epoch_steps: Training steps in an epoch.
        best: The score by which the best weights are chosen, and which end of it is good.
        told: Scores that are told beside the loss.
    """

    def __init__(
        self, console: Console, epoch_steps: int, best: tuple[str, str] = ("loss", "min"), told: Sequence[str] = ()
    ) -> None:
        self.console, self.epoch_steps, self.told = console, epoch_steps, told
        self.name, self.sign = best[0], 1 if best[1] == "min" else -1
        self.times: list[float] = []
        self.best = float("inf")

    def on_train_batch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        if len(self.times) > WARM_UP + MEASURED:
            return
        self.times.append(monotonic())
        if len(self.times) == WARM_UP + MEASURED:
            seconds = (self.times[-1] - self.times[WARM_UP - 1]) / MEASURED
            left = trainer.num_training_batches - trainer.global_step
            self.console.print(
                f"{left:,} steps of {1000 * seconds:.0f} ms: about {duration(left * seconds)} of training"
            )

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = trainer.callback_metrics
        found = float(metrics[f"valid_{self.name}"])
        train = f"train {float(metrics['train_loss']):.4f}  " if "train_loss" in metrics else ""
        better = "  best" if self.sign * found < self.best else ""
        self.best = min(self.best, self.sign * found)
        told = "".join(f"  {name} {float(metrics[f'valid_{name}']):.2f}" for name in self.told)
        valid = f"valid {float(metrics['valid_loss']):.4f}{told}"
        epoch = trainer.global_step / self.epoch_steps
        self.console.print(f"epoch {epoch:.4g}  step {trainer.global_step:,}  {train}{valid}{better}")

    def state_dict(self) -> dict[str, float]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self.best = state_dict["best"]


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(42), duration(200), duration(9000)
    ('42 seconds', '3 minutes', '2.5 hours')
    """
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
