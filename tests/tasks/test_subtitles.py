"""Subtitles, read back by rules of their own."""

import re
from pathlib import Path

import pytest

import elman
from elman.errors import OptionError, RunError
from elman.tasks.transcribe.subtitles import cues, srt, vtt
from elman.tasks.transcribe.transcript import Word

pytest.importorskip("soundfile")

CLOCK = r"(\d{2,}):([0-5]\d):([0-5]\d)"
ARROW = {"srt": rf"{CLOCK},(\d{{3}}) --> {CLOCK},(\d{{3}})", "vtt": rf"{CLOCK}\.(\d{{3}}) --> {CLOCK}\.(\d{{3}})"}


def seconds(hours: str, minutes: str, whole: str, thousandths: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + int(whole) + int(thousandths) / 1000


def parsed(content: str, kind: str) -> list[tuple[float, float, str]]:
    """Blocks with an empty line between them; SubRip numbers them, WebVTT has a header."""
    assert content.endswith("\n")
    blocks = content.removesuffix("\n").split("\n\n")
    if kind == "vtt":
        assert blocks.pop(0) == "WEBVTT"
    found = []
    for number, block in enumerate(blocks, 1):
        lines = block.split("\n")
        if kind == "srt":
            assert lines.pop(0) == str(number)
        times = re.fullmatch(ARROW[kind], lines[0])
        assert times is not None
        [text] = lines[1:]
        found.append((seconds(*times.groups()[:4]), seconds(*times.groups()[4:]), text))
    return found


def said(*words: tuple[str, float, float]) -> list[Word]:
    return [Word(text, start, end, 1.0) for text, start, end in words]


LONG = said(*((f"word{number}", number / 2, number / 2 + 0.4) for number in range(8000)))


@pytest.mark.parametrize(("kind", "write"), [("srt", srt), ("vtt", vtt)])
def test_what_is_written_can_be_read(kind: str, write) -> None:
    found = parsed(write(LONG), kind)
    assert " ".join(text for _, _, text in found).split() == [word.text for word in LONG]
    assert found[-1][1] == pytest.approx(LONG[-1].end)
    assert all(0 < end - start <= 7 and len(text) <= 42 for start, end, text in found)
    times = [time for start, end, _ in found for time in (start, end)]
    assert times == sorted(times)


def test_a_pause_begins_another_one() -> None:
    words = said(("one", 0, 0.5), ("two", 0.6, 1), ("three", 1.7, 2))
    assert [(cue.start, cue.end, cue.text) for cue in cues(words)] == [(0, 1, "one two"), (1.7, 2, "three")]


def test_slow_words_are_not_seen_for_long() -> None:
    words = said(("one", 0, 3), ("two", 3, 6.9), ("three", 7, 7.1), ("four", 7.2, 20))
    assert [(cue.start, cue.end, cue.text) for cue in cues(words)] == [
        (0, 6.9, "one two"),
        (7, 7.1, "three"),
        (7.2, 14.2, "four"),
    ]


def test_a_word_that_is_too_wide_stands_alone() -> None:
    words = said(("one", 0, 0.1), ("x" * 50, 0.2, 0.3), ("two", 0.4, 0.5))
    assert [len(cue.text) for cue in cues(words)] == [3, 50, 3]


def test_signs_of_markup_are_written_as_such() -> None:
    words = said(("a<b", 0, 0.5), ("-->", 0.5, 0.6), ("&", 0.6, 0.7))
    assert "a&lt;b --&gt; &amp;\n" in vtt(words)
    assert "a<b --> &\n" in srt(words)


def test_nothing_said_is_no_subtitle() -> None:
    assert (srt([]), vtt([])) == ("", "WEBVTT\n")


def test_of_one_recording(tmp_path: Path) -> None:
    model = elman.train("transcribe", out=tmp_path / "run", hidden_size=8, epochs=1)
    recordings = elman.data.made_calls(2).inputs
    for kind in ("srt", "vtt"):
        path = tmp_path / f"a.{kind}"
        assert re.fullmatch(r"subtitles of \d+ words", model.write(recordings[0], path, times=True))
        assert path.exists()
    with pytest.raises(OptionError, match=r"\.srt holds the subtitles of one recording; received 2; write one file"):
        model.write(recordings, tmp_path / "b.srt")
    with pytest.raises(RunError):
        model.write(recordings[0], tmp_path / "a.srt" / "b.srt")
    assert not (tmp_path / "b.srt").exists()
