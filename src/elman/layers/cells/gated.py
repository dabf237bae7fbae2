"""The gated recurrent layer as article 1 prints it: an input, a forget and an output gate around one state."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import Context, State
from elman.errors import check_option
from elman.layers.cells.stacked import StackedCell

Candidate = Literal["gates", "states"]


class GatedCell(StackedCell):
    """Article 1's recurrent layer.

        i = σ(W_ix x + W_ih h + b_i),  f and o likewise                               (§3.3)
        "gates":  h~ = tanh(W_hh [h, x] + b_hh + W_u [i; f; o])                       (§1.2.1)
        "states": h~ = tanh(W_hh [h, x] + b_hh + W_u (i∘h) + W_u (f∘h) + W_u (o∘h))   (§3.3)
        h_t = f∘h + o∘h~

    with h = h_{t-1} on the right. The article calls W_u "W_ih"; one W_u is shared by the three terms, as printed.
    Nothing ties f and o together, unlike the gates of a GRU: where both stay near one, |h| may grow by up to one a
    step, so keep an eye on long sequences. Source: article 1 alone; no paper is known to us.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h, which is both output and state.
        candidate: What the candidate h~ sees beside h and x: the values of the three gates, or the gated states.

    Shapes: x (B, I), h (B, H); weight_ih (4H, I), weight_hh (4H, H) and bias (4H), the rows in the order input,
        forget, candidate, output; weight_u (H, 3H) for "gates", (H, H) for "states".
    Records: input_gate, forget_gate, output_gate, candidate.

    Raises:
        CellError: A size is not a positive whole number.
        OptionError: The candidate is unknown.

    Example:
        >>> cell = GatedCell(3, 4, candidate="states")
        >>> output, (h,) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 4])
    """

    gates: ClassVar[tuple[str, ...]] = ("input_gate", "forget_gate", "candidate", "output_gate")
    equation: ClassVar[str] = (
        "i, f, o = σ(W xₜ + R hₜ₋₁ + b), each its own\n"
        "candidate='gates':  h̃ = tanh(W [hₜ₋₁, xₜ] + b + U [i; f; o])\n"
        "candidate='states': h̃ = tanh(W [hₜ₋₁, xₜ] + b + U (i∘hₜ₋₁) + U (f∘hₜ₋₁) + U (o∘hₜ₋₁))\n"
        "hₜ = f∘hₜ₋₁ + o∘h̃"
    )

    def __init__(self, input_size: int, hidden_size: int, *, candidate: Candidate = "gates") -> None:
        check_option("candidate", candidate, ("gates", "states"))
        super().__init__(input_size, hidden_size)
        self.candidate: Candidate = candidate
        self.weight_u = nn.Parameter(torch.empty(hidden_size, hidden_size * (3 if candidate == "gates" else 1)))
        if candidate == "gates":
            nn.init.xavier_uniform_(self.weight_u)
        else:
            nn.init.orthogonal_(self.weight_u)  # it meets the state, so it is a recurrent block

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (h,) = state
        i, f, from_h_and_x, o = self.products(x, h)
        i = self.record("input_gate", torch.sigmoid(i))
        f = self.record("forget_gate", torch.sigmoid(f))
        o = self.record("output_gate", torch.sigmoid(o))
        candidate = self.record("candidate", torch.tanh(from_h_and_x + self._from_gates(i, f, o, h)))
        h = f * h + o * candidate
        return h, (h,)

    def _from_gates(self, i: Tensor, f: Tensor, o: Tensor, h: Tensor) -> Tensor:
        if self.candidate == "gates":
            return F.linear(torch.cat([i, f, o], dim=-1), self.weight_u)
        h = self.recurrent(h)
        return F.linear(i * h, self.weight_u) + F.linear(f * h, self.weight_u) + F.linear(o * h, self.weight_u)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, candidate={self.candidate!r}"
