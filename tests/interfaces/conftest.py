"""The command line inside this process, and one small trained run."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from elman.interfaces import main

TINY = [f"--{option}" for option in ("hidden-size=8", "embedding-size=4", "batch-size=4", "window=8", "epochs=1")]


class Said(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


Cli = Callable[..., Said]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs `elman` with some words."""

    def run(*words: object) -> Said:
        monkeypatch.setattr("sys.argv", ["elman", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        return Said(int(stop.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder; `text.txt` beside it is what it learned from."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "text.txt").write_text("".join(f"{n} green bottles, hanging on the wall,\n" for n in range(40, 0, -1)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sys.argv", ["elman", "train", "generate", f"--train={folder}/text.txt", f"--out={folder}/run", *TINY]
        )
        with pytest.raises(SystemExit) as stop:
            main()
    assert not stop.value.code
    return folder / "run"
