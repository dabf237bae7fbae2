"""A program for another process: kernels for a processor with narrower vectors, run here and compared with `eager`.

Words: the processor, then the features of this machine to leave out.
"""

import sys
from typing import Any


def main(cpu: str, *without: str) -> int:
    """Compare, and give the bytes of a vector."""
    import llvmlite.binding as llvm

    here = llvm.get_host_cpu_features()
    for feature in here:
        here[feature] = here[feature] and not feature.startswith(tuple(without))
    llvm.get_host_cpu_features = lambda: here
    llvm.get_host_cpu_name = lambda: cpu

    import torch

    import elman
    from elman.engine.backends.llvm.target import host
    from elman.layers import LayerNormLSTMCell

    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        for make in (lambda: elman.LSTM(5, 19), lambda: elman.Recurrent(LayerNormLSTMCell, 5, 19)):
            torch.manual_seed(0)
            layer = make().to(dtype)
            x = torch.randn(7, 5, 5, dtype=dtype, requires_grad=True)
            with elman.use_backend("llvm"):
                ours = results(layer, x)
            with elman.use_backend("eager"):
                theirs = results(layer, x)
            for a, b in zip(ours, theirs, strict=True):
                torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * max(1.0, b.abs().max().item()))
    return host().width


def results(layer: Any, x: Any) -> list[Any]:
    """Outputs, states and gradients."""
    import torch

    y, state = layer(x, lengths=torch.tensor([7, 0, 3, 5, 6]))
    outputs = [y, *torch.utils._pytree.tree_leaves(state)]
    loss = sum((each * each.detach().cos()).sum() for each in outputs)
    return [*outputs, *torch.autograd.grad(loss, [x, *layer.parameters()])]


if __name__ == "__main__":
    sys.stdout.write(f"{main(*sys.argv[1:])}\n")
