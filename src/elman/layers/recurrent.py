"""Any cell over time: layers, directions, dropout, lengths, resets, carried state.

Key: T time, B batch, I input size, H hidden size, O output size.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from torch import Tensor, cat, nn
from torch.nn.utils.rnn import PackedSequence

from elman.engine import Cell, State, as_cell, without_padding
from elman.errors import CellError, OptionError, ShapeError, check_option
from elman.layers.cells.activations import OUTPUT_ACTIVATIONS
from elman.layers.cells.catalogue import Factory
from elman.layers.door import enter, last_outputs
from elman.layers.stack import Stack
from elman.layers.wrappers import RecurrentDropout, WeightDrop, Zoneout, check_probability

LayerState = tuple[State, ...]


class Recurrent(nn.Module):
    """A recurrent network from a one-step cell.

    Main arguments:
        cell: A class or factory called with (input size, hidden size) for every layer and direction, or one
            instance for a network of one layer and one direction. Cells of `torch.nn` are welcome.
        input_size: I, features of the input. The instance's own when a cell instance is given.
        hidden_size: H, or one width for each layer.
        num_layers: How many layers stand on top of each other. As many as widths when a list is given.
        bidirectional: Read each sequence from both ends, and put both outputs side by side.
        batch_first: Sequences come and go as (B, T, features) instead of (T, B, features).

    Other arguments:
        residual: Add a layer's input to its output wherever the widths agree (He et al. 2016).
        dropout: Share of features dropped between layers in training.
        dropout_per: A new mask at every "step", or one for the whole "sequence" (Gal and Ghahramani 2016).
        recurrent_dropout: Share of the previous output hidden from the recurrent products, one mask a sequence.
        zoneout: Share of the state that keeps its old value at a step (Krueger et al. 2017).
        weight_drop: Share of the recurrent weights dropped during a training call (Merity et al. 2017).
        output_size: O, adds the output layer y = g(W h + b).
        output_activation: g: identity, sigmoid, tanh, relu, softmax, or a function.
        output_at: Put out every step, or only the last step that each direction takes: (B, features).

    Raises:
        OptionError: An argument is impossible.
        CellError: What should make cells makes something else.
        ShapeError: At a call, a tensor does not fit.

    Example:
        >>> import torch
        >>> from elman.layers import GRUCell
        >>> network = Recurrent(GRUCell, 8, 16, num_layers=2, bidirectional=True)
        >>> y, state = network(torch.randn(5, 3, 8), lengths=torch.tensor([5, 2, 4]))
        >>> y.shape, len(state)
        (torch.Size([5, 3, 32]), 4)
    """

    def __init__(
        self,
        cell: Factory | nn.Module,
        input_size: int | None = None,
        hidden_size: int | Sequence[int] | None = None,
        num_layers: int | None = None,
        *,
        bidirectional: bool = False,
        batch_first: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
        dropout_per: Literal["step", "sequence"] = "step",
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        weight_drop: float = 0.0,
        output_size: int | None = None,
        output_activation: str | Callable[[Tensor], Tensor] = "identity",
        output_at: Literal["every step", "last step"] = "every step",
    ) -> None:
        super().__init__()
        self.directions = 2 if bidirectional else 1
        self.batch_first = batch_first
        self.residual = residual
        check_probability("dropout", dropout)
        self.dropout = dropout
        check_option("dropout_per", dropout_per, ("step", "sequence"))
        check_option("output_at", output_at, ("every step", "last step"))
        self.dropout_per = dropout_per
        self.output_at = output_at
        self.activation = _activation(output_activation, output_size)

        def wrapped(cell: Cell) -> Cell:
            # zoneout outside: it keeps the state that the cell, with its dropout, has computed
            cell = WeightDrop(cell, weight_drop) if weight_drop else cell
            cell = RecurrentDropout(cell, recurrent_dropout) if recurrent_dropout else cell
            return Zoneout(cell, zoneout) if zoneout else cell

        cells = self._build(cell, input_size, hidden_size, num_layers)
        self.cells = nn.ModuleList(wrapped(cell) for cell in cells)
        self.input_size = cells[0].input_size
        width = cells[-1].output_size * self.directions
        self.output = None if output_size is None else nn.Linear(width, output_size)
        self.output_size = width if output_size is None else output_size

    def _build(
        self,
        cell: Factory | nn.Module,
        input_size: int | None,
        hidden_size: int | Sequence[int] | None,
        num_layers: int | None,
    ) -> list[Cell]:
        if isinstance(cell, nn.Module):
            if self.directions > 1 or num_layers not in (None, 1):
                raise OptionError(
                    "one cell instance makes one layer in one direction; "
                    "pass the class or a factory for more layers or both directions"
                )
            return [_with_sizes(as_cell(cell), input_size, hidden_size)]
        if not callable(cell):
            raise CellError(f"expected a cell, a cell class or a factory; received {cell!r}")
        if input_size is None or hidden_size is None:
            raise OptionError("input_size and hidden_size are needed to build the cells; give both")
        cells: list[Cell] = []
        for width in _widths(hidden_size, num_layers):
            layer = [as_cell(cell(input_size, width)) for _ in range(self.directions)]
            input_size = layer[0].output_size * self.directions
            cells += layer
        return cells

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: LayerState | None = None,
        *,
        lengths: Tensor | None = None,
        resets: Tensor | None = None,
    ) -> tuple[Tensor | PackedSequence, LayerState]:
        """Run over whole sequences.

        Args:
            x: (T, B, I), or (B, T, I) with batch_first, or unbatched (T, I), or a PackedSequence.
            state: What a former call returned; the cells' initial state when omitted.
            lengths: (B,), how many steps of each row count.
            resets: True where the state returns to its initial value before a step; shaped like x without I.

        Returns:
            The outputs in the form of x, zero past each row's length (also behind an output layer), and the final
            state: one entry for each layer and direction, each a tuple of tensors (B, ...), or (...) when x is
            unbatched.
        """
        inside = enter(x, self.batch_first, lengths, resets)
        stack = Stack(
            tuple(self.cells),  # pyright: ignore[reportArgumentType]
            self.directions,
            self.dropout if self.training else 0.0,
            self.dropout_per == "sequence",
            self.residual,
        )
        y, final = stack(inside.x, self._states(state, inside.batched), inside.lengths, inside.resets)
        final = final if inside.batched else tuple(tuple(tensor.squeeze(0) for tensor in one) for one in final)
        if self.output_at == "last step":
            y = self._head(last_outputs(y, inside.lengths, self.directions))
            return y if inside.batched else y.squeeze(0), final
        y = y if self.output is None else without_padding(self._head(y), inside.lengths)
        return inside.close(y), final

    def initial_state(self, batch: int) -> LayerState:
        """The state before the first step, of so many rows."""
        return tuple(cell.initial_state(batch) for cell in self.cells)  # pyright: ignore[reportCallIssue]

    def _head(self, y: Tensor) -> Tensor:
        return y if self.output is None else self.activation(self.output(y))

    def _states(self, state: LayerState | None, batched: bool) -> Sequence[State | None]:
        if state is None:
            return [None] * len(self.cells)
        kinds = [type(one).__name__ for one in state] if isinstance(state, tuple | list) else [type(state).__name__]
        if kinds != ["tuple"] * len(self.cells):
            raise ShapeError(
                f"expected a state with {len(self.cells)} entries, one for each layer and direction, each a tuple of "
                f"tensors, as a former call returned it; received {len(kinds)}: {', '.join(kinds) or 'nothing'}"
            )
        return state if batched else [tuple(tensor.unsqueeze(0) for tensor in one) for one in state]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.output_size}, directions={self.directions}"


def detach_state(state: LayerState | None) -> LayerState | None:
    """The same state, cut from the graph that made it: where back-propagation through time is truncated."""
    return None if state is None else tuple(tuple(tensor.detach() for tensor in one) for one in state)


def join_states(states: Sequence[LayerState]) -> LayerState:
    """States of several batches as that of one batch, in this order."""
    return tuple(tuple(map(cat, zip(*cells, strict=True))) for cells in zip(*states, strict=True))


def state_of_row(state: LayerState, row: int) -> LayerState:
    """A copy of one row's state, a batch of one; so the others need not be kept."""
    return tuple(tuple(tensor[row : row + 1].clone() for tensor in cell) for cell in state)


