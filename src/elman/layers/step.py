"""A layer as a thing that takes one step and remembers: for streams, samplers and servers.

Key: B batch, I input size, H hidden size, O output size, L layers.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from elman.engine import Cell, Context, Level, State, Steps, as_cell
from elman.errors import CellError, OptionError, ShapeError
from elman.layers.accelerate import DROP_INS, drop_in_of
from elman.layers.recurrent import Recurrent


class Step(Steps):
    """What `compile_step` makes: called with one input, it gives one output and keeps its state.

    `copy.copy` makes a second one of the same layer, which goes on from here by itself.

    Attributes:
        batch: B.
        backend: `llvm`, or `eager` where steps run as the cell is written.
        reason: Why.
    """

    def __init__(self, layer: nn.Module, batch: int, context: Context, frozen: bool) -> None:
        self.layer = layer
        owner, levels = _levels(layer)
        if context and len(levels) > 1:
            raise OptionError(f"context is for a single cell; {type(layer).__name__} has {len(levels)}")
        super().__init__(owner, levels, batch, context, frozen=frozen)

    def reset(self, state: Any = None, *, batch: int | None = None, context: Context | None = None) -> None:
        """Start anew.

        Args:
            state: Where to start, in the layer's own form; the initial state when omitted.
            batch: B; as it was when omitted.
            context: Tensors (B, ...) that every step sees; as they were when omitted.

        Raises:
            ShapeError: The state or the context does not fit.
            OptionError: The batch is no whole number from 1.
        """
        self.restart(batch, context)
        if state is not None:
            self.state = state

    @property
    def state(self) -> Any:
        """What is remembered, a copy in the layer's own form with the batch; can be set, also to go back."""
        states = self.states
        if isinstance(self.layer, Recurrent):
            return tuple(states[: len(self.layer.cells)])
        if isinstance(self.layer, nn.RNNBase):
            joined = tuple(torch.stack(tensors) for tensors in zip(*states, strict=True))
            return joined if isinstance(self.layer, nn.LSTM) else joined[0]
        return states[0]

    @state.setter
    def state(self, state: Any) -> None:
        self.states = self._taken_apart(state)

    def _taken_apart(self, state: Any) -> list[State]:
        """One state for each cell."""
        if not isinstance(self.layer, Recurrent | nn.RNNBase):
            return [state]
        if isinstance(self.layer, nn.RNNBase):
            layers, parts = len(self._levels), state if isinstance(self.layer, nn.LSTM) else (state,)
            if isinstance(parts, tuple | list) and all(
                isinstance(each, Tensor) and len(each) == layers for each in parts
            ):
                return list(zip(*(each.unbind(0) for each in parts), strict=True))
        elif isinstance(state, tuple | list) and len(state) == len(self.layer.cells):
            return [*state, *((),) * (len(self._levels) - len(state))]
        kind = type(self.layer).__name__
        raise ShapeError(f"the state of a step of {kind} expects the form that {kind} returns; received {_form(state)}")

    def __reduce__(self) -> Any:
        return _again, (self.layer, self.batch, self._context, self._frozen, self.state)

    def __repr__(self) -> str:
        return f"Step({type(self.layer).__name__}, batch={self.batch}) on {self.backend}: {self.reason}"


def compile_step(layer: nn.Module, *, batch: int = 1, context: Context = (), frozen: bool = False) -> Step:
    """One step of a layer as a call that costs microseconds, for streams, samplers and servers.

    The call takes (B, I), or (I,) where B is 1, as a NumPy array or a tensor, and gives (B, O) or (O,) of the same
    kind. It runs in evaluation mode and without gradients, whatever the modes are, and goes on from the state that the
    call before it left. New values of the layer's parameters count from the next step on; after a change of anything
    else (an attribute, a submodule, `parameter.data`), call `refresh()`. One caller at a time: each thread needs a step
    of its own.

    Main arguments:
        layer: `Recurrent`, a drop-in, `nn.LSTM`, `nn.GRU` or `nn.RNN`, of one direction; or a cell.
        batch: B, rows that go forward together.

    Other arguments:
        context: For a cell that wants it: tensors (B, ...) that every step sees.
        frozen: The parameters will not change: do not look for it, which saves half a microsecond.

    Raises:
        CellError: The module is none of these.
        OptionError: The layer reads from both ends, so it cannot go forward step by step; or the batch is no whole
            number from 1.
        ShapeError: At a call, the input does not fit.

    Example:
        >>> import numpy as np
        >>> from elman.layers import LSTM
        >>> step = compile_step(LSTM(3, 4))
        >>> for x in np.zeros((5, 3), np.float32):
        ...     y = step(x)
        >>> y.shape, step.state[0].shape
        ((4,), torch.Size([1, 1, 4]))
        >>> step.reset()
    """
    return Step(layer, batch, context, frozen)


def _again(layer: nn.Module, batch: int, context: Context, frozen: bool, state: Any) -> Step:
    step = Step(layer, batch, context, frozen)
    step.state = state
    return step


def _levels(layer: nn.Module) -> tuple[nn.Module, list[Level]]:
    """The cells of a layer, and the module that holds what they use."""
    if type(layer) in DROP_INS:
        layer = drop_in_of(layer)  # pyright: ignore[reportArgumentType]
    if isinstance(layer, Cell | nn.RNNCellBase):
        cell = as_cell(layer)
        return cell, [Level(cell)]
    if isinstance(layer, Recurrent):
        _check_one_way(layer, layer.directions == 2)
        levels = [Level(cell, residual=layer.residual) for cell in layer.cells]  # pyright: ignore[reportArgumentType]
        return layer, levels if layer.output is None else [*levels, Level(Head(layer))]
    if isinstance(layer, tuple(DROP_INS.values())):
        _check_one_way(layer, layer.bidirectional)  # pyright: ignore[reportArgumentType]
        names = [f"l{number}" for number in range(layer.num_layers)]  # pyright: ignore[reportArgumentType]
        pairs = zip(layer.cells, names, strict=True)  # pyright: ignore[reportArgumentType]
        return layer, [Level(cell, partial(layer._parameters_of, name)) for cell, name in pairs]  # pyright: ignore
    raise CellError(f"compile_step expects a recurrent layer or a cell; received {type(layer).__name__}")


def _check_one_way(layer: nn.Module, both: bool) -> None:
    if both:
        raise OptionError(
            f"this {type(layer).__name__} is bidirectional: its way back begins at the end of a sequence, which a step "
            "does not know; a layer with bidirectional=False can go step by step"
        )


class Head(Cell):
    """The output layer of `Recurrent` as a cell that remembers nothing."""

    def __init__(self, layer: Recurrent) -> None:
        super().__init__(layer.cells[-1].output_size, layer.output_size, ())  # pyright: ignore[reportArgumentType]
        self.layer = layer.output
        self.activation = layer.activation

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        assert self.layer is not None
        return self.activation(self.layer(x)), ()


def _form(state: Any) -> str:
    """Kinds and shapes."""
    if isinstance(state, tuple | list):
        return f"({', '.join(map(_form, state))})"
    return str(tuple(state.shape)) if isinstance(state, Tensor) else type(state).__name__
