"""A smooth maximum over experts, after Jacobs et al. 1991, "Adaptive mixtures of local experts"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class LogSumExpMixing(Cell):
    """Experts propose, weights from the input mix them on a log scale.

        w = log softmax(G x_t);  u_k = W_k x_t + R_k h_{t-1} + b_k
        h_t = tanh(log Σ_k exp(w_k + u_k))

    Shapes: x (B, I), output h (B, H), state (h,).
    """

    def __init__(self, input_size: int, hidden_size: int, experts: int = 3) -> None:
        super().__init__(input_size, hidden_size)
        self.experts = experts
        self.gate = nn.Linear(input_size, experts)
        self.both = nn.Linear(input_size + hidden_size, experts * hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        weights = torch.log_softmax(self.gate(x), dim=-1)
        proposals = self.both(torch.cat([x, state[0]], dim=-1)).view(-1, self.experts, self.output_size)
        h = torch.tanh(torch.logsumexp(weights[..., None] + proposals, dim=1))
        return h, (h,)
