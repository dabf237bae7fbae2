"""A model that is not trained, but has everything else."""

from pathlib import Path

import pytest
import torch

from elman.tasks import VERSION, GenerateOptions, Model, make_task

SHAPE = {"hidden_size": 8, "embedding_size": 5, "batch_size": 3, "window": 7}


def make_model(path: Path, **settings: object) -> Model:
    torch.manual_seed(0)
    options = GenerateOptions.of(SHAPE | settings)
    task = make_task("generate", options)
    examples = task.read(path, None)
    config = {
        "format": VERSION,
        "task": "generate",
        "data": {"train": str(path), "valid": None},
        "fingerprint": examples.fingerprint,
        "facts": examples.facts,
        "notes": [],
        "settings": options.model_dump(),
    }
    network = task.network()
    network.output.weight.data.mul_(8)  # a fresh model's scores are too much alike
    return Model(task, network.eval(), config)


@pytest.fixture
def path(tmp_path: Path, rhyme: str) -> Path:
    (tmp_path / "rhyme.txt").write_text(rhyme)
    return tmp_path / "rhyme.txt"


@pytest.fixture
def model(path: Path) -> Model:
    return make_model(path)


@pytest.fixture
def make(path: Path):
    """Models with other settings."""
    return lambda **settings: make_model(path, **settings)
