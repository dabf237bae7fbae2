"""The first call of a cell's kernels: some steps of theirs against the cell's own, forward and back."""

from collections.abc import Sequence as Tensors
from dataclasses import replace

import torch
from torch import Tensor

from elman.engine.backends.base import Sequence
from elman.engine.cell import Cell, as_sizes
from elman.errors import Refused

ROWS, STEPS = 3, 5
TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-6}
"""Of the largest number of a tensor: far above rounding, far below what a wrong rule does."""


def trial(cell: Cell, sequence: Sequence, initial: Tensors[Tensor]) -> Sequence:
    """Five steps of three rows, their numbers drawn without touching PyTorch's own generator."""
    generator = torch.Generator().manual_seed(0)
    dtype = sequence.x.dtype

    def drawn(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=generator, dtype=torch.float64).to(dtype)

    x = drawn(STEPS, ROWS, cell.input_size).requires_grad_()
    pairs = zip(initial, cell.state_shapes, strict=True)
    state = tuple((each.detach() + 0.1 * drawn(ROWS, *as_sizes(shape))).requires_grad_() for each, shape in pairs)
    rows = torch.arange(ROWS)
    context = tuple(each.detach()[rows % len(each)].clone() for each in sequence.context)
    context = tuple(each.requires_grad_() if each.is_floating_point() else each for each in context)
    return replace(sequence, x=x, state=state, context=context, lengths=None, resets=None, reverse=False)


def compare(ours: list[Tensor | None], theirs: list[Tensor | None], names: list[str]) -> None:
    """Refuse where numbers differ.

    Raises:
        Refused: They do.
    """
    for a, b, name in zip(ours, theirs, names, strict=True):
        if a is None or b is None:
            a, b = (torch.zeros(1) if each is None else each for each in (a, b))
        size = b.nan_to_num(0, 0, 0).abs().max().clamp(min=1) if b.numel() else torch.ones(())
        away = (a - b).abs() / size
        same = (away <= TOLERANCE[b.dtype]) | (a == b) | (a.isnan() & b.isnan())
        if not same.all():
            raise Refused(f"steps of the kernels and of the cell itself differ in {name}, by {float(away.max()):.1e}")
