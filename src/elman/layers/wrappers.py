"""Cells around a cell: regularisation and shortcuts that any cell can wear, in any order.

A wrapper is a cell itself, so the engine sees only cells. Masks and draws act in training mode only.

Key: B batch, I input size, O output size.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, Context, State, as_cell, as_sizes
from elman.errors import CellError, OptionError, ShapeError, check_option


class Wrapper(Cell):
    """A cell that holds another one, and does what that one does; subclass it and change one thing.

    Args:
        cell: A `Cell`, possibly wrapped already, or a cell of `torch.nn`.

    Raises:
        CellError: It is no cell.

    Example:
        >>> from elman.layers import LSTMCell
        >>> Wrapper(LSTMCell(3, 4)).state_shapes
        (4, 4)
    """

    def __init__(self, cell: nn.Module) -> None:
        cell = as_cell(cell)
        super().__init__(cell.input_size, cell.output_size, cell.state_shapes)
        self.cell = cell

    def initial_state(self, batch: int) -> State:
        return self.cell.initial_state(batch)

    def prepare(self) -> Mapping[str, Tensor]:
        return {f"cell.{name}": value for name, value in self.cell.prepare().items()}

    def draw_context(self, batch: int) -> Context:
        return self.cell.draw_context(batch)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        return self.cell(x, state, context) if context else self.cell(x, state)

    def innermost(self) -> Cell:
        """The cell under all wrappers."""
        return self.cell.innermost() if isinstance(self.cell, Wrapper) else self.cell


class Zoneout(Wrapper):
    """At each step, each number of the state keeps its old value with probability p.

        training:   s_t = d∘s_{t-1} + (1-d)∘new,  d ~ Bernoulli(p)
        evaluation: s_t = p s_{t-1} + (1-p) new

    Where the cell puts out its first state tensor itself, the output is the zoned one too. Krueger et al. 2017,
    "Zoneout: regularizing RNNs by randomly preserving hidden activations", who take p = 0.05 for h and 0.5 for c of
    an LSTM.

    Args:
        cell: The cell inside.
        p: One probability for the whole state, or one for each of its tensors.

    Raises:
        OptionError: A probability is outside [0, 1), or there is not one for each state tensor.

    Example:
        >>> from elman.layers import LSTMCell
        >>> cell = Zoneout(LSTMCell(3, 4), (0.05, 0.5))
        >>> output, (h, c) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output is h
        True
    """

    def __init__(self, cell: nn.Module, p: float | tuple[float, ...] | list[float]) -> None:
        super().__init__(cell)
        states = len(self.state_shapes)
        self.p = tuple(p) if isinstance(p, list | tuple) else (p,) * states
        if len(self.p) != states:
            raise OptionError(f"p of Zoneout expects {states} probabilities, one a state tensor; received {self.p!r}")
        for one in self.p:
            check_probability("p of Zoneout", one)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        output, new = super().forward(x, state, context)
        zoned = tuple(self._zoned(*each) for each in zip(state, new, self.p, strict=True))
        return zoned[0] if output is new[0] else output, zoned

    def _zoned(self, old: Tensor, new: Tensor, p: float) -> Tensor:
        if p == 0:
            return new
        if not self.training:
            return p * old + (1 - p) * new
        return torch.where(torch.rand_like(new) < p, old, new)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class RecurrentDropout(Wrapper):
    """Dropout on the previous output where it enters the recurrent products; memory is never dropped.

        W x_t + R (m∘h_{t-1}) + b,  m ~ Bernoulli(1-p) / (1-p)

    One mask for each row and sequence: Gal and Ghahramani 2016, "A theoretically grounded application of dropout in
    recurrent neural networks"; `scan` draws it with `draw_context` and hands it to every step. A fresh mask each
    step: the naive form that they compare with.

    Args:
        cell: The cell inside; its innermost cell must call `self.recurrent`.
        p: Probability that a number is dropped.
        per: What one mask lasts for.

    Raises:
        OptionError: The probability is outside [0, 1), or `per` is unknown.
        CellError: At the first step in training, the cell does not call `self.recurrent`; or the mask was not drawn.

    Example:
        >>> from elman.engine import scan
        >>> from elman.layers import GRUCell
        >>> outputs, state = scan(RecurrentDropout(GRUCell(3, 4), 0.3), torch.randn(5, 2, 3))
        >>> outputs.shape
        torch.Size([5, 2, 4])
    """

    def __init__(self, cell: nn.Module, p: float, per: Literal["sequence", "step"] = "sequence") -> None:
        super().__init__(cell)
        check_probability("p of RecurrentDropout", p)
        check_option("per", per, ("sequence", "step"))
        self.p = p
        self.per: Literal["sequence", "step"] = per
        self._obeyed = False  # has the cell been seen to call self.recurrent?

    def draw_context(self, batch: int) -> Context:
        inner = super().draw_context(batch)
        if self.per == "step" or not self._acts():
            return inner
        like = next(self.parameters(), torch.empty(0))
        return self._mask(like.new_empty(batch, *as_sizes(self.state_shapes[0]))), *inner

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        if not self._acts():
            return super().forward(x, state, context)
        if self.per == "step":
            mask = self._mask(state[0])
        else:
            mask, context = self._first(context)
        cell = self.innermost()
        outer = getattr(cell, "_recurrent_mask", None)  # of another RecurrentDropout around this one
        with lent(cell, _recurrent_mask=mask if outer is None else outer * mask):
            return super().forward(x, state, context) if self._obeyed else self._watched(x, state, context)

    def _acts(self) -> bool:
        return self.training and self.p > 0

    def _mask(self, like: Tensor) -> Tensor:
        return F.dropout(torch.ones_like(like), self.p)

    def _first(self, context: Context) -> tuple[Tensor, Context]:
        if not context:
            raise CellError(
                "RecurrentDropout(per='sequence') found no mask in its context; run the cell with scan, "
                "or pass cell.draw_context(batch) as context"
            )
        return context[0], context[1:]

    def _watched(self, x: Tensor, state: State, context: Context) -> tuple[Tensor, State]:
        """A step that fails where the cell leaves the mask aside: dropout must not be lost in silence."""
        cell = self.innermost()
        recurrent = cell.recurrent

        def watching(hidden: Tensor) -> Tensor:
            self._obeyed = True
            return recurrent(hidden)

        with lent(cell, recurrent=watching):
            after = super().forward(x, state, context)
        if not self._obeyed:
            raise CellError(
                f"RecurrentDropout has no effect on {type(cell).__name__}; "
                "the cell must pass its previous output through self.recurrent(...) before its recurrent products"
            )
        return after

    def extra_repr(self) -> str:
        return f"p={self.p}, per={self.per!r}"


class OutputDropout(Wrapper):
    """Dropout on the output, a fresh mask at each step; the state stays whole.

        y_t = m_t∘output_t,  m_t ~ Bernoulli(1-p) / (1-p)

    Zaremba, Sutskever and Vinyals 2014, "Recurrent neural network regularization": dropout on what leaves the cell
    upwards, none on what it carries through time.

    Args:
        cell: The cell inside.
        p: Probability that a number is dropped.

    Raises:
        OptionError: The probability is outside [0, 1).

    Example:
        >>> from elman.layers import LSTMCell
        >>> cell = OutputDropout(LSTMCell(3, 4), 0.5).eval()
        >>> output, (h, c) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> bool((output == h).all())
        True
    """

    def __init__(self, cell: nn.Module, p: float) -> None:
        super().__init__(cell)
        check_probability("p of OutputDropout", p)
        self.p = p

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        output, state = super().forward(x, state, context)
        return F.dropout(output, self.p) if self.training and self.p > 0 else output, state

    def extra_repr(self) -> str:
        return f"p={self.p}"


class WeightDrop(Wrapper):
    """DropConnect on weights, the recurrent ones at first: dropped once a call, the same for all steps and rows.

        R' = m∘R,  m ~ Bernoulli(1-p) / (1-p)

    Merity, Keskar and Socher 2017, "Regularizing and optimizing LSTM language models" (AWD-LSTM); Wan et al. 2013.
    It acts through `prepare`, thus in `scan`; a single step called by hand sees the whole weights.

    Args:
        cell: The cell inside.
        p: Probability that a weight is dropped.
        names: Parameters to drop from, by name; under other wrappers by the end of their name.

    Raises:
        OptionError: The probability is outside [0, 1).
        CellError: The cell has no such parameter.

    Example:
        >>> from elman.layers import LSTMCell
        >>> list(WeightDrop(LSTMCell(3, 4), 0.5).prepare())
        ['cell.weight_hh']
    """

    def __init__(self, cell: nn.Module, p: float, names: Sequence[str] = ("weight_hh",)) -> None:
        super().__init__(cell)
        check_probability("p of WeightDrop", p)
        self.p = p
        names = (names,) if isinstance(names, str) else names
        self.names = tuple(full for name in names for full in self._full_names(name))

    def _full_names(self, name: str) -> list[str]:
        known = [full for full, _ in self.cell.named_parameters()]
        found = [full for full in known if f".{full}".endswith(f".{name}")]
        if not found:
            raise CellError(
                f"{type(self.innermost()).__name__} has no parameter '{name}' to drop; "
                f"expected one of: {', '.join(known) or 'none, it has no parameters'}"
            )
        return found

    def prepare(self) -> Mapping[str, Tensor]:
        prepared = dict(super().prepare())
        if not self.training or self.p == 0:
            return prepared
        for name in self.names:
            whole = prepared.get(f"cell.{name}", self.cell.get_parameter(name))
            prepared[f"cell.{name}"] = F.dropout(whole, self.p)
        return prepared

    def extra_repr(self) -> str:
        return f"p={self.p}, names={self.names}"


class Residual(Wrapper):
    """The input added to the output, y_t = x_t + output_t; the state stays the cell's own.

    He et al. 2016, "Deep residual learning"; article 1 §1.4 names it against vanishing gradients.

    Args:
        cell: The cell inside, with input and output of one width.

    Raises:
        ShapeError: The widths differ.

    Example:
        >>> from elman.layers import GRUCell
        >>> cell = Residual(GRUCell(4, 4))
        >>> x = torch.randn(2, 4)
        >>> output, (h,) = cell(x, cell.initial_state(2))
        >>> bool((output == x + h).all())
        True
    """

    def __init__(self, cell: nn.Module) -> None:
        super().__init__(cell)
        if self.input_size != self.output_size:
            raise ShapeError(
                f"Residual needs input and output of one width; {type(self.cell).__name__} has "
                f"input_size={self.input_size} and output_size={self.output_size}"
            )

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        output, state = super().forward(x, state, context)
        return x + output, state


def check_probability(name: str, p: float) -> None:
    """Accept a probability in [0, 1).

    Raises:
        OptionError: It is none; at 1 nothing would be left.
    """
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p < 1:
        raise OptionError(f"{name} expects a probability from 0 up to, but without, 1; received {p!r}")


@contextmanager
def lent(module: nn.Module, **attributes: Any) -> Iterator[None]:
    """Attributes that a module has within the block only; what they hid comes back after it."""
    own = vars(module)
    hidden = {name: own[name] for name in attributes if name in own}
    own.update(attributes)
    try:
        yield
    finally:
        for name in attributes:
            del own[name]
        own.update(hidden)
