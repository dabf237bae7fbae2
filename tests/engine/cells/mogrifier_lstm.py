"""The mogrifier: Melis, Kočiský and Blunsom 2020, "Mogrifier LSTM"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class MogrifierLSTM(Cell):
    """Input and past gate each other for five rounds before the LSTM sees them.

        x = 2σ(Q_r h)∘x in rounds 1, 3, 5;  h = 2σ(R_r x)∘h in rounds 2, 4
        then the step of an LSTM

    Shapes: x (B, I), output h (B, H), state (h, c), each (B, H).
    """

    def __init__(self, input_size: int, hidden_size: int, rounds: int = 5) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, hidden_size))
        sizes = [(hidden_size, input_size), (input_size, hidden_size)]
        self.rounds = nn.ModuleList(nn.Linear(*sizes[number % 2]) for number in range(rounds))
        self.weight = nn.Parameter(torch.randn(input_size, 4 * hidden_size) / input_size**0.5)
        self.past_weight = nn.Parameter(torch.randn(hidden_size, 4 * hidden_size) / hidden_size**0.5)
        self.bias = nn.Parameter(torch.randn(4 * hidden_size) / 4)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        for number, gate in enumerate(self.rounds):
            if number % 2 == 0:
                x = 2 * torch.sigmoid(gate(h)) * x
            else:
                h = 2 * torch.sigmoid(gate(x)) * h
        sums = torch.addmm(torch.addmm(self.bias, x, self.weight), h, self.past_weight)
        i, f, g, o = sums.chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h, (h, c)
