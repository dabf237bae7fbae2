"""The recurrent unit with one gate: what article 4 §3.3 prints as the GRU."""

from typing import ClassVar

import torch
from torch import Tensor

from elman.engine import Context, State
from elman.layers.cells.update import Update, UpdatingCell


class UpdateGateCell(UpdatingCell):
    """A simple recurrent network that an update gate z slows down.

        z = σ(W x_t + R h_{t-1} + b)
        n = tanh(W x_t + R h_{t-1} + b), with weights of its own
        update="take": h_t = (1-z)∘h_{t-1} + z∘n
        update="keep": h_t = z∘h_{t-1} + (1-z)∘n

    Collins, Sohl-Dickstein and Sussillo 2016, "Capacity and trainability in recurrent neural networks", call it
    UGRNN and their gate g keeps the old state: "keep". Article 4 §3.3 calls it GRU, prints an input and an output
    gate that nothing uses, and its z takes the candidate: "take", the default.

    Args:
        input_size: I, the width of x.
        hidden_size: H, the width of h, which is both output and state.
        update: What z = 1 means, keep the old state or take the candidate.

    Shapes: x (B, I), h (B, H); weight_ih (2H, I), weight_hh (2H, H) and bias (2H), the rows in the order update,
        candidate.
    Records: update_gate, candidate.

    Raises:
        CellError: A size is not a positive whole number.
        OptionError: The meaning of z is unknown.

    Example:
        >>> cell = UpdateGateCell(3, 4)
        >>> output, (h,) = cell(torch.randn(2, 3), cell.initial_state(2))
        >>> output.shape
        torch.Size([2, 4])
    """

    gates: ClassVar[tuple[str, ...]] = ("update_gate", "candidate")
    equation: ClassVar[str] = (
        "z = σ(W xₜ + R hₜ₋₁ + b)\n"
        "n = tanh(W xₜ + R hₜ₋₁ + b), with weights of its own\n"
        "update='take': hₜ = (1-z)∘hₜ₋₁ + z∘n\n"
        "update='keep': hₜ = z∘hₜ₋₁ + (1-z)∘n"
    )

    def __init__(self, input_size: int, hidden_size: int, *, update: Update = "take") -> None:
        super().__init__(input_size, hidden_size, update=update)

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (h,) = state
        z, n = self.products(x, h)
        z = self.record("update_gate", torch.sigmoid(z))
        n = self.record("candidate", torch.tanh(n))
        h = self.updated(z, h, n)
        return h, (h,)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, update={self.update!r}"
