"""Music as chords: JSON, MIDI, and what is wrong with either."""

import json
from pathlib import Path

import pytest
import torch

from elman.data import PieceBatches, as_chords, as_keys, made_pieces, read_midi, read_pieces, write_midi
from elman.data.music.batches import transposed
from elman.errors import DataError

mido = pytest.importorskip("mido")
PIECE = [[60, 64, 67], [], [21, 108], [60], [60]]


def test_midi_that_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", PIECE)
    assert read_midi(tmp_path / "a.mid") == PIECE
    seconds = mido.MidiFile(str(tmp_path / "a.mid")).length
    assert seconds == pytest.approx(5 * 60 / 90, abs=0.01)


def test_long_and_overlapping_notes_are_heard_at_each_quarter(tmp_path: Path) -> None:
    file = mido.MidiFile(ticks_per_beat=100)
    track = mido.MidiTrack()
    for message in (
        mido.Message("note_on", note=60, velocity=9, time=0),
        mido.Message("note_on", note=40, velocity=9, channel=9, time=0),  # a drum
        mido.Message("note_on", note=64, velocity=9, time=150),
        mido.Message("note_on", note=60, velocity=0, time=100),  # ends a note
        mido.Message("note_off", note=64, time=50),
        mido.Message("note_on", note=70, velocity=9, time=10),  # between two quarters, and never ended
    ):
        track.append(message)
    file.tracks.append(track)
    file.save(str(tmp_path / "a.mid"))
    assert read_midi(tmp_path / "a.mid") == [[60], [60], [60, 64]]


def test_a_folder_of_midi_is_read_as_its_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_midi(tmp_path / "b.mid", PIECE)
    write_midi(tmp_path / "in" / "a.mid", PIECE[:1])
    found = read_pieces(tmp_path)
    assert sorted(found.names) == ["a.mid", "b.mid"]
    assert sorted(map(len, found.chords)) == [1, 5]


def test_empty_pieces_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([PIECE, [], PIECE]))
    found = read_pieces(tmp_path / "a.json")
    assert [as_chords(one) for one in found.chords] == [PIECE, PIECE]
    assert found.notes == ("1 of 3 pieces are empty and left out",)


BAD = {
    "no JSON": ("a.json", "[1, ", "is no JSON"),
    "no list": ("a.json", "{}", "expects a list of pieces"),
    "no chords": ("a.json", "[3]", "piece 1 expects a list of chords; received 3"),
    "no notes": ("a.json", "[[[60], 3]]", "piece 1 chord 2 expects a list of whole numbers"),
    "a note that no piano has": ("a.json", "[[[200]]]", "piece 1 chord 1 has the note 200; expected 21 to 108"),
    "nothing": ("a.json", "[[]]", "has no music"),
    "text named .mid": ("a.mid", "hello there", "is broken MIDI"),
}


@pytest.mark.parametrize(("name", "content", "words"), BAD.values(), ids=BAD)
def test_bad_music_is_named(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=words):
        read_pieces(tmp_path / name)


def test_midi_that_lasts_for_months_is_named(tmp_path: Path) -> None:
    file = mido.MidiFile(ticks_per_beat=1)
    file.tracks.append(
        mido.MidiTrack([mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=10**8)])
    )
    file.save(str(tmp_path / "a.mid"))
    with pytest.raises(DataError, match=r"a\.mid lasts 100,000,000 quarters; expected 100,000 at most"):
        read_midi(tmp_path / "a.mid")


def test_midi_that_is_cut_off_is_named(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", PIECE)
    whole = (tmp_path / "a.mid").read_bytes()
    (tmp_path / "a.mid").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is broken MIDI"):
        read_pieces(tmp_path / "a.mid")
    with pytest.raises(DataError, match="there is no file"):
        read_pieces(tmp_path / "b.mid")


def test_a_piece_is_moved_as_far_as_its_notes_allow() -> None:
    piece = as_keys(PIECE, "it")
    assert torch.equal(transposed(piece, 5), piece)  # it has the lowest and the highest key
    assert as_chords(transposed(piece[:2], 3)) == [[63, 67, 70], []]
    assert as_chords(transposed(piece[:2], -99)) == [[21, 25, 28], []]
    assert torch.equal(transposed(torch.zeros(3, 88), 7), torch.zeros(3, 88))


def test_batches_are_moved_anew_each_epoch_and_the_same_whenever_asked() -> None:
    pieces = made_pieces(6).chords
    batches = PieceBatches(pieces, 6, transpose=6)
    first, second = batches.batch(0), batches.batch(1)
    assert torch.equal(batches.batch(0).inputs, first.inputs)
    assert first.inputs.shape[1] == second.inputs.shape[1] == 6
    assert not torch.equal(first.inputs.sum(0).sort(0).values, second.inputs.sum(0).sort(0).values)
    assert first.inputs.sum() == second.inputs.sum() == sum(piece.sum() for piece in pieces)
    assert first.lengths.sort().values.tolist() == sorted(map(len, pieces))
