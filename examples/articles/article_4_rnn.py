"""Article 4 §4.1: the simple recurrent network, trained where the listing says "update weights"."""

import torch
from torch import Tensor
from torch.nn import functional as F

from elman import Recurrent
from elman.layers import ElmanCell

STEPS, BATCH, INPUTS, HIDDEN, OUTPUTS = 10, 32, 10, 20, 5


def main() -> tuple[float, float]:
    """Squared errors on unseen sequences: of the best constant guess, and of the trained network."""
    torch.manual_seed(0)
    network = Recurrent(ElmanCell, INPUTS, HIDDEN, output_size=OUTPUTS)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(150):
        optimiser.zero_grad()
        loss(network, torch.randn(STEPS, BATCH, INPUTS)).backward()
        optimiser.step()
    with torch.no_grad():
        return 1.0, float(loss(network, torch.randn(STEPS, BATCH, INPUTS)))


def loss(network: Recurrent, x: Tensor) -> Tensor:
    """The listing has no target; here it is the first five features, one step before. Their variance is 1."""
    predicted, _state = network(x)
    return F.mse_loss(predicted[1:], x[:-1, :, :OUTPUTS])


if __name__ == "__main__":
    guess, error = main()
    print(f"the features one step ago: squared error {error:.4f}, a constant guess {guess:.4f}")
