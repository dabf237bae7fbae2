"""The gated recurrent unit: article 2 §3.4."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Context, State
from elman.errors import check_option
from elman.layers.cells.update import Update, UpdatingCell

Reset = Literal["before", "after"]


class GRUCell(UpdatingCell):
    """A state that a reset gate r hides from the candidate n, and that an update gate z moves towards n.

        r, z = σ(W x_t + R h_{t-1} + b), each its own
        reset="before": n = tanh(W_n x_t + R_n (r∘h_{t-1}) + b_n)
        reset="after":  n = tanh(W_n x_t + b_n + r∘(R_n h_{t-1} + b_hn))
        update="keep":  h_t = z∘h_{t-1} + (1-z)∘n
        update="take":  h_t = (1-z)∘h_{t-1} + z∘n

    Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder": before, keep. Chung et al. 2014,
    "Empirical evaluation of gated recurrent neural networks", and article 2 §3.4: before, take. cuDNN and PyTorch:
    after, keep; these are the defaults, with the numbers of `torch.nn.GRUCell` when the biases of r and z are added.
    `convert_update` goes from keep to take and back without changing a result.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h, which is both output and state.
        reset: Where r acts, before the recurrent product or after it.
        update: What z = 1 means, keep the old state or take the candidate.

    Shapes: x (B, I), h (B, H); weight_ih (3H, I), weight_hh (3H, H) and bias (3H), the rows in the order reset,
        update, candidate; bias_hn (H) with reset="after" only.
    Records: reset_gate, update_gate, candidate.

    Raises:
        CellError: A size is not a positive whole number.
        OptionError: A choice is unknown.

    Example:
        >>> cell = GRUCell(3, 4)
        >>> output, (h,) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 4])
    """

    gates: ClassVar[tuple[str, ...]] = ("reset_gate", "update_gate", "candidate")
    equation: ClassVar[str] = (
        "r, z = σ(W xₜ + R hₜ₋₁ + b), each its own\n"
        "reset='before': n = tanh(W xₜ + R (r∘hₜ₋₁) + b)\n"
        "reset='after':  n = tanh(W xₜ + b + r∘(R hₜ₋₁ + b'))\n"
        "update='keep':  hₜ = z∘hₜ₋₁ + (1-z)∘n\n"
        "update='take':  hₜ = (1-z)∘hₜ₋₁ + z∘n"
    )

    def __init__(self, input_size: int, hidden_size: int, *, reset: Reset = "after", update: Update = "keep") -> None:
        check_option("reset", reset, ("before", "after"))
        super().__init__(input_size, hidden_size, update=update)
        self.reset: Reset = reset
        self.bias_hn = nn.Parameter(torch.zeros(hidden_size)) if reset == "after" else None

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (h,) = state
        seen = self.recurrent(h)
        for_gates, for_new = self.weight_hh.split([2 * self.hidden_size, self.hidden_size])
        x_r, x_z, x_n = F.linear(x, self.weight_ih, self.bias).chunk(3, dim=-1)
        h_r, h_z = F.linear(seen, for_gates).chunk(2, dim=-1)
        r = self.record("reset_gate", torch.sigmoid(x_r + h_r))
        z = self.record("update_gate", torch.sigmoid(x_z + h_z))
        h_n = F.linear(r * seen, for_new) if self.reset == "before" else r * F.linear(seen, for_new, self.bias_hn)
        n = self.record("candidate", torch.tanh(x_n + h_n))
        h = self.updated(z, h, n)
        return h, (h,)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, reset={self.reset!r}, update={self.update!r}"
