"""Article 2 §4.1: a simple recurrent network learns y_t = x_t · w, and is then read one step at a time."""

import torch
from torch.nn import functional as F

from elman import Recurrent
from elman.layers import ElmanCell

STEPS, BATCH, INPUTS, HIDDEN = 12, 32, 10, 128


def main() -> tuple[float, float]:
    """Squared errors on unseen sequences: of the best constant guess, and of the trained network."""
    torch.manual_seed(0)
    weights = torch.rand(INPUTS, 1)
    x, unseen = torch.rand(2, STEPS, BATCH, INPUTS).unbind(0)
    network = Recurrent(ElmanCell, INPUTS, HIDDEN, output_size=1)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.004)
    for _ in range(150):
        optimiser.zero_grad()
        predicted, _state = network(x)
        F.mse_loss(predicted, x @ weights).backward()
        optimiser.step()
    target = unseen @ weights
    return float(target.var()), float(F.mse_loss(step_by_step(network, unseen), target))


@torch.no_grad()
def step_by_step(network: Recurrent, x: torch.Tensor) -> torch.Tensor:
    """The article's last loop: one step a call, the state carried from call to call."""
    outputs, state = [], None
    for step in x.split(1):
        output, state = network(step, state)
        outputs.append(output)
    return torch.cat(outputs)


if __name__ == "__main__":
    guess, error = main()
    print(f"y = x · w with a simple recurrent network: squared error {error:.4f}, a constant guess {guess:.4f}")
