"""One step at a time: the numbers of the whole sequence, bit for bit, whatever came before and between."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from elman.engine import Cell, scan, use_backend
from elman.engine.backends.llvm import stepper
from elman.errors import CellError, OptionError, ShapeError
from elman.layers import (
    GRU,
    LSTM,
    RNN,
    GRUCell,
    LayerNormLSTMCell,
    LSTMCell,
    PeepholeLSTMCell,
    Recurrent,
    compile_step,
)

T, FEATURES, HIDDEN = 7, 5, 19  # a width that fills no vector
LAYERS = {
    "lstm": lambda: LSTM(FEATURES, HIDDEN, num_layers=2),
    "one wide lstm": lambda: LSTM(FEATURES, 100, batch_first=False),
    "projected": lambda: LSTM(FEATURES, HIDDEN, num_layers=2, proj_size=3, bias=False),
    "gru": lambda: GRU(FEATURES, HIDDEN, num_layers=3, dropout=0.5),
    "relu": lambda: RNN(FEATURES, HIDDEN, nonlinearity="relu", num_layers=2),
    "peephole": lambda: Recurrent(PeepholeLSTMCell, FEATURES, HIDDEN, 2, zoneout=0.1, recurrent_dropout=0.3),
    "layer norm": lambda: Recurrent(LayerNormLSTMCell, FEATURES, HIDDEN, 2, weight_drop=0.3, dropout=0.5),
    "residual": lambda: Recurrent(GRUCell, HIDDEN, HIDDEN, 3, residual=True),
    "torch's cell": lambda: Recurrent(nn.GRUCell, FEATURES, HIDDEN),
}


class Leaky(Cell):
    """Its state is learned, its rate an attribute, and its context is added."""

    def __init__(self) -> None:
        super().__init__(FEATURES, FEATURES)
        self.rate = 0.5
        self.start = nn.Parameter(torch.randn(FEATURES))

    def initial_state(self, batch: int) -> tuple[Tensor, ...]:
        return (self.start.expand(batch, -1),)

    def forward(self, x: Tensor, state: tuple[Tensor, ...], context: tuple[Tensor, ...] = ()) -> Any:
        h = self.rate * state[0] + x + sum(context)
        return h, (h,)


class Branching(Leaky):
    """Nothing that can be fused."""

    def forward(self, x: Tensor, state: tuple[Tensor, ...], context: tuple[Tensor, ...] = ()) -> Any:
        h = state[0] + x if float(x.sum()) > 0 else state[0] - x
        return h, (h,)


def whole(layer: nn.Module, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
    """The sequence in one call, in evaluation mode."""
    mode = layer.training
    layer.eval()
    with torch.no_grad():
        y, state = scan(layer, x, state) if isinstance(layer, Cell) else layer(x, state)
    layer.train(mode)
    return y, state


def flat(state: Any) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else [tensor for each in state for tensor in flat(each)]


def same(a: Any, b: Any) -> bool:
    return all(torch.equal(*pair) for pair in zip(flat(a), flat(b), strict=True))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind", LAYERS)
def test_steps_are_the_sequence(kind: str, batch: int) -> None:
    layer = LAYERS[kind]()
    x = torch.randn(T, batch, HIDDEN if kind == "residual" else FEATURES)
    y, state = whole(layer, x)
    step = compile_step(layer, batch=batch)
    assert step.backend == "llvm"
    assert torch.equal(torch.stack([step(each) for each in x]), y)
    assert same(step.state, state)
    assert layer.training
    step.reset()
    assert np.array_equal(np.stack([step(each) for each in x.numpy()]), y.numpy())
    _, between = whole(layer, x[:3])
    step.reset(between)
    assert torch.equal(torch.stack([step(each) for each in x[3:]]), y[3:])


@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("kind", ["lstm", "residual", "layer norm"])
def test_threads_change_no_bit(kind: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepper, "ALONE", 0)
    layer = LAYERS[kind]()
    x = torch.randn(T, batch, HIDDEN if kind == "residual" else FEATURES)
    y, _ = whole(layer, x)
    torch.set_num_threads(2)
    step = compile_step(layer, batch=batch)
    assert torch.equal(torch.stack([step(each) for each in x[:3]]), y[:3])
    torch.set_num_threads(1)
    assert torch.equal(torch.stack([step(each) for each in x[3:]]), y[3:])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_layers_of_torch(kind: Any) -> None:
    layer = kind(FEATURES, HIDDEN, num_layers=2)
    x = torch.randn(T, 2, FEATURES)
    y, state = whole(layer, x)
    step = compile_step(layer, batch=2)
    torch.testing.assert_close(torch.stack([step(each) for each in x]), y)
    torch.testing.assert_close(step.state, state)
    assert type(layer) is kind


def test_f64_and_an_output_layer() -> None:
    layer = Recurrent(GRUCell, FEATURES, HIDDEN, 2, output_size=4, output_activation="softmax").double()
    x = torch.randn(T, 2, FEATURES, dtype=torch.float64)
    y, state = whole(layer, x)
    step = compile_step(layer, batch=2)
    torch.testing.assert_close(torch.stack([step(each) for each in x]), y)  # torch's product has another order
    assert same(step.state, state)
    step.reset(state)
    assert same(step.state, state)


def test_forms_of_a_single_row() -> None:
    step = compile_step(GRU(FEATURES, HIDDEN))
    x = torch.randn(FEATURES)
    y = step(x)
    assert y.shape == (HIDDEN,)
    for other in (
        x[None],
        x.numpy(),
        x.numpy()[None],
        torch.stack([x, x], 1)[:, 0],
        x.repeat_interleave(2).numpy()[::2],
    ):
        step.reset()
        again = step(other)
        assert type(again) is (np.ndarray if isinstance(other, np.ndarray) else Tensor)
        assert again.shape == (*other.shape[:-1], HIDDEN)
        assert np.array_equal(np.asarray(again).reshape(-1), y.numpy())
    read_only, backwards = x.numpy().copy(), x.numpy()[::-1].copy()[::-1]
    read_only.flags.writeable = False
    for other in (read_only, backwards, x.clone().requires_grad_(), nn.Parameter(x)):
        step.reset()
        assert np.array_equal(np.asarray(step(other)), y.numpy())


def test_outputs_belong_to_the_caller() -> None:
    step = compile_step(GRU(FEATURES, HIDDEN))
    x = np.ones(FEATURES, np.float32)
    first = step(x)
    kept = first.copy()
    second = step(x)
    assert np.array_equal(first, kept)
    assert not np.array_equal(first, second)
    first[:] = 0
    state = step.state
    step(x)
    assert not torch.equal(state, step.state)


def test_going_back() -> None:
    step = compile_step(LSTM(FEATURES, HIDDEN, num_layers=2))
    x = torch.randn(T, FEATURES)
    for each in x[:4]:
        step(each)
    here = step.state
    wanted = [step(each) for each in x[4:]]
    for state in (here, tuple(tensor[:, 0] for tensor in here)):
        step.state = state
        assert same([step(each) for each in x[4:]], wanted)


@pytest.mark.parametrize("kind", ["lstm", "peephole"])
def test_new_weights_count_from_the_next_step(kind: str) -> None:
    layer, other = LAYERS[kind](), LAYERS[kind]()
    x = torch.randn(T, 1, FEATURES)
    _, between = whole(layer, x[:3])
    step = compile_step(layer)
    for each in x[:3]:
        step(each)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(0.5)
    y, state = whole(layer, x[3:5], between)
    assert torch.equal(torch.stack([step(each) for each in x[3:5]]), y)
    layer.load_state_dict(other.state_dict(), assign=True)
    y, _ = whole(other, x[5:], state)
    assert torch.equal(torch.stack([step(each) for each in x[5:]]), y)


def test_each_single_weight_is_watched() -> None:
    layer = LSTM(FEATURES, HIDDEN)
    step, x = compile_step(layer), torch.randn(1, 1, FEATURES)
    for name, parameter in list(layer.named_parameters()):
        with torch.no_grad():
            parameter[0] += 1
        step.reset()
        assert torch.equal(step(x[0]), whole(layer, x)[0][0])
        setattr(layer, name, nn.Parameter(torch.randn_like(parameter)))
        step.reset()
        assert torch.equal(step(x[0]), whole(layer, x)[0][0])


def test_a_layer_that_changes_its_dtype() -> None:
    layer = LSTM(FEATURES, HIDDEN)
    step, x = compile_step(layer), torch.randn(2, 1, FEATURES)
    step(x[0])
    state = step.state
    layer.double()
    y, _ = whole(layer, x[1:].double(), tuple(tensor.double() for tensor in state))
    assert torch.equal(step(x[1].double()), y[0])
    with pytest.raises(ShapeError, match=r"torch\.float64, as the weights are; received torch\.float32"):
        step(x[1])


def test_frozen_until_refreshed() -> None:
    layer = LSTM(FEATURES, HIDDEN)
    step, x = compile_step(layer, frozen=True), torch.randn(2, 1, FEATURES)
    before, _ = whole(layer, x)
    assert torch.equal(step(x[0]), before[0])
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(0.5)
    assert torch.equal(step(x[1]), before[1])
    step.refresh()
    step.reset()
    assert torch.equal(step(x[0]), whole(layer, x)[0][0])


def test_an_attribute_is_seen_after_refresh() -> None:
    cell, x = Leaky(), torch.randn(2, 1, FEATURES)
    step = compile_step(cell)
    assert torch.equal(step(x[0]), whole(cell, x)[0][0])
    cell.rate = 0.25
    step.refresh()
    torch.testing.assert_close(step(x[1]), 0.25 * (0.5 * cell.start + x[0]) + x[1])


def test_context() -> None:
    cell, x, context = Leaky(), torch.randn(T, 2, FEATURES), (torch.randn(2, FEATURES), torch.randn(2, 1))
    step = compile_step(cell, batch=2, context=context)
    assert step.backend == "llvm"
    with torch.no_grad():
        y, _ = scan(cell, x, context=context)
        assert torch.equal(torch.stack([step(each) for each in x]), y)
        step.reset(context=(context[0],))
        y, _ = scan(cell, x, context=context[:1])
    assert torch.equal(torch.stack([step(each) for each in x]), y)
    step.reset(batch=1, context=())
    torch.testing.assert_close(step(x[0, 0]), 0.5 * cell.start.detach() + x[0, 0])
    with pytest.raises(ShapeError, match=r"context 0 expects a tensor \(1, ...\); received \(2, 5\)"):
        step.reset(context=context)


@pytest.mark.filterwarnings("ignore::elman.engine.FallbackWarning")
@pytest.mark.parametrize("batch", [1, 2])
def test_what_cannot_be_fused(batch: int) -> None:
    cell, x = Branching(), torch.randn(T, batch, FEATURES)
    step = compile_step(cell, batch=batch)
    assert step.backend == "eager"
    assert "data" in step.reason
    y, state = whole(cell, x)
    assert torch.equal(torch.stack([step(each) for each in x]), y)
    assert same(step.state, state)
    step.reset()
    assert np.array_equal(step(x[0].numpy()), y[0].numpy())
    assert not step(x[0]).requires_grad


def test_a_forced_backend() -> None:
    layer, x = LAYERS["residual"](), torch.randn(T, 1, HIDDEN)
    with use_backend("eager"):
        step = compile_step(layer)
        y, _ = whole(layer, x)
    assert (step.backend, step.reason) == ("eager", "use_backend asked for it")
    torch.testing.assert_close(torch.stack([step(each) for each in x]), y)


@pytest.mark.filterwarnings("ignore::elman.engine.FallbackWarning")
def test_half_precision_runs_as_written() -> None:
    layer = Recurrent(GRUCell, FEATURES, HIDDEN).to(torch.bfloat16)
    step = compile_step(layer)
    assert step.backend == "eager"
    assert step(torch.randn(FEATURES, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_copies_go_on_by_themselves() -> None:
    step = compile_step(Recurrent(LSTMCell, FEATURES, HIDDEN))
    x = torch.randn(3, FEATURES)
    step(x[0])
    for twin in (copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        assert torch.equal(twin(x[1]), copy.copy(step)(x[1]))
        assert not same(twin.state, step.state)


def test_inference_mode_and_training_steps_between() -> None:
    layer = LSTM(FEATURES, HIDDEN)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
    with torch.inference_mode():
        step = compile_step(layer)
        step(torch.randn(FEATURES))
    x = torch.randn(T, 1, FEATURES)
    for _ in range(2):
        layer(x)[0].sum().backward()
        optimiser.step()
        step.reset()
        assert torch.equal(torch.stack([step(each) for each in x]), whole(layer, x)[0])


def test_nan_stays_in_its_row() -> None:
    step = compile_step(LSTM(FEATURES, HIDDEN), batch=2)
    x = torch.randn(2, FEATURES)
    x[0, 0] = float("nan")
    y = step(x)
    assert y[0].isnan().all()
    assert not y[1].isnan().any()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(4, np.float32), r"shape \(1, 5\); received \(4,\)"),
        (np.zeros((2, 5), np.float32), r"shape \(1, 5\); received \(2, 5\)"),
        (np.zeros((5, 1), np.float32), r"shape \(1, 5\); received \(5, 1\)"),
        (np.float32(1), "received a float32"),
        (np.zeros(5), "torch.float32, as the weights are; received float64"),
        (np.zeros(5, ">f4"), "received >f4"),
        (torch.zeros(5, dtype=torch.int64), "received torch.int64"),
        (torch.zeros(5, device="meta"), "an input on cpu, as the weights are; received meta"),
        (torch.zeros(1, 1, 5), r"received \(1, 1, 5\)"),
        ([0.0] * 5, "received a list"),
    ],
)
def test_wrong_input(x: Any, message: str) -> None:
    step = compile_step(GRU(5, 3))
    state = step.state
    with pytest.raises(ShapeError, match=message):
        step(x)
    assert same(step.state, state)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("lstm", torch.zeros(2, 1, HIDDEN)),
        ("lstm", (torch.zeros(2, 1, HIDDEN), torch.zeros(2, 2, HIDDEN))),
        ("lstm", (torch.zeros(1, 1, HIDDEN), torch.zeros(1, 1, HIDDEN))),
        ("gru", torch.zeros(3, 1, 4)),
        ("gru", None),
        ("peephole", (torch.zeros(1, HIDDEN),) * 2),
        ("peephole", ()),
        ("peephole", 3),
    ],
)
def test_wrong_state(kind: str, state: Any) -> None:
    step = compile_step(LAYERS[kind]())
    with pytest.raises(ShapeError, match="state"):
        step.state = state


def test_wrong_layers_and_batches() -> None:
    with pytest.raises(OptionError, match="bidirectional"):
        compile_step(LSTM(3, 4, bidirectional=True))
    with pytest.raises(OptionError, match="bidirectional"):
        compile_step(Recurrent(GRUCell, 3, 4, bidirectional=True))
    with pytest.raises(CellError, match="received Linear"):
        compile_step(nn.Linear(3, 4))
    with pytest.raises(OptionError, match="batch expects a whole number of at least 1; received 0"):
        compile_step(LSTM(3, 4), batch=0)
    with pytest.raises(OptionError, match="context is for a single cell"):
        compile_step(LAYERS["lstm"](), context=(torch.zeros(1, 1),))
