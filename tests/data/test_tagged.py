"""Tagged sentences from columns and from JSON lines."""

from pathlib import Path

import pytest

from elman.data import TagColumns, read_tagged, split_words
from elman.errors import DataError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_columns(tmp_path: Path) -> None:
    text = "-DOCSTART- O\n\nEU NNP B-ORG\nrejects VBZ O\n\n\nPeter NNP B-PER\nBlackburn NNP I-PER\n"
    found = read_tagged(write(tmp_path / "a.conll", text))
    assert [one.words for one in found.sentences] == [("EU", "rejects"), ("Peter", "Blackburn")]
    assert [one.tags for one in found.sentences] == [("S-ORG", "O"), ("B-PER", "E-PER")]
    other = read_tagged(tmp_path / "a.conll", TagColumns(tag=2))
    assert not other.spans
    assert other.sentences[1].tags == ("NNP", "NNP")


def test_a_word_may_be_a_sign_of_comments(tmp_path: Path) -> None:
    found = read_tagged(write(tmp_path / "a.conllu", "# doc = 1\na\tO\n#\tB-X\n"))
    assert found.sentences[0].words == ("a", "#")


def test_a_line_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 4 has 1 columns; expected 2, as in line 3"):
        read_tagged(write(tmp_path / "a.conll", "a O\n\nb O\nc\n"))
    with pytest.raises(DataError, match="has no sentences"):
        read_tagged(write(tmp_path / "b.conll", "\n\n"))


def test_roles_of_each_predicate(tmp_path: Path) -> None:
    lines = "1 She - (A0*) (A0*)", "2 came come.01 (V*) *", "3 to - * *", "4 see see.01 (AM* (V*)", "5 it - *) (A1*)"
    rows = "\n".join(lines).replace(" ", "\t")
    found = read_tagged(write(tmp_path / "a.srl", rows), TagColumns(word=2, predicate=3))
    first, second = found.sentences
    assert first.tags == ("S-A0", "O", "O", "B-AM", "E-AM")
    assert first.marks == (False, True, False, False, False)
    assert second.tags == ("S-A0", "O", "O", "O", "S-A1")
    with pytest.raises(DataError, match="2 predicates in column 3, and 1 columns behind"):
        read_tagged(write(tmp_path / "b.srl", "a\tx\tp\t*\nb\tx\tp\t*\n"), TagColumns(predicate=3))


def test_json_lines_of_spans(tmp_path: Path) -> None:
    text = '{"text": "Li lives in 北京.", "spans": [[0, 2, "PER"], {"start": 12, "end": 14, "label": "LOC"}]}\n'
    (one,) = read_tagged(write(tmp_path / "a.jsonl", text)).sentences
    assert one.words == ("Li", "lives", "in", "北", "京", ".")
    assert one.tags == ("S-PER", "O", "O", "B-LOC", "E-LOC", "O")
    with pytest.raises(DataError, match="line 1 has the span 40 to 41, where no word stands"):
        read_tagged(write(tmp_path / "b.jsonl", '{"text": "a", "spans": [[40, 41, "X"]]}\n'))
    with pytest.raises(DataError, match="expects spans"):
        read_tagged(write(tmp_path / "c.jsonl", '{"text": "a", "spans": [["b"]]}\n'))


def test_json_lines_of_words(tmp_path: Path) -> None:
    (one,) = read_tagged(write(tmp_path / "a.jsonl", '{"words": ["a", "b"], "tags": ["X", "Y"]}\n')).sentences
    assert (one.words, one.tags) == (("a", "b"), ("X", "Y"))
    with pytest.raises(DataError, match="as many tags as words; received 1 for 2"):
        read_tagged(write(tmp_path / "b.jsonl", '{"words": ["a", "b"], "tags": ["X"]}\n'))


def test_words_know_their_places() -> None:
    text = "It's 3.5 €"
    assert all(text[word.start : word.end] == word.text for word in split_words(text))
