"""A task under Lightning: truncated back-propagation through time with carried state (Williams and Peng 1990)."""

from math import isfinite
from time import monotonic
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from elman.errors import RunError
from elman.layers import LayerState, detach_state
from elman.tasks import Batch, Judge, Task
from elman.training.checkpoint import random_states, set_random_states
from elman.training.optimisers import make_optimiser, make_schedule
from elman.training.recipe import TrainingOptions


class TrainingModule(LightningModule):
    """One network, one task, `steps` training steps."""

    def __init__(self, task: Task, network: nn.Module, options: TrainingOptions, steps: int) -> None:
        super().__init__()
        self.task, self.network, self.options, self.steps = task, network, options, steps
        self.carried: LayerState | None = None
        self.judge: Judge | None = None
        self.random_states: dict[str, Tensor] | None = None
        self.started = monotonic()

    def training_step(self, batch: Batch, number: int) -> Tensor:
        if self.random_states is not None:  # the first step after a resume
            set_random_states(self.random_states)
            self.random_states = None
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bf16"):
            loss = self.task.loss(self.network, batch, None if batch.fresh else self.carried)
        self.carried = detach_state(loss.state)
        self.log("train_loss", loss.mean, prog_bar=True)
        return loss.mean

    def on_validation_epoch_start(self) -> None:
        self.judge = self.task.examiner()

    def validation_step(self, batch: Batch, number: int) -> None:
        assert self.judge is not None
        self.judge.add(self.network, batch)

    def on_validation_epoch_end(self) -> None:
        assert self.judge is not None
        scores = self.judge.scores()
        mean = scores["loss"]
        if not isfinite(mean):
            raise RunError(
                f"training diverged: the validation loss is {mean} after step {self.global_step:,}; expected a number; "
                "start again in a new folder with a lower --learning-rate or --clip-norm"
            )
        for name, value in scores.items():
            self.log(f"valid_{name}", value, prog_bar=name in ("loss", self.task.best[0]))

    def configure_optimizers(self) -> Any:
        optimiser = make_optimiser([p for p in self.network.parameters() if p.requires_grad], self.options)
        schedule = make_schedule(optimiser, self.options, self.steps, self.task.best)
        return optimiser if schedule is None else {"optimizer": optimiser, "lr_scheduler": schedule}

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        if self.options.clip_value:
            clip_grad_value_(self.network.parameters(), self.options.clip_value)
        if self.options.clip_norm:
            clip_grad_norm_(self.network.parameters(), self.options.clip_norm)

    def seconds(self) -> float:
        """How long this training has run, those parts before a resume included that led to its checkpoint."""
        return monotonic() - self.started

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["carried"] = self.carried
        checkpoint["random_states"] = random_states()
        checkpoint["seconds"] = self.seconds()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.carried = checkpoint["carried"]
        self.random_states = checkpoint["random_states"]
        self.started -= checkpoint["seconds"]
