"""Article 1 §4: the gated recurrent layer, with both candidates that the article prints, learns to remember."""

import torch
from torch.nn import functional as F

from elman import Recurrent
from elman.layers import CELLS

STEPS, BATCH, INPUTS, HIDDEN = 8, 64, 3, 24


def main() -> tuple[float, float]:
    """Squared errors on unseen sequences: of the best constant guess, and of the weaker of the two layers."""
    torch.manual_seed(0)
    return max(learn("gated"), learn("gated-states"), key=lambda errors: errors[1])


def learn(name: str) -> tuple[float, float]:
    """Train a layer to say at each step what it saw one step before."""
    x, unseen = torch.randn(2, STEPS, BATCH, INPUTS).unbind(0)
    network = Recurrent(CELLS[name], INPUTS, HIDDEN, output_size=INPUTS)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(100):
        optimiser.zero_grad()
        predicted, _state = network(x)
        F.mse_loss(predicted[1:], x[:-1]).backward()
        optimiser.step()
    with torch.no_grad():
        predicted, _state = network(unseen)
    return float(unseen.var()), float(F.mse_loss(predicted[1:], unseen[:-1]))


if __name__ == "__main__":
    guess, error = main()
    print(f"the input one step ago: squared error {error:.4f}, a constant guess {guess:.4f}")
