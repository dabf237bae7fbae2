"""Callbacks that keep what training has reached: checkpoints to go on from, the best weights, averaged weights."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from torch import Tensor, optim

from elman.data import write_json
from elman.errors import Interrupted
from elman.tasks import save_weights
from elman.training.optimisers import NEVER


class Checkpoints(Callback):
    """Saves every few minutes, and once more on Ctrl-C or SIGTERM, always between two steps.

    A step after which validation is due is passed over: the checkpoint before it leads through the same validation.

    Args:
        path: The file, replaced each time.
        minutes: Time between two; 0 saves at every step.
        validate_every: Steps between two validations.
        console: Where Ctrl-C is answered.
    """

    def __init__(self, path: Path, minutes: float, validate_every: int, console: Console) -> None:
        self.path, self.minutes, self.validate_every, self.console = path, minutes, validate_every, console
        self.saved = monotonic()
        self.stop = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM come here within the block."""
        former: dict[signal.Signals, Any] = {}
        with suppress(ValueError):  # signals belong to the main thread; elsewhere there are none
            for number in (signal.SIGINT, signal.SIGTERM):
                former[number] = signal.signal(number, self._ask_to_stop)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self.stop:  # a second time: at once
            raise Interrupted(
                f"stopped at once; what {self.path} holds stays" if self.path.exists() else "stopped at once"
            )
        self.stop = True
        self.console.print("stopping after the next step that can be saved; Ctrl-C again: at once")

    def on_train_batch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        if trainer.global_step % self.validate_every == 0:
            return
        if self.stop or monotonic() - self.saved >= 60 * self.minutes:
            trainer.save_checkpoint(self.path)
            self.saved = monotonic()
        if self.stop:
            raise Interrupted(f"stopped after step {trainer.global_step:,}; saved in {self.path}")


class BestWeights(Callback):
    """Writes the weights with the best validation score into the run folder, and their scores.

    Of several as good the one with the smallest loss.

    Args:
        folder: The run folder.
        best: The score's name, and which end of it is good.
        last: Write those of every validation, whatever their score.
    """

    def __init__(self, folder: Path, best: tuple[str, str], *, last: bool = False) -> None:
        self.folder, self.last = folder, last
        self.name, mode = best
        self.sign = 1 if mode == "min" else -1
        self.best = (float("inf"), float("inf"))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        scores = {name: float(value) for name, value in trainer.callback_metrics.items()}
        found = self.sign * scores[f"valid_{self.name}"], scores["valid_loss"]
        if self.last or found < self.best:
            self.best = found
            save_weights(self.folder / "model.safetensors", pl_module.network)  # pyright: ignore[reportArgumentType]
            valid = {name.removeprefix("valid_"): value for name, value in scores.items() if name.startswith("valid_")}
            write_json(self.folder / "metrics.json", {"step": trainer.global_step, "valid": valid})

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        first, second = state_dict["best"]
        self.best = first, second


class MeanOfLast(Callback):
    """Validation sees the mean of the weights at the last validations, and so does whatever is kept.

    Args:
        count: How many validations, this one included.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.kept: list[list[Tensor]] = []

    @torch.no_grad()
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        weights = list(pl_module.parameters())
        self.kept = [*self.kept, [weight.detach().clone() for weight in weights]][-self.count :]
        for weight, *values in zip(weights, *self.kept, strict=True):
            weight.copy_(torch.stack(values).mean(0))

    @torch.no_grad()
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for weight, value in zip(pl_module.parameters(), self.kept[-1], strict=True):
            weight.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        return {"kept": self.kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.kept = state_dict["kept"]


class Averaging(Callback):
    """NT-ASGD (Merity et al. 2017): average the weights from when validation stops improving; validate the average.

    Args:
        patience: Validations that may pass without a new best.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.losses: list[float] = []

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._swap(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._swap(trainer)
        loss = float(trainer.callback_metrics["valid_loss"])
        group = trainer.optimizers[0].param_groups[0]
        earlier = self.losses[: max(0, len(self.losses) - self.patience)]
        if group["t0"] == NEVER and earlier and loss > min(earlier):
            group["t0"] = trainer.global_step
        self.losses.append(loss)

    @staticmethod
    @torch.no_grad()
    def _swap(trainer: Trainer) -> None:
        """Put averages in the place of weights, and the other way round."""
        optimiser = trainer.optimizers[0]
        assert isinstance(optimiser, optim.ASGD)
        for parameter, state in optimiser.state.items():
            current = parameter.clone()
            parameter.copy_(state["ax"])
            state["ax"].copy_(current)

    def state_dict(self) -> dict[str, Any]:
        return {"losses": self.losses}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.losses = state_dict["losses"]
