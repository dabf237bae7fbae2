"""Vanishing gradients, seen: how much of the loss's gradient reaches the state k steps back, before and after training.

    python examples/gradient_flow.py [PICTURE.png]

The task is the adding problem over 60 steps: the network must remember a number from the first tenth.
"""

import sys
from pathlib import Path

import torch
from torch.nn import functional as F

import elman
from elman.data import adding
from elman.layers import find_cell
from elman.pictures import draw_gradient_flow

LAG, STEPS = 60, 1500


def train(network: elman.Recurrent, steps: int) -> None:
    optimiser = torch.optim.Adam(network.parameters(), 0.005)
    for _ in range(steps):
        x, y = adding(LAG, 32)
        loss = F.mse_loss(network(x)[0].squeeze(-1), y)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()


def flow(network: elman.Recurrent) -> list[float]:
    x, y = adding(LAG, 64)
    norms = elman.gradient_flow(network, x, lambda result: F.mse_loss(result[0].squeeze(-1), y))[0]
    return (norms / norms[0]).tolist()


def main(picture: Path | None = None, steps: int = 5) -> dict[str, list[float]]:
    torch.manual_seed(0)
    flows = {}
    for cell in ("elman", "gru", "lstm"):
        network = elman.Recurrent(find_cell(cell), 2, 32, output_size=1, output_at="last step")
        flows[f"{cell}, untrained"] = flow(network)
        train(network, steps)
        flows[f"{cell}, trained"] = flow(network)
    if picture:
        draw_gradient_flow(picture, flows)
    return flows


if __name__ == "__main__":
    norms = main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, STEPS)
    for name, values in norms.items():
        print(f"{name:18} of the last step's gradient, {values[LAG - 1]:.1e} arrives at the first")
