"""Recordings as numbers, whatever form they come in, and what an ear makes of them."""

from math import pi
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from elman.data import Ear, LogMel, read_labelled, read_sound, resampled, sound_blocks
from elman.data.labelled.labelled import Columns
from elman.errors import DataError, OptionError

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")


def tone(hertz: float = 440.0, rate: int = 8000, seconds: float = 0.5) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def write(path: Path, samples: np.ndarray, rate: int = 8000, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype)
    return path


@pytest.mark.parametrize(
    ("name", "subtype", "near"),
    [("a.wav", "PCM_16", 1e-4), ("a.wav", "PCM_U8", 1e-2), ("a.wav", "FLOAT", 1e-6), ("a.flac", None, 1e-4)],
)
def test_files_of_any_form_hold_the_same(tmp_path: Path, name: str, subtype: str | None, near: float) -> None:
    sound = read_sound(write(tmp_path / name, tone(), subtype=subtype))
    assert (sound.rate, sound.seconds, sound.whole, sound.silent) == (8000, 0.5, True, False)
    torch.testing.assert_close(sound.samples, torch.from_numpy(tone()).float(), atol=near, rtol=0)


def test_six_channels_are_mixed_to_one(tmp_path: Path) -> None:
    channels = np.stack([tone() * share for share in (0, 0.2, 0.4, 0.6, 0.8, 1)], 1)
    sound = read_sound(write(tmp_path / "a.wav", channels))
    torch.testing.assert_close(sound.samples, torch.from_numpy(tone() / 2).float(), atol=1e-4, rtol=0)


def test_another_rate_is_the_same_sound(tmp_path: Path) -> None:
    sound = read_sound(write(tmp_path / "a.wav", tone(rate=96_000), 96_000), 8000)
    assert (sound.rate, len(sound)) == (8000, 4000)
    inner = slice(200, -200)
    torch.testing.assert_close(sound.samples[inner], torch.from_numpy(tone()).float()[inner], atol=1e-3, rtol=0)
    assert resampled(sound.samples, 8000, 8000) is sound.samples


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_blocks_are_the_whole(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, np.stack([tone(300, seconds=2.05), tone(700, seconds=2.05)], 1))
    blocks = list(sound_blocks(path, 0.1))
    assert {block.rate for block in blocks} == {8000}
    assert {len(block) for block in blocks[:-1]} == {800}
    torch.testing.assert_close(
        torch.cat([block.samples for block in blocks]), read_sound(path).samples, atol=1e-6, rtol=0
    )


def test_blocks_of_what_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"seven")
    with pytest.raises(DataError, match=r"a\.wav is a broken sound, or none"):
        next(sound_blocks(tmp_path / "a.wav", 1))
    with pytest.raises(DataError, match="there is no file"):
        next(sound_blocks(tmp_path / "b.wav", 1))
    write(tmp_path / "c.wav", np.zeros(0))
    assert list(sound_blocks(tmp_path / "c.wav", 1)) == []


@pytest.mark.parametrize("rate", [8000, 11_025, 48_000])
def test_an_ear_hears_what_there_is_as_it_comes(rate: int) -> None:
    samples, mel = torch.from_numpy(tone(rate=rate, seconds=0.73)).float(), LogMel(8000, 40)
    expected = mel(resampled(samples, rate, 8000))
    for size in (1, 79, 80, 81, 3000, len(samples)):
        ear = Ear(mel)
        pieces = [ear.hear(piece, rate) for piece in samples.split(size)] + [ear.end()]
        torch.testing.assert_close(torch.cat(pieces), expected)
    with pytest.raises(DataError, match="goes on at 7 Hz; expected one rate"):
        ear.hear(samples, 7)


def test_a_file_that_ends_early_is_read_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone())
    path.write_bytes(path.read_bytes()[:4044])
    sound = read_sound(path)
    assert (len(sound), sound.whole) == (2000, False)


def test_a_length_that_nobody_knew_is_no_loss(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone())
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    sound = read_sound(path)
    assert (len(sound), sound.whole) == (4000, True)


@pytest.mark.parametrize("name", ["x" * 300, "a.raw", "."])
def test_no_path_is_a_traceback(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.raw").write_bytes(b"1234")
    with pytest.raises(DataError, match="is a broken sound, or none"):
        read_sound(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"seven\n", b"RIFF\x24\x00\x00\x00WAVE"])
