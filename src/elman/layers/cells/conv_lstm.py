"""The convolutional LSTM: a memory that is a map, for what moves in pictures."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, Context, State
from elman.errors import CellError


class ConvLSTMCell(Cell):
    """An LSTM (article 2 §3.3) whose products are convolutions (∗) over maps.

        i, f, o = σ(W ∗ x_t + R ∗ h_{t-1} + b), each its own
        g = tanh(W ∗ x_t + R ∗ h_{t-1} + b)
        c_t = f∘c_{t-1} + i∘g
        h_t = o∘tanh(c_t)

    Shi et al. 2015, "Convolutional LSTM network: a machine learning approach for precipitation nowcasting", without
    their peepholes, whose weights would belong to places. Every place of a map has H numbers and sees its neighbours;
    beyond the border all is zero. Input and output are maps in one row of numbers, channel by channel.

    Args:
        input_size: I, as many channels as there are, times rows times columns.
        hidden_size: H rows columns, the same of the output and of the memory.
        size: Rows and columns of the map.
        kernel: Places along the side of the square that a place sees; odd.

    Shapes: x (B, I), output h (B, H rows columns), state (h, c), each (B, H, rows, columns); weight_ih (4H, channels of
        x, kernel, kernel), weight_hh (4H, H, kernel, kernel) and bias (4H), the rows in the order input, forget,
        candidate, output.
    Records: input_gate, forget_gate, candidate, output_gate.

    Raises:
        CellError: A size is not a positive whole number, or no whole number of maps; or the kernel is even.

    Example:
        >>> cell = ConvLSTMCell(3 * 8 * 8, 4 * 8 * 8, size=(8, 8))
        >>> output, (h, c) = cell(torch.randn(2, 192), cell.initial_state(2))
        >>> output.shape, c.shape
        (torch.Size([2, 256]), torch.Size([2, 4, 8, 8]))
    """

    gates: ClassVar[tuple[str, ...]] = ("input_gate", "forget_gate", "candidate", "output_gate")
    equation: ClassVar[str] = (
        "i, f, o = σ(W ∗ xₜ + R ∗ hₜ₋₁ + b), each its own\n"
        "g = tanh(W ∗ xₜ + R ∗ hₜ₋₁ + b)\n"
        "cₜ = f∘cₜ₋₁ + i∘g\n"
        "hₜ = o∘tanh(cₜ)"
    )

    def __init__(self, input_size: int, hidden_size: int, *, size: tuple[int, int], kernel: int = 3) -> None:
        self._check(input_size, hidden_size, size, kernel)
        places = size[0] * size[1]
        channels, hidden = input_size // places, hidden_size // places
        super().__init__(input_size, hidden_size, state_shapes=((hidden, *size), (hidden, *size)))
        self.hidden_size, self.size, self.kernel = hidden_size, size, kernel
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden, channels, kernel, kernel))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden, hidden, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))
        for block in (*self.weight_ih.chunk(4), *self.weight_hh.chunk(4)):
            nn.init.xavier_uniform_(block)
        nn.init.ones_(self.bias[hidden : 2 * hidden])

    @staticmethod
    def _check(input_size: int, hidden_size: int, size: tuple[int, int], kernel: int) -> None:
        places = size[0] * size[1]
        for name, given in (("input_size", input_size), ("hidden_size", hidden_size)):
            if not isinstance(given, int) or given < 1 or given % places:
                raise CellError(
                    f"{name} of ConvLSTMCell expects whole maps of {size[0]} x {size[1]}, a multiple of {places}; "
                    f"received {given!r}"
                )
        if not isinstance(kernel, int) or kernel < 1 or kernel % 2 == 0:
            raise CellError(f"kernel of ConvLSTMCell expects an odd whole number; received {kernel!r}")

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        h, c = state
        maps, around = x.view(len(x), -1, *self.size), self.kernel // 2
        seen = F.conv2d(maps, self.weight_ih, self.bias, padding=around)
        remembered = F.conv2d(self.recurrent(h), self.weight_hh, padding=around)
        i, f, g, o = (seen + remembered).chunk(4, dim=1)
        i = self.record("input_gate", torch.sigmoid(i))
        f = self.record("forget_gate", torch.sigmoid(f))
        g = self.record("candidate", torch.tanh(g))
        o = self.record("output_gate", torch.sigmoid(o))
        c = f * c + i * g
        h = o * torch.tanh(c)
        return h.flatten(1), (h, c)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, size={self.size}, kernel={self.kernel}"
