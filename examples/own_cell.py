"""A cell of your own: one time step in PyTorch's words, and Elman does the rest."""

import torch
from torch import Tensor, nn

import elman


class MinimalGatedCell(elman.Cell):
    """One gate both forgets and updates: Zhou, Wu, Zhang and Zhou 2016, "Minimal gated unit"."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.forget, self.new = (nn.Linear(input_size + hidden_size, hidden_size) for _ in range(2))

    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor]]:
        (h,) = state
        f = self.record("forget_gate", torch.sigmoid(self.forget(torch.cat([x, self.recurrent(h)], dim=-1))))
        n = torch.tanh(self.new(torch.cat([x, f * self.recurrent(h)], dim=-1)))
        h = (1 - f) * h + f * n
        return h, (h,)


if __name__ == "__main__":
    network = elman.Recurrent(MinimalGatedCell, 8, 16, num_layers=2, bidirectional=True, recurrent_dropout=0.2)
    y, state = network(torch.randn(5, 3, 8), lengths=torch.tensor([5, 2, 4]))
    y.sum().backward()
    print(f"outputs {tuple(y.shape)}, {len(state)} states, the cell is trained like any module")
