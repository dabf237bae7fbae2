"""One step of one row, states kept between calls: what a server or a sampler does all the time.

ONNX Runtime is measured with all threads and with one, because threads can cost more than they bring; the faster
counts.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import elman
from engine.check import FACTOR, FLOOR, PEER, distance
from engine.contests import Contest
from engine.shapes import square, step_flops

WIDTHS = (128, 256, 512)
STEPS = 20

StepCall = Callable[[np.ndarray], Any]


def step_contests(threads: int) -> Iterator[tuple[Contest, list[str]]]:
    """A contest for each width, and what is wrong with it."""
    for width in WIDTHS:
        torch.manual_seed(0)
        lstm = nn.LSTM(width, width).eval()
        steppers = make_steppers(lstm, threads)
        wrong = _check(lstm, steppers)
        x = np.random.default_rng(1).standard_normal((1, width), np.float32)
        calls = {name: partial(stepper, x) for name, stepper in steppers.items()}
        yield Contest("lstm", "step", square(1, 1, width), calls, {"elman": float(step_flops(lstm))}), wrong


def make_steppers(lstm: nn.LSTM, threads: int) -> dict[str, StepCall]:
    """Contestants, each with a state of its own."""
    steppers: dict[str, StepCall] = {}
    if hasattr(elman, "compile_step"):
        ours = elman.LSTM(lstm.input_size, lstm.hidden_size).eval()
        ours.load_state_dict(lstm.state_dict())
        steppers["elman"] = elman.compile_step(ours)
    steppers["torch.nn"] = TorchStep(lstm)
    if find_spec("onnxruntime"):
        from engine.onnx_peer import step_call

        steppers["onnxruntime"] = step_call(lstm, threads)
        steppers["onnxruntime, 1 thread"] = step_call(lstm, 1)
    return steppers


class TorchStep:
    """`torch.nn.LSTM` called with one step and its last state."""

    def __init__(self, lstm: nn.LSTM) -> None:
        self.lstm = lstm
        self.state: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            y, self.state = self.lstm(torch.from_numpy(x), self.state)
        return y.numpy()


def _check(lstm: nn.LSTM, steppers: dict[str, StepCall]) -> list[str]:
    """The outputs of some first steps against f64."""
    inputs = torch.randn(STEPS, 1, lstm.input_size)
    with torch.no_grad():
        exact = deepcopy(lstm).double()(inputs.double())[0]
        allowed = distance([lstm(inputs)[0]], [exact])
    wrong = []
    for name, stepper in steppers.items():
        far = distance([_outputs(stepper, inputs.numpy())], [exact[:, 0]])
        if far > (max(FACTOR * allowed, FLOOR) if name == "elman" else PEER):
            wrong.append(f"{name} {far:.1e} away from f64, torch {allowed:.1e}")
    return wrong


def _outputs(stepper: StepCall, inputs: np.ndarray) -> np.ndarray:
    return np.concatenate([np.array(stepper(x)).reshape(1, -1) for x in inputs])
