"""A classifier of Keras behind standard input and output, so that it can be measured in turn with another program.

    KERAS_BACKEND=jax peers/keras/bin/python benchmarks/classify_peer.py '{"vocabulary": 5000, "width": 128,
        "hidden": 128, "batch": 32, "steps": 100}'

Vectors of words, a bidirectional LSTM, the largest value of each feature over all steps, a linear layer, two classes;
Adam. {"do": "train", "seconds": 20} is answered by {"steps": 93, "seconds": 20.1}: `fit` runs, compiled as Keras does
by itself, over rows that it was given at the start, made by chance.

    python3.11 -m venv peers/keras
    peers/keras/bin/pip install keras jax numpy
"""

import json
import os
import sys
from time import perf_counter

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

BATCHES = 10
"""Of one call of `fit`."""


def main() -> None:
    """Build, then answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    settings = json.loads(sys.argv[1])
    layers = [
        keras.layers.Embedding(settings["vocabulary"], settings["width"]),
        keras.layers.Bidirectional(keras.layers.LSTM(settings["hidden"], return_sequences=True)),
        keras.layers.GlobalMaxPooling1D(),
        keras.layers.Dense(2),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.001), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rows = BATCHES * settings["batch"]
    generator = np.random.default_rng(0)
    words = generator.integers(0, settings["vocabulary"], (rows, settings["steps"])).astype("int32")
    labels = generator.integers(0, 2, rows).astype("int32")
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "quit":
            break
        start, steps = perf_counter(), 0
        while perf_counter() - start < command["seconds"]:
            model.fit(words, labels, batch_size=settings["batch"], epochs=1, verbose=0)
            steps += BATCHES
        print(json.dumps({"steps": steps, "seconds": perf_counter() - start}), file=answers, flush=True)


if __name__ == "__main__":
    main()
