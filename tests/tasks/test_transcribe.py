"""From recordings and their texts to a model that writes down what is said."""

import json
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import elman
from elman.data import Columns, Named, Tokenizer, find_recordings, made_calls, read_transcripts
from elman.errors import DataError, OptionError
from elman.models import Transcriber
from elman.tasks import Model
from elman.tasks.transcribe.scores import error_rates
from elman.tasks.transcribe.task import ctc
from elman.tasks.transcribe.transcript import BestPath, Said, Scribe, Transcript

pytest.importorskip("soundfile")
pytest.importorskip("jiwer")
import soundfile

SMALL: dict[str, Any] = {"hidden_size": 32, "batch_size": 8, "epochs": 24, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Telephone numbers, as a folder with a text beside each recording, and as a table."""
    folder = tmp_path_factory.mktemp("calls")
    made, rows = made_calls(120), ["path,text"]
    for number, (sound, said) in enumerate(zip(made.inputs, made.answers, strict=True)):
        soundfile.write(folder / f"{number}.wav", sound.samples.numpy(), sound.rate)
        (folder / f"{number}.txt").write_text(f"{said}\n")
        rows.append(f"{number}.wav,{said}")
    (folder / "calls.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def run(calls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    elman.train("transcribe", train=calls, out=folder, **SMALL)
    return folder


@pytest.fixture
def model(run: Path) -> Model:
    return elman.load(run)


def test_what_is_dialled_is_written_down(calls: Path, model: Model) -> None:
    scores = model.evaluate(calls)
    assert set(scores) == {"loss", "wer", "cer"}
    assert scores["cer"] < 0.1
    assert model.evaluate(calls / "calls.csv") == scores
    [said] = model.predict([str(calls / "0.wav")])
    assert said == (calls / "0.txt").read_text().strip()


def test_words_have_times(calls: Path, model: Model) -> None:
    [found] = model.predict([calls / "0.wav"], times=True)
    length = soundfile.info(str(calls / "0.wav")).duration
    assert [word.text for word in found.words] == found.text.split()
    times = [time for word in found.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert 0 < times[0] < times[-1] <= length
    assert all(0 < word.confidence <= 1 for word in found.words)
    [row] = model.task.rows([str(calls / "0.wav")], [found])
    assert row["text"] == found.text
    assert row["words"][0]["text"] == found.words[0].text
    assert json.loads("".join(model.stream(str(calls / "0.wav"), times=True))) == found.as_json()


def test_settings_of_answers_count_when_it_is_judged(calls: Path, model: Model) -> None:
    greedy, beam = model.evaluate(calls), model.evaluate(calls, beam=4)
    assert beam["loss"] == greedy["loss"]
    assert beam["cer"] < 0.1
    words = model.evaluate(calls, beam=4, word_bonus=20.0)
    assert words["wer"] > beam["wer"]  # as many words as there can be
    with pytest.raises(OptionError, match="times does not act when a model is judged"):
        model.evaluate(calls, times=True)


def test_recordings_are_found_before_they_are_read(calls: Path) -> None:
    for path in (calls, calls / "calls.csv", calls / "3.wav"):
        found = find_recordings(path, Columns())
        assert len(found) == (1 if path.suffix == ".wav" else 120)
        assert calls / "3.wav" in found
    with pytest.raises(DataError, match="is no table, folder or recording"):
        find_recordings(calls / "3.txt", Columns())


def test_inputs_have_the_names_of_their_files(calls: Path, model: Model) -> None:
    inputs = model.task.read_inputs(calls)
    assert isinstance(inputs, Named)
    assert inputs.names[:2] == ["0.wav", "1.wav"]


def test_neighbours_in_a_batch_change_nothing(calls: Path, model: Model) -> None:
    paths = [calls / f"{number}.wav" for number in range(8)]
    assert model.predict(paths) == [model.predict([path])[0] for path in paths]


def write(folder: Path, texts: dict[str, str | None], seconds: float = 1.0) -> Path:
    generator = np.random.default_rng(0)
    for name, text in texts.items():
        soundfile.write(folder / f"{name}.wav", generator.normal(size=int(8000 * seconds)) / 10, 8000)
        if text is not None:
            (folder / f"{name}.txt").write_text(text)
    return folder


def test_what_cannot_be_learned_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts: dict[str, str | None] = {f"good{number}": "one two" for number in range(20)}
    write(tmp_path, texts | {"mute": "", "alone": None, "long": "a" * 40})
    elman.train("transcribe", train=tmp_path, valid=tmp_path, out=tmp_path / "run", **SMALL | {"epochs": 1})
    said = " ".join(capsys.readouterr().err.split())
    assert "1 of 23 recordings is without a text and left out, the first is alone.wav" in said
    assert "1 of 22 recordings or texts is empty and left out, the first is mute.wav" in said
    assert "1 of 21 recordings is too short for what is said and left out, the first is long.wav" in said


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ahead": 3}, "ahead acts where recordings are not read from both ends"),
        (
            {"bidirectional": False, "network": "transformer"},
            "networks other than recurrent ones read whole recordings",
        ),
        ({"word_dropout": 0.5}, "embedding_size and word_dropout act on texts that are read"),
        ({"rate": 16}, "rate expects a number greater than or equal to 1000"),
        ({"together": 0}, "together expects a number greater than or equal to 1"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        elman.train("transcribe", out=tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_texts_are_cells_of_any_kind_but_lists(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys("ab"))
    rows = [{"path": "a.wav", "text": 0}, {"path": "b.wav", "text": 1}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert read_transcripts(tmp_path / "a.jsonl", Columns()).answers == ["0", "1"]
    (tmp_path / "b.jsonl").write_text(json.dumps(rows[0] | {"text": ["a"]}))
    with pytest.raises(DataError, match="expects text under 'text'; received a value of type list"):
        read_transcripts(tmp_path / "b.jsonl", Columns())


def test_data_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,text\nmissing.wav,one\n")
    (tmp_path / "b.csv").write_text("file,text\nmissing.wav,one\n")
    (tmp_path / "c.xyz").write_text("")
    for name, message in {
        "a.csv": r"line 2 names the recording 'missing\.wav', which is not there",
        "b.csv": "'path'",
        "c.xyz": "is no table, folder or recording",
    }.items():
        with pytest.raises(DataError, match=message):
            elman.train("transcribe", train=tmp_path / name, out=tmp_path / "run")
    write(tmp_path, {"long": "a" * 400, "longer": "b" * 400})
    with pytest.raises(DataError, match="has nothing to read: all 2 recordings are too short for what is said"):
        elman.train("transcribe", train=tmp_path, valid=tmp_path, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_loss_counts_every_way() -> None:
    """Two steps, one unit: it alone, before nothing or behind it."""
    shares = torch.tensor([[0.6, 0.4], [0.3, 0.7]]).unsqueeze(1)
    loss = ctc(shares.log(), torch.tensor([2]), torch.tensor([[0]]))
    assert float(loss.mean) == pytest.approx(-log(0.6 * 0.3 + 0.6 * 0.7 + 0.4 * 0.3))
    assert loss.count == 1


def test_the_best_path_joins_repeated_units() -> None:
    scores = F.one_hot(torch.tensor([2, 0, 0, 2, 0, 1, 1]), 3).float().log_softmax(1)
    for size in range(1, 8):
        path = BestPath()
        found = [one for part in scores.split(size) for one in path.read(part)] + path.likely
        assert [(one.unit, one.first, one.last) for one in found] == [(0, 1, 3), (0, 4, 5), (1, 5, 7)]


@pytest.mark.parametrize("units", ["character", "word", "bpe", "byte"])
def test_words_of_all_units(units: Any) -> None:
    text = "one two öne"
    tokenizer = Tokenizer.learn(f"{text}\n", units, unknown=True)
    [numbers] = tokenizer.encode_lines([text])
    said = [Said(int(number), place, place + 1, log(0.5)) for place, number in enumerate(numbers)]
    scribe = Scribe(tokenizer, 0.1)
    found = Transcript.of(scribe.put(said[:2]) + scribe.end(said[2:]))
    assert found.text == text
    assert [word.text for word in found.words] == text.split()
    assert found.words[0].start == 0
    assert found.words[-1].end == pytest.approx(len(numbers) / 10)
    assert {word.confidence for word in found.words} == {0.5}


def test_steps_to_come_reach_no_further_than_they_are_said_to() -> None:
    torch.manual_seed(0)
    body = elman.Recurrent(elman.layers.GRUCell, 8, 6)
    network = Transcriber(body, 3, together=2, ahead=2).eval()
    x = torch.randn(20, 1, 4)
    changed = x.clone()
    changed[14:] = 0
    before, after = (network(each, torch.tensor([20]))[0] for each in (x, changed))
    assert torch.equal(before[:5], after[:5])
    assert not torch.equal(before[5], after[5])


def test_error_rates_are_those_of_jiwer() -> None:
    assert error_rates(["one too", ""], ["one two three", "four"]) == {"wer": 0.75, "cer": pytest.approx(11 / 17)}
    with pytest.raises(DataError, match="no texts to compare"):
        error_rates([""], [""])
