"""Chords from and to MIDI files, a quarter a step; by mido."""

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import Any

from elman.data.files import replacing
from elman.data.source import Source, Upload, opened
from elman.errors import DataError, optional

MIDI = (".mid", ".midi")
"""Ends of the names of files that hold MIDI."""
DRUMS = 9
"""The channel whose notes have no pitch."""
QUARTERS = 90
"""In a minute, of what is written."""
LOUD = 80
LONGEST = 100_000
"""Quarters that are read at most: 18 hours of what is written."""


def is_midi(path: Source) -> bool:
    """Whether a file is named like MIDI.

    Example:
        >>> is_midi(Path("prelude.MID"))
        True
    """
    return path.suffix.lower() in MIDI


def read_midi(path: Source) -> list[list[int]]:
    """The notes that sound at the beginning of each quarter.

    Raises:
        DataError: It is no MIDI file, or a broken one.
        MissingExtra: mido is not installed.
    """
    mido = optional("mido", "mido", "music")
    try:
        file = mido.MidiFile(file=opened(path)) if isinstance(path, Upload) else mido.MidiFile(str(path))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; check the path (now in {Path.cwd()})") from None
    except (OSError, EOFError, ValueError, KeyError, IndexError, mido.KeySignatureError) as error:
        reason = str(error) or "it ends early"
        raise DataError(f"{path} is broken MIDI, or none: {reason}; mend it or take it out") from error
    if not file.ticks_per_beat:
        raise DataError(f"{path} counts no quarters; expected MIDI with ticks in a quarter")
    chords: list[set[int]] = []
    for note, start, end in _sounding(mido.merge_tracks(file.tracks)):
        if end > LONGEST * file.ticks_per_beat:
            raise DataError(
                f"{path} lasts {ceil(end / file.ticks_per_beat):,} quarters; expected {LONGEST:,} at most; "
                "mend its times, or take it out"
            )
        for step in range(ceil(start / file.ticks_per_beat), ceil(end / file.ticks_per_beat)):
            chords += [set() for _ in range(step + 1 - len(chords))]
            chords[step].add(note)
    return [sorted(chord) for chord in chords]


def _sounding(track: Any) -> Iterator[tuple[int, int, int]]:
    """Notes, and when they begin and end."""
    now, begun = 0, {}
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
            continue
        start = begun.pop((message.channel, message.note), None)
        if start is not None:
            yield message.note, start, now
        if message.type == "note_on" and message.velocity:
            begun[message.channel, message.note] = now
    for (_, note), start in begun.items():
        yield note, start, now


def write_midi(path: Path, chords: Sequence[Sequence[int]]) -> None:
    """Chords as a MIDI file, a quarter each, whole or not at all.

    Raises:
        MissingExtra: mido is not installed.
    """
    mido = optional("mido", "mido", "music")
    file = mido.MidiFile()
    quarter, rest = file.ticks_per_beat, 0
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(QUARTERS))])
    for chord in chords:
        for note in chord:
            track.append(mido.Message("note_on", note=note, velocity=LOUD, time=rest))
            rest = 0
        rest += quarter
        for note in chord:
            track.append(mido.Message("note_off", note=note, time=rest))
            rest = 0
    track.append(mido.MetaMessage("end_of_track", time=rest))
    file.tracks.append(track)
    with replacing(path) as temporary:
        file.save(str(temporary))
