"""From tagged sentences to a model that finds names, parts of speech and roles."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import elman
from elman.errors import DataError, OptionError
from elman.tasks import Model
from elman.tasks.tag.phrase_book import PhraseBook
from elman.tasks.tag.scores import span_scores

SMALL: dict[str, Any] = {
    "embedding_size": 12,
    "hidden_size": 16,
    "letter_size": 6,
    "spelling_size": 6,
    "batch_size": 8,
    "epochs": 8,
    "learning_rate": 0.02,
}
NAMES = {"Anna": "PER", "Ben Li": "PER", "Rome": "LOC", "New York": "LOC"}


def sentences(count: int = 60) -> str:
    """Names in two kinds of sentences, as columns."""
    names, blocks = list(NAMES), []
    for n in range(count):
        first, second = names[n % 2], names[2 + n // 2 % 2]
        rows = [("then", "O")] * (n % 3)
        for part in (first, "went", "to", second, "."):
            words = part.split()
            label = NAMES.get(part)
            tags = [f"{'B' if k == 0 else 'I'}-{label}" if label else "O" for k in range(len(words))]
            rows += list(zip(words, tags, strict=True))
        blocks.append("\n".join(f"{word}\t{tag}" for word, tag in rows))
    return "\n\n".join(blocks) + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "train.conll").write_text(sentences())
    return tmp_path / "train.conll"


def test_two_words_say_what_each_alone_does_not(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rows = torch.randint(3, (60, 8)).tolist()
    tagged = [
        [("abc"[now], str((last + now) % 3)) for last, now in zip([0, *row[:-1]], row, strict=True)] for row in rows
    ]
    text = "\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in row) for row in tagged)
    (tmp_path / "sums.conll").write_text(text + "\n")
    still = {"network": "mlp", "letter_size": 0, "crf": False, "epochs": 20}  # sees one step at a time
    scores = [
        train(tmp_path / "sums.conll", tmp_path / str(size), pair_size=size, **still).evaluate(tmp_path / "sums.conll")
        for size in (0, 8)
    ]
    assert scores[0]["accuracy"] < 0.6
    assert scores[1]["accuracy"] > 0.9


def train(path: Path, tmp_path: Path, **settings: Any) -> Model:
    return elman.train("tag", train=path, out=tmp_path / "run", **SMALL | settings)


@pytest.mark.parametrize("crf", [True, False])
def test_names_are_found(path: Path, tmp_path: Path, crf: bool) -> None:
    model = train(path, tmp_path, crf=crf)
    scores = model.evaluate(path)
    assert scores["f1"] == scores["precision"] == scores["recall"] == 1
    (found,) = model.predict(["Anna went to New York."], confidence=True)
    assert [(one["text"], one["label"], one["start"], one["end"]) for one in found] == [
        ("Anna", "PER", 0, 4),
        ("New York", "LOC", 13, 21),
    ]
    assert all(0.5 < one["probability"] <= 1 for one in found)
    assert elman.load(tmp_path / "run").predict(["Anna went to New York."], confidence=True) == [found]


def test_parts_of_speech_are_learned(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("the DET\ncat NOUN\nsleeps VERB\n\na DET\ndog NOUN\nruns VERB\n\n" * 20)
    model = train(path, tmp_path)
    assert model.evaluate(path)["accuracy"] == 1
    assert [one["label"] for one in model.predict("the dog sleeps")[0]] == ["DET", "NOUN", "VERB"]


def test_roles_need_a_predicate(tmp_path: Path) -> None:
    path = tmp_path / "a.srl"
    path.write_text("She\t-\t(A0*)\t*\nmade\tmake\t(V*)\t*\nhim\t-\t(A1*\t(A0*)\ngo\tgo\t*)\t(V*)\n\n" * 30)
    model = train(path, tmp_path, predicate=2)
    assert model.evaluate(path)["f1"] == 1
    (first,), (second,) = model.predict(["She made him *go*"]), model.predict(["She *made* him go"])
    assert [(one["text"], one["label"]) for one in first] == [("him", "A0")]
    assert [(one["text"], one["label"]) for one in second] == [("She", "A0"), ("him go", "A1")]
    with pytest.raises(DataError, match="expects stars around its predicate"):
        model.predict("She made him go")


def test_judging_stands_beside_a_list_of_phrases(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path, epochs=1)
    judge = model.judge(path)
    assert judge.scores()["f1 of the phrase book"] == 1
    assert [note.split(":")[0] for note in judge.notes()] == ["LOC", "PER"]
    assert len(judge.written()) == 60


def test_answers_do_not_depend_on_their_neighbours(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path, epochs=1)
    inputs = ["Ben Li went to Rome.", "then then Anna", "unheard of words ∂ 🙂"]
    assert model.predict(inputs) == [model.predict(text)[0] for text in inputs]


def test_bad_input(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path, epochs=1)
    with pytest.raises(DataError, match="input 1 has no words"):
        model.predict("   ")
    only = tmp_path / "only.conll"
    only.write_text("a O\nb O\n\n" * 20)
    with pytest.raises(DataError, match="every word has the tag 'O'"):
        train(only, tmp_path / "b")


def test_the_embedded_set_needs_no_file(tmp_path: Path) -> None:
    model = elman.train("tag", out=tmp_path / "run", **SMALL | {"epochs": 1})
    assert "f1" in json.loads((tmp_path / "run/metrics.json").read_text())["valid"]
    assert isinstance(model.predict("ACGT" * 10)[0], list)


def test_the_longest_phrase_is_found() -> None:
    book = PhraseBook({"a": "X", "a b c": "Y"}, "O", spans=True)
    assert book.tags(["a", "b", "a", "b", "c"]) == ["S-X", "O", "B-Y", "I-Y", "E-Y"]
    assert book.tags(["a", "b"]) == ["S-X", "O"]


def test_scores_of_stretches() -> None:
    said, wanted = [["B-X", "E-X", "O", "S-Y"]], [["B-X", "E-X", "S-Y", "S-Y"]]
    found = span_scores(said, wanted)
    assert (found[""].precision, found[""].recall) == (1, 2 / 3)
    assert found["Y"].f1 == 2 / 3


def test_several_ways_to_tag_a_text(path: Path, tmp_path: Path) -> None:
    model = train(path, tmp_path)
    (best,) = model.predict(["Anna went to New York."])
    (ways,) = model.predict(["Anna went to New York."], n_best=4)
    assert len(ways) == 4
    assert ways[0]["spans"] == best
    shares = [way["probability"] for way in ways]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1.001
    assert len({json.dumps(way["spans"]) for way in ways}) == 4
    (every,) = model.predict(["Rome"], n_best=100)
    assert 1 < len(every) < 10  # of one word only those that begin nothing that goes on
    assert sum(way["probability"] for way in every) == pytest.approx(1, abs=1e-3)
    with pytest.raises(OptionError, match="expects a model with a chain"):
        train(path, tmp_path / "b", crf=False, epochs=1).predict(["Rome"], n_best=2)


def test_vectors_of_others_say_something_of_words_that_training_has_not_seen(path: Path, tmp_path: Path) -> None:
    place, other = "9 " * 5 + "9", "0 " * 5 + "0"
    words = {"Rome": place, "york": place, "Oslo": place, "went": other, "went.": other, "Anna": other, "New": other}
    (tmp_path / "words.txt").write_text("7 6\n" + "".join(f"{word} {values}\n" for word, values in words.items()))
    model = train(path, tmp_path, vectors=str(tmp_path / "words.txt"), embedding_size=6, letter_size=0, epochs=1)
    assert "known words have a vector in" in model.config["notes"][-1]
    numbers, weight = model.task.words, model.network.units.weight
    assert numbers["Oslo"] > 0
    assert torch.equal(weight[numbers["Oslo"]], torch.full((6,), 9.0))  # nothing was learned of it
    assert float(weight[numbers["Rome"]].detach().mean()) == pytest.approx(9, abs=1)
    assert elman.load(tmp_path / "run").predict(["Oslo"]) == model.predict(["Oslo"])


def test_broken_vectors(path: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "words.txt"
    vectors.write_text("a 1 2 3\nb 1 2\n")
    with pytest.raises(DataError, match=r"words.txt line 2 expects a word and 3 numbers, the embedding_size"):
        train(path, tmp_path, vectors=str(vectors), embedding_size=3)
    vectors.write_text("a 1 2 x\n")
    with pytest.raises(DataError, match=r"line 1 expects"):
        train(path, tmp_path, vectors=str(vectors), embedding_size=3)
    with pytest.raises(OptionError, match="vectors expects units = word; received bpe"):
        elman.train("classify", vectors=str(vectors), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
