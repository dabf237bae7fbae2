"""The drop-in layers against `torch.nn`: how far apart in f64, and in f32 how far each is from f64.

Rows are kinds and options; numbers are the largest difference over outputs, final states and gradients, relative to
the largest number of each tensor.
"""

from itertools import product
from time import perf_counter
from typing import Any

import torch
from results import write_result
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

import elman

TIME, BATCH, WIDTH, HIDDEN = 17, 5, 7, 9
LENGTHS = torch.tensor([17, 3, 9, 17, 1])
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {"nonlinearity": "tanh"}),
    ("RNN", {"nonlinearity": "relu"}),
    ("GRU", {}),
    ("LSTM", {}),
    ("LSTM", {"proj_size": 4}),
]


def results(layer: nn.Module, x: Tensor, packed: bool) -> list[Tensor]:
    """Outputs, final states, gradients of the input and of every weight."""
    x = x.detach().clone().requires_grad_()
    y, state = layer(
        pack_padded_sequence(x, LENGTHS, batch_first=layer.batch_first, enforce_sorted=False) if packed else x
    )
    y = y.data if isinstance(y, PackedSequence) else y
    states = list(state) if isinstance(state, tuple) else [state]
    (y.square().sum() + sum(one.sum() for one in states)).backward()
    return [one.detach() for one in (y, *states, x.grad, *(p.grad for p in layer.parameters()))]


def distance(a: list[Tensor], b: list[Tensor]) -> float:
    """The largest difference, relative to the size of the tensor."""
    pairs = zip(a, b, strict=True)
    return max(
        float((one.double() - other.double()).abs().max() / other.double().abs().max().clamp(min=1e-3))
        for one, other in pairs
    )


def compare(kind: str, options: dict[str, Any], packed: bool) -> dict[str, Any]:
    """One row."""
    torch.manual_seed(0)
    theirs = getattr(nn, kind)(WIDTH, HIDDEN, **options).double()
    ours = getattr(elman, kind)(WIDTH, HIDDEN, **options).double()
    ours.load_state_dict(theirs.state_dict())
    shape = (BATCH, TIME, WIDTH) if options["batch_first"] else (TIME, BATCH, WIDTH)
    x = torch.randn(shape, dtype=torch.float64)
    exact = results(theirs, x, packed)
    f64 = distance(results(ours, x, packed), exact)
    for layer in (theirs, ours):
        layer.zero_grad()
        layer.float()
    row = {"kind": kind, **options, "lengths": packed, "f64": f64}
    return row | {
        "f32": distance(results(ours, x.float(), packed), exact),
        "f32_torch": distance(results(theirs, x.float(), packed), exact),
    }


def main() -> None:
    """All options, one table."""
    start = perf_counter()
    switches = list(product((1, 2, 3), (False, True), (True, False), (False, True), (False, True)))
    rows = [
        compare(kind, {**extra, "num_layers": n, "bidirectional": two, "bias": bias, "batch_first": first}, packed)
        for kind, extra in KINDS
        for n, two, bias, first, packed in switches
    ]
    metrics = {
        "f64_max": max(row["f64"] for row in rows),
        "f32_ratio_max": max(row["f32"] / max(row["f32_torch"], 1e-7) for row in rows),
        "cases": len(rows),
    }
    write_result("parity", metrics, perf_counter() - start, rows)


if __name__ == "__main__":
    main()
