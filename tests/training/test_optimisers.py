"""Learning rates against their formulas."""

from math import cos, pi

import pytest
import torch

from elman.training import TrainingOptions
from elman.training.optimisers import make_optimiser, make_schedule, rate_factor, validation_steps

STEPS = 200


def options(**settings: object) -> TrainingOptions:
    return TrainingOptions.of({"learning_rate": 0.1, "epochs": 10} | settings)


FORMULAS = {
    "constant": lambda step: 1.0,
    "linear": lambda step: 1 - step / STEPS,
    "cosine": lambda step: 0.5 + 0.5 * cos(pi * step / STEPS),
    "decay": lambda step: 0.5 ** max(0, step // 20 + 1 - 3),
}


@pytest.mark.parametrize("schedule", FORMULAS)
def test_schedules_follow_their_formulas(schedule):
    for step in range(STEPS + 1):
        factor = rate_factor(step, STEPS, options(schedule=schedule, decay_after=3))
        assert factor == pytest.approx(FORMULAS[schedule](step))


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_warm_up_rises_in_a_line_and_the_rest_follows(schedule):
    chosen = options(schedule=schedule, warmup=0.1)
    rising = [rate_factor(step, STEPS, chosen) for step in range(20)]
    assert rising == pytest.approx([(step + 1) / 21 for step in range(20)])
    assert rate_factor(20, STEPS, chosen) == 1
    if schedule != "constant":
        assert rate_factor(STEPS, STEPS, chosen) == pytest.approx(0)


def test_a_plateau_waits_for_its_patience():
    weight = torch.nn.Parameter(torch.ones(1))
    chosen = options(schedule="plateau", patience=1, decay=0.5, optimiser="sgd")
    optimiser = make_optimiser([weight], chosen)
    scheduler = make_schedule(optimiser, chosen, STEPS)["scheduler"]
    rates = []
    for loss in (3.0, 2.0, 2.1, 2.2, 1.0):
        scheduler.step(loss)
        rates.append(optimiser.param_groups[0]["lr"])
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05]


@pytest.mark.parametrize(("name", "kind"), [("sgd", "SGD"), ("asgd", "ASGD"), ("adam", "Adam"), ("adamw", "AdamW")])
def test_optimisers_and_their_settings(name, kind):
    momentum = 0.3 if name == "sgd" else 0.0
    optimiser = make_optimiser(
        [torch.nn.Parameter(torch.ones(1))], options(optimiser=name, weight_decay=0.2, momentum=momentum)
    )
    assert type(optimiser).__name__ == kind
    (group,) = optimiser.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.2)
    assert group.get("momentum", 0.0) == momentum


@pytest.mark.parametrize(
    ("every", "steps", "expected"),
    [(1, 200, 20), (0.25, 200, 5), (3, 200, 60), (99, 200, 200), (1e-9, 200, 2), (1, 1, 1)],
)
def test_steps_between_validations(every, steps, expected):
    assert validation_steps(options(validate_every=every), steps) == expected
