"""A classifier of torch.nn behind standard input and output, so that it can be measured in turn with another program.

    python benchmarks/classify_torch.py '{"vocabulary": 5000, "width": 128, "hidden": 128, "batch": 32, "steps": 100}'

The network of `classify_peer.py`, its commands and its answers; the loop has nothing around it. In a process of its
own, since two threads that both train in one process share its cores worse than two processes that take turns.
"""

import json
import sys
from typing import Any

import torch
from answering import answer
from torch import Tensor, nn
from torch.nn import functional as F


class Classifier(nn.Module):
    """Vectors of words, a bidirectional LSTM, the largest value of each feature over all steps, a linear layer."""

    def __init__(self, vocabulary: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.body = nn.LSTM(width, hidden, bidirectional=True)
        self.output = nn.Linear(2 * hidden, 2)

    def forward(self, words: Tensor) -> Tensor:
        """(T, B) -> (B, 2)."""
        return self.output(self.body(self.embedding(words))[0].amax(0))


def main(settings: dict[str, Any]) -> None:
    """Build, then answer."""
    batch, vocabulary = settings["batch"], settings["vocabulary"]
    network = Classifier(vocabulary, settings["width"], settings["hidden"])
    optimiser = torch.optim.Adam(network.parameters(), 0.001, fused=True)
    words, labels = torch.randint(vocabulary, (settings["steps"], batch)), torch.randint(2, (batch,))

    def step() -> int:
        optimiser.zero_grad()
        F.cross_entropy(network(words), labels).backward()
        optimiser.step()
        return 1

    answer(step)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
