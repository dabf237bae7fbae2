"""Missing values, GRU-D: Che et al. 2018, "Recurrent neural networks for … time series with missing values"."""

import torch
from torch import Tensor, nn

from elman.engine import Cell, State


class MissingValues(Cell):
    """NaN says that a feature was not observed; the last value fades towards a learned mean while it is missing.

        m = x_t is there;  δ_t = 1 where m, else δ_{t-1} + 1
        γ = exp(-relu(w δ_t + v));  x^ = x_t where m, else γ l_{t-1} + (1-γ) μ;  l_t = x_t where m, else l_{t-1}
        h_t = GRU([x^, m], h_{t-1})

    Shapes: x (B, I) with NaN, output h (B, H), state (h, l, δ), l and δ (B, I).
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size, (hidden_size, input_size, input_size))
        self.w = nn.Parameter(torch.rand(input_size) / 2)
        self.v = nn.Parameter(torch.rand(input_size) / 4)
        self.mu = nn.Parameter(torch.randn(input_size))
        self.cell = nn.GRUCell(2 * input_size, hidden_size)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, last, waited = state
        there = ~torch.isnan(x)
        x = torch.nan_to_num(x)
        waited = torch.where(there, torch.ones_like(waited), waited + 1)
        gamma = torch.exp(-torch.relu(self.w * waited + self.v))
        seen = torch.where(there, x, gamma * last + (1 - gamma) * self.mu)
        h = self.cell(torch.cat([seen, there.to(x.dtype)], dim=1), h)
        return h, (h, torch.where(there, x, last), waited)

    def example_input(self, time: int, batch: int, dtype: torch.dtype) -> Tensor:
        """A third is missing."""
        x = torch.randn(time, batch, self.input_size, dtype=dtype)
        return x.masked_fill(torch.rand(x.shape) < 0.33, float("nan"))
