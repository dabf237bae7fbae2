"""The entry point: run a cell over time.

Key: T time, B batch, I input size, O output size.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from elman.engine.backends.base import Sequence
from elman.engine.cell import Cell, Context, State, as_cell, as_sizes, first_weight
from elman.engine.dispatch import run
from elman.engine.padding import within
from elman.engine.probe import probed
from elman.errors import ShapeError


def scan(
    cell: nn.Module,
    x: Float[Tensor, "time batch features"],
    state: State | None = None,
    *,
    lengths: Integer[Tensor, " batch"] | None = None,
    resets: Bool[Tensor, "time batch"] | None = None,
    context: Context = (),
    reverse: bool = False,
    parameters: Mapping[str, Tensor] | None = None,
) -> tuple[Float[Tensor, "time batch outputs"], State]:
    """Run a one-step cell over every time step.

    Args:
        cell: Any cell, or a cell of `torch.nn`.
        x: (T, B, I), what the cell sees, one slice a step.
        state: The state before the first step, each tensor (B, *shape); the cell's own when omitted.
        lengths: (B,), how many steps of each row count. Outputs past them are zero, and the final state
            is the one after the row's own last step.
        resets: (T, B), true where the state returns to its initial value before the step. In reverse the
            boundary is the same one: between step t - 1 and step t. Past a row's length they mean nothing.
        context: Tensors (B, ...) that every step sees.
        reverse: Walk from each row's last step to its first.
        parameters: Values that stand in for the cell's own parameters, by name.

    Returns:
        The output of every step (T, B, O), and the state after the last one.

    Raises:
        ShapeError: A tensor does not fit the cell or the input.
        CellError: The cell breaks the one-step contract.

    Example:
        >>> from elman.layers import LSTMCell
        >>> outputs, state = scan(LSTMCell(8, 16), torch.randn(5, 2, 8))
        >>> outputs.shape
        torch.Size([5, 2, 16])
    """
    cell = as_cell(cell)
    weight = _first_weight(cell, parameters)
    _check_input(cell, x, weight)
    if weight is not None and autocast_dtype(x):
        x, state, context = (_in_dtype(each, weight.dtype) for each in (x, state, context))
        with torch.autocast(x.device.type, enabled=False):
            return scan(
                cell, x, state, lengths=lengths, resets=resets, context=context, reverse=reverse, parameters=parameters
            )
    time, batch, _ = x.shape
    _check_state(cell, state, batch)
    _check_context(context, batch)
    lengths = _checked_lengths(lengths, time, batch)
    sequence = Sequence(
        x=x,
        state=state,
        lengths=lengths,
        resets=_checked_resets(resets, lengths, time, batch, reverse),
        context=(*cell.draw_context(batch), *context),
        reverse=reverse,
        parameters={**(parameters or {}), **cell.prepare()},
    )
    cell, sequence = probed(cell, sequence)
    return run(cell, sequence)


def _first_weight(cell: Cell, parameters: Mapping[str, Tensor] | None) -> Tensor | None:
    weight = next(iter((parameters or {}).values()), None)
    return first_weight(cell) if weight is None else weight


def autocast_dtype(x: Tensor) -> torch.dtype | None:
    """That of products under `torch.autocast`, where it acts on a tensor's device."""
    kind = x.device.type
    if not torch.amp.is_autocast_available(kind) or not torch.is_autocast_enabled(kind):
        return None
    return torch.get_autocast_dtype(kind)


def _in_dtype(tensors: Any, dtype: torch.dtype) -> Any:
    """Under autocast what comes in may have a smaller dtype; recurrences are computed in that of the weights."""
    if isinstance(tensors, tuple):
        return tuple(_in_dtype(each, dtype) for each in tensors)
    return tensors.to(dtype) if isinstance(tensors, Tensor) and tensors.is_floating_point() else tensors


def _check_input(cell: Cell, x: Tensor, weight: Tensor | None) -> None:
    if x.dim() != 3 or x.shape[-1] != cell.input_size:
        raise ShapeError(
            f"{type(cell).__name__} expects input of shape (time, batch, {cell.input_size}); received {tuple(x.shape)}"
        )
    if not x.is_floating_point():
        raise ShapeError(f"{type(cell).__name__} expects floating-point input; received {x.dtype}; try x.float()")
    if weight is None or weight.dtype == x.dtype or not weight.is_floating_point():
        return
    if not autocast_dtype(x):
        raise ShapeError(
            f"{type(cell).__name__} has weights of {weight.dtype}; received input of {x.dtype}; "
            "convert one of them, with x.to(...) or layer.to(...)"
        )


def _check_state(cell: Cell, state: State | None, batch: int) -> None:
    if state is None:
        return
    if not isinstance(state, tuple) or len(state) != len(cell.state_shapes):
        received = f"{type(state).__name__} of {len(state)}" if hasattr(state, "__len__") else type(state).__name__
        raise ShapeError(
            f"{type(cell).__name__} expects a state of {len(cell.state_shapes)} tensors in a tuple; received {received}"
        )
    for number, (tensor, shape) in enumerate(zip(state, cell.state_shapes, strict=True)):
        expected = (batch, *as_sizes(shape))
        received = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
        if received != expected:
            raise ShapeError(f"state {number} of {type(cell).__name__} expects shape {expected}; received {received}")


def _check_context(context: Context, batch: int) -> None:
    for number, tensor in enumerate(context):
        received = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
        if not isinstance(tensor, Tensor) or tensor.shape[:1] != (batch,):
            raise ShapeError(f"context {number} expects a tensor ({batch}, ...), one entry a row; received {received}")


def _checked_lengths(lengths: Tensor | None, time: int, batch: int) -> Tensor | None:
    if lengths is None:
        return None
    lengths = torch.as_tensor(lengths).cpu()
    if lengths.shape != (batch,) or lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise ShapeError(
            f"lengths expects {batch} whole numbers, one a row; received shape {tuple(lengths.shape)}, {lengths.dtype}"
        )
    if batch and not torch.compiler.is_compiling() and (int(lengths.min()) < 0 or int(lengths.max()) > time):
        raise ShapeError(
            f"lengths expects values from 0 to {time}, the steps of the input; "
            f"received {int(lengths.min())} to {int(lengths.max())}"
        )
    return lengths


def _checked_resets(
    resets: Tensor | None, lengths: Tensor | None, time: int, batch: int, reverse: bool
) -> Tensor | None:
    if resets is None:
        return None
    if resets.shape != (time, batch) or resets.dtype != torch.bool:
        raise ShapeError(
            f"resets expects booleans of shape {(time, batch)}; received {resets.dtype} of shape {tuple(resets.shape)}"
        )
    if lengths is not None:
        resets = resets & within(lengths, time).to(resets.device)
    if not reverse:
        return resets
    return torch.cat([resets[1:], resets.new_zeros(1, batch)]) if time else resets
