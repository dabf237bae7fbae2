"""From labelled sequences of every kind to a model that says what they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
from elman.errors import DataError, OptionError
from elman.tasks import Model

SMALL: dict[str, Any] = {"embedding_size": 8, "hidden_size": 12, "batch_size": 8, "epochs": 12, "learning_rate": 0.02}
GOOD, BAD = ("good", "fine", "great"), ("bad", "dull", "poor")


def texts(count: int = 120) -> list[tuple[str, str]]:
    """A word that tells, among words that do not."""
    rows = []
    for n in range(count):
        label = n % 2
        words = ["the", "film", "was", (GOOD if label else BAD)[n % 3], *["indeed"] * (n % 4)]
        rows.append((str(label), " ".join(words)))
    return rows


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "train.txt"
    path.write_text("".join(f"{label} {text}\n" for label, text in texts()))
    return path


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Sequences of unequal length that rise or fall."""
    generator = np.random.default_rng(0)
    rows = ["id,a,b,label"]
    for n in range(80):
        slope = 1 if n % 2 else -1
        for step in range(5 + n % 4):
            rows.append(
                f"s{n},{slope * step + generator.normal() / 4:.3f},{generator.normal():.3f},{'up' if n % 2 else 'down'}"
            )
    path = tmp_path / "series.csv"
    path.write_text("\n".join(rows))
    return path


def train(path: Path, tmp_path: Path, **settings: Any) -> Model:
    return elman.train("classify", train=path, out=tmp_path / "run", **SMALL | settings)


@pytest.mark.parametrize("pooling", ["max", "last", "mean", "concat", "attention"])
def test_texts_are_learned(lines: Path, tmp_path: Path, pooling: str) -> None:
    model = train(lines, tmp_path, units="word", pooling=pooling)
    assert model.evaluate(lines)["accuracy"] == 1
    assert model.predict(["the film was great", "the film was poor indeed"]) == ["1", "0"]


@pytest.mark.parametrize("network", ["transformer", "cnn", "mlp"])
def test_other_networks_in_the_place_of_recurrent_ones(lines: Path, tmp_path: Path, network: str) -> None:
    model = train(lines, tmp_path, units="word", network=network)
    assert model.evaluate(lines)["accuracy"] > 0.95
    with pytest.raises(OptionError, match="act on recurrent networks only"):
        train(lines, tmp_path / "b", network=network, zoneout=0.1)


def test_documents_are_read_sentence_by_sentence(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("".join(f"{label} so it is . {text} . the end\n" for label, text in texts()))
    model = train(path, tmp_path, units="word", pooling="hierarchical")
    assert model.evaluate(path)["accuracy"] == 1


def test_series_are_learned(series: Path, tmp_path: Path) -> None:
    model = train(series, tmp_path, sequence="id")
    assert model.evaluate(series)["accuracy"] > 0.9
    assert model.predict([np.array([[0.0, 0], [1, 0], [2, 0], [3, 0], [4, 0]])]) == ["up"]
    with pytest.raises(DataError, match=r"input 1 has the shape \(3, 3\); expected \(steps, 2\)"):
        model.predict([np.zeros((3, 3))])


@pytest.mark.parametrize("scan", ["row", "pixel"])
def test_images_are_learned(tmp_path: Path, scan: str) -> None:
    images = np.zeros((60, 6, 5), np.uint8)
    images[::2, :3], images[1::2, 3:] = 200, 200
    np.savez(tmp_path / "a.npz", x=images, y=np.arange(60) % 2)
    model = train(tmp_path / "a.npz", tmp_path, scan=scan)
    assert model.evaluate(tmp_path / "a.npz")["accuracy"] == 1
    assert model.predict([images[0], images[1]]) == ["0", "1"]


def test_several_labels(tmp_path: Path) -> None:
    rows = [
        {"text": f"{a} {b}", "label": [w for w in (a, b) if w in ("red", "big")]}
        for a in ("red", "blue")
        for b in ("big", "small")
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows * 20))
    model = train(path, tmp_path, answer="labels", units="word")
    scores = model.evaluate(path)
    assert scores["micro_f1"] == scores["exact"] == 1
    assert model.predict(["red big", "blue small"]) == [["big", "red"], []]


def test_a_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "".join(f"{'one ' * n},{10 + 3 * n}\n" for n in [1, 2, 3, 4, 5, 6] * 12))
    model = train(path, tmp_path, answer="number", units="word", pooling="last", epochs=40)
    scores = model.evaluate(path)
    assert scores["r2"] > 0.9
    assert scores["rmse"] < scores["rmse of the training mean"]
    assert model.predict(["one one one"])[0] == pytest.approx(19, abs=2)


def test_probabilities_are_calibrated_and_saved(lines: Path, tmp_path: Path) -> None:
    model = train(lines, tmp_path, units="word")
    again = elman.load(tmp_path / "run")
    (first,) = model.predict(["the film was great"], probabilities=True)
    assert again.predict(["the film was great"], probabilities=True) == [first]
    assert sum(first.values()) == pytest.approx(1)
    assert json.loads((tmp_path / "run/answers.json").read_text())["temperature"] != 1
    assert (tmp_path / "run/pictures/confusion.png").stat().st_size > 1000
    assert model.predict(["the film was great"], threshold=0.999999) in (["1"], [None])


def test_answers_do_not_depend_on_their_neighbours(lines: Path, tmp_path: Path) -> None:
    model = train(lines, tmp_path, units="word", epochs=1)
    inputs = [text for _, text in texts(9)]
    together = model.predict(inputs, probabilities=True)
    alone = [model.predict(text, probabilities=True)[0] for text in inputs]
    for a, b in zip(together, alone, strict=True):
        assert a == pytest.approx(b, abs=1e-5)


