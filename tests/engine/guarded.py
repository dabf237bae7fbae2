"""A program for another process: kernels over tensors that end right before, or start right after, forbidden memory.

Whoever reads or writes one number too far is killed. Fresh memory of the engine is guarded too: `torch.empty` and its
like are replaced.
"""

import ctypes
import mmap
import sys
from typing import Any

import torch
from torch import Tensor

from elman.engine import scan, use_backend
from elman.layers import LayerNormLSTMCell, LSTMCell

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
ZEROS = torch.zeros
ALIGNED = 64  # as PyTorch does
held: list[Any] = []


def guarded(shape: tuple[int, ...], dtype: torch.dtype, at_end: bool, align: int = 1) -> Tensor:
    """A tensor of NaN between two forbidden pages, close to the one or the other."""
    count = 1
    for size in shape:
        count *= size
    if not count:
        return ZEROS(shape, dtype=dtype)
    size = -(-count * dtype.itemsize // align) * align
    pages = -(-size // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (start, start + (pages + 1) * PAGE):
        assert libc.mprotect(page, PAGE, 0) == 0
    held.append(memory)
    offset = PAGE + (pages * PAGE - size if at_end else 0)
    tensor = torch.frombuffer(memory, dtype=dtype, count=count, offset=offset).view(shape)
    return tensor.fill_(float("nan")) if dtype.is_floating_point else tensor


def placed(tensor: Tensor, at_end: bool) -> Tensor:
    return guarded(tuple(tensor.shape), tensor.dtype, at_end).copy_(tensor.detach())


def check(make: Any, sizes: tuple[int, int, int, int], dtype: torch.dtype, at_end: bool, lengths: bool) -> None:
    time, batch, width, hidden = sizes
    cell = make(width, hidden).to(dtype)
    plain = [torch.randn(time, batch, width, dtype=dtype), *(torch.randn(batch, hidden, dtype=dtype) for _ in range(2))]
    own = torch.arange(batch) % (time + 1) if lengths else None
    results = []
    for backend in ("eager", "llvm"):
        guard = backend == "llvm"
        inputs = [(placed(each, at_end) if guard else each.clone()).requires_grad_() for each in plain]
        values = {
            name: (placed(each, at_end) if guard else each.detach().clone()).requires_grad_()
            for name, each in cell.named_parameters()
        }
        with use_backend(backend):
            y, state = scan(cell, inputs[0], (inputs[1], inputs[2]), lengths=own, parameters=values)
            with torch.no_grad():
                scan(cell, inputs[0], (inputs[1], inputs[2]), lengths=own, parameters=values)
        gradients = [torch.linspace(-1, 1, each.numel(), dtype=dtype).view_as(each) for each in (y, *state)]
        gradients = [placed(each, at_end) if guard else each for each in gradients]
        wanted = [*inputs, *values.values()]
        results.append([y, *state, *torch.autograd.grad([y, *state], wanted, gradients)])
    for theirs, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3 * max(1.0, theirs.abs().max().item()))


def fresh(at_end: bool) -> None:
    """From now on the engine's own memory is guarded too."""
    empty, empty_like = torch.empty, torch.empty_like

    def guarded_empty(*shape: Any, dtype: torch.dtype | None = None, **rest: Any) -> Tensor:
        if rest or dtype not in (torch.float32, torch.float64):
            return empty(*shape, dtype=dtype, **rest)
        sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return guarded(sizes, dtype, at_end, ALIGNED)

    def guarded_zeros(*shape: Any, dtype: torch.dtype | None = None, **rest: Any) -> Tensor:
        return guarded_empty(*shape, dtype=dtype or torch.float32, **rest).zero_()

    torch.empty, torch.empty_like, torch.zeros = guarded_empty, empty_like, guarded_zeros


if __name__ == "__main__":
    torch.manual_seed(0)
    cells = (LSTMCell, LayerNormLSTMCell)
    dtypes = (torch.float32, torch.float64)
    for make in cells:  # kernels are made before memory is guarded
        for dtype in dtypes:
            check(make, (2, 2, 3, 5), dtype, True, False)
    for at_end in (True, False):
        fresh(at_end)
        for make in cells:
            for dtype in dtypes:
                for number, sizes in enumerate([(1, 1, 1, 1), (3, 5, 17, 33), (2, 1, 63, 17)]):
                    check(make, sizes, dtype, at_end, lengths=number % 2 == 1)
                    held.clear()
    sys.stdout.write("inside\n")
