"""Article 5 §4.1: simple recurrent layers on top of each other, over sequences of unequal length."""

import torch
from torch import Tensor
from torch.nn import functional as F

from elman import Recurrent
from elman.layers import ElmanCell

STEPS, BATCH, INPUTS, HIDDEN, LAYERS = 12, 32, 3, 24, 2


def main() -> tuple[float, float]:
    """Squared errors on unseen sequences: of the best constant guess, and of the trained network."""
    torch.manual_seed(0)
    network = Recurrent(ElmanCell, INPUTS, HIDDEN, num_layers=LAYERS, output_size=INPUTS, output_at="last step")
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(120):
        optimiser.zero_grad()
        error(network, *sequences())[1].backward()
        optimiser.step()
    with torch.no_grad():
        guess, left = error(network, *sequences())
    return float(guess), float(left)


def sequences() -> tuple[Tensor, Tensor]:
    return torch.randn(STEPS, BATCH, INPUTS), torch.randint(2, STEPS + 1, (BATCH,))


def error(network: Recurrent, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The target is the mean of each sequence's own last two steps; what stands after them is noise."""
    rows = torch.arange(BATCH)
    target = (x[lengths - 1, rows] + x[lengths - 2, rows]) / 2
    predicted, _state = network(x, lengths=lengths)
    return target.var(), F.mse_loss(predicted, target)


if __name__ == "__main__":
    guess, left = main()
    print(f"the mean of the last two inputs: squared error {left:.4f}, a constant guess {guess:.4f}")
