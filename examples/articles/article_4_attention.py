"""Article 4 §4.4: attention looks up, in a sequence that was read, the value that belongs to a key."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman import Recurrent
from elman.layers import GRUCell

STEPS, BATCH, VALUES, HIDDEN = 8, 32, 2, 20
INPUTS = STEPS + VALUES


class Attention(nn.Module):
    """§3.4, with keys and values made from the encoder's outputs h_s instead of from themselves.

    Key: T queries, S steps of the encoder, B batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Recurrent(GRUCell, INPUTS, HIDDEN)
        self.query = nn.Linear(STEPS, HIDDEN)
        self.key, self.value = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.output = nn.Linear(HIDDEN + STEPS, VALUES)

    def forward(self, source: Tensor, x: Tensor) -> Tensor:
        h, _state = self.encoder(source)
        q, k, v = self.query(x), self.key(h), self.value(h)
        a = (torch.einsum("tbh,sbh->tbs", q, k) / sqrt(HIDDEN)).softmax(dim=-1)
        c = torch.einsum("tbs,sbh->tbh", a, v)
        return self.output(torch.cat([c, x], dim=-1))


def main() -> tuple[float, float]:
    """Squared errors on unseen sequences: of the best constant guess, and of the trained network."""
    torch.manual_seed(0)
    network = Attention()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        loss(network).backward()
        optimiser.step()
    with torch.no_grad():
        return 1.0, float(loss(network))


def loss(network: Attention) -> Tensor:
    """Pairs of a key and a value come in any order; then each key is asked for. Values have variance 1."""
    order = torch.rand(STEPS, BATCH).argsort(dim=0)
    keys, values = F.one_hot(order, STEPS).float(), torch.randn(STEPS, BATCH, VALUES)
    queries = torch.eye(STEPS).unsqueeze(1).expand(STEPS, BATCH, STEPS)
    wanted = torch.einsum("sbk,sbv->kbv", keys, values)
    return F.mse_loss(network(torch.cat([keys, values], dim=-1), queries), wanted)


if __name__ == "__main__":
    guess, error = main()
    print(f"looking a value up: squared error {error:.4f}, a constant guess {guess:.4f}")
