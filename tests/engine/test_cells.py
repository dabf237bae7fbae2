"""The cells that the engine is tested with: on `eager` at first, then compiled against `eager`.

Key: T time, B batch.
"""

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.testing import assert_close

from elman.engine import BACKENDS, Cell, Explanation, State, explain_scan, scan, use_backend

from .cells import FUSED, RANDOM, REFUSED, UNFORESEEN, context_for, input_for, state_for

ALL = FUSED | UNFORESEEN
MAY_FALL_BACK = {"convolution": "conv", "in_place": "slice_scatter", "permuted": "index"}
"""Cells that a compiled backend may leave to `eager`, each with a word of the reason."""
UNTRUE_GRADIENTS = {"straight_through", "no_grad_inside"}
"""Cells whose gradient is not the derivative, on purpose."""
UNTRAINED = {"training_switch_evaluated": {"gradient of gate.weight", "gradient of gate.bias"}}
"""What cannot learn: a hard gate."""
CASES = {
    "one step": {"time": 1, "batch": 1},
    "plain": {"time": 5, "batch": 1, "given": True},
    "everything": {"time": 7, "batch": 3, "given": True, "lengths": [2, 7, 0], "resets": True, "reverse": True},
    "forward": {"time": 4, "batch": 9, "lengths": [4, 0, 3, 1, 4, 2, 2, 0, 3], "resets": True},
}
TOLERANCE = {torch.float64: (1e-9, 1e-9), torch.float32: (2e-4, 2e-5)}
"""Relative, and absolute for numbers of size one; kernels sum in another order and have their own exp and tanh."""

when_compiled = pytest.mark.skipif("llvm" not in BACKENDS, reason="the llvm backend is not there")


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def cell(name: str) -> Cell:
    torch.manual_seed(0)
    return ALL[name]()


def explained(cell: Cell) -> Explanation:
    return explain_scan(cell, context_for(cell, 2, torch.float32))


class Run:
    """One call of `scan` with the gradients of everything in it, repeatable on any backend."""

    def __init__(
        self,
        cell: Cell,
        dtype: torch.dtype,
        time: int,
        batch: int,
        given: bool = False,
        lengths: list[int] | None = None,
        resets: bool = False,
        reverse: bool = False,
    ) -> None:
        self.cell = cell
        self.x = input_for(cell, time, batch, dtype).requires_grad_()
        self.state = tuple(leaves(state_for(cell, batch, dtype))) if given else None
        self.context = context_for(cell, batch, dtype)
        floats = list(leaves(self.context))
        self.options = {
            "lengths": None if lengths is None else torch.tensor(lengths),
            "resets": torch.rand(time, batch) < 0.3 if resets else None,
            "reverse": reverse,
        }
        if lengths is not None:
            with torch.no_grad():
                for row, length in enumerate(lengths):
                    self.x[length:, row] = float("nan")  # padding must reach nothing
        named = {f"state {number}": tensor for number, tensor in enumerate(self.state or ())}
        named |= {f"context {number}": tensor for number, tensor in enumerate(floats)}
        parameters = {name: tensor for name, tensor in cell.named_parameters() if tensor.requires_grad}
        self.inputs: dict[str, Tensor] = {"x": self.x, **named, **parameters}
        self.weights: list[Tensor] = []

    def results(self) -> dict[str, Tensor]:
        torch.manual_seed(1)  # every backend promises the same draws
        y, state = scan(self.cell, self.x, self.state, context=self.context, **self.options)
        results = [y, *state]
        self.weights = self.weights or [torch.randn_like(tensor) for tensor in results]
        loss = sum((result * weight).sum() for result, weight in zip(results, self.weights, strict=True))
        gradients = torch.autograd.grad(loss, [*self.inputs.values()], allow_unused=True, materialize_grads=True)
        outputs = {"y": y, **{f"final state {number}": tensor for number, tensor in enumerate(state)}}
        return outputs | {f"gradient of {name}": each for name, each in zip(self.inputs, gradients, strict=True)}


def leaves(tensors: Iterable[Tensor]) -> Iterable[Tensor]:
    return (tensor.requires_grad_() for tensor in tensors if tensor.is_floating_point())


