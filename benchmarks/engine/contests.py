"""Who runs against whom: Elman and its peers on one cell, mode and shape.

Modes: forward and train (forward and backward), and the same over rows of different lengths.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

import elman
from engine.check import check
from engine.custom import CUSTOM, make_cell
from engine.runs import Run, layer, loop, packed, plain
from engine.shapes import ODD, Batch, Shape, make_batch, step_flops

DROP_INS = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
CELLS = [*DROP_INS, *CUSTOM]
MODES = ("forward", "train", "lengths_forward", "lengths_train")
OWN_LSTM = "elman.LSTM"
"""Not a peer, but the mark for custom cells: how fast is a stock cell of ours at equal floating-point work?"""

KEPT = "elman, weights kept"
"""Inference with weights that have not changed since the last call, so that nothing is packed again."""


@dataclass(frozen=True)
class Contest:
    """Calls that do the same work, by contestant; Elman's is called "elman"."""

    cell: str
    mode: str
    shape: Shape
    calls: dict[str, Callable[[], Any]]
    flops: dict[str, float]
    """Floating-point operations of one call, for those that differ from "elman"."""
    ours: Run | None = None
    theirs: Run | None = None

    def check(self) -> list[str]:
        """What is wrong with the results."""
        assert self.ours is not None
        assert self.theirs is not None
        peers = {name: call for name, call in self.calls.items() if name not in ("elman", OWN_LSTM)}
        return check(self.ours, self.theirs, _method(self.mode), peers)


def cases(cell: str, shapes: list[Shape]) -> Iterator[tuple[str, Shape]]:
    """Modes and shapes in which a cell is measured: custom ones in training, lengths where there are several rows."""
    for mode in MODES if cell in DROP_INS else ("train",):
        for shape in shapes:
            if shape.batch > 1 or "lengths" not in mode:
                yield mode, shape


def make_contest(cell: str, mode: str, shape: Shape, threads: int) -> Contest:
    """One cell of `DROP_INS` or `CUSTOM`."""
    if cell in DROP_INS:
        return _drop_in(cell, mode, shape, threads)
    return _custom(cell, mode, shape)


@cache
def failures_at_odd_sizes(cell: str, mode: str, threads: int) -> list[str]:
    """What is wrong at sizes that are no multiple of anything."""
    return make_contest(cell, mode, ODD, threads).check()


def _drop_in(cell: str, mode: str, shape: Shape, threads: int) -> Contest:
    batch = make_batch(shape, padded="lengths" in mode)
    torch.manual_seed(0)
    theirs: nn.RNNBase = getattr(nn, DROP_INS[cell])(shape.inputs, shape.hidden)
    ours: nn.RNNBase = getattr(elman, DROP_INS[cell])(shape.inputs, shape.hidden)
    ours.load_state_dict(theirs.state_dict())
    run, peer = Run(ours, layer, batch), Run(theirs, layer if batch.lengths is None else packed, batch)
    method = _method(mode)
    for one in (run, peer):
        one.module.train(method == "train")
    calls = {"elman": getattr(run, method), "torch.nn": getattr(peer, method)}
    if method == "forward":
        calls[KEPT] = replace(run, changed=False).forward
    if isinstance(theirs, nn.LSTM) and batch.lengths is None:
        calls |= _other_lstms(theirs, batch, method, threads)
    return Contest(cell, mode, shape, calls, {"elman": _flops(theirs, batch, mode)}, run, peer)


def _other_lstms(lstm: nn.LSTM, batch: Batch, method: str, threads: int) -> dict[str, Callable[[], Any]]:
    """ONNX Runtime infers only; both come with the extra `peers`."""
    calls: dict[str, Callable[[], Any]] = {}
    if method == "forward" and find_spec("onnxruntime"):
        from engine import onnx_peer

        calls["onnxruntime"] = onnx_peer.sequence_call(lstm, batch.x.detach().numpy(), threads)
    if find_spec("jax"):
        from engine import jax_peer

        calls["jax.lax.scan"] = jax_peer.sequence_call(lstm, batch, method, threads)
    return calls


def _custom(name: str, mode: str, shape: Shape) -> Contest:
    batch = make_batch(shape)
    cell = make_cell(name, shape.inputs, shape.hidden)
    lstm = elman.LSTM(shape.inputs, shape.hidden)
    ours, theirs = Run(elman.Recurrent(cell), layer, batch), Run(plain(cell), loop, batch)
    calls = {"elman": ours.train, "eager loop": theirs.train, OWN_LSTM: Run(lstm, layer, batch).train}
    flops = {"elman": _flops(cell, batch, mode), OWN_LSTM: _flops(lstm, batch, mode)}
    return Contest(name, mode, shape, calls, flops, ours, theirs)


def _method(mode: str) -> str:
    return "train" if mode.endswith("train") else "forward"


def _flops(module: nn.Module, batch: Batch, mode: str) -> float:
    """Products only; the backward pass has two for each of the forward pass."""
    return float((3 if mode.endswith("train") else 1) * batch.steps() * step_flops(module))
