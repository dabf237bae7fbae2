"""What is written while one speaks is what is written of the whole recording, however it comes in."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor

from elman.data import Sound, made_calls
from elman.errors import DataError, OptionError
from elman.tasks import VERSION, Model, Options, make_task
from elman.tasks.inputs import AT_ONCE
from elman.tasks.transcribe.hearing import Hearing
from elman.tasks.transcribe.hearings import Hearings
from elman.tasks.transcribe.options import TranscribeOptions, Transcribing
from elman.tasks.transcribe.pieces import pieces_of
from elman.tasks.transcribe.transcript import Transcript, transcript

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")


def make(folder: Path, **settings: Any) -> Model:
    """A model that is not trained, but writes much."""
    torch.manual_seed(0)
    options: Options = TranscribeOptions.of({"hidden_size": 24, "bidirectional": False} | settings)
    task = make_task("transcribe", options)
    calls, rows = made_calls(20), ["path,text"]
    folder.mkdir(exist_ok=True)
    for number, (sound, said) in enumerate(zip(calls.inputs, calls.answers, strict=True)):
        soundfile.write(folder / f"{number}.wav", sound.samples.numpy(), sound.rate)
        rows.append(f"{number}.wav,{said}")
    (folder / "calls.csv").write_text("\n".join(rows))
    task.read(folder / "calls.csv", None)
    network: Any = task.network().eval()
    make_talkative(network, task.inputs.sequences(calls.inputs[:1], ["it"])[0], task.tokenizer.vocabulary.get(" "))
    facts = {"fingerprint": "", "facts": {}, "notes": [], "data": {"train": None, "valid": None}}
    config = {"format": VERSION, "task": "transcribe", "settings": options.model_dump(), **facts}
    return Model(task, network, config)


@torch.no_grad()
def make_talkative(network: Any, moments: Tensor, space: int | None) -> None:
    """Let every unit be the likeliest one at times, and a space more often."""
    seen: list[Tensor] = []
    handle = network.output.register_forward_hook(lambda layer, given, scores: seen.append(scores))
    network((moments - moments.mean(0)).unsqueeze(1), torch.tensor([len(moments)]))
    handle.remove()
    mean, deviation = seen[0].mean((0, 1)), seen[0].std((0, 1))
    network.output.weight.mul_(2 / deviation.unsqueeze(1))
    network.output.bias.sub_(mean).mul_(2 / deviation)
    if space is not None:
        network.output.bias[space] += 3


def near(found: Transcript, expected: Transcript) -> None:
    assert found.text == expected.text
    assert [(word.text, word.start, word.end) for word in found.words] == [
        (word.text, word.start, word.end) for word in expected.words
    ]
    confidences = [[word.confidence for word in each.words] for each in (found, expected)]
    assert confidences[0] == pytest.approx(confidences[1], abs=2e-4)  # they are rounded to 4 places


def heard(hearing: Hearing, samples: Tensor, rate: int, size: int) -> Transcript:
    words = [word for piece in samples.split(size) for word in hearing.hear(piece, rate)]
    partial = hearing.partial
    found = hearing.finish()
    assert list(found.words[: len(words)]) == words
    assert found.text.startswith(partial)
    return found


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 8000),
        ({"together": 1}, 8000),
        ({"ahead": 4, "num_layers": 2}, 8000),
        ({"ahead": 5, "together": 4, "cell": "gru", "residual": True, "num_layers": 2}, 22_050),
        ({"ahead": 60, "rate": 11_025, "units": "byte"}, 8000),
        ({"units": "bpe", "vocabulary_size": 300, "zoneout": 0.1}, 16_000),
        ({"units": "word", "ahead": 1}, 8000),
    ],
)
def test_pieces_of_any_size_come_to_the_same(tmp_path: Path, settings: dict[str, Any], rate: int) -> None:
    model = make(tmp_path, **settings)
    hearing = model.session()
    assert isinstance(hearing, Hearing)
    samples = made_calls(1).inputs[0].samples[: rate * 2]
    [expected] = model.predict([Sound(samples, rate)], times=True)
    assert len(expected.text) > 5
    for size in (len(samples), 4000, 800, 333):
        near(heard(hearing, samples, rate, size), expected)


def test_one_sample_at_a_time(tmp_path: Path) -> None:
    model = make(tmp_path, ahead=2)
    hearing = model.session()
    assert isinstance(hearing, Hearing)
    for rate in (8000, 12_000):
        samples = made_calls(1).inputs[0].samples[2000:5000]
        near(heard(hearing, samples, rate, 1), model.predict([Sound(samples, rate)], times=True)[0])


@pytest.mark.parametrize("count", [1, 150, 200, 279, 280])
def test_hardly_anything_is_heard_alike(tmp_path: Path, count: int) -> None:
    model = make(tmp_path, ahead=2)
    hearing = model.session()
    assert isinstance(hearing, Hearing)
    samples = made_calls(1).inputs[0].samples[3000 : 3000 + count]
    near(heard(hearing, samples, 8000, 77), model.predict([Sound(samples, 8000)], times=True)[0])


def test_nothing_is_nothing(tmp_path: Path) -> None:
    hearing = make(tmp_path).session()
    assert isinstance(hearing, Hearing)
    assert hearing.partial == ""
    assert hearing.finish() == Transcript("", [])
    assert hearing.hear([], 8000) == []


def test_a_recording_is_written_word_by_word(tmp_path: Path) -> None:
    model = make(tmp_path, ahead=2)
    path = tmp_path / "3.wav"
    [expected] = model.predict([path], times=True)
    pieces = list(model.stream(str(path)))
    assert len(pieces) == len(expected.words) > 1
    assert "".join(pieces) == expected.text
    [said] = model.stream(str(path), times=True)
    near(Transcript.of([type(expected.words[0])(**word) for word in json.loads(said)["words"]]), expected)


def test_beams_of_texts_grow_while_one_speaks(tmp_path: Path) -> None:
    model = make(tmp_path, ahead=2)
    long(tmp_path / "long.wav", 20)
    [expected] = model.predict([tmp_path / "long.wav"], beam=4, word_bonus=1.0)
    pieces = list(model.stream(str(tmp_path / "long.wav"), beam=4, word_bonus=1.0))
    assert len(pieces) == len(expected.split()) > 10
    assert "".join(pieces) == expected


def test_what_was_begun_leaves_nothing_behind(tmp_path: Path) -> None:
    model = make(tmp_path, ahead=2)
    hearing = model.session()
    assert isinstance(hearing, Hearing)
    hearing.read(tmp_path / "3.wav")
    next(hearing.write())
    samples = made_calls(2).inputs[1].samples
    hearing.finish()
    near(heard(hearing, samples, 8000, 800), model.predict([Sound(samples, 8000)], times=True)[0])


def test_what_comes_in_through_the_standard_input(tmp_path: Path) -> None:
    model = make(tmp_path, ahead=2)
    model.save(tmp_path / "run")
    code = "import sys, elman; sys.stdout.writelines(elman.load(sys.argv[1]).stream('-'))"
    content = (tmp_path / "3.wav").read_bytes()
    endless = content[:4] + b"\xff\xff\xff\xff" + content[8:40] + b"\xff\xff\xff\xff" + content[44:]
    said = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "run"], input=endless, capture_output=True, check=True
    )
    assert said.stdout.decode() == model.predict([tmp_path / "3.wav"])[0]


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        ("seven", 8000, "samples expects numbers from -1 to 1; received 'seven'"),
        ([1, 2], 8000, r"received \(2,\) of torch.int64; mix channels"),
        ([[0.1, 0.2]], 8000, r"received \(1, 2\) of torch.float32"),
        ([0.1, float("nan")], 8000, "received some that are not finite"),
        ([0.1], 16_000, "a sound of 8,000 Hz goes on at 16,000 Hz"),
    ],
)
def test_samples_that_cannot_be(tmp_path: Path, samples: Any, rate: int, message: str) -> None:
    hearing = make(tmp_path).session()
    assert isinstance(hearing, Hearing)
    hearing.hear([0.5], 8000)
    with pytest.raises(DataError, match=message):
        hearing.hear(samples, rate)


@pytest.mark.parametrize("rate", [0, -1, "8000", 8000.5, True])
def test_a_rate_that_cannot_be_leaves_all_as_it_was(tmp_path: Path, rate: Any) -> None:
    hearing = make(tmp_path).session()
    assert isinstance(hearing, Hearing)
    with pytest.raises(DataError, match="rate expects a whole number of samples a second, from 1; received"):
        hearing.hear([0.5], rate)
    assert hearing.hear([0.5], 8000) == []


def test_who_reads_from_both_ends_cannot_write_while_one_speaks(tmp_path: Path) -> None:
    model = make(tmp_path, bidirectional=True)
    session: Any = model.session()
    with pytest.raises(OptionError, match="reads whole recordings, so it cannot write while one lasts"):
        session.hear([0.1], 8000)
    assert "".join(model.stream(str(tmp_path / "3.wav"))) == model.predict([tmp_path / "3.wav"])[0]
    with pytest.raises(OptionError, match="reads whole recordings, so it cannot write while one lasts"):
        Hearing(Hearings(model.network, model.task.inputs, model.task._decoding, model.task._scribe))  # type: ignore


def long(path: Path, seconds: int) -> Path:
    """Calls, one behind the other, with a pause between them; block by block, so that this too takes no memory."""
    calls, random, rest = made_calls(20).inputs, Random(0), seconds * 8000
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        while rest > 0:
            samples = torch.cat([random.choice(calls).samples, torch.zeros(random.randint(2400, 8000))])[:rest]
            file.write(samples.numpy())
            rest -= len(samples)
    return path


@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_hour_is_heard_in_pieces(tmp_path: Path, bidirectional: bool) -> None:
    model = make(tmp_path, bidirectional=bidirectional, hidden_size=4, together=8, bands=10)
    read: list[int] = []
    model.network.body.register_forward_pre_hook(lambda layer, given: read.append(given[0].shape[:2].numel()))
    [found] = model.predict([long(tmp_path / "long.wav", 3600)], times=True)
    times = [time for word in found.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert 3590 < times[-1] <= 3600
    assert max(read) <= (AT_ONCE / 8 if bidirectional else 60 / 0.08)
    assert 0.9 * 3600 / 0.08 < sum(read) < 1.1 * 3600 / 0.08


def test_a_long_recording_comes_to_the_same_as_all_of_it(tmp_path: Path) -> None:
    model = make(tmp_path, ahead=2)
    path = long(tmp_path / "long.wav", 100)
    [moments] = model.task.inputs.sequences([path], ["it"])  # type: ignore
    near(model.predict([path], times=True)[0], whole_transcript(model, moments))


def test_long_recordings_are_cut_where_it_is_quiet() -> None:
    loud = torch.ones(25_000, 3)
    for quiet in (5000, 8000, 12_000, 20_000):
        loud[quiet - 20 : quiet + 20] = -10
    blocks = [*loud.split(999)]
    pieces = list(pieces_of(7, blocks, together=3, longest=6000))
    assert torch.equal(torch.cat([piece.moments for piece in pieces]), loud)
    firsts = [piece.first for piece in pieces]
    assert [piece.first + len(piece.moments) for piece in pieces] == [*firsts[1:], len(loud)]
    assert all(len(piece.moments) <= 6000 and piece.first % 3 == 0 and piece.recording == 7 for piece in pieces)
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {round(first, -2) for first in firsts} >= {5000, 8000, 12_000, 20_000}
    [whole] = pieces_of(0, loud[:6000].split(1000), longest=6000)
    assert (whole.last, len(whole.moments)) == (True, 6000)


def whole_transcript(model: Model, moments: Tensor) -> Transcript:
    """All of a recording at once."""
    task: Any = model.task
    with torch.inference_mode():
        scores, _ = model.network(task.inputs.prepare(moments).unsqueeze(1), torch.tensor([len(moments)]))
    return transcript(scores[:, 0], task._decoding(Transcribing()), task._scribe())