def assert_same_as_eager(run: Run, note: str) -> None:
    """Against the largest number of each tensor, for sums over rows and time may cancel."""
    ours = run.results()
    with use_backend("eager"):
        expected = run.results()
    for what, value in expected.items():
        relative, absolute = TOLERANCE[run.x.dtype]
        size = max(1.0, value.detach().abs().max().item())
        assert_close(ours[what], value, rtol=relative, atol=absolute * size, msg=told(f"{what}, {note}"))


def told(what: str) -> Callable[[str], str]:
    return lambda message: f"{what}: {message}"


def test_the_names_are_all_different() -> None:
    assert len(ALL) + len(REFUSED) == len({*FUSED, *UNFORESEEN, *REFUSED}) == len({*ALL}) + len({*REFUSED})
    assert RANDOM | UNTRUE_GRADIENTS | {*MAY_FALL_BACK} <= {*ALL}


def test_runs_on_eager_and_every_parameter_learns(name: str, cell: Cell) -> None:
    with use_backend("eager"):
        results = Run(cell, torch.float32, time=6, batch=3).results()
    assert results["y"].shape == (6, 3, cell.output_size)
    for what, value in results.items():
        assert value.isfinite().all(), what
        if what.startswith("gradient") and what not in UNTRAINED.get(name, ()):
            assert value.any(), f"{what} is nothing but zeros"


def test_the_state_before_and_the_context_learn(cell: Cell) -> None:
    with use_backend("eager"):
        results = Run(cell, torch.float32, time=2, batch=3, given=True).results()
    for what, value in results.items():
        assert value.isfinite().all(), what
        if what.startswith(("gradient of state", "gradient of context")):
            assert value.any(), f"{what} is nothing but zeros"


def test_gradients_agree_with_finite_differences(name: str, cell: Cell) -> None:
    if name in UNTRUE_GRADIENTS:
        pytest.skip("its gradient is not the derivative, on purpose")
    run = Run(cell.double().eval() if name in RANDOM else cell.double(), torch.float64, time=2, batch=2, given=True)

    def results(*_: Tensor) -> State:
        y, state = scan(cell, run.x, run.state, context=run.context)
        return y, *state

    with use_backend("eager"):
        assert gradcheck(results, tuple(run.inputs.values()), fast_mode=True)


@when_compiled
def test_is_compiled(name: str, cell: Cell) -> None:
    explanation = explained(cell)
    if name in MAY_FALL_BACK and explanation.backend == "eager":
        assert MAY_FALL_BACK[name] in explanation.reason
    else:
        assert explanation.backend == "llvm", explanation.reason


@when_compiled
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["f64", "f32"])
def test_compiled_is_eager(name: str, cell: Cell, dtype: torch.dtype) -> None:
    cell = cell.to(dtype)
    if name in MAY_FALL_BACK and explained(cell).backend == "eager":
        pytest.skip("it may run on eager")
    if name == "activation_mix_bent" and dtype == torch.float64:
        pytest.skip("PyTorch's own hardsigmoid has 1/6 in f32 only")
    for case, options in CASES.items():
        assert_same_as_eager(Run(cell, dtype, **options), note=case)


@when_compiled
def test_a_change_of_attributes_or_parameters_is_seen() -> None:
    cell = UNFORESEEN["training_switch"]().double()

    def check(note: str) -> None:
        assert_same_as_eager(Run(cell, torch.float64, time=4, batch=3), note)

    check("at first")
    cell.alpha = 0.2
    check("another alpha")
    cell.eval()
    check("evaluation")
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(1.5)
    check("changed in place")
    cell.load_state_dict(UNFORESEEN["training_switch"]().double().state_dict())
    check("loaded")
    cell.train()
    check("training again")


@when_compiled
def test_evaluation_after_training_draws_nothing() -> None:
    for name in sorted(RANDOM):
        cell = ALL[name]().double()
        run = Run(cell, torch.float64, time=4, batch=3)
        assert_same_as_eager(run, f"{name} in training")
        cell.eval()
        assert_same_as_eager(run, f"{name} in evaluation")


@pytest.mark.parametrize("name", REFUSED)
def test_refused_cells_run_on_eager(name: str) -> None:
    cell, _ = REFUSED[name]
    with use_backend("eager"):
        y, _ = scan(cell(), torch.randn(4, 3, 3))
    assert y.isfinite().all()


@when_compiled
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_its_reason(name: str) -> None:
    make, word = REFUSED[name]
    explanation = explained(make())
    assert explanation.backend == "eager"
    assert word in explanation.reason
