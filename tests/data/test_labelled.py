"""Sequences and their answers from every kind of file, and what is said of bad ones."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from elman.data import Columns, Labels, read_labelled
from elman.errors import DataError, OptionError

NUMBERS = "id,a,b,label\nx,1,2,up\nx,3,4,up\ny,5,6,down\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def idx(path: Path, shape: tuple[int, ...], data: bytes) -> Path:
    path.write_bytes(gzip.compress(b"\0\0\x08" + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data))
    return path


def picture(path: Path, size: tuple[int, int] = (3, 2), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, 7 if mode == "L" else (7, 8, 9)).save(path)
    return path


def test_texts_of_a_table(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.csv", 'text,label\n"good, really",1\nbad,0\n'), Columns())
    assert (found.kind, found.inputs, found.answers) == ("text", ["good, really", "bad"], ["1", "0"])
    assert found.place(1) == f"{tmp_path / 'a.csv'} line 3"


def test_lines_begin_with_their_label(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.txt", "1 a fine  film\n\n0 dull\n"), Columns())
    assert (found.inputs, found.answers) == (["a fine film", "dull"], ["1", "0"])


def test_empty_texts_are_left_out_and_counted(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.txt", "1 fine\n0\n0 dull\n"), Columns())
    assert found.answers == ["1", "0"]
    assert found.notes == ("1 of 3 examples is empty and left out, the first is line 2",)
    with pytest.raises(DataError, match="all 2 examples are empty"):
        read_labelled(write(tmp_path / "b.txt", "1\n0\n"), Columns())


def test_folders_are_classes(tmp_path: Path) -> None:
    for name, text in (("yes/a.txt", "good"), ("no/b.txt", "bad")):
        (tmp_path / name).parent.mkdir()
        write(tmp_path / name, text)
    found = read_labelled(tmp_path, Columns())
    assert (found.inputs, found.answers) == (["bad", "good"], ["no", "yes"])


def test_rows_of_a_long_table_are_steps(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.csv", NUMBERS), Columns(sequence="id"))
    assert [one.tolist() for one in found.inputs] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert found.answers == ["up", "down"]


def test_rows_of_a_wide_table_are_sequences(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.csv", NUMBERS), Columns(values="a,b"))
    assert [one.flatten().tolist() for one in found.inputs] == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        (NUMBERS, Columns(sequence="ident"), "no column 'ident'.*there is: id, a, b, label"),
        (NUMBERS, Columns(values="a,label"), "expects numbers in the column 'label'; received 'up'"),
        ("id,a,label\nx,1,up\nx,,up\n", Columns(sequence="id"), "1 values in the column 'a'.*the first in row 2"),
        ("id,a,label\nx,1,up\nx,inf,up\n", Columns(sequence="id"), "missing or not finite"),
        ("id,a,label\nx,1,up\nx,2,down\n", Columns(sequence="id"), "several labels for the sequence 'x': down, up"),
        ("text,sentiment\na,1\n", Columns(), "no column 'label'"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, columns: Columns, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labelled(write(tmp_path / "a.csv", text), columns)


def test_columns_of_numbers_are_for_tables(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="values and sequence are for tables"):
        read_labelled(write(tmp_path / "a.txt", "1 a\n"), Columns(values="a"))


def test_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(12.0).reshape(2, 3, 2), y=np.array([4, 5]), lengths=np.array([3, 1]))
    found = read_labelled(tmp_path / "a.npz", Columns())
    assert [len(one) for one in found.inputs] == [3, 1]
    assert found.answers == ["4", "5"]
    np.savez(tmp_path / "b.npz", x=np.array([{}]), y=np.array([1]))
    with pytest.raises(DataError, match=r"cannot be read as \.npz of numbers"):
        read_labelled(tmp_path / "b.npz", Columns())


def test_idx_files(tmp_path: Path) -> None:
    images = idx(tmp_path / "train-images-idx3-ubyte.gz", (2, 2, 3), bytes(range(12)))
    idx(tmp_path / "train-labels-idx1-ubyte.gz", (2,), bytes([7, 1]))
    found = read_labelled(images, Columns())
    assert found.inputs[1].squeeze(2).tolist() == [[6, 7, 8], [9, 10, 11]]
    assert found.answers == ["7", "1"]
    idx(images, (2, 2, 3), bytes(range(11)))
    with pytest.raises(DataError, match=r"expects 12 bytes for its shape \(2, 2, 3\); received 11"):
        read_labelled(images, Columns())


def test_images_of_folders(tmp_path: Path) -> None:
    picture(tmp_path / "a/1.png")
    picture(tmp_path / "b/2.png")
    found = read_labelled(tmp_path, Columns())
    assert (found.kind, found.inputs[0].shape, found.answers) == ("image", (2, 3, 1), ["a", "b"])
    picture(tmp_path / "b/3.png", (4, 4))
    with pytest.raises(DataError, match=r"3.png has the shape \(4, 4, 1\); expected \(2, 3, 1\), as a/1.png"):
        read_labelled(tmp_path, Columns())
    assert read_labelled(tmp_path, Columns(image_size=(2, 2))).inputs[2].shape == (2, 2, 1)
    (tmp_path / "b/3.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"3\.png is a broken image, or none"):
        read_labelled(tmp_path, Columns())


def test_fasta(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.fa", ">one promoter\nacg\nTTT\n>two none\nGG\n"), Columns())
    assert (found.inputs, found.answers) == (["ACGTTT", "GG"], ["promoter", "none"])
    with pytest.raises(DataError, match="line 1 expects a header"):
        read_labelled(write(tmp_path / "b.fa", "ACGT\n"), Columns())


def test_without_answers(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.txt", "1 of them\n"), Columns(), answered=False)
    assert (found.inputs, found.answers) == (["1 of them"], [None])


def test_splits_have_all_and_are_the_same_each_time(tmp_path: Path) -> None:
    found = read_labelled(write(tmp_path / "a.txt", "".join(f"{n % 2} text {n}\n" for n in range(30))), Columns())
    train, valid = found.split()
    assert (len(train), len(valid)) == (27, 3)
    assert sorted([*train.inputs, *valid.inputs]) == sorted(found.inputs)
    assert found.split()[1].inputs == valid.inputs
    with pytest.raises(DataError, match="too few"):
        found.some([0, 1]).split()


def test_labels() -> None:
    assert Labels.of(["10", "9", "b", "a"]).names == ("9", "10", "a", "b")
    with pytest.raises(DataError, match="every example has the label '1'; expected two"):
        Labels.of(["1", "1"])
    with pytest.raises(DataError, match="line 3 has the label 'upp', which training has not seen; did you mean 'up'"):
        Labels(["up", "down"]).number("upp", "line 3")


def test_a_fingerprint_sees_numbers(tmp_path: Path) -> None:
    one = read_labelled(write(tmp_path / "a.csv", NUMBERS), Columns(sequence="id"))
    other = read_labelled(write(tmp_path / "a.csv", NUMBERS.replace("6", "7")), Columns(sequence="id"))
    assert one.fingerprint != other.fingerprint
    assert torch.equal(one.inputs[0], other.inputs[0])
