"""ONNX Runtime's LSTM: the graph is written by hand, one operation of the standard."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from torch import nn

Array = np.ndarray


def sequence_call(lstm: nn.LSTM, x: Array, threads: int) -> Callable[[], tuple[Array]]:
    """Inference on a whole batch; outputs and both final states are asked for, as PyTorch gives them."""
    session = _session(lstm, ["y", "h", "c"], ["x"], threads)
    return lambda: (session.run(None, {"x": x})[0][:, 0],)  # (T, directions, B, H) -> (T, B, H), a view


def step_call(lstm: nn.LSTM, threads: int) -> Callable[[Array], Array]:
    """One step of one row, (1, I) -> (1, H): states come out of a call and go into the next."""
    session = _session(lstm, ["h", "c"], ["x", "h0", "c0"], threads)
    zeros = np.zeros((1, 1, lstm.hidden_size), np.float32)
    return partial(_step, partial(session.run, ["h", "c"]), {"h0": zeros, "c0": zeros})


def _step(run: Callable[[Any], list[Array]], feed: dict[str, Array], x: Array) -> Array:
    feed["x"] = x[None]
    feed["h0"], feed["c0"] = run(feed)
    return feed["h0"][0]


def _session(lstm: nn.LSTM, outputs: list[str], inputs: list[str], threads: int) -> onnxruntime.InferenceSession:
    """A session on the CPU; its threads spin after a call, as by default."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = _model(lstm, outputs, inputs).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _model(lstm: nn.LSTM, outputs: list[str], inputs: list[str]) -> onnx.ModelProto:
    """PyTorch's weights under the names and in the order of ONNX."""
    hidden = lstm.hidden_size
    weights = {name: _iofc(value.detach().numpy()) for name, value in lstm.named_parameters()}
    constants = {
        "W": weights["weight_ih_l0"][None],
        "R": weights["weight_hh_l0"][None],
        "B": np.concatenate([weights["bias_ih_l0"], weights["bias_hh_l0"]])[None],
    }
    state = [1, "batch", hidden]
    shapes = {"x": ["time", "batch", lstm.input_size], "y": ["time", 1, "batch", hidden]}
    node = helper.make_node(
        "LSTM",
        ["x", "W", "R", "B", "", *inputs[1:]],
        [name if name in outputs else "" for name in ("y", "h", "c")],
        hidden_size=hidden,
    )
    graph = helper.make_graph(
        [node],
        "lstm",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes.get(name, state)) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes.get(name, state)) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _iofc(rows: Array) -> Array:
    """Rows in PyTorch's order of gates (input, forget, cell, output) -> ONNX's (input, output, forget, cell)."""
    i, f, c, o = np.split(rows, 4)
    return np.concatenate([i, o, f, c])
