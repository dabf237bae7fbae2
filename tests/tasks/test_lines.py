"""`generate` on lines: names, tunes, sentences that have nothing to do with each other."""

import math
from io import StringIO

import pytest
from rich.console import Console

import elman
from elman.errors import DataError, OptionError

NAMES = [a + b for a in ("an", "be", "co", "da") for b in ("na", "no", "lia", "ric")] * 6


@pytest.fixture(scope="module", params=["character", "bpe"])
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    (folder / "names.txt").write_text("\n".join(NAMES) + "\n")
    console = Console(file=StringIO(), width=200)
    settings = {"hidden_size": 24, "embedding_size": 8, "batch_size": 8, "epochs": 6, "learning_rate": 0.02}
    model = elman.train(
        "generate", train=folder / "names.txt", valid=folder / "names.txt", out=folder / "run", console=console,
        units=request.param, examples="line", max_length=4, **settings,
    )  # fmt: skip
    return model, console.file.getvalue(), folder


def test_what_is_cut_is_said(trained):
    _, told, _ = trained
    if trained[0].task.options.units == "character":
        # 8 of the 16 names have 5 letters
        assert f"{8 * 6:,} of {sum(map(len, NAMES)) + len(NAMES):,} units cut at the end of lines" in told


def test_writes_one_line_and_stops_at_its_end(trained):
    _, _, folder = trained
    loaded = elman.load(folder / "run")
    written = [loaded.predict("", seed=seed, temperature=0.5, length=40)[0] for seed in range(8)]
    assert all("\n" not in one and len(one) < 40 for one in written)
    assert len({*written} & {name[:4] for name in NAMES}) >= 2
    assert "".join(loaded.stream("", seed=3, temperature=0.5, length=40)) == written[3]


def test_a_known_name_is_likelier_than_a_scrambled_one(trained):
    model = trained[0]
    known, scrambled = model.score("anna\n")["loss"], model.score("nnaa\n")["loss"]
    assert known < scrambled
    assert math.isclose(model.score("anna\nanna\n")["loss"], known, rel_tol=1e-5)  # lines do not know each other


def test_one_line_without_an_end_cannot_be_lines(tmp_path):
    (tmp_path / "one.txt").write_text("abcabcabc" * 30)
    with pytest.raises(DataError, match=r"the end of lines in the training text has 1 characters"):
        elman.train("generate", train=tmp_path / "one.txt", out=tmp_path / "run", examples="line")
    assert not (tmp_path / "run").exists()


def test_another_stop_does_not_write_over_the_end_of_a_line(trained):
    assert "\n" not in trained[0].predict("", stop="ZZZ", length=200, seed=1)[0]


def test_a_longest_length_needs_lines(tmp_path):
    with pytest.raises(OptionError, match="max_length acts on examples"):
        elman.train("generate", out=tmp_path / "run", max_length=9)


def test_paragraphs_begin_without_memory_and_end(tmp_path):
    poems = [f"{name}\nis a {kind}\n" for name in ("the cat", "a dog") for kind in ("beast", "friend", "pet")] * 8
    (tmp_path / "poems.txt").write_text("\n\n".join(poems))
    settings = {"hidden_size": 48, "batch_size": 4, "epochs": 12, "learning_rate": 0.02}
    model = elman.train(
        "generate", train=tmp_path / "poems.txt", out=tmp_path / "run", examples="paragraph", **settings
    )
    written = model.predict("", length=200, temperature=0.3)[0]
    assert written + "\n" in poems
    assert model.predict("a d", length=200, temperature=0)[0].startswith("og\nis a ")
    (tmp_path / "one.txt").write_text("\n\nthe cat\nis a pet\n\n\n\n")
    [batch] = model.task.read_to_score(tmp_path / "one.txt")
    assert model.task.tokenizer.decode(batch.inputs[:, 0].tolist()) == "\nthe cat\nis a pet\n"
    assert model.task.tokenizer.decode(batch.targets[:, 0].tolist()) == "the cat\nis a pet\n\n"
