"""What one run hands on to another: a language model to what reads, a teacher to a smaller network."""

from math import log
from pathlib import Path
from typing import Any

import pytest
import torch

import elman
from elman.errors import OptionError, RunError
from elman.layers import CRF
from elman.tasks import Model

WORDS = {"0": ("bad", "dull", "poor"), "1": ("good", "fine", "great")}


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """A word that tells, among words that do not."""
    path = tmp_path / "train.txt"
    path.write_text(
        "".join(f"{n % 2} the film was {WORDS[str(n % 2)][n % 3]}{' indeed' * (n % 4)}\n" for n in range(120))
    )
    return path


def classify(lines: Path, out: Path, **settings: Any) -> Model:
    shape = {"embedding_size": 8, "hidden_size": 12, "batch_size": 8, "learning_rate": 0.02, "units": "word"}
    return elman.train("classify", train=lines, out=out, **shape | settings)


def language_model(folder: Path, **settings: Any) -> Path:
    text = folder / "text.txt"
    text.write_text("a good film , a fine one\na bad film , a poor one\n" * 40)
    shape = {"hidden_size": 10, "embedding_size": 6, "num_layers": 2, "window": 8, "batch_size": 4, "epochs": 1}
    elman.train("generate", train=text, out=folder / "lm", units="word", min_count=2, **shape | settings)
    return folder / "lm"


def test_a_language_model_reads_for_a_classifier(lines: Path, tmp_path: Path) -> None:
    encoder = language_model(tmp_path)
    given = {"train": lines, "from_": encoder, "pooling": "concat"}
    model = elman.train("classify", out=tmp_path / "run", **given, epochs=1, learning_rate=1e-12)
    source = elman.load(encoder)
    assert torch.allclose(model.network.units.weight, source.network.units.weight, atol=1e-6)
    for ours, theirs in zip(model.network.body.parameters(), source.network.body.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)
    assert (model.task.options.units, model.task.options.bidirectional) == ("word", False)
    assert model.predict(["a film of words that nobody has seen"])


