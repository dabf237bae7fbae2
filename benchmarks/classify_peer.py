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

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from answering import answer

BATCHES = 10
"""Of one call of `fit`."""


def main() -> None:
    """Build, then answer."""
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

    def fit() -> int:
        model.fit(words, labels, batch_size=settings["batch"], epochs=1, verbose=0)
        return BATCHES

    answer(fit)


if __name__ == "__main__":
    main()
