"""`RNN`, `LSTM` and `GRU` as in `torch.nn`: same constructor, same names of weights, same numbers.

They subclass PyTorch's layers, so weights go both ways with `load_state_dict` and a seed gives the same start.
Time runs in Elman's engine, so they also take `lengths` and `resets`.

Key: T time, B batch, L layers, D directions, H hidden size.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from elman.engine import Cell, State
from elman.errors import ShapeError
from elman.layers.cells.elman import ElmanCell
from elman.layers.cells.gru import GRUCell
from elman.layers.cells.lstm import LSTMCell
from elman.layers.cells.projected_lstm import ProjectedLSTMCell
from elman.layers.door import enter
from elman.layers.stack import Stack

Parameters = dict[str, Tensor]


class _DropIn(nn.RNNBase):
    """What the three share: PyTorch's flat weights in front of Elman's cells."""

    cells: tuple[Cell, ...]
    """Cells without weights of their own; a tuple, so that they are no submodules."""

    def _make_cells(self, factory: Callable[[int], Cell]) -> None:
        directions = 2 if self.bidirectional else 1
        width = (self.proj_size or self.hidden_size) * directions
        with torch.device("meta"):
            self.cells = tuple(
                factory(self.input_size if layer == 0 else width)
                for layer in range(self.num_layers)
                for _ in range(directions)
            )

    def _parameters_of(self, suffix: str) -> Parameters:
        """The weights of one layer and direction, under the names of its cell."""
        names = ("weight_ih", "weight_hh", *(["weight_hr"] if self.proj_size else []))
        parameters = {name: getattr(self, f"{name}_{suffix}") for name in names}
        if not self.bias:
            return parameters | {"bias": parameters["weight_ih"].new_zeros(len(parameters["weight_ih"]))}
        return parameters | {"bias": getattr(self, f"bias_ih_{suffix}") + getattr(self, f"bias_hh_{suffix}")}

    def _run(
        self, x: Tensor | PackedSequence, hx: State | None, lengths: Tensor | None, resets: Tensor | None
    ) -> tuple[Any, State]:
        inside = enter(x, self.batch_first, lengths, resets)
        suffixes = [
            f"l{layer}{end}"
            for layer in range(self.num_layers)
            for end in (["", "_reverse"] if self.bidirectional else [""])
        ]
        stack = Stack(
            self.cells,
            directions=2 if self.bidirectional else 1,
            dropout=self.dropout if self.training else 0.0,
            parameters=[self._parameters_of(suffix) for suffix in suffixes],
        )
        y, final = stack(inside.x, self._split(hx, inside), inside.lengths, inside.resets)
        joined = tuple(_stacked(tensors) for tensors in zip(*final, strict=True))
        return inside.close(y), joined if inside.batched else tuple(tensor.squeeze(1) for tensor in joined)

    def _split(self, hx: State | None, inside: Any) -> list[State | None]:
        """(L*D, B, H) tensors -> one state for each layer and direction."""
        if hx is None:
            return [None] * len(self.cells)
        batch = (inside.x.shape[1],) if inside.batched else ()
        expected = [(len(self.cells), *batch, width) for width in self.cells[0].state_shapes]
        received = [_shape(tensor) for tensor in hx] if isinstance(hx, tuple | list) else [_shape(hx)]
        if received != expected:
            raise ShapeError(
                f"{type(self).__name__} expects a state of shape {' and '.join(map(str, expected))}; "
                f"received {' and '.join(map(str, received)) or 'an empty tuple'}"
            )
        hx = hx if inside.batched else tuple(tensor.unsqueeze(1) for tensor in hx)
        return list(zip(*(tensor.unbind(0) for tensor in hx), strict=True))


def _stacked(tensors: tuple[Tensor, ...]) -> Tensor:
    return tensors[0].unsqueeze(0) if len(tensors) == 1 else torch.stack(tensors)


def _shape(value: Any) -> Any:
    return tuple(value.shape) if isinstance(value, Tensor) else f"a {type(value).__name__}"


class _OneState(_DropIn):
    """Those whose only state is their output."""

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Tensor | None = None,
        *,
        lengths: Tensor | None = None,
        resets: Tensor | None = None,
    ) -> tuple[Any, Tensor]:
        y, (h,) = self._run(input, None if hx is None else (hx,), lengths, resets)
        return y, h


class RNN(_OneState, nn.RNN):
    """`torch.nn.RNN`, run by Elman's engine.

    Example:
        >>> y, h = RNN(3, 4)(torch.randn(5, 2, 3), lengths=torch.tensor([5, 3]))
        >>> y.shape, h.shape
        (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        nn.RNN.__init__(self, *args, **kwargs)
        self._make_cells(lambda width: ElmanCell(width, self.hidden_size, activation=self.nonlinearity))


class GRU(_OneState, nn.GRU):
    """`torch.nn.GRU`, run by Elman's engine.

    Shapes: input (T, B, I), output (T, B, D*H), state (L*D, B, H); other forms as in `torch.nn`. Also takes
        lengths (B,) and resets (T, B), as `Recurrent` does.

    Raises:
        ShapeError: At a call, a tensor does not fit.

    Example:
        >>> y, h = GRU(3, 4, bidirectional=True)(torch.randn(5, 2, 3))
        >>> y.shape, h.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        nn.GRU.__init__(self, *args, **kwargs)
        self._make_cells(lambda width: GRUCell(width, self.hidden_size))

    def _parameters_of(self, suffix: str) -> Parameters:
        parameters = super()._parameters_of(suffix)
        hidden = self.hidden_size
        if not self.bias:
            return parameters | {"bias_hn": parameters["bias"].new_zeros(hidden)}
        # the candidate's recurrent bias stands inside the reset product, so it stays apart
        bias, recurrent = getattr(self, f"bias_ih_{suffix}"), getattr(self, f"bias_hh_{suffix}")
        gates, new = recurrent.split([2 * hidden, hidden])
        return parameters | {"bias": torch.cat([bias[: 2 * hidden] + gates, bias[2 * hidden :]]), "bias_hn": new}


class LSTM(_DropIn, nn.LSTM):
    """`torch.nn.LSTM`, run by Elman's engine.

    Shapes: input (T, B, I), output (T, B, D*H), state two of (L*D, B, H), the first as wide as the projection where
        there is one; other forms as in `torch.nn`. Also takes lengths (B,) and resets (T, B), as `Recurrent` does.

    Raises:
        ShapeError: At a call, a tensor does not fit.

    Example:
        >>> y, (h, c) = LSTM(3, 4, num_layers=2)(torch.randn(5, 2, 3))
        >>> y.shape, c.shape
        (torch.Size([5, 2, 4]), torch.Size([2, 2, 4]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        nn.LSTM.__init__(self, *args, **kwargs)

        def make(width: int) -> Cell:
            if self.proj_size:
                return ProjectedLSTMCell(width, self.hidden_size, proj_size=self.proj_size)
            return LSTMCell(width, self.hidden_size)

        self._make_cells(make)

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: tuple[Tensor, Tensor] | None = None,
        *,
        lengths: Tensor | None = None,
        resets: Tensor | None = None,
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        y, (h, c) = self._run(input, hx, lengths, resets)
        return y, (h, c)