def test_a_language_model_that_does_not_fit(lines: Path, tmp_path: Path) -> None:
    encoder = language_model(tmp_path, tied=True)
    with pytest.raises(RunError, match=r"layers of .* are of another form .* without --tied"):
        elman.train("classify", train=lines, from_=encoder, out=tmp_path / "run", epochs=1)
    with pytest.raises(OptionError, match=r"bidirectional is False in .*; received True"):
        elman.train("classify", train=lines, from_=encoder, out=tmp_path / "run", epochs=1, bidirectional=True)
    with pytest.raises(RunError, match="take another pooling, or network = recurrent"):
        elman.train("classify", train=lines, from_=encoder, out=tmp_path / "run", epochs=1, network="cnn")
    with pytest.raises(RunError, match="the task 'generate'; expected 'translate' to start from"):
        elman.train("translate", from_=encoder, out=tmp_path / "run", epochs=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("answer", ["label", "labels"])
def test_a_smaller_network_learns_from_a_teacher_alone(lines: Path, tmp_path: Path, answer: str) -> None:
    classify(lines, tmp_path / "run", epochs=4, answer=answer)
    small = {"hidden_size": 3, "embedding_size": 4, "learning_rate": 0.02, "units": "word"}
    pupil = elman.train(
        "classify", train=lines, teacher=tmp_path / "run", out=tmp_path / "pupil", epochs=6, teacher_share=1.0, **small
    )
    assert pupil.network.body.cells[0].hidden_size == 3
    assert pupil.task.options.answer == answer
    assert pupil.evaluate(lines)["accuracy" if answer == "label" else "exact"] > 0.9


def test_a_teacher_of_other_units_or_tasks(lines: Path, tmp_path: Path) -> None:
    classify(lines, tmp_path / "run", epochs=1)
    with pytest.raises(OptionError, match=r"units is 'word' in .*, which this run builds on; received 'bpe'"):
        elman.train("classify", train=lines, teacher=tmp_path / "run", out=tmp_path / "a", units="bpe")
    with pytest.raises(RunError, match="'classify'; expected 'generate' to learn from"):
        elman.train("generate", train=lines, teacher=tmp_path / "run", out=tmp_path / "a")
    with pytest.raises(OptionError, match="not both"):
        elman.train("classify", train=lines, teacher=tmp_path / "run", from_=tmp_path / "run", out=tmp_path / "a")
    with pytest.raises(OptionError, match="translate has no teachers"):
        elman.train("translate", teacher=tmp_path / "run", out=tmp_path / "a")


def test_a_chain_surprises_itself_by_its_entropy() -> None:
    torch.manual_seed(0)
    crf, scores, lengths = CRF(3), torch.randn(4, 2, 3), torch.tensor([4, 2])
    for weight in crf.parameters():
        torch.nn.init.normal_(weight)
    entropy = 0.0
    for row, length in enumerate(lengths.tolist()):
        paths = torch.cartesian_prod(*[torch.arange(3)] * length)
        each = crf.of_path(
            scores[:length, row].unsqueeze(1).expand(-1, len(paths), -1), paths.t(), torch.full((len(paths),), length)
        )
        chances = each.detach().softmax(0)
        entropy -= float((chances * chances.log()).sum())
    found = crf.surprise(scores, lengths, crf.expected(scores, lengths))
    assert float(found.detach()) == pytest.approx(entropy / 6, rel=1e-5)


def test_a_language_model_reads_for_a_tagger(tmp_path: Path) -> None:
    encoder = language_model(tmp_path)
    sentences = tmp_path / "train.conll"
    sentences.write_text("a\tO\ngood\tB-X\nfilm\tI-X\n\na\tO\nbad\tO\nNews\tO\n\n" * 30)
    model = elman.train("tag", train=sentences, from_=encoder, out=tmp_path / "run", epochs=20, learning_rate=0.02)
    known = elman.load(encoder)
    row = model.task.words["film"]
    assert row == known.task.tokenizer.vocabulary["film"] + 1
    assert model.network.embedding.spelling is None
    assert [(one["text"], one["label"]) for one in model.predict(["a good film"])[0]] == [("good film", "X")]


def test_taggers_learn_from_a_teacher_alone(tmp_path: Path) -> None:
    shape = {"embedding_size": 8, "hidden_size": 8, "letter_size": 4, "spelling_size": 4, "learning_rate": 0.02}
    sentences = tmp_path / "train.conll"
    sentences.write_text("a\tO\ngood\tB-X\nfilm\tI-X\n\na\tO\nbad\tO\nfilm\tO\n\n" * 30)
    elman.train("tag", train=sentences, out=tmp_path / "run", epochs=10, **shape)
    given = {"train": sentences, "teacher": tmp_path / "run", "teacher_share": 1.0}
    for crf in (True, False):
        pupil = elman.train("tag", **given, out=tmp_path / f"{crf}", epochs=20, crf=crf, **shape | {"hidden_size": 4})
        assert pupil.evaluate(sentences)["f1"] == 1


def test_a_language_model_learns_from_a_teacher_and_goes_on(tmp_path: Path) -> None:
    encoder = language_model(tmp_path, epochs=6, learning_rate=0.02)
    given = {"train": tmp_path / "text.txt", "teacher": encoder, "hidden_size": 6, "embedding_size": 6, "window": 8}
    pupil = elman.train(
        "generate", **given, out=tmp_path / "pupil", epochs=6, batch_size=4, teacher_share=1.0, learning_rate=0.02
    )
    assert pupil.evaluate(tmp_path / "text.txt")["loss"] < 0.8 * log(len(pupil.task.tokenizer))


def test_a_forecaster_learns_from_a_teacher(tmp_path: Path) -> None:
    shape = {"hidden_size": 12, "horizon": 6, "context": 24, "batch_size": 16}
    teacher = elman.train("forecast", out=tmp_path / "run", epochs=4, **shape)
    given = {"teacher": tmp_path / "run", "teacher_share": 1.0, "hidden_size": 4, "batch_size": 16}
    pupil = elman.train("forecast", **given, out=tmp_path / "pupil", epochs=30, learning_rate=0.01)
    assert pupil.task.options.horizon == 6
    theirs, ours = ([row["forecast"] for row in model.predict()] for model in (teacher, pupil))
    assert ours == pytest.approx(theirs, rel=0.05)


def test_a_stopped_pupil_goes_on_without_its_encoder(lines: Path, tmp_path: Path) -> None:
    encoder = language_model(tmp_path)
    given = {"train": lines, "from_": encoder, "epochs": 2, "pooling": "mean", "checkpoint_minutes": 0.0}
    whole = elman.train("classify", out=tmp_path / "whole", **given)
    again = elman.train("classify", out=tmp_path / "again", **given)
    (tmp_path / "again" / "metrics.json").unlink()
    encoder.rename(tmp_path / "elsewhere")
    again = elman.train("classify", out=tmp_path / "again", resume=True)
    for ours, theirs in zip(again.network.parameters(), whole.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
