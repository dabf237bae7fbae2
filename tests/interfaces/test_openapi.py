"""What the server says of itself is true: schemathesis finds no request that gets an answer of another form."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.interfaces.serving import serving

import elman

pytest.importorskip("fastapi")
pytest.importorskip("schemathesis")


def test_answers_are_as_described(tmp_path: Path, rhyme: str) -> None:
    (tmp_path / "a.txt").write_text(rhyme)
    settings: dict[str, Any] = {"hidden_size": 6, "epochs": 1, "window": 8, "batch_size": 4}
    model = elman.train("generate", train=tmp_path / "a.txt", out=tmp_path / "run", **settings)
    # what a model can read, such as letters that it knows, stands in no schema: such inputs are refused with 400
    options = ["--max-examples", "20", "--exclude-checks", "positive_data_acceptance", "--no-color", "--seed", "1"]
    with serving(model) as server:
        command = [str(Path(sys.executable).with_name("st")), "run", f"{server.url}/openapi.json", *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
