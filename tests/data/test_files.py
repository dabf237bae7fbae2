"""Files: what cannot be read is named, what is written stands whole or not at all."""

import errno
import gzip
import os
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from elman.data import locked, read_json, read_text, write_json, write_tensors, write_text
from elman.errors import DataError, RunError

PACKED = gzip.compress(b"a text" * 99, mtime=0)  # without the time: it stands in the names of tests
TWO_LINES = "one\ntwö\n"


@pytest.mark.parametrize(
    "content",
    [
        TWO_LINES.encode(),
        b"\xef\xbb\xbf" + TWO_LINES.encode(),
        TWO_LINES.replace("\n", "\r\n").encode(),
        b"one\rtw\xc3\xb6\r",
    ],
    ids=["LF", "BOM", "CRLF", "CR"],
)
def test_any_line_ends_with_or_without_a_mark(content, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    assert read_text(tmp_path / "a.txt") == TWO_LINES
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(content))
    assert read_text(tmp_path / "a.txt.gz") == TWO_LINES


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", None, r"there is no file .*a\.txt; check the path \(now in "),
        ("a.txt", b"", r"a\.txt is empty; expected UTF-8 text"),
        ("a.txt", b"\xef\xbb\xbf", "is empty"),
        ("a.txt.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("a.txt", b"caf\xe9 au lait", "is not UTF-8: byte 0xe9 at offset 3; convert it first"),
        ("a.txt", b"x" * 5000 + b"\xff", "offset 5,000"),
        ("a.txt.gz", b"plain text", "ends in .gz but is not gzip"),
        ("a.txt.gz", PACKED[:-9], "is a damaged gzip file"),
        ("a.txt.gz", PACKED[:5], "is a damaged gzip file"),
        ("a.txt.gz", PACKED[:15] + b"????" + PACKED[19:], "is a damaged gzip file|is not gzip"),
    ],
)
def test_what_cannot_be_read_is_named(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_text(tmp_path / name)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="Is a directory; expected a file"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        (b"{", "expected JSON"),
        (b"\xff{}", "expected JSON"),
        (b"[1]", "JSON object; received list"),
    ],
)
def test_json_must_be_an_object(content, message, tmp_path):
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RunError, match=message):
        read_json(tmp_path / "a.json")


def test_json_comes_back(tmp_path):
    write_json(tmp_path / "deep" / "a.json", {"é": [1, None, 0.5]})
    assert read_json(tmp_path / "deep" / "a.json") == {"é": [1, None, 0.5]}
    assert (tmp_path / "deep" / "a.json").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def no_space_in_rust(*_: object) -> None:
    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("os.fsync", no_space),
        ("elman.data.files.save_file", no_space),
        ("elman.data.files.save_file", no_space_in_rust),
    ],
)
def test_a_full_disk_leaves_the_former_file_and_nothing_else(place, failure, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"x": torch.ones(3)})
    monkeypatch.setattr(place, failure)
    with pytest.raises(RunError, match=r"could not write .*a\.safetensors: .*No space left on device.*untouched"):
        write_tensors(path, {"x": torch.zeros(3)})
    assert torch.equal(load_file(path)["x"], torch.ones(3))
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"could not write .*choose a place"):
        write_text(tmp_path / "file" / "a.txt", "")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", stop)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "a.txt", "text")
    assert not list(tmp_path.iterdir())


def test_two_cannot_work_in_one_folder(tmp_path):
    with locked(tmp_path), pytest.raises(RunError, match="is in use by another training"), locked(tmp_path):
        pass
    with locked(tmp_path):
        assert not list(tmp_path.iterdir())
