"""Optimisers and how their learning rate goes on, from a recipe's words."""

from math import cos, pi
from typing import Any

from torch import optim
from torch.nn import Parameter

from elman.training.recipe import TrainingOptions

NEVER = 10**12
"""A step that no training reaches: asgd does not average yet."""


def make_optimiser(parameters: list[Parameter], options: TrainingOptions) -> optim.Optimizer:
    """The recipe's optimiser; fused, a step is one pass over each weight, not ten (asgd has no such form)."""
    rate, decay = options.learning_rate, options.weight_decay
    match options.optimiser:
        case "sgd":
            return optim.SGD(parameters, rate, momentum=options.momentum, weight_decay=decay, fused=True)
        case "asgd":
            return optim.ASGD(parameters, rate, lambd=0.0, t0=NEVER, weight_decay=decay)
        case "adam":
            return optim.Adam(parameters, rate, weight_decay=decay, fused=True)
        case "adamw":
            return optim.AdamW(parameters, rate, weight_decay=decay, fused=True)


def make_schedule(
    optimiser: optim.Optimizer, options: TrainingOptions, steps: int, best: tuple[str, Any] = ("loss", "min")
) -> dict[str, Any] | None:
    """The recipe's schedule as Lightning takes it: over all `steps`, or on a plateau of the score `best`."""
    name, mode = best
    if options.schedule == "plateau":
        plateau = optim.lr_scheduler.ReduceLROnPlateau(optimiser, mode, options.decay, options.patience)
        every = validation_steps(options, steps)
        return {"scheduler": plateau, "interval": "step", "frequency": every, "monitor": f"valid_{name}"}
    if options.schedule == "constant" and not options.warmup:
        return None
    scheduler = optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_factor(step, steps, options))
    return {"scheduler": scheduler, "interval": "step"}


def validation_steps(options: TrainingOptions, steps: int) -> int:
    """Training steps between two validations; at least two, because checkpoints are made in between."""
    return min(steps, max(2, round(steps / options.epochs * options.validate_every)))


def rate_factor(step: int, steps: int, options: TrainingOptions) -> float:
    """What the learning rate is multiplied with at a step.

    >>> options = TrainingOptions(schedule="decay", decay=0.5, decay_after=4, epochs=10)
    >>> [rate_factor(step, 100, options) for step in (0, 39, 40, 50)]
    [1.0, 1.0, 0.5, 0.25]
    """
    warmup = round(options.warmup * steps)
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - warmup)
    match options.schedule:
        case "linear":
            return max(0.0, 1 - done)
        case "cosine":
            return (1 + cos(pi * min(1.0, done))) / 2
        case "decay":
            epoch = step * options.epochs // steps
            return options.decay ** max(0, epoch - options.decay_after + 1)
        case _:
            return 1.0
