"""Pairs: line by line, cell by cell or turn by turn; what is left out is counted, what does not fit is named."""

import gzip
import json
import os
from pathlib import Path

import polars
import pytest

from elman.data.pairs.pairs import TURN, Pairs, join_turns, read_pairs, tidy
from elman.errors import DataError, OptionError

DATA = Path(os.environ.get("ELMAN_DATA") or Path(__file__).parents[3] / "shared" / "data")

DIALOGUES = [
    {"id": 0, "turns": [{"usr": {"text": f"u{n}"}, "sys": f"s{n}"} for n in range(4)]},
    {"id": 1, "turns": []},
    {"id": 2, "turns": [{"usr": {"text": " "}, "sys": "welcome"}, {"usr": {"text": "v1"}, "sys": "t1"}]},
]
SOURCE, TARGET = "turns[].usr.text", "turns[].sys"


def two_files(folder: Path, source: bytes, target: bytes) -> Path:
    (folder / "train.en").write_bytes(source)
    (folder / "train.de").write_bytes(target)
    return folder / "train"


@pytest.fixture
def dialogues(tmp_path) -> Path:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(DIALOGUES))
    return path


def test_two_files_are_read_line_by_line(tmp_path):
    path = two_files(tmp_path, b" one  dog\r\ntwo\xe3\x80\x80cats\t\n", b"\xef\xbb\xbfein Hund\nzwei Katzen")
    pairs = read_pairs(path, "en", "de")
    assert pairs == Pairs(("one dog", "two cats"), ("ein Hund", "zwei Katzen"))
    assert read_pairs(path, ".de", ".en") == Pairs(pairs.targets, pairs.sources)


def test_either_file_may_be_packed(tmp_path):
    path = two_files(tmp_path, b"a\n", b"b\n")
    (tmp_path / "train.fr.gz").write_bytes(gzip.compress(b"c\n"))
    assert read_pairs(path, "en", "fr") == Pairs(("a",), ("c",))
    assert read_pairs(path, "fr.gz", "de") == Pairs(("c",), ("b",))


def test_only_a_line_feed_ends_a_line(tmp_path):
    signs = ["\u2028", "\x0b", "\x0c", "\x85", "\u2029", "\x1e", "\r"]
    path = two_files(tmp_path, "".join(f"a{sign}b\n" for sign in signs).encode(), b"c\n" * len(signs))
    assert read_pairs(path, "en", "de").sources == ("a b",) * len(signs)


