"""Words with their times as subtitles: SubRip (.srt) and WebVTT (.vtt)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from elman.tasks.transcribe.transcript import Word

WIDEST = 42
"""Characters of a subtitle at most, but for a single word that has more."""
LONGEST = 7.0
"""Seconds for which one is seen at most."""
PAUSE = 0.6
"""Seconds of silence after which another one begins."""


@dataclass(frozen=True)
class Cue:
    """A subtitle."""

    start: float
    end: float
    text: str


def cues(words: Sequence[Word]) -> Iterator[Cue]:
    """Words in subtitles, each with as many as belong together, can be read at a glance and are said in time.

    Example:
        >>> said = [Word("one", 0.1, 0.4, 1.0), Word("two", 0.5, 0.8, 1.0), Word("three", 2.0, 2.4, 1.0)]
        >>> [cue.text for cue in cues(said)]
        ['one two', 'three']
    """
    together: list[Word] = []
    for word in words:
        if together and not _fits(together, word):
            yield _cue(together)
            together = []
        together.append(word)
    if together:
        yield _cue(together)


def _fits(together: Sequence[Word], word: Word) -> bool:
    width = sum(len(each.text) + 1 for each in together) + len(word.text)
    return word.start - together[-1].end < PAUSE and word.end - together[0].start <= LONGEST and width <= WIDEST


def _cue(together: Sequence[Word]) -> Cue:
    start = together[0].start
    return Cue(start, min(together[-1].end, start + LONGEST), " ".join(word.text for word in together))


def srt(words: Sequence[Word]) -> str:
    """The content of a SubRip file.

    >>> print(srt([Word("one", 3661.5, 3662.0, 1.0)]), end="")
    1
    01:01:01,500 --> 01:01:02,000
    one
    """
    blocks = (
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues(words), 1)
    )
    return "\n".join(blocks)


def vtt(words: Sequence[Word]) -> str:
    """The content of a WebVTT file.

    >>> print(vtt([Word("one", 0.0, 0.5, 1.0)]), end="")
    WEBVTT
    <BLANKLINE>
    00:00:00.000 --> 00:00:00.500
    one
    """
    blocks = (
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{escape(cue.text, quote=False)}\n" for cue in cues(words)
    )
    return "\n".join(["WEBVTT\n", *blocks])


def _clock(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and thousandths."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}"


SUBTITLES = {".srt": srt, ".vtt": vtt}
