"""A model evaluated, saved and loaded; and folders that are damaged in every way."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

import elman
from elman.errors import DataError, OptionError, RunError
from elman.tasks import find_task, judged


def by_hand(model, text: str) -> float:
    """Nats per unit: one unit after the other."""
    numbers, state, total = model.task.tokenizer.encode(text), None, 0.0
    with torch.no_grad():
        for number, following in pairwise(numbers):
            scores, state = model.network(number.view(1, 1), state)
            total += float(F.cross_entropy(scores[0], following.view(1)))
    return total / (len(numbers) - 1)


@pytest.mark.parametrize("window", [1, 13, 1000])
def test_scores_equal_a_loop_whatever_the_window(make, window, tmp_path, rhyme):
    model = make(window=window)
    (tmp_path / "test.txt").write_text(rhyme[:150])
    scores = model.evaluate(tmp_path / "test.txt")
    nats = by_hand(model, rhyme[:150])
    assert scores["loss"] == pytest.approx(nats, rel=1e-5)  # float32 sums in another order
    assert scores["perplexity"] == pytest.approx(math.exp(nats), rel=1e-4)
    assert scores["bits_per_character"] == pytest.approx(nats / math.log(2), rel=1e-5)
    assert model.score(rhyme[:150]) == scores


def test_words_are_scored_per_character_too(make, rhyme):
    model = make(units="word", min_count=2)
    text = "green bottles, hanging\non the wall"
    scores, units = model.score(text), len(model.task.tokenizer.encode(text))
    assert scores["nats_per_character"] == pytest.approx(scores["loss"] * units / len(text))


def test_long_texts_in_several_rows_count_every_unit(model, rhyme, monkeypatch):
    monkeypatch.setattr("elman.tasks.generate.text.UNITS_IN_A_ROW", 50)
    windows = model.task.batches_to_score(rhyme[:149])
    assert windows.inputs.shape[1] == 3
    assert sum(int((window.targets >= 0).sum()) for window in windows) == 148


@pytest.mark.parametrize("training", [True, False])
def test_the_mean_loss_leaves_the_mode_as_it_was(make, training, rhyme):
    model = make(dropout=0.5, num_layers=2)
    model.network.train(training)
    batches = model.task.batches_to_score(rhyme[:99])
    first, again = (judged(model.task.judge(), model.network, batches).scores() for _ in range(2))
    assert first == again
    assert model.network.training is training


@pytest.mark.parametrize("text", ["", "9"])
def test_too_little_to_score(model, text):
    with pytest.raises(DataError, match="the text expects 2 units or more"):
        model.score(text)


@pytest.mark.parametrize(
    "settings", [{}, {"tied": True, "num_layers": 2}, {"units": "bpe", "vocabulary_size": 270}], ids=str
)
def test_a_saved_model_comes_back(make, settings, tmp_path):
    model = make(**settings)
    model.save(tmp_path / "run")
    loaded = elman.load(tmp_path / "run")
    assert loaded.config == model.config
    assert loaded.predict("99", length=40) == model.predict("99", length=40)
    with pytest.raises(RunError, match="holds another run or other files"):
        model.save(tmp_path / "run")


def test_tied_weights_are_saved_once_and_loaded_tied(make, tmp_path):
    make(tied=True).save(tmp_path / "run")
    names = load_file(tmp_path / "run" / "model.safetensors").keys()
    assert len({"embedding.weight", "output.weight"} & names) == 1
    network = elman.load(tmp_path / "run").network
    assert network.output.weight is network.embedding.weight


def change_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | values
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))


def foreign_weights(folder: Path) -> None:
    save_file({"other": torch.ones(2)}, folder / "model.safetensors")


def other_shapes(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({name: tensor[:-1] for name, tensor in load_file(path).items()}, path)


def cut(name: str):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-40])


def remove(name: str):
    return lambda folder: (folder / name).unlink()


def settings(**values: object):
    return lambda folder: change_config(
        folder, settings=json.loads((folder / "config.json").read_text())["settings"] | values
    )


DAMAGES = {
    "no weights": (remove("model.safetensors"), "model.safetensors is missing.*--resume"),
    "cut weights": (cut("model.safetensors"), "model.safetensors is damaged"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "model.safetensors is damaged"),
    "foreign weights": (foreign_weights, "does not fit its config.json: .* expects .*; received nothing"),
    "other shapes": (other_shapes, "does not fit its config.json: .* expects .*; received "),
    "no config": (remove("config.json"), "cannot read .*config.json.*is this a run folder"),
    "cut config": (cut("config.json"), "config.json is damaged: expected JSON"),
    "other version": (lambda f: change_config(f, format=99), "expects a run of format 1; received 99"),
    "no settings": (lambda f: change_config(f, settings=None), "damaged: settings expects dict; received nothing"),
    "settings a list": (lambda f: change_config(f, settings=[]), "damaged: settings expects dict; received list"),
    "task a number": (lambda f: change_config(f, task=5), "damaged: task expects str; received int"),
    "unknown task": (lambda f: change_config(f, task="generat"), "there is no task 'generat'; did you mean 'generate'"),
    "wrong type": (settings(hidden_size="8"), "damaged: hidden_size expects a whole number; received '8'"),
    "unknown cell": (settings(cell="lsmt"), "cannot be made: no cell is called 'lsmt'; did you mean 'lstm'"),
    "other size": (settings(hidden_size=9), "does not fit its config.json"),
    "no tokenizer": (remove("tokenizer.json"), "cannot read .*tokenizer.json"),
    "cut tokenizer": (cut("tokenizer.json"), "tokenizer.json is damaged"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_refused_in_one_line(model, damage, message, tmp_path):
    model.save(tmp_path / "run")
    damage(tmp_path / "run")
    with pytest.raises(RunError, match=message) as error:
        elman.load(tmp_path / "run")
    assert "\n" not in str(error.value)


def test_there_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"there is no run folder .*; train one with: elman train TASK"):
        elman.load(tmp_path / "nothing")


def test_an_unknown_task_is_refused():
    with pytest.raises(OptionError, match="there is no task 'generator'; did you mean 'generate'"):
        find_task("generator")
