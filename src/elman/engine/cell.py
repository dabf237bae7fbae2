"""The contract: a cell is one time step, written as ordinary PyTorch.

Key: T time, B batch, I input size, O output size.
"""

from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor, nn

from elman.engine.record import record
from elman.errors import CellError

State = tuple[Tensor, ...]
Context = tuple[Tensor, ...]
Shape = int | tuple[int, ...]


class Cell(nn.Module):
    """One time step of a recurrent network; subclass it and write `forward`.

    Args:
        input_size: I, the width of what the cell sees at a step.
        output_size: O, the width of what it puts out.
        state_shapes: One entry for each tensor it remembers, a width or a tuple of sizes.
            A single tensor as wide as the output when omitted.

    Raises:
        CellError: A size is not a positive whole number.

    Example:
        >>> class Average(Cell):
        ...     def forward(self, x, state):
        ...         (mean,) = state
        ...         mean = 0.9 * mean + 0.1 * x
        ...         return mean, (mean,)
        >>> cell = Average(input_size=3, output_size=3)
        >>> output, state = cell(torch.ones(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 3])
    """

    def __init__(self, input_size: int, output_size: int, state_shapes: tuple[Shape, ...] | None = None) -> None:
        super().__init__()
        self.input_size = input_size
        self.output_size = output_size
        if not isinstance(state_shapes, tuple | list | None):
            raise CellError(f"state_shapes of {type(self).__name__} expects a tuple; received {state_shapes!r}")
        self.state_shapes: tuple[Shape, ...] = (output_size,) if state_shapes is None else tuple(state_shapes)
        sizes = (input_size, output_size, *(size for shape in self.state_shapes for size in as_sizes(shape)))
        if not all(isinstance(size, int) and size > 0 for size in sizes):
            raise CellError(
                f"{type(self).__name__} needs whole sizes of at least 1; received input_size={input_size!r}, "
                f"output_size={output_size!r}, state_shapes={self.state_shapes!r}"
            )

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        """Take one step.

        Args:
            x: (B, I), what the cell sees now.
            state: What it remembers, each tensor (B, *shape).
            context: Tensors (B, ...) that stay the same over time. A cell that uses none may leave the
                parameter away.

        Returns:
            The output (B, O), and the state after the step.
        """
        raise CellError(f"{type(self).__name__} has no forward(x, state) -> (output, state); write one")

    def initial_state(self, batch: int) -> State:
        """The state before the first step, and after a reset: zeros, unless a cell overrides it."""
        like = next(self.parameters(), torch.empty(0))
        return tuple(like.new_zeros(batch, *as_sizes(shape)) for shape in self.state_shapes)

    def prepare(self) -> Mapping[str, Tensor]:
        """Parameters as all steps of one call shall see them, by name; computed once, outside time.

        For what depends on parameters only, such as weights that are dropped out or normalised.
        """
        return {}

    def draw_context(self, batch: int) -> Context:
        """Context that the cell draws for itself at the start of a sequence, such as a dropout mask.

        It comes before the context that a caller passes.
        """
        return ()

    def recurrent(self, hidden: Tensor) -> Tensor:
        """The previous output as the recurrent products shall see it: here recurrent dropout acts."""
        mask = getattr(self, "_recurrent_mask", None)
        return hidden if mask is None else hidden * mask

    def record(self, name: str, value: Tensor) -> Tensor:
        """Name an intermediate value, such as a gate; gives it back unchanged."""
        return record(name, value)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.output_size}"


class TorchCell(Cell):
    """`torch.nn.LSTMCell`, `GRUCell` or `RNNCell` under the contract."""

    def __init__(self, cell: nn.RNNCellBase) -> None:
        states = 2 if isinstance(cell, nn.LSTMCell) else 1
        super().__init__(cell.input_size, cell.hidden_size, (cell.hidden_size,) * states)
        self.cell = cell

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        after = self.cell(x, state if isinstance(self.cell, nn.LSTMCell) else state[0])
        after = after if isinstance(after, tuple) else (after,)
        return after[0], after


def as_cell(module: nn.Module) -> Cell:
    """A `Cell` from a `Cell` or from one of PyTorch's own cells.

    Raises:
        CellError: The module is neither.
    """
    if isinstance(module, Cell):
        return module
    if isinstance(module, nn.RNNCellBase):
        return TorchCell(module)
    raise CellError(f"expected an elman.Cell or a torch.nn cell; received {type(module).__name__}")


def as_sizes(shape: Shape) -> tuple[int, ...]:
    """A state's shape without the batch, as a tuple."""
    return shape if isinstance(shape, tuple) else (shape,)


def check_initial_state(cell: Cell, state: State, batch: int) -> None:
    """Refuse a cell whose `initial_state` breaks the contract.

    Raises:
        CellError: The state is not the promised one.
    """
    if not _fits(cell, state, batch):
        raise CellError(
            f"initial_state({batch}) of {type(cell).__name__} expects to give {_promise(cell, batch)}; "
            f"received {_described(state)}"
        )


def check_step(cell: Cell, result: object, batch: int) -> None:
    """Refuse a cell whose `forward` breaks the contract.

    Raises:
        CellError: It did not return (output, state) in the promised shapes.
    """
    pair = result if isinstance(result, tuple) and len(result) == 2 else (None, None)
    output, state = pair
    if not _has_shape(output, (batch, cell.output_size)) or not _fits(cell, state, batch):
        raise CellError(
            f"forward of {type(cell).__name__} expects to return an output {(batch, cell.output_size)} and "
            f"{_promise(cell, batch)}; received {_described(result)}"
        )


def _promise(cell: Cell, batch: int) -> str:
    return f"a state in a tuple ({', '.join(str((batch, *as_sizes(shape))) for shape in cell.state_shapes)})"


def _fits(cell: Cell, state: object, batch: int) -> bool:
    return (
        isinstance(state, tuple)
        and len(state) == len(cell.state_shapes)
        and all(_has_shape(a, (batch, *as_sizes(b))) for a, b in zip(state, cell.state_shapes, strict=True))
    )


def _has_shape(value: object, shape: tuple[int, ...]) -> bool:
    return isinstance(value, Tensor) and tuple(value.shape) == shape


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of ({', '.join(_described(each) for each in value)})"
    return type(value).__name__


def first_weight(module: nn.Module) -> Tensor | None:
    """The first floating-point parameter of a module or those inside it, which tells its dtype and device."""
    for weight in module._parameters.values():
        if weight is not None and weight.is_floating_point():
            return weight
    found = (first_weight(child) for child in module._modules.values() if child is not None)
    return next((weight for weight in found if weight is not None), None)


def state_size(cell: Cell) -> int:
    """How many numbers the cell remembers for one row."""
    return sum(prod(as_sizes(shape)) for shape in cell.state_shapes)
