"""The minimal LSTM: Feng et al. 2024, "Were RNNs all we needed?"."""

from torch import Tensor, nn

from elman.engine import Cell, State


class MinLSTM(Cell):
    """Gates that see the input only and share one whole.

        f, i = σ(W x_t), each its own;  f' = f / (f+i),  i' = i / (f+i)
        h_t = f'∘h_{t-1} + i'∘(W_n x_t)

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.gates = nn.Linear(input_size, 2 * hidden_size)
        self.candidate = nn.Linear(input_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        f, i = self.gates(x).sigmoid().unflatten(1, (2, self.output_size)).unbind(1)
        h = f / (f + i) * state[0] + i / (f + i) * self.candidate(x)
        return h, (h,)
