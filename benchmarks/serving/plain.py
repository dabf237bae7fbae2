"""What people write who serve a classifier by themselves: python benchmarks/serving/plain.py SETTINGS

FastAPI and torch.nn, a call of the network for each request; network and units, words, are those of an Elman run:
vectors of words, a bidirectional LSTM, the largest value of each feature, a linear layer. With {"waits": true} the
route is `async def` and calls run one after the other; else it is `def`, and they run in FastAPI's threads.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from tokenizers import Tokenizer
from torch import Tensor, nn


class Classifier(nn.Module):
    """The network."""

    def __init__(self, vocabulary: int, width: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.body = nn.LSTM(width, hidden, bidirectional=True, batch_first=True)
        self.output = nn.Linear(2 * hidden, labels)

    def forward(self, words: Tensor) -> Tensor:
        """(B, T) -> (B, labels)."""
        return self.output(self.body(self.embedding(words))[0].amax(1))


class Asked(BaseModel):
    """Texts."""

    inputs: list[str]


def made(run: Path, width: int, hidden: int, waits: bool) -> FastAPI:
    """The application."""
    known = Tokenizer.from_file(str(run / "tokenizer.json")).get_vocab()
    network = Classifier(len(known), width, hidden, 2).eval()
    app = FastAPI()

    def answer(asked: Asked) -> dict[str, Any]:
        answers = []
        with torch.inference_mode():
            for text in asked.inputs:
                shares = network(torch.tensor([[known.get(word, 0) for word in text.split()]]))[0].softmax(0)
                best = int(shares.argmax())
                answers.append({"label": best, "probability": float(shares[best])})
        return {"answers": answers}

    async def predict_here(asked: Asked) -> dict[str, Any]:
        return answer(asked)

    def predict_there(asked: Asked) -> dict[str, Any]:
        return answer(asked)

    app.post("/v1/predict")(predict_here if waits else predict_there)
    return app


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    port = settings.pop("port")
    uvicorn.run(made(Path(settings.pop("run")), **settings), port=port, log_level="warning", access_log=False)
