"""Tables: every format gives the same columns, and what is wrong in a file is named with its place."""

import csv
import gzip
import json
from pathlib import Path

import polars
import pytest

from elman.data.tables import is_table, read_columns, read_table, table_format
from elman.errors import DataError, OptionError

ROWS = [
    {"id": "1", "text": 'He said "so", twice', "label": "é"},
    {"id": "2", "text": "one,\u2028two\x0bthree", "label": ""},
    {"id": "3", "text": "  spaces stay ", "label": "它"},
]
TEXTS = [row["text"] for row in ROWS]


def as_csv(path: Path, header: bool = True) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        if header:
            writer.writeheader()
        writer.writerows(ROWS)


def as_tsv(path: Path, header: bool = True) -> None:
    lines = [list(ROWS[0])] * header + [list(row.values()) for row in ROWS]
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


def as_lines(path: Path) -> None:
    path.write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), encoding="utf-8")


def as_list(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=1), encoding="utf-8")


def as_parquet(path: Path) -> None:
    polars.DataFrame(ROWS).write_parquet(path)


WRITERS = {
    "a.csv": as_csv,
    "a.tsv": as_tsv,
    "a.jsonl": as_lines,
    "a.ndjson": as_lines,
    "a.json": as_list,
    "a.parquet": as_parquet,
}


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_columns(name, packed, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    if packed:
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert read_columns(path, ["label", "text"]) == {"label": ["é", "", "它"], "text": TEXTS}
    assert is_table(path)


@pytest.mark.parametrize("writer", [as_csv, as_tsv])
def test_numbers_count_columns_from_one_and_say_that_there_is_no_header(writer, tmp_path):
    path = tmp_path / f"a.{writer.__name__[3:]}"
    writer(path, header=False)
    assert read_columns(path, ["2", "1"]) == {"2": TEXTS, "1": ["1", "2", "3"]}


def test_a_mark_and_foreign_line_ends_change_nothing(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbftext, n\r\n"a\r\nb",1\r\n\r\n"",2\r\n')
    assert read_columns(path, ["text", "n"]) == {"text": ["a\nb", ""], "n": ["1", "2"]}


def test_quotes_in_tab_separated_text_are_quotes(tmp_path):
    path = written(tmp_path / "a.tsv", '"a\t5" b\n""c\td"\n')
    assert read_columns(path, ["1", "2"]) == {"1": ['"a', '""c'], "2": ['5" b', 'd"']}


def test_a_cell_may_be_long_and_leaves_the_limit_of_others(tmp_path):
    before = csv.field_size_limit()
    path = written(tmp_path / "a.csv", "text\n" + "x" * 300_000 + "\n")
    assert len(read_columns(path, ["text"])["text"][0]) == 300_000
    assert csv.field_size_limit() == before


def test_places_are_lines_of_the_file(tmp_path):
    table = read_table(written(tmp_path / "a.csv", 'text\n"a\nb\nc"\n\nd\n'), ["text"])
    assert [table.place(row) for row in range(2)] == ["line 2", "line 6"]
    table = read_table(written(tmp_path / "a.jsonl", '\n{"text": 1}\n\n{"text": 2}'), ["text"])
    assert [table.place(row) for row in range(2)] == ["line 2", "line 4"]
    table = read_table(written(tmp_path / "a.json", '\n[{"text": 1}]'), ["text"])
    assert table.place(0) == "object 1"


NESTED = [
    {"user": {"text": "a"}, "turns": [{"said": "b"}, {"said": None}], "n": 1.5, "a.b": True},
    {"user": {"text": "c"}, "turns": [], "n": None, "a.b": False},
]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.parquet"])
def test_a_path_goes_into_objects_and_walks_lists(name, tmp_path):
    path = tmp_path / name
    if name == "a.json":
        path.write_text(json.dumps(NESTED))
    elif name == "a.jsonl":
        path.write_text("\n".join(map(json.dumps, NESTED)))
    else:
        polars.DataFrame(NESTED).write_parquet(path)
    assert read_columns(path, ["user.text", "turns[].said", "n", "a.b"]) == {
        "user.text": ["a", "c"],
        "turns[].said": [["b", None], []],
        "n": [1.5, None],
        "a.b": [True, False],
    }


def test_a_path_through_two_lists_gives_one(tmp_path):
    path = written(tmp_path / "a.jsonl", json.dumps({"a": [{"b": ["x", "y"]}, {"b": []}, {"b": ["z"]}]}))
    assert read_columns(path, ["a[].b[]"]) == {"a[].b[]": [["x", "y", "z"]]}


@pytest.mark.parametrize(
    ("name", "content", "column", "message"),
    [
        ("a.csv", "text,label\na,b\n", "txt", r"has no column 'txt'; did you mean 'text'\? \(there is: text, label\)"),
        ("a.csv", "text,label\na,b\n", "3", r"has no column '3' \(there is: 1, 2\)"),
        ("a.tsv", "text,label\na,b\n", "text", r"has no column 'text'.*expected tabs \(.tsv\) or commas \(.csv\)"),
        ("a.tsv", "a\ta\n1\t2\n", "a", "has 2 columns 'a'; expected one"),
        ("a.csv", 'a,"b\nb"\n1,2\n', "c", r"\(there is: a, b b\)"),
        ("a.csv", "a,b\n\nc,d\ne\n", "a", r"line 4 has 1 cells; expected 2, as in line 1; mend"),
        ("a.csv", 'a,b\n"c\nc",d\ne,f,g\n', "a", "line 4 has 3 cells; expected 2"),
        ("a.tsv", "a\tb\n\nc\td\te\n", "1", "line 3 has 3 cells; expected 2"),
        ("a.csv", 'a,b\n1,2\n"c,d\ne,f\n', "a", "line 3 begins a row that cannot be read"),
        ("a.csv", 'a,b\n"c"d,e\n', "a", "line 2 begins a row that cannot be read"),
        ("a.csv", "a,b\n", "a", "has no rows; expected at least one"),
        ("a.tsv", "\n\n", "1", "has no rows"),
        ("a.jsonl", "\n", "a", "has no rows"),
        ("a.json", "[]", "a", "has no rows"),
        ("a.jsonl", '{"a": 1}\n{"a": 1]\n', "a", "line 2 is not JSON: .* at column 8"),
        ("a.json", '[{"a": 1},\n{"a": }]', "a", "line 2 is not JSON: Expecting value at column 7"),
        ("a.json", '{"a": 1}\n{"a": 1}\n', "a", r"line 2 is not JSON: Extra data .* an object a line in \.jsonl"),
        ("a.json", '{"a": 1}', "a", r"expects a list of objects; received an object; an object a line is \.jsonl"),
        ("a.jsonl", '{"a": ' + "[" * 100_000, "a", "line 1 holds JSON that is not data"),
        ("a.jsonl", '{"a": ' + "1" * 5000 + "}", "a", "line 1 holds JSON that is not data"),
        ("a.jsonl", '{"a": 1}\n{"b": 1}\n', "a", r"line 2 has no 'a' \(there is: b\); expected it in every one"),
        (
            "a.json",
            '[{"a": 1}, {"aa": 1}]',
            "a.b",
            "object 1 expects an object that holds 'b' of 'a.b'; received a num",
        ),
        ("a.json", '[{"a": {"bb": 1}}]', "a.b", r"object 1 has no 'b'; did you mean 'bb'\?.* for 'a\.b'"),
        ("a.json", '[{"a": null}]', "a.b", "received null"),
        ("a.jsonl", '["a"]', "a", "line 1 expects an object that holds 'a' of 'a'; received a list"),
        ("a.jsonl", '{"a": {"b": 1}}', "a[].b", r"line 1 expects a list at 'a\[\]' of 'a\[\]\.b'; received an object"),
        ("a.jsonl", '{"a": "\\ud83d"}', "a", "line 1 has '.ud83d', half a character"),
        ("a.parquet", "PAR", "a", "is not Parquet, or not all of it"),
        ("a.parquet", "PAR1, and nothing of it true, PAR1", "a", "is a damaged Parquet file"),
        ("a.txt", "a", "a", r"is no table; expected a file that ends in \.csv, .*\.parquet; received '\.txt'"),
        ("a.csv", "", "a", "is empty"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(name, content, column, message, tmp_path):
    path = written(tmp_path / name, content)
    with pytest.raises(DataError, match=message) as error:
        read_columns(path, [column])
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_message_shows_some_columns_of_many(tmp_path):
    path = written(tmp_path / "a.csv", ",".join(f"{'long' * 99}{n}" for n in range(1000)))
    with pytest.raises(DataError, match=r"there is: .*, \.\.\.") as error:
        read_columns(path, ["label"])
    assert len(str(error.value)) < 1200


def test_a_column_that_parquet_lacks_is_named_with_the_nearest(tmp_path):
    as_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"has no column 'txt'; did you mean 'text'\? \(there is: id, text, label\)"):
        read_columns(tmp_path / "a.parquet", ["txt"])


@pytest.mark.parametrize("part", [slice(0, -1), slice(1, None), slice(0, 400)])
def test_a_parquet_file_that_was_cut_is_refused(part, tmp_path):
    as_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[part])
    with pytest.raises(DataError, match="is not Parquet, or not all of it"):
        read_columns(tmp_path / "a.parquet", ["text"])


def test_a_parquet_file_with_a_hole_is_refused(tmp_path):
    as_parquet(tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[:4] + bytes(len(data) - 12) + data[-8:])
    with pytest.raises(DataError, match="is a damaged Parquet file") as error:
        read_columns(tmp_path / "a.parquet", ["text"])
    assert "\n" not in str(error.value)


def test_names_and_numbers_are_not_mixed(tmp_path):
    with pytest.raises(OptionError, match="received text, 2"):
        read_columns(written(tmp_path / "a.csv", "text,b\n"), ["text", "2"])


def test_a_folder_and_a_missing_file_are_no_tables(tmp_path):
    with pytest.raises(DataError, match="received a folder"):
        read_columns(tmp_path, ["a"])
    for name in WRITERS:
        with pytest.raises(DataError, match="there is no file"):
            read_columns(tmp_path / name, ["a"])


def test_only_the_end_of_the_name_counts():
    assert table_format(Path("v1.2/train.en.TSV.gz")) == ".tsv"
    assert not is_table(Path("v1.csv/train"))