def test_rare_labels_can_count_as_much(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("".join(f"{label} {text}\n" for label, text in texts() if label == "0" or "great" in text))
    assert train(path, tmp_path, units="word", class_weights="balanced").evaluate(path)["macro_f1"] > 0.9


def test_bad_input(lines: Path, tmp_path: Path) -> None:
    model = train(lines, tmp_path, units="word", epochs=1)
    with pytest.raises(DataError, match="input 2 is empty"):
        model.predict(["fine", "  "])
    other = tmp_path / "other.txt"
    other.write_text("2 fine\n")
    with pytest.raises(DataError, match="line 1 has the label '2', which training has not seen"):
        model.evaluate(other)
    one = tmp_path / "one.txt"
    one.write_text("1 a\n" * 30)
    with pytest.raises(DataError, match="every example has the label '1'"):
        train(one, tmp_path / "b")
    with pytest.raises(OptionError, match="act on labels"):
        train(lines, tmp_path / "c", answer="number", class_weights="balanced")
    with pytest.raises(OptionError, match="image_size expects rows x columns"):
        train(lines, tmp_path / "d", image_size="28")
    words = tmp_path / "words.csv"
    words.write_text("text,label\n" + "a,x\n" * 30)
    with pytest.raises(DataError, match="expects a number; received 'x'"):
        train(words, tmp_path / "e", answer="number")


def test_long_sequences_are_cut_and_counted(lines: Path, tmp_path: Path) -> None:
    model = train(lines, tmp_path, units="word", max_length=4, epochs=1)
    assert any("steps cut at the end" in note for note in model.config["notes"])


def test_the_embedded_set_needs_no_file(tmp_path: Path) -> None:
    model = elman.train("classify", out=tmp_path / "run", **SMALL | {"epochs": 1})
    assert model.predict(["TTGACA" + "ACGT" * 4 + "TATAAT" + "ACGT" * 8])[0] in ("none", "promoter", "terminator")


def test_going_on_from_another_run_keeps_its_labels(lines: Path, tmp_path: Path) -> None:
    train(lines, tmp_path, units="word", epochs=2)
    model = elman.train("classify", train=lines, from_=tmp_path / "run", out=tmp_path / "next", epochs=1)
    assert model.evaluate(lines)["accuracy"] > 0.9


def test_words_begin_with_the_vectors_of_others(lines: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "words.txt"
    vectors.write_text("good 1 0 0\nbad 0 1 0\nelsewhere 0 0 1\n")
    given = {"units": "word", "vectors": str(vectors), "embedding_size": 3, "epochs": 1, "learning_rate": 1e-9}
    for pooling in ("max", "hierarchical"):
        model = train(lines, tmp_path / pooling, pooling=pooling, **given)
        assert model.config["notes"][-1].startswith("2 of ")
        numbers = model.task.inputs.tokenizer.vocabulary
        weight = model.network.embedding.weight.detach()
        assert torch.allclose(weight[[numbers["good"], numbers["bad"]]], torch.eye(3)[:2], atol=1e-6)
    numbers = tmp_path / "numbers.npz"
    np.savez(numbers, x=np.zeros((40, 5)), y=np.arange(40) % 2)
    with pytest.raises(OptionError, match="vectors are of words; this data is of numbers"):
        train(numbers, tmp_path / "run", **given)


def sounds(path: Path) -> Path:
    """Low and high tones, some of them at another rate."""
    soundfile = pytest.importorskip("soundfile")
    generator = np.random.default_rng(0)
    for n in range(48):
        rate, name = (8000 if n % 3 else 16_000), "high" if n % 2 else "low"
        time = np.arange(rate * (3 + n % 4) // 10) / rate
        samples = 0.4 * np.sin(2 * np.pi * (1500 if n % 2 else 300) * time) + 0.05 * generator.normal(size=len(time))
        (path / name).mkdir(parents=True, exist_ok=True)
        soundfile.write(path / name / f"{n}.wav", samples, rate)
    return path


def test_sounds_are_learned_and_answered_by_path_or_folder(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "sounds")
    model = train(folder, tmp_path, masks=1)
    assert model.evaluate(folder)["accuracy"] == 1
    high = str(folder / "high" / "1.wav")
    again = elman.load(tmp_path / "run")
    assert again.predict([high, folder / "low" / "0.wav", elman.data.read_sound(folder / "low" / "2.wav")]) == [
        *("high", "low", "low"),
    ]
    assert again.task.rows([high], ["high"]) == [{"input": high, "answer": "high"}]
    inputs = again.task.read_inputs(folder / "high")
    assert inputs.names[0] == "1.wav"
    assert set(again.predict(inputs)) == {"high"}
    with pytest.raises(DataError, match="input 1 expects a recording or its path; received int"):
        again.predict([7])


def test_texts_are_not_blanked(lines: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="noise and masks act on numbers; received texts"):
        train(lines, tmp_path, masks=1)


def test_texts_are_not_heard(lines: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="rate, bands, normalise and speeds act on recordings; received texts"):
        train(lines, tmp_path, rate=8000)


def test_a_recording_with_less_than_a_sample_is_named(tmp_path: Path) -> None:
    folder = sounds(tmp_path / "sounds")
    pytest.importorskip("soundfile").write(folder / "low" / "tiny.wav", np.ones(2) / 2, 48_000)
    with pytest.raises(DataError, match=r"low/tiny\.wav has no sound in it at 8,000 Hz"):
        train(folder, tmp_path)