TABLES = {
    "a.tsv": 'a\tA\n"b\tB',
    "a.csv": 'a,A\n"""b",B\n',
    "a.jsonl": '{"source": "a", "target": "A"}\n{"source": "\\"b", "target": "B"}',
    "a.json": '[{"source": "a", "target": "A"}, {"target": "B", "source": "\\"b"}]',
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_needs_no_names_where_the_usual_ones_do(name, tmp_path):
    (tmp_path / name).write_text(TABLES[name])
    assert read_pairs(tmp_path / name) == Pairs(("a", '"b'), ("A", "B"))


def test_parquet_has_the_usual_names_too(tmp_path):
    polars.DataFrame({"target": ["A"], "n": [1], "source": ["a"]}).write_parquet(tmp_path / "a.parquet")
    assert read_pairs(tmp_path / "a.parquet") == Pairs(("a",), ("A",))
    assert read_pairs(tmp_path / "a.parquet", "n", "source") == Pairs(("1",), ("a",))


def test_numbers_become_text_and_null_is_empty(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"q": 3, "a": 0}\n{"q": null, "a": "x"}\n{"q": 0.5, "a": "\\n y"}\n')
    pairs = read_pairs(tmp_path / "a.jsonl", "q", "a")
    assert (pairs.sources, pairs.targets) == (("3", "0.5"), ("0", "y"))
    assert pairs.notes == ("1 pair has an empty source or target and is left out, in line 2",)


def test_empty_sides_are_left_out_and_counted(tmp_path):
    pairs = read_pairs(two_files(tmp_path, b"a\n\nc\n \nd\n", b"A\nB\n\xe3\x80\x80\n\nD\n"), "en", "de")
    assert (pairs.sources, pairs.targets) == (("a", "d"), ("A", "D"))
    assert pairs.notes == ("3 pairs have an empty source or target and are left out, the first in line 2",)


def before(turns: list[tuple[str, str]], number: int, history: int) -> str:
    """The source of a turn, in a loop that counts backwards."""
    said = [turns[number][0]]
    for earlier in range(number - 1, -1, -1):
        if number - earlier <= history:
            said = [*turns[earlier], *said]
    return " ⏎ ".join(one for one in said if one.strip())


@pytest.mark.parametrize("history", [0, 1, 2, 3, 100])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl.gz", "a.parquet"])
def test_earlier_turns_of_the_same_dialogue_stand_before_a_source(name, history, tmp_path):
    path = tmp_path / name
    if name == "a.parquet":
        polars.DataFrame(DIALOGUES).write_parquet(path)
    elif name == "a.json":
        path.write_text(json.dumps(DIALOGUES))
    else:
        path.write_bytes(gzip.compress("\n".join(map(json.dumps, DIALOGUES)).encode()))
    pairs = read_pairs(path, SOURCE, TARGET, history=history)
    turns = [[(turn["usr"]["text"], turn["sys"]) for turn in dialogue["turns"]] for dialogue in DIALOGUES]
    numbers = [(one, n) for one in turns for n in range(len(one)) if one[n][0].strip()]
    assert pairs.sources == tuple(before(one, n, history) for one, n in numbers)
    assert pairs.targets == ("s0", "s1", "s2", "s3", "t1")
    assert len(pairs.notes) == 1
    assert "turn 1" in pairs.notes[0]


def test_a_live_session_joins_as_the_reader_does(dialogues):
    pairs = read_pairs(dialogues, SOURCE, TARGET, history=1)
    assert pairs.sources[1] == join_turns(["u0 ", "", " s0", "u1"]) == f"u0{TURN}s0{TURN}u1"
    assert tidy(pairs.sources[1]) == pairs.sources[1]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (b"a\nb\nc\n", b"A\nB\n", r"train\.en has 3 lines, but .*train\.de has 2; .*; no line is blank"),
        (b"a\n", b"A\n\nB\n", r"train\.de has 3; .*; the first blank line is line 2 of .*train\.de"),
        (b"a\nb\n \n", b"A\n\n", r"the first blank line is line 2 of .*train\.de"),
        (b"", b"A\n", r"train\.en is empty; expected"),
        (b"\n\n", b"A\nB\n", "has no pair: the source or the target is empty in all 2"),
        (b"a\n", b"caf\xe9\n", r"train\.de is not UTF-8: byte 0xe9 at offset 3"),
    ],
)
def test_two_files_that_do_not_fit_are_refused(source, target, message, tmp_path):
    path = two_files(tmp_path, source, target)
    with pytest.raises(DataError, match=message) as error:
        read_pairs(path, "en", "de")
    assert "\n" not in str(error.value)


def test_the_missing_file_of_two_is_named(tmp_path):
    path = two_files(tmp_path, b"a\n", b"A\n")
    with pytest.raises(DataError, match=r"there is no file .*train\.fr, nor train\.fr\.gz .* 'fr'"):
        read_pairs(path, "en", "fr")
    (tmp_path / "train.fr").mkdir()
    with pytest.raises(DataError, match=r"cannot read .*train\.fr: Is a directory"):
        read_pairs(path, "en", "fr")