def test_what_is_no_sound_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.wav is a broken sound, or none: .*; mend it or take it out") as caught:
        read_sound(tmp_path / "a.wav")
    assert "\n" not in str(caught.value)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    samples = tone()
    samples[7] = np.nan
    with pytest.raises(DataError, match="has samples that are no numbers"):
        read_sound(write(tmp_path / "a.wav", samples, subtype="FLOAT"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*a\.wav"):
        read_sound(tmp_path / "a.wav")


def chirp() -> Tensor:
    n = torch.arange(1600, dtype=torch.float64) / 8000
    return (0.5 * torch.sin(2 * pi * (300 * n + 900 * n**2))).float()


def test_bands_are_those_of_librosa() -> None:
    """librosa 0.11: the log, at least log 1e-6, of `feature.melspectrogram(y, sr=8000, n_fft=256, win_length=200,
    hop_length=80, center=False, htk=True, norm=None, n_mels=40)`, with 28 zeros before y, half of what it pads."""
    expected = [
        [-7.1962, -5.3401, -2.5860, -13.8155, -13.8155],
        [-9.5872, -8.4796, 6.5496, -12.7191, -13.8155],
        [-12.1975, -11.0057, -3.5312, -10.7495, -13.8155],
    ]
    heard = LogMel(8000, 40)(chirp())
    assert heard.shape == (18, 40)
    torch.testing.assert_close(heard[[0, 7, 17]][:, [0, 3, 10, 20, 39]], torch.tensor(expected), atol=2e-4, rtol=0)


def test_what_was_heard_stays_when_more_comes() -> None:
    mel = LogMel(8000, 40)
    torch.testing.assert_close(mel(chirp()[:1000]), mel(chirp())[:11])


def test_less_than_a_window_is_one() -> None:
    assert LogMel(8000, 40)(torch.ones(3)).shape == (1, 40)
    assert LogMel(8000, 40)(torch.ones(0)).shape == (0, 40)


def folder_of_tones(path: Path) -> Path:
    for name, hertz in (("low", 300), ("high", 1500)):
        for number in range(3):
            write(path / name / f"{number}.wav", tone(hertz + 20 * number))
    return path


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    found = read_labelled(folder_of_tones(tmp_path), Columns())
    assert (found.kind, found.answers, found.places[0]) == ("sound", ["high"] * 3 + ["low"] * 3, "high/0.wav")
    assert found.fingerprint == read_labelled(tmp_path, Columns()).fingerprint


def test_a_table_of_paths(tmp_path: Path) -> None:
    folder_of_tones(tmp_path)
    (tmp_path / "train.csv").write_text("file,label\nlow/1.wav,a\nhigh/2.wav,b\n")
    found = read_labelled(tmp_path / "train.csv", Columns(path="file"))
    assert (found.kind, found.answers) == ("sound", ["a", "b"])
    (tmp_path / "bad.csv").write_text("file,label\nlow/1.wav,a\nlow/9.wav,b\n")
    with pytest.raises(DataError, match=r"bad\.csv line 3 names the recording 'low/9\.wav', which is not there"):
        read_labelled(tmp_path / "bad.csv", Columns(path="file"))
    with pytest.raises(OptionError, match="path names a column of a table"):
        read_labelled(tmp_path, Columns(path="file"))


def test_odd_recordings_are_counted(tmp_path: Path) -> None:
    folder_of_tones(tmp_path)
    write(tmp_path / "low" / "silent.wav", np.zeros(800))
    write(tmp_path / "low" / "nothing.wav", np.zeros(0))
    cut = tmp_path / "low" / "2.wav"
    cut.write_bytes(cut.read_bytes()[:1044])
    found = read_labelled(tmp_path, Columns())
    assert len(found) == 7
    assert found.notes == (
        "1 of 8 recordings are silent, the first in low/silent.wav",
        "1 of 8 recordings are cut off, the first in low/2.wav",
        "1 of 8 examples is empty and left out, the first is low/nothing.wav",
    )


def test_a_recording_by_itself_has_no_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone())
    assert read_labelled(path, Columns(), answered=False).places == ["a.wav"]
    with pytest.raises(DataError, match="is one recording, without an answer"):
        read_labelled(path, Columns())


def test_kinds_are_not_mixed(tmp_path: Path) -> None:
    folder_of_tones(tmp_path)
    (tmp_path / "low" / "a.txt").write_text("low")
    with pytest.raises(DataError, match=r"has files of several kinds: sound in high/0\.wav, text in low/a\.txt"):
        read_labelled(tmp_path, Columns())
