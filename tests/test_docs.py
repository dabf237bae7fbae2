"""The pages: their Python runs from top to bottom, and their links lead somewhere.

A block is left out where a comment `<!-- not run: reason -->` stands before it.
"""

import re
from pathlib import Path

import pytest
from sybil import Document
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN = re.compile(r"<!-- not run: \S[^>]* -->\s*\Z")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    run(page)


def test_a_block_is_left_out_only_with_a_reason(tmp_path: Path):
    page = tmp_path / "page.md"
    first, second = (f"```python\nraise ValueError('{word}')\n```\n" for word in ("first", "second"))
    page.write_text(f"<!-- not run: it fails -->\n\n{first}\n{second}")
    with pytest.raises(ValueError, match="second") as failure:
        run(page)
    assert failure.traceback[-1].lineno == 7  # counted from 0: where the reader finds it in the page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path):
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_articles_page_names_every_program():
    page = (ROOT / "docs" / "from-the-articles.md").read_text(encoding="utf-8")
    assert [file.name for file in (ROOT / "examples" / "articles").glob("*.py") if file.name not in page] == []


def run(page: Path) -> None:
    """Every Python block of a page, in one namespace."""
    document = Document.parse(str(page), PythonCodeBlockParser())
    for example in document.examples():
        if not NOT_RUN.search(document.text[: example.start]):
            example.evaluate()
