"""The examples: each can be imported, runs, and learns what it says."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "examples"
PROGRAMS = sorted(ROOT.rglob("*.py"))
OF_THE_ARTICLES = sorted((ROOT / "articles").glob("*.py"))


def name(program: Path) -> str:
    return str(program.relative_to(ROOT))


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in OF_THE_ARTICLES], ids=name)
def test_runs(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(program))
    if "main" in names:
        names["main"]()


@pytest.mark.parametrize("program", OF_THE_ARTICLES, ids=name)
def test_learns_ten_times_better_than_a_guess(program: Path):
    guess, error = runpy.run_path(str(program))["main"]()
    assert error < guess / 10


def test_every_listing_has_its_program():
    assert len(OF_THE_ARTICLES) == 10  # one in article 1, three in 2, one in 3, four in 4, one in 5