@pytest.mark.parametrize(
    ("name", "content", "names", "message"),
    [
        ("a.tsv", "only one\n", (), r"has no column '2' \(there is: 1\); expected tabs"),
        ("a.csv", "q,a\n1,2\n", ("qq", "a"), r"has no column 'qq'; did you mean 'q'\?"),
        ("a.tsv", "\t\n\t\n", (), "has no pair: the source or the target is empty in all 2"),
        ("a.tsv", "", (), "is empty"),
        ("a.jsonl", '{"source": ["a"], "target": "b"}', (), "line 1 expects text; received a list; name the text"),
        ("a.jsonl", '{"source": "a", "target": {}}', (), "line 1 expects text; received an object"),
        ("a.jsonl", '{"s": ["a"], "t": ["b", "c"]}', ("s[]", "t[]"), "line 1 has 1 sources and 2 targets; expected"),
        ("a.jsonl", '{"s": [{}], "t": ["b"]}', ("s[]", "t[]"), "line 1, turn 1 expects text; received an object"),
        ("a.jsonl", '{"s": [], "t": []}', ("s[]", "t[]"), "has no pair"),
        ("a.txt", "a\n", (), r"is no table; expected a file that ends in \.csv.*the common start of two files"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(name, content, names, message, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message) as error:
        read_pairs(tmp_path / name, *names)
    assert "\n" not in str(error.value)


def test_a_folder_and_a_missing_table_are_refused(tmp_path):
    with pytest.raises(DataError, match="is a folder; expected a file that ends in"):
        read_pairs(tmp_path)
    with pytest.raises(DataError, match="there is no file"):
        read_pairs(tmp_path / "a.tsv")


@pytest.mark.parametrize(
    ("names", "history", "message"),
    [
        (("source",), 0, "source and target come together; received source='source', target=None"),
        ((SOURCE, "id"), 0, r"expect \[\] in both or in neither; received 'turns\[\]\.usr\.text' and 'id'"),
        ((SOURCE, TARGET), -1, "history expects 0 or more turns; received -1"),
        (("id", "id"), 2, r"history \(=2\) needs dialogues.*expected a path with \[\] into JSON"),
        ((), 2, r"history \(=2\) needs dialogues"),
    ],
)
def test_impossible_options_are_refused(names, history, message, dialogues):
    with pytest.raises(OptionError, match=message):
        read_pairs(dialogues, *names, history=history)


def test_a_table_of_cells_has_no_dialogues(tmp_path):
    (tmp_path / "a.tsv").write_text("a\tb\n")
    with pytest.raises(OptionError, match="needs dialogues"):
        read_pairs(tmp_path / "a.tsv", history=1)
    with pytest.raises(OptionError, match="needs dialogues"):
        read_pairs(two_files(tmp_path, b"a\n", b"b\n"), "en", "de", history=1)


@pytest.mark.parametrize(("pairs", "share", "valid"), [(10, 0.1, 1), (29, 0.1, 3), (2, 0.5, 1), (7, 0.9, 6)])
def test_the_last_share_is_for_validation(pairs, share, valid):
    texts = tuple(str(n) for n in range(pairs))
    both = Pairs(texts, tuple(text * 2 for text in texts), ("a note",))
    train, rest = both.split(share)
    assert len(rest) == valid
    assert train.sources + rest.sources == both.sources
    assert train.targets + rest.targets == both.targets
    assert train.notes[0] == "a note"
    assert f"no validation pairs given: the last {share:.0%}, {valid} pair" in train.notes[1]


@pytest.mark.parametrize(("pairs", "share"), [(1, 0.1), (4, 0.1), (1, 0.5), (3, 0.9)])
def test_too_few_pairs_are_not_split(pairs, share):
    with pytest.raises(DataError, match=f"^{pairs} pairs? cannot be split"):
        Pairs(("a",) * pairs, ("b",) * pairs).split(share)


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(OptionError, match="share expects a number between 0 and 1"):
        Pairs(("a",) * 9, ("b",) * 9).split(share)


def test_the_fingerprint_tells_pairs_apart_and_knows_them_again():
    others = [Pairs(("a", "b"), ("c", "d")), Pairs(("a b",), ("c d",)), Pairs(("a", "c"), ("b", "d")), Pairs((), ())]
    assert len({pairs.fingerprint for pairs in others}) == len(others)
    assert Pairs(("a", "b"), ("c", "d"), ("a note",)).fingerprint == others[0].fingerprint


@pytest.mark.skipif(not (DATA / "multi30k").exists(), reason="Multi30k is neither in $ELMAN_DATA nor in ../shared/data")
def test_multi30k():
    pairs = read_pairs(DATA / "multi30k" / "val", "en", "de")
    lines = gzip.decompress((DATA / "multi30k" / "val.de.gz").read_bytes()).decode().split("\n")
    assert len(pairs) == 1014
    assert [text.split() for text in pairs.targets] == [line.split() for line in lines[:1014]]
    assert not pairs.notes


@pytest.mark.skipif(
    not (DATA / "tatoeba_en_zh").exists(), reason="Tatoeba is neither in $ELMAN_DATA nor ../shared/data"
)
def test_tatoeba():
    assert len(read_pairs(DATA / "tatoeba_en_zh" / "valid.tsv.gz")) == 1114


@pytest.mark.skipif(
    not (DATA / "camrest676").exists(), reason="CamRest is neither in $ELMAN_DATA nor in ../shared/data"
)
def test_camrest676():
    path = DATA / "camrest676" / "valid.json.gz"
    alone, told = (read_pairs(path, "dial[].usr.transcript", "dial[].sys.sent", history=n) for n in (0, 1))
    assert len(alone) == len(told) == 539
    assert alone.targets == told.targets
    assert told.sources[1] == " ⏎ ".join([alone.sources[0], alone.targets[0], alone.sources[1]])
