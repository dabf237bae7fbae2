"""Article 3: a stack of LSTM layers gives every step a class, trained with cross-entropy from scores."""

from math import log

import torch
from torch import Tensor
from torch.nn import functional as F

from elman import LSTM

STEPS, BATCH, CLASSES, HIDDEN, LAYERS = 12, 32, 4, 32, 2


class Tagger(torch.nn.Module):
    """What the article's MyRNN wants to be: layers over time, and a score for every class at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = LSTM(CLASSES, HIDDEN, num_layers=LAYERS)
        self.output = torch.nn.Linear(HIDDEN, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        outputs, _state = self.lstm(x)
        return self.output(outputs)


def main() -> tuple[float, float]:
    """Nats a step on unseen sequences: of a guess among all classes, and of the trained network."""
    torch.manual_seed(0)
    network = Tagger()
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(100):
        optimiser.zero_grad()
        loss(network, torch.randint(CLASSES, (STEPS, BATCH))).backward()
        optimiser.step()
    with torch.no_grad():
        return log(CLASSES), float(loss(network, torch.randint(CLASSES, (STEPS, BATCH))))


def loss(network: Tagger, symbols: Tensor) -> Tensor:
    """The class of a step is the symbol one step before."""
    scores = network(F.one_hot(symbols, CLASSES).float())
    return F.cross_entropy(scores[1:].flatten(0, 1), symbols[:-1].flatten())


if __name__ == "__main__":
    guess, error = main()
    print(f"the symbol one step ago: {error:.4f} nats a step, a guess {guess:.4f}")
