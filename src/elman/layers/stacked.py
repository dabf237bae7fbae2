"""Cells on top of each other as one cell, for what must see all of them within a step."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, Context, State, as_cell
from elman.errors import OptionError, ShapeError, check_option
from elman.layers.wrappers import check_probability


class Stacked(Cell):
    """Several cells, each reading what the one below puts out at the same step.

    Args:
        cells: The lowest first.
        residual: Add a cell's input to its output where the widths agree.
        dropout: Share of features dropped between cells in training.
        dropout_per: A new mask at every "step", or one for the whole "sequence".

    Raises:
        OptionError: There is no cell, the share is outside [0, 1), or `dropout_per` is unknown.
        ShapeError: A cell does not read what the one below puts out.

    Example:
        >>> import torch
        >>> from elman.layers import GRUCell, LSTMCell
        >>> cell = Stacked([GRUCell(3, 4), LSTMCell(4, 5)])
        >>> output, state = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape, len(state)
        (torch.Size([2, 5]), 3)
    """

    def __init__(
        self,
        cells: Iterable[nn.Module],
        *,
        residual: bool = False,
        dropout: float = 0.0,
        dropout_per: Literal["step", "sequence"] = "step",
    ) -> None:
        found = [as_cell(cell) for cell in cells]
        if not found:
            raise OptionError("Stacked expects one cell or more; received none")
        for below, above in pairwise(found):
            if below.output_size != above.input_size:
                raise ShapeError(
                    f"a cell of Stacked expects input_size={below.output_size}, what the one below puts out; "
                    f"received {above.input_size}"
                )
        check_probability("dropout", dropout)
        check_option("dropout_per", dropout_per, ("step", "sequence"))
        shapes = tuple(shape for cell in found for shape in cell.state_shapes)
        super().__init__(found[0].input_size, found[-1].output_size, shapes)
        self.cells, self.residual, self.dropout = nn.ModuleList(found), residual, dropout
        self.dropout_per = dropout_per
        self._drawn = (0,) * len(found)  # tensors that each cell has drawn for a sequence, those of its input included

    def initial_state(self, batch: int) -> State:
        return tuple(tensor for cell in self._each() for tensor in cell.initial_state(batch))

    def prepare(self) -> Mapping[str, Tensor]:
        return {
            f"cells.{number}.{name}": value
            for number, cell in enumerate(self._each())
            for name, value in cell.prepare().items()
        }

    def draw_context(self, batch: int) -> Context:
        drawn = [(*self._mask(number, batch), *cell.draw_context(batch)) for number, cell in enumerate(self._each())]
        self._drawn = tuple(map(len, drawn))
        return tuple(tensor for one in drawn for tensor in one)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        after: list[Tensor] = []
        drawn = self._drawn if context else (0,) * len(self.cells)
        for number, (cell, count) in enumerate(zip(self._each(), drawn, strict=True)):
            own, state = state[: len(cell.state_shapes)], state[len(cell.state_shapes) :]
            mine, context = context[:count], context[count:]
            if number and self._drops("step"):
                x = F.dropout(x, self.dropout)
            elif number and self._drops("sequence"):
                (mask, *mine) = mine
                x, mine = x * mask, tuple(mine)
            y, new = cell(x, own, mine) if mine else cell(x, own)
            x = x + y if self.residual and x.shape == y.shape else y
            after += new
        return x, tuple(after)

    def _drops(self, per: str) -> bool:
        return self.training and self.dropout > 0 and self.dropout_per == per

    def _mask(self, number: int, batch: int) -> Context:
        """Of a cell's input, where one is kept for a sequence."""
        if not number or not self._drops("sequence"):
            return ()
        weight = next(self.parameters(), torch.empty(0))
        return (F.dropout(weight.new_ones(batch, self._each()[number].input_size), self.dropout),)

    def _each(self) -> list[Cell]:
        return list(self.cells)  # pyright: ignore[reportReturnType]
