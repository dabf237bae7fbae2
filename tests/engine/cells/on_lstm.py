"""Ordered neurons: Shen et al. 2019, "Ordered neurons: integrating tree structures into recurrent networks"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


def cumax(scores: Tensor) -> Tensor:
    return torch.cumsum(F.softmax(scores, dim=-1), dim=-1)


class ONLSTM(Cell):
    """Two master gates split the units into levels: long-lived above, short-lived below.

        F = cumax(.), I = 1 - cumax(.), ω = F∘I, each once a level
        f^ = f∘ω + (F - ω),  i^ = i∘ω + (I - ω)
        c_t = f^∘c_{t-1} + i^∘g
        h_t = o∘tanh(c_t)

    Shapes: x (B, I), output h (B, H), state (h, c), h (B, H), c (B, levels, H / levels).
    """

    def __init__(self, input_size: int, hidden_size: int, levels: int) -> None:
        width = hidden_size // levels
        super().__init__(input_size, hidden_size, (hidden_size, (levels, width)))
        self.levels, self.width = levels, width
        self.from_input = nn.Linear(input_size, 2 * levels + 4 * hidden_size)
        self.from_past = nn.Linear(hidden_size, 2 * levels + 4 * hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        sums = self.from_input(x) + self.from_past(h)
        master_i, master_f = sums[:, : 2 * self.levels].chunk(2, 1)
        master_i = 1 - cumax(master_i).unsqueeze(2)
        master_f = cumax(master_f).unsqueeze(2)
        gates = sums[:, 2 * self.levels :].view(-1, 4 * self.levels, self.width)
        o, g, i, f = torch.chunk(gates, 4, dim=1)
        i, f, o, g = i.sigmoid(), f.sigmoid(), o.sigmoid(), g.tanh()
        overlap = master_f * master_i
        f = f * overlap + (master_f - overlap)
        i = i * overlap + (master_i - overlap)
        c = f * c + i * g
        h = (o * torch.tanh(c)).view(-1, self.output_size)
        return h, (h, c)
