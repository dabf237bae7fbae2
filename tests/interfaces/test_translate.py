"""`translate` at the command line: a model from pairs, answers, scores, pictures; and whatever is wrong is one line."""

import json
import warnings
from pathlib import Path

import pytest

import elman

pytest.importorskip("sacrebleu", reason="scores need the extra translate")

WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs"}
LINES = [[list(WORDS)[(n * k + k) % 6] for k in range(1, 3 + n % 3)] for n in range(60)]
ENGLISH = "".join(" ".join(words) + "\n" for words in LINES)
GERMAN = "".join(" ".join(WORDS[word] for word in words) + "\n" for words in LINES)
PAIRS = "".join(f"{a}\t{b}\n" for a, b in zip(ENGLISH.splitlines(), GERMAN.splitlines(), strict=True))
SMALL = ["--units=word", "--batch-units=60", "--hidden-size=12", "--embedding-size=8", "--epochs=2", "--cell=gru"]

FILES = {
    "pairs.tsv": PAIRS,
    "text.en": ENGLISH,
    "text.de": GERMAN,
    "short.en": ENGLISH,
    "short.de": GERMAN.replace("eins zwei\n", "\n", 1).rsplit("\n", 3)[0] + "\n",
    "empty.tsv": "",
    "sides.tsv": "one\t\n\teins\n",
    "one.tsv": "one\ntwo\n",
    "named.jsonl": '{"src": "one", "tgt": "eins"}\n{"src": "two", "tgt": "zwei"}\n',
    "more.tsv": "six six\tsechs sechs\n" * 12,
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("translate")
    (folder / "pairs.tsv").write_text(PAIRS)
    options = {option[2:].partition("=")[0].replace("-", "_"): option.partition("=")[2] for option in SMALL}
    settings = {name: int(value) if value.isdigit() else value for name, value in options.items()}
    elman.train("translate", train=folder / "pairs.tsv", out=folder / "run", **settings)
    return folder / "run"


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


TRAINING = {
    "unequal line counts": (
        ["--train=short", "--source=en", "--target=de"],
        "short.en has 60 lines, but short.de has 58; expected a target for every source",
    ),
    "one of the files": (["--train=text", "--source=en", "--target=fr"], "there is no file text.fr"),
    "no ends": (["--train=text"], "text is no table; expected a file that ends in"),
    "wrong column": (["--train=named.jsonl", "--source=sr", "--target=tgt"], "did you mean 'src'"),
    "default columns": (["--train=named.jsonl"], "'source'"),
    "empty file": (["--train=empty.tsv"], "empty.tsv is empty"),
    "empty sides": (["--train=sides.tsv"], "the source or the target is empty in all 2"),
    "one column": (["--train=one.tsv"], "one.tsv"),
    "too few to split": (["--train=named.jsonl", "--source=src", "--target=tgt"], "cannot be split"),
    "one of two": (["--train=pairs.tsv", "--source=1"], "source and target come together"),
    "all too long": (["--train=pairs.tsv", "--max-length=1"], "all 54 training pairs are longer than max_length"),
    "embedded": (["--train=pairs.tsv", "--embedded=copy"], "embedded = copy needs no file"),
    "tied": (["--train=pairs.tsv", "--vocabulary=separate", "--tied=all"], "tied = all expects one vocabulary"),
    "dot": (["--train=pairs.tsv", "--attention=dot"], "attention cannot be 'dot'"),
    "heads": (["--train=pairs.tsv", "--attention=multi_head", "--heads=5"], "must be divisible by heads (=5)"),
    "history": (["--train=pairs.tsv", "--history=2"], "history (=2) needs dialogues"),
    "from nowhere": (["--train=pairs.tsv", "--from=nowhere"], "nowhere"),
}


@pytest.mark.parametrize(("options", "message"), TRAINING.values(), ids=TRAINING)
def test_bad_pairs_and_settings(options, message, here, cli):
    before = contents(here)
    said = cli("train", "translate", *SMALL, *options)
    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert contents(here) == before


ANSWERING = {
    "empty": (["predict", "RUN", "  "], "input 1 is empty"),
    "nothing": (["predict", "RUN"], "predict expects a text, or --input with a file"),
    "beam": (["predict", "RUN", "one", "--beam-size=500"], "beam_size expects at most"),
    "n best": (["predict", "RUN", "one", "--n-best=9"], "n_best expects at most beam_size, 5; received 9"),
    "of another task": (["predict", "RUN", "one", "--length=9"], "there is no option 'length'; did you mean"),
    "acts on drawing": (["predict", "RUN", "one", "--top-k=3"], "top_k acts on drawn answers only"),
    "a text by itself": (
        ["evaluate", "RUN", "--text=one"],
        "a text by itself can be scored by models that generate text",
    ),
    "several": (["evaluate", "RUN", "pairs.tsv", "--n-best=2"], "n_best does not act when a model is judged"),
    "prefix": (["predict", "RUN", "one", "--prefix=Ж"], "the prefix 'Ж' has units that no target"),
    "judged on other columns": (
        ["evaluate", "RUN", "named.jsonl", "--source=sr", "--target=tgt"],
        "did you mean 'src'",
    ),
    "judged on nothing": (["evaluate", "RUN", "nowhere.tsv"], "there is no file nowhere.tsv"),
}


@pytest.mark.parametrize(("words", "message"), ANSWERING.values(), ids=ANSWERING)
def test_bad_inputs_and_settings_at_work(words, message, here, run, cli):
    before = contents(run)
    said = cli(*(run if word == "RUN" else word for word in words))
    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert contents(run) == before


def test_answers_as_text_and_as_json(run, cli):
    model = elman.load(run)
    assert cli("predict", run, "one two").out == model.predict("one two")[0] + "\n"
    (line,) = cli("predict", run, "one two", "--n-best=2", "--json").out.splitlines()
    answers = json.loads(line)["answers"]
    assert [one["text"] for one in answers] == [one.text for one in model.predict("one two", n_best=2)[0]]
    assert len(answers[0]["alignment"]) == len(answers[0]["units"])


def test_a_swapped_language_is_remarked_in_one_line(run, cli):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        said = cli("predict", run, "eins zwei drei vier")
    assert said.code == 0
    assert said.err.startswith("elman: 100% of the units of 'eins zwei drei vier' are in no source that the model")
    assert said.err.count("\n") == 1


def test_evaluate_tells_scores_and_how_they_were_found(run, cli, here):
    scores = json.loads(cli("evaluate", run, "pairs.tsv", "--json", "--beam-size=2", "--out=answers.txt").out)
    assert {"loss", "perplexity", "bleu", "chrf", "exact"} <= scores.keys()
    assert scores["notes"][0].startswith("BLEU nrefs:1|case:mixed|eff:no|tok:13a")
    assert len((here / "answers.txt").read_text().splitlines()) == 60
    assert "BLEU nrefs:1" in cli("evaluate", run, "pairs.tsv", "--beam-size=1").out
    against = json.loads(cli("evaluate", run, "pairs.tsv", "--against", run, "--beam-size=1", "--json").out)
    assert against["difference"] == 0
    assert against["p"] > 0.9


def test_columns_stand_elsewhere_in_the_file_that_a_model_is_judged_on(run, cli, here):
    def loss(file: str, *columns: str) -> float:
        return json.loads(cli("evaluate", run, file, "--json", "--beam-size=1", *columns).out)["loss"]

    (here / "same.tsv").write_text("one\teins\ntwo\tzwei\n")
    assert loss("named.jsonl", "--source=src", "--target=tgt") == loss("same.tsv")
    assert loss("named.jsonl", "--source=tgt", "--target=src") != loss("same.tsv")


def test_a_picture(run, cli, here):
    assert cli("predict", run, "one two", "--picture=looks.png").code == 0
    assert (here / "looks.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_that_starts_from_another_keeps_its_units_and_betters_its_loss(run, cli, here):
    said = cli("train", "translate", f"--from={run}", "--train=more.tsv", "--out=finer", "--epochs=4", "--json")
    assert said.code == 0, said.err
    before = json.loads(cli("evaluate", run, "more.tsv", "--json", "--beam-size=1").out)
    after = json.loads(cli("evaluate", "finer", "more.tsv", "--json", "--beam-size=1").out)
    assert after["loss"] < before["loss"]
    assert (here / "finer/tokenizer.json").read_bytes() == (run / "tokenizer.json").read_bytes()
    settings = json.loads((here / "finer/config.json").read_text())["settings"]
    assert (settings["hidden_size"], settings["epochs"]) == (12, 4)
    said = cli("train", "translate", f"--from={run}", "--train=more.tsv", "--out=other", "--units=bpe")
    assert said.err.startswith(f"elman: units is 'word' in {run}, which this run builds on; received 'bpe'")
    said = cli("train", "generate", f"--from={run}", "--train=text.en", "--out=other")
    assert said.err == f"elman: {run} holds a run of the task 'translate'; expected 'generate' to start from\n"
