"""From pairs of texts to a model that answers, is judged, is saved, goes on, and draws what it looked at."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

import elman
from elman.errors import DataError, OptionError
from elman.tasks import VERSION, Model, Translate, TranslateOptions, load

pytest.importorskip("sacrebleu", reason="scores need the extra translate")

WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs"}
SMALL = {"embedding_size": 8, "hidden_size": 10, "batch_units": 60, "units": "word", "cell": "gru"}


def pairs(count: int = 60) -> list[tuple[str, str]]:
    """Numbers in English, and in German the other way round."""
    english = list(WORDS)
    chosen = [[english[(n * k + k) % 6] for k in range(1, 2 + n % 4)] for n in range(count)]
    return [(" ".join(words), " ".join(WORDS[word] for word in reversed(words))) for words in chosen]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs()))
    return tmp_path / "pairs.tsv"


def make(path: Path, **settings: Any) -> Model:
    torch.manual_seed(0)
    options = TranslateOptions.of(SMALL | settings)
    task = Translate(options)
    examples = task.read(path, None)
    config = {
        "format": VERSION,
        "task": "translate",
        "data": {"train": str(path), "valid": None},
        "fingerprint": examples.fingerprint,
        "facts": examples.facts,
        "notes": [],
        "settings": options.model_dump(),
    }
    return Model(task, task.network().eval(), config)


@pytest.fixture
def model(path: Path) -> Model:
    return make(path)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"units": "bpe", "vocabulary_size": 300},
        {"units": "character", "vocabulary": "separate"},
        {"units": "byte", "tied": "all"},
        {"network": "transformer", "heads": 2},
        {"attend": "feeding", "attention": "additive"},
    ],
)
def test_saved_and_loaded_it_answers_the_same(settings: dict[str, Any], path: Path, tmp_path: Path):
    model = make(path, **settings)
    answers = model.predict(["one two", "six"], max_length=9)
    model.save(tmp_path / "run")
    again = load(tmp_path / "run")
    assert again.predict(["one two", "six"], max_length=9) == answers
    assert again.evaluate(path, beam_size=2) == model.evaluate(path, beam_size=2)


def test_training_batches_are_what_was_read(path: Path):
    task = Translate(TranslateOptions.of(SMALL))
    examples = task.read(path, None)
    batch = examples.train.batch(0)
    for column, (source, reference) in enumerate(zip(batch.sources, batch.references, strict=True)):
        assert (source, reference) in pairs()
        read = batch.source[: batch.source_lengths[column] - 1, column]
        assert task.source.decode(read) == source
        written = batch.targets[: batch.target_lengths[column] - 1, column]
        assert task.target.decode(written) == reference
    assert examples.rows[0] == "two → zwei"
    assert examples.facts["training pairs"] == 54


@pytest.mark.parametrize(("way", "pairs_left", "longest"), [("drop", 28, 2), ("cut", 54, 2), ("keep", 54, 4)])
def test_long_pairs_are_dropped_cut_or_kept_and_counted(way: str, pairs_left: int, longest: int, path: Path):
    task = Translate(TranslateOptions.of(SMALL | {"max_length": 2, "too_long": way}))
    examples = task.read(path, None)
    what = {"drop": "left out", "cut": "cut at the end", "keep": "kept"}[way]
    assert f"26 of 54 pairs are longer than 2 units and are {what}" in examples.notes
    assert examples.facts["training pairs"] == pairs_left
    batches = [examples.train.batch(n) for n in range(len(examples.train))]
    assert max(int(batch.source_lengths.max()) for batch in batches) == longest + 1


def test_an_answer_has_its_units_scores_and_alignment(model: Model):
    (found,) = model.predict(["one two three"], n_best=2, max_length=5)
    assert len(found) == 2
    assert found[0].score >= found[1].score
    assert found[0].source_units == ["one", "two", "three", "\n"]
    assert found[0].text == " ".join(found[0].units)
    assert found[0].alignment.shape == (len(found[0].units), 4)
    torch.testing.assert_close(found[0].alignment.sum(1), torch.ones(len(found[0].units)))
    assert json.loads(json.dumps(found[0].as_json()))["units"] == found[0].units


def test_answers_come_in_the_order_of_their_inputs(model: Model):
    inputs = ["one", "two three four five six one two", "six", "five four"] * 3
    together = model.predict(inputs)
    assert together == [model.predict([one])[0] for one in inputs]


def test_the_judge_has_answers_in_the_order_of_the_file(model: Model, path: Path):
    judge = model.judge(path, beam_size=1)
    assert judge.written() == model.predict([source for source, _ in pairs()], beam_size=1)
    assert judge.notes()[0].startswith("BLEU nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    found = judge.against(model.judge(path, beam_size=1))
    assert found["difference"] == 0
    assert found["bleu"] == found["bleu of the other"] == pytest.approx(judge.scores()["bleu"])


def test_odd_inputs_are_answered_or_refused(model: Model):
    with pytest.raises(DataError, match="input 2 is empty"):
        model.predict(["one", "  "])
    with pytest.warns(UserWarning, match="100% of the units of 'eins zwei drei vier' are in no source that the model"):
        model.predict(["one two three four", "eins zwei drei vier"])
    with pytest.warns(UserWarning, match="in no source"):
        assert isinstance(model.predict("🎈 🎉 🎈 🎈")[0], str)
    with pytest.warns(UserWarning, match="an input has 10,000 units"):
        assert isinstance(model.predict(["one " * 10_000], max_length=20)[0], str)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(["one two three four"])


def test_a_picture_of_what_was_looked_at(model: Model, tmp_path: Path):
    model.draw("one two three", tmp_path / "looks.png", max_length=4)
    assert (tmp_path / "looks.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataError, match="empty"):
        model.draw(" ", tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_without_attention_there_is_no_picture(path: Path, tmp_path: Path):
    with pytest.raises(OptionError, match="no attention to draw"):
        make(path, attention="none").draw("one", tmp_path / "none.png")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": "byte", "vocabulary_size": 3}, "does not act on bytes"),
        ({"units": "bpe", "min_count": 2}, "min_count does not act on units = bpe"),
        ({"tied": "all", "vocabulary": "separate"}, "tied = all expects one vocabulary"),
        ({"network": "transformer", "residual": True}, "act on recurrent networks only"),
        ({"attention": "generla"}, "did you mean 'general'"),
        ({"attention": "none", "attend": "inside"}, "attend = inside expects an attention"),
        ({"unit_dropout": 0.1, "units": "word"}, "unit_dropout expects units = bpe"),
    ],
)
def test_settings_that_do_not_act_are_refused(settings: dict[str, Any], message: str):
    with pytest.raises(OptionError, match=message):
        TranslateOptions.of(settings)


def test_sources_end_alike_in_training_and_in_answers(path: Path):
    model = make(path, units="character", vocabulary="separate")
    task = model.task
    assert task.source.border != task.target.border or len(task.source) == len(task.target)
    batch = task.read(path, None).train.batch(0)
    ends = batch.source[batch.source_lengths - 1, torch.arange(len(batch.source_lengths))]
    assert set(ends.tolist()) == {task.source.border}
    starts = batch.inputs[0]
    assert set(starts.tolist()) == {task.target.border}


@pytest.mark.parametrize("units", ["word", "character"])
def test_the_end_of_a_text_is_always_a_unit(units: str, path: Path):
    model = make(path, units=units, vocabulary_size=5, min_count=3)
    assert model.task.target.border != model.task.target.unknown
    assert len(model.task.target) == 5


def test_words_that_look_like_the_end_are_unknown(path: Path):
    model = make(path)
    (numbers,) = model.task.target.encode_lines(["eins <eos> zwei"])
    assert int(numbers[1]) == model.task.target.unknown != model.task.target.border


def test_the_prefix_must_be_known(model: Model):
    assert model.predict("one two", prefix="zwei  eins", max_length=5)[0].startswith("zwei eins")
    with pytest.raises(DataError, match="the prefix 'Unbekannt' has units that no target of the training had"):
        model.predict("one two", prefix="Unbekannt")


def test_short_targets_can_be_told_apart(tmp_path: Path):
    """BLEU is 0 for all of them."""
    (tmp_path / "words.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in WORDS.items()) * 3)
    settings: dict[str, Any] = {"out": tmp_path / "run", "epochs": 20, "learning_rate": 0.02, **SMALL}
    model = elman.train("translate", train=tmp_path / "words.tsv", **settings)
    assert model.evaluate(tmp_path / "words.tsv")["exact"] > 0.8


def test_what_a_file_has_in_vain_is_said(model: Model, tmp_path: Path):
    (tmp_path / "odd.tsv").write_text("one\teins\n\tzwei\n")
    with pytest.warns(UserWarning, match="1 pair has an empty source or target and is left out, in line 2"):
        model.evaluate(tmp_path / "odd.tsv")
    with pytest.raises(OptionError, match="n_best does not act when a model is judged"):
        model.evaluate(tmp_path / "odd.tsv", n_best=2)


def test_sets_without_files_and_files_do_not_go_together(path: Path):
    with pytest.raises(OptionError, match="embedded = copy needs no file"):
        Translate(TranslateOptions.of({"embedded": "copy"})).read(path, None)
    with pytest.raises(OptionError, match="are for pairs in a file"):
        Translate(TranslateOptions.of({"source": "en", "target": "de"})).read(None, None)


def test_a_dialogue_reads_what_was_said_before(tmp_path: Path):
    turns = [{"a": f"one {word}", "b": f"eins {WORDS[word]}"} for word in WORDS]
    lines = [json.dumps({"turns": turns[n:] + turns[:n]}) for n in range(6)]
    (tmp_path / "dialogues.jsonl").write_text("\n".join(lines))
    model = make(tmp_path / "dialogues.jsonl", source="turns[].a", target="turns[].b", history=1)
    session = model.session()
    session.read("one two")
    (first,) = session.write()
    assert first == model.predict(["one two"])[0]
    session.read("one six")
    (second,) = session.write()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert second == model.predict([f"one two ⏎ {first} ⏎ one six"])[0]
    with pytest.raises(OptionError, match="nothing to answer"):
        list(session.write())
