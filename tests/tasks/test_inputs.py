"""What a network gets to hear: recordings at any speed, scaled together or each by itself, and heard once."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import elman
from elman.data import Labelled, LogMel, Sound, made_calls
from elman.errors import OptionError
from elman.tasks import Options, make_task
from elman.tasks.classify.options import ClassifyOptions
from elman.tasks.inputs import SoundInputs
from elman.tasks.sound_options import SoundOptions
from elman.tasks.transcribe.options import TranscribeOptions

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

CALLS = made_calls(24)


def write(folder: Path) -> Path:
    """Calls as a table, with a label for those that dial many keys."""
    rows = ["path,text,label"]
    for number, (sound, said) in enumerate(zip(CALLS.inputs, CALLS.answers, strict=True)):
        soundfile.write(folder / f"{number}.wav", sound.samples.numpy(), sound.rate)
        rows.append(f"{number}.wav,{said},{'long' if len(said) > 10 else 'short'}")
    (folder / "calls.csv").write_text("\n".join(rows))
    return folder / "calls.csv"


TASKS: dict[str, type[Options]] = {"classify": ClassifyOptions, "transcribe": TranscribeOptions}


def batches(task: str, path: Path, **settings: Any) -> Any:
    made: Any = make_task(task, TASKS[task].of({"path": "path", "batch_size": 5} | settings))
    return made.read(path, path)


@pytest.mark.parametrize("task", TASKS)
def test_training_hears_other_speeds_in_each_epoch(task: str, tmp_path: Path) -> None:
    path = write(tmp_path)
    same, varied = batches(task, path), batches(task, path, speeds=0.1)
    count = len(same.train)
    for position in range(count):
        first, other = varied.train.batch(position), varied.train.batch(position + count)
        plain = same.train.batch(position)
        assert first.rows == plain.rows
        faster = first.lengths / plain.lengths
        assert ((faster > 0.88) & (faster < 1.13)).all()
        assert first.inputs.shape != plain.inputs.shape or not torch.equal(first.inputs, plain.inputs)
        again = varied.train.batch(position)
        assert torch.equal(first.inputs, again.inputs)  # whatever was read in between: so a stopped run goes on alike
        assert other.rows != first.rows or not torch.equal(other.lengths, first.lengths)
    for judged, expected in zip(varied.valid, same.valid, strict=True):
        assert torch.equal(judged.inputs, expected.inputs)


def test_speed_moves_pitch_as_a_tape_does() -> None:
    tone = Sound(0.5 * torch.sin(2 * torch.pi * 1000 * torch.arange(8000) / 8000), 8000)
    inputs = SoundInputs.of(Labelled("sound", [tone], [""], "it", ["it"]), SoundOptions())
    heard = inputs.at_speeds([tone], 0.2)
    assert heard is not None
    assert inputs.at_speeds([tone], 0.0) is None
    found = sorted((len(one), int(one.mean(0).argmax())) for one in (heard(0, epoch) for epoch in range(20)))
    lengths, peaks = zip(*found, strict=True)
    assert all(before >= after - 1 for before, after in pairwise(peaks))  # the longer, the lower; bands are wide
    assert peaks[0] > peaks[-1] + 1
    assert 81 <= lengths[0] < lengths[-1] <= 123


def test_each_recording_has_a_scale_of_its_own(tmp_path: Path) -> None:
    found = batches("transcribe", write(tmp_path), normalise="recording")
    batch = found.train.batch(0)
    for column, length in enumerate(batch.lengths):
        torch.testing.assert_close(batch.inputs[:length, column].mean(0), torch.zeros(40), atol=1e-4, rtol=0)
        torch.testing.assert_close(batch.inputs[:length, column].var(0, correction=0), torch.ones(40))


def test_how_loud_it_is_does_not_matter_then(tmp_path: Path) -> None:
    path = write(tmp_path)
    small: dict[str, Any] = {"hidden_size": 16, "epochs": 1, "batch_size": 8}
    elman.train("transcribe", train=path, valid=path, out=tmp_path / "run", normalise="recording", **small)
    model = elman.load(tmp_path / "run")
    sounds = CALLS.inputs[:3]
    one, other = (
        model.network(*batch(model, [Sound(sound.samples * loud, 8000) for sound in sounds]))[0] for loud in (1, 0.5)
    )
    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)


def batch(model: Any, sounds: list[Sound]) -> tuple[torch.Tensor, torch.Tensor]:
    moments = model.task.inputs.sequences(sounds, ["it"] * len(sounds))
    prepared = [model.task.inputs.prepare(one) for one in moments]
    return torch.nn.utils.rnn.pad_sequence(prepared), torch.tensor([len(one) for one in prepared])


def test_a_scale_of_its_own_needs_the_whole_recording(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="normalise = recording needs whole recordings"):
        elman.train("transcribe", out=tmp_path / "run", normalise="recording", bidirectional=False)


def test_recordings_are_heard_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original, lengths = LogMel.of, []
    path = write(tmp_path)

    def counting(self: LogMel, windows: torch.Tensor) -> torch.Tensor:
        lengths.append(len(windows))
        return original(self, windows)

    monkeypatch.setattr(LogMel, "of", counting)
    made: Any = make_task("transcribe", TranscribeOptions())
    made.read(path, None)
    assert len([length for length in lengths if length > 10]) == len(CALLS)
    assert not made.inputs._known