def _with_sizes(cell: Cell, input_size: int | None, hidden_size: int | Sequence[int] | None) -> Cell:
    """The cell, unless a caller thinks that it has other sizes."""
    hidden = getattr(cell, "hidden_size", cell.output_size)
    for name, size, own in (("input_size", input_size, cell.input_size), ("hidden_size", hidden_size, hidden)):
        if size not in (None, own):
            raise OptionError(f"{name} of this {type(cell).__name__} is {own}; leave it away, received {size!r}")
    return cell


def _widths(hidden_size: int | Sequence[int], num_layers: int | None) -> list[int]:
    if num_layers is not None:
        _check_whole("num_layers", num_layers)
    if not isinstance(hidden_size, int | list | tuple):
        raise OptionError(f"hidden_size expects a whole number, or a list of them; received {hidden_size!r}")
    widths = [hidden_size] * (num_layers or 1) if isinstance(hidden_size, int) else list(hidden_size)
    if num_layers not in (None, len(widths)) or not widths:
        raise OptionError(f"num_layers is {num_layers}, but hidden_size names {len(widths)} widths; leave one away")
    return widths


def _check_whole(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise OptionError(f"{name} expects a whole number of at least 1; received {value!r}")


def _activation(activation: str | Callable[[Tensor], Tensor], output_size: int | None) -> Callable[[Tensor], Tensor]:
    if output_size is not None:
        _check_whole("output_size", output_size)
    elif activation != "identity":
        raise OptionError(f"output_activation {activation!r} needs an output layer; give output_size too")
    if callable(activation):
        return activation
    check_option("output_activation", activation, OUTPUT_ACTIVATIONS)
    return OUTPUT_ACTIVATIONS[activation]
