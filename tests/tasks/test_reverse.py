"""What attention learns can be seen: to turn a row of letters round, it reads the source from its end."""

from pathlib import Path
from typing import Any

import elman
from elman.data import toy_pairs

LENGTH = 6
SETTINGS: dict[str, Any] = {
    "units": "word",
    "cell": "gru",
    "embedding_size": 32,
    "hidden_size": 64,
    "tied": "no",
    "label_smoothing": 0.0,
    "batch_units": 448,
    "learning_rate": 0.01,
    "schedule": "cosine",
    "epochs": 5,
    "validate_every": 5,
}


def test_the_alignment_of_the_reverse_task_is_the_anti_diagonal(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("elman.training.fit.draw_learning_curves", lambda *_: None)
    lines = (f"{source}\t{target}\n" for source, target in toy_pairs("reverse", 4000, length=LENGTH))
    (tmp_path / "pairs.tsv").write_text("".join(lines))
    model = elman.train("translate", train=tmp_path / "pairs.tsv", out=tmp_path / "run", **SETTINGS)
    sources, targets = zip(*toy_pairs("reverse", 50, seed=1, length=LENGTH), strict=True)
    answers = [found[0] for found in model.predict(sources, n_best=1)]
    right = [answer for answer, target in zip(answers, targets, strict=True) if answer.text == target]
    assert len(right) >= 45
    looked = [answer.alignment.argmax(1).tolist() == list(range(LENGTH - 1, -1, -1)) for answer in right]
    assert sum(looked) >= 0.9 * len(looked)
