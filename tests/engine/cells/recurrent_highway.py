"""The recurrent highway network: Zilly et al. 2017, "Recurrent highway networks"."""

from torch import Tensor, nn

from elman.engine import Cell, State


class RecurrentHighway(Cell):
    """Several highway layers within one step; the input enters at the first.

        n = tanh(W_n x_t [first] + R_n s + b_n);  t = σ(W_t x_t [first] + R_t s + b_t)
        s = n∘t + s∘(1-t), once a layer

    Shapes: x (B, I), output s (B, H), state (s,).
    """

    def __init__(self, input_size: int, hidden_size: int, depth: int = 3) -> None:
        super().__init__(input_size, hidden_size)
        self.from_input = nn.Linear(input_size, 2 * hidden_size, bias=False)
        self.layers = nn.ModuleList(nn.Linear(hidden_size, 2 * hidden_size) for _ in range(depth))

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        (s,) = state
        for number, layer in enumerate(self.layers):
            sums = layer(s) + self.from_input(x) if number == 0 else layer(s)
            n, t = sums.chunk(2, dim=1)
            n, t = n.tanh(), t.sigmoid()
            s = n * t + s * (1 - t)
        return s, (s,)
