"""`elman inspect` at the command line: a page, its pictures, numbers, and what is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import elman


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Path:
    folder = tmp_path_factory.mktemp("inspect")
    (folder / "a.txt").write_text(rhyme)
    settings = {"hidden_size": 6, "epochs": 1, "window": 8, "batch_size": 4}
    elman.train("generate", train=folder / "a.txt", out=folder / "run", **settings)
    return folder / "run"


def inspect(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "elman", "inspect", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_a_page_has_all_it_needs(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = inspect(run, "99 green <b>"[:8], "--out", out, "--follow", "position", "--follow", "since: ")
    assert done.returncode == 0, done.stderr
    page = out.read_text()
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count('src="data:image/png;base64,') == 3
    assert "Units that follow “position”" in page
    assert {path.name for path in tmp_path.iterdir()} == {
        "page.html",
        "page-importance.png",
        "page-layer-0.png",
        "page-reach.png",
    }
    for path in tmp_path.glob("*.png"):
        with Image.open(path) as picture:
            picture.verify()


def test_numbers_for_programs(run: Path, tmp_path: Path) -> None:
    done = inspect(run, "99 green", "--out", tmp_path / "a.json")
    assert done.returncode == 0, done.stderr
    seen = json.loads((tmp_path / "a.json").read_text())
    assert "".join(seen["steps"]) == "99 green"
    assert len(seen["importance"]) == len(seen["layers"][0]["hidden"]) == 8


def test_chosen_units_and_files(run: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("9 g\nnot read\n")
    done = inspect(run, "--input", tmp_path / "in.txt", "--out", tmp_path / "a.html", "--units", "5,0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 steps; see ")


BAD = {
    "no such property": (["99", "--follow", "verbs"], "there is no property 'verbs'; expected quote"),
    "no such unit": (["99", "--units", "6"], "--units expects numbers from 0 to 5"),
    "no numbers": (["99", "--units", "a,b"], "--units expects numbers"),
    "another kind of file": (["99", "--out", "a.pdf"], "ends in .html or .json"),
    "nothing to read": ([], "the input is empty"),
    "unknown characters": (["ж"], "'ж'"),
    "two inputs": (["99", "--input", "a.txt"], "expects a text or --input, one of the two"),
}


@pytest.mark.parametrize(("words", "message"), BAD.values(), ids=BAD)
def test_what_is_refused(run: Path, tmp_path: Path, words: list[str], message: str) -> None:
    place = [] if "--out" in words else ["--out", str(tmp_path / "a.html")]
    done = inspect(run, *words, *place)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
