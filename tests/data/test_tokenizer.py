"""Every unit writes every text, whole or as a stream; what is unknown is said."""

import random

import pytest
import torch
from tokenizers import Tokenizer as Backend

from elman.data import Tokenizer
from elman.data.units.decoder import BYTE_OF
from elman.errors import DataError, OptionError, RunError

TEXTS = {
    "English": "A dog runs.\nAnother dog, too!\n\n  The end \t of it",
    "Chinese": "春眠不觉晓,处处闻啼鸟。\n夜来风雨声,花落知多少。",
    "emoji": "ok 👍🏽 👩‍👩‍👧 🇨🇳\n🙂🙃",
    "CRLF": "one\r\ntwo\rthree\r\n",
    "BOM": "\ufeffmark",
    "combining": "e\u0301 n\u0303 \u0915\u094d\u0937 Z\u0351\u036b",
    "separators": "a\u2028b\x0bc\x1cd\x85e\x00f",
    "empty": "",
}
UNITS = ("character", "byte", "word", "bpe")


def learn(text: str, units: str) -> Tokenizer:
    return Tokenizer.learn(text, units, vocabulary_size=300 if units == "bpe" else None)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_decode_gives_back_what_encode_read(text, units, tmp_path):
    tokenizer = learn(text, units)
    numbers = tokenizer.encode(text)
    decoded = tokenizer.decode(numbers)
    if units == "word":  # up to white space
        assert [line.split() for line in decoded.split("\n")] == [line.split() for line in text.split("\n")]
    else:
        assert decoded == text
    assert "".join(tokenizer.stream(numbers.tolist())) == decoded
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json", units)
    assert torch.equal(loaded.encode(text), numbers)
    assert loaded.decode(numbers) == text or units == "word"
    assert loaded.vocabulary == tokenizer.vocabulary


@pytest.mark.parametrize("units", ["byte", "bpe"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_bytes_write_texts_that_training_did_not_see(text, units):
    tokenizer = learn("nothing of that kind", units)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_bytes_are_the_bytes_of_utf8():
    tokenizer = learn("", "byte")
    text = "".join(TEXTS.values())
    symbols = [tokenizer.backend.id_to_token(number) for number in tokenizer.encode(text).tolist()]
    assert len(symbols) == len(text.encode())
    assert len(tokenizer) == 256


def test_a_character_of_several_bytes_comes_whole():
    tokenizer = learn("", "byte")
    assert list(tokenizer.stream(tokenizer.encode("é晓👍").tolist())) == ["é", "晓", "👍"]
    assert list(tokenizer.stream(tokenizer.encode("é晓👍").tolist()[:-1])) == ["é", "晓"]


def test_bytes_that_are_no_text_do_not_stop_a_stream():
    tokenizer = learn("", "byte")
    random.seed(0)
    numbers = [random.randrange(256) for _ in range(2000)] + tokenizer.encode(" end").tolist()
    read = bytes(BYTE_OF[tokenizer.backend.id_to_token(number)] for number in numbers)
    assert tokenizer.decode(numbers) == read.decode(errors="replace")


def test_a_stream_goes_on_after_another_text():
    words = learn("the cat sat\n", "word")
    decoder = words.decoder()
    for before, expected in (("the cat", " sat"), ("the cat\n", "sat"), ("the ", "sat")):
        decoder.follow(before)
        assert "".join(words.stream(words.encode("sat").tolist(), decoder)) == expected
    characters = learn("", "byte")
    decoder, numbers = characters.decoder(), characters.encode("晓").tolist()
    assert [*characters.stream(numbers[:1], decoder), *characters.stream(numbers[1:], decoder)] == ["晓"]


def test_the_file_is_one_that_the_tokenizers_library_reads(tmp_path):
    tokenizer = learn(TEXTS["English"] * 3, "bpe")
    tokenizer.save(tmp_path / "tokenizer.json")
    text = "Another dog\n"
    assert Backend.from_file(str(tmp_path / "tokenizer.json")).encode(text).ids == tokenizer.encode(text).tolist()


@pytest.mark.parametrize(
    ("units", "text", "settings", "expected"),
    [
        ("word", "a a b c", {"min_count": 2}, {"a", "<unk>"}),
        ("word", "a a b b", {"min_count": 2}, {"a", "b", "<unk>"}),
        ("word", "a a a b b c", {"vocabulary_size": 2}, {"a", "<unk>"}),
        ("word", "a a a b b c", {"vocabulary_size": 3}, {"a", "b", "c"}),
        ("word", "a <unk> b\n", {}, {"a", "b", "<unk>", "<eos>"}),
        ("character", "aab", {"min_count": 2}, {"a", "<unk>"}),
        ("character", "aab", {"vocabulary_size": 1}, {"<unk>"}),
    ],
)
def test_rare_units_are_unknown_and_the_vocabulary_is_not_larger_than_asked(units, text, settings, expected):
    assert set(Tokenizer.learn(text, units, **settings).vocabulary) == expected


def test_byte_pairs_stop_at_the_size_asked_for():
    assert len(Tokenizer.learn(TEXTS["English"] * 9, "bpe", vocabulary_size=270)) == 270
    with pytest.raises(OptionError, match=r"vocabulary_size expects at least 256.*received 255; try 2000"):
        Tokenizer.learn("a", "bpe", vocabulary_size=255)


@pytest.mark.parametrize("units", ["character", "word"])
def test_unknown_units_are_named(units):
    tokenizer = learn("a b", units)
    with pytest.raises(
        DataError, match=rf"the prompt has 2 {units}s that the training text lacks: 'c', 'd'; .*--units"
    ):
        tokenizer.encode("c d c", source="the prompt")


@pytest.mark.parametrize("units", ["byte", "bpe"])
def test_half_a_character_is_no_text(units):
    with pytest.raises(DataError, match="half a character"):
        learn("a", units).encode("a\ud83d")


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[1]", b'{"version": "1.0"}'])
def test_a_damaged_file_is_refused(content, tmp_path):
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"tokenizer.json") as error:
        Tokenizer.load(path, "byte")
    assert "\n" not in str(error.value)
