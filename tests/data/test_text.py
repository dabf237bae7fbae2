"""Where texts come from and how they are split."""

import pytest

from elman.data import embedded_text, read_texts
from elman.errors import DataError


def test_the_last_tenth_validates_and_it_is_said(tmp_path):
    (tmp_path / "a.txt").write_text("0123456789" * 10)
    texts = read_texts(tmp_path / "a.txt", None)
    assert (len(texts.train), len(texts.valid)) == (90, 10)
    assert texts.train + texts.valid == "0123456789" * 10
    assert texts.notes == ("no validation text given: the last 10%, 10 characters, is it",)


def test_two_files_are_read_as_they_are(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    texts = read_texts(tmp_path / "a.txt", tmp_path / "b.txt")
    assert (texts.train, texts.valid, texts.notes) == ("a", "b", ())


def test_without_a_file_there_is_english_inside_python():
    texts = read_texts(None, None)
    assert texts.train + texts.valid == embedded_text()
    assert len(texts.train) > 300_000
    assert "documentation inside Python" in texts.notes[0]


def test_the_fingerprint_tells_texts_apart(tmp_path):
    prints = set()
    for train, valid in (("ab", "c"), ("a", "bc"), ("abc", "d"), ("ab", "d")):
        (tmp_path / "a.txt").write_text(train)
        (tmp_path / "b.txt").write_text(valid)
        prints.add(read_texts(tmp_path / "a.txt", tmp_path / "b.txt").fingerprint)
    assert len(prints) == 4


def test_a_text_too_short_to_split_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("x" * 19)
    with pytest.raises(DataError, match=r"a\.txt is too short to split.*expected 20.*received 19.*--valid"):
        read_texts(tmp_path / "a.txt", None)


def test_whole_lines_are_not_cut_in_two(tmp_path):
    (tmp_path / "a.txt").write_text("one two three\n" * 10)
    texts = read_texts(tmp_path / "a.txt", None, whole_lines=True)
    assert texts.train.endswith("\n")
    assert texts.valid.startswith("one")
    assert texts.train + texts.valid == "one two three\n" * 10
