"""The matrix-memory LSTM of xLSTM: Beck et al. 2024, "xLSTM: extended long short-term memory"."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Cell, State


class MLSTM(Cell):
    """Keys and values in a matrix, with exponential gates and a running maximum m.

        m_t = max(log σ(f~) + m_{t-1}, i~);  i, f as in an sLSTM, one number each
        C_t = f C_{t-1} + i v k',  n_t = f n_{t-1} + i k
        h_t = o∘(C_t q) / max(|n_t·q|, exp(-m_t))

    Shapes: x (B, I), output h (B, D), state (C, n, m), C (B, D, D), n (B, D), m (B, 1).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, ((hidden_size, hidden_size), hidden_size, 1))
        self.qkv = nn.Linear(input_size, 3 * hidden_size)
        self.gates = nn.Linear(input_size, 2)
        self.output_gate = nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        C, n, m = state
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        k = k / self.output_size**0.5
        i, f = self.gates(x).split(1, dim=-1)
        kept = F.logsigmoid(f) + m
        m = torch.maximum(kept, i)
        i, f = torch.exp(i - m), torch.exp(kept - m)
        C = f.unsqueeze(-1) * C + i.unsqueeze(-1) * (v.unsqueeze(2) * k.unsqueeze(1))
        n = f * n + i * k
        size = torch.maximum((n * q).sum(dim=-1, keepdim=True).abs(), torch.exp(-m))
        h = torch.sigmoid(self.output_gate(x)) * torch.bmm(C, q.unsqueeze(-1)).squeeze(-1) / size
        return h, (C, n, m)
