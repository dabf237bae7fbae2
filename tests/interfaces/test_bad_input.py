"""Whatever is wrong: one line that names it, exit code 2, nothing written, nothing damaged."""

import gzip
import shutil
from pathlib import Path

import pytest

from elman.errors import ElmanError

TEXT = "one two three four five six seven eight nine ten\n" * 12
SMALL = ["--batch-size=2", "--window=8", "--hidden-size=4", "--embedding-size=4", "--epochs=1"]

FILES = {
    "text.txt": TEXT.encode(),
    "empty.txt": b"",
    "character.txt": b"x",
    "token.txt": b"onewordandnothingmore",
    "latin.txt": b"caf\xe9" * 99,
    "plain.gz": TEXT.encode(),
    "cut.gz": gzip.compress(TEXT.encode())[:-12],
    "other.txt": "Жук и жаба\n".encode() * 9,
    "full/file": b"mine",
    "bad.toml": b"epochs = = 3",
    "unknown.toml": b"hiden_size = 3",
    "type.toml": b'epochs = "three"',
    "bool.toml": b"hidden_size = true",
    "range.toml": b"dropout = 1.5",
    "nan.toml": b"learning_rate = nan",
    "task.toml": b'task = "translate"',
    "path.toml": b"train = 5",
    "unset.toml": b'train = "$NOBODY_SETS_THIS/a.txt"',
}

TRAINING = {
    "missing file": (["--train=nowhere.txt"], "there is no file nowhere.txt; check the path"),
    "folder": (["--train=full"], "cannot read full: Is a directory; expected a file"),
    "empty": (["--train=empty.txt"], "empty.txt is empty; expected UTF-8 text"),
    "one character": (["--train=character.txt"], "character.txt is too short to split into training and validation"),
    "one word": (["--train=token.txt", "--units=word"], "the training text is shorter than one window"),
    "not UTF-8": (["--train=latin.txt"], "latin.txt is not UTF-8: byte 0xe9 at offset 3"),
    "not gzip": (["--train=plain.gz"], "plain.gz ends in .gz but is not gzip"),
    "cut gzip": (["--train=cut.gz"], "cut.gz is a damaged gzip file"),
    "below one window": (
        ["--train=text.txt", "--window=5000"],
        "the training text is shorter than one window: expected 2",
    ),
    "valid missing": (["--train=text.txt", "--valid=nowhere.txt"], "there is no file nowhere.txt"),
    "valid of one unit": (["--train=text.txt", "--valid=character.txt"], "the validation text expects 2 units"),
    "valid unseen": (
        ["--train=text.txt", "--valid=other.txt"],
        "the validation text has 7 characters that the training",
    ),
    "valid unseen words": (
        ["--train=text.txt", "--valid=other.txt", "--units=word"],
        "has 3 words that the training text",
    ),
    "option": (["--hiden-size=3"], "there is no option --hiden-size; did you mean --hidden-size?"),
    "value": (["--optimiser=adan"], "optimiser cannot be 'adan'; did you mean 'adam'?"),
    "type": (["--epochs=three"], "Invalid value for '--epochs'"),
    "range": (["--dropout=1.5"], "dropout expects a number less than 1; received 1.5; the default is 0.0"),
    "NaN": (["--learning-rate=nan"], "learning_rate expects a finite number; received nan; the default is 0.002"),
    "infinite": (["--clip-norm=inf"], "clip_norm expects a finite number; received inf; the default is 1.0"),
    "seed": (["--seed=-1"], "seed expects a number greater than or equal to 0; received -1; the default is 0"),
    "together": (["--schedule=plateau", "--warmup=0.1"], "warmup cannot go with the schedule plateau"),
    "cell": (["--train=text.txt", "--cell=lsmt"], "no cell is called 'lsmt'; did you mean 'lstm'?"),
    "cell file": (["--train=text.txt", "--cell=nowhere.py:Mine"], "nowhere.py cannot be imported"),
    "cell and tied": (["--train=text.txt", "--cell=projected-lstm", "--tied"], "tied expects a last layer as wide"),
    "bpe size": (["--train=text.txt", "--units=bpe", "--vocabulary-size=9"], "vocabulary_size expects at least 256"),
    "out": (["--train=text.txt", "--out=full"], "full holds another run or other files; choose a new folder"),
    "out a file": (["--train=text.txt", "--out=text.txt"], "text.txt is a file; expected a new folder"),
    "out below a file": (["--train=text.txt", "--out=text.txt/run"], "could not write text.txt/run"),
    "no run": (["--resume", "--out=nothing"], "nothing holds no run to go on with; start one without --resume"),
    "no recipe": (["--recipe=no.toml"], "cannot read the recipe no.toml: No such file"),
    "no TOML": (["--recipe=bad.toml"], "the recipe bad.toml is not TOML"),
    "recipe option": (
        ["--recipe=unknown.toml"],
        "in the recipe unknown.toml, 'generate' has no option 'hiden_size'; did",
    ),
    "recipe type": (["--recipe=type.toml"], "in the recipe type.toml, epochs expects a whole number; received 'three'"),
    "recipe bool": (
        ["--recipe=bool.toml"],
        "in the recipe bool.toml, hidden_size expects a whole number; received True",
    ),
    "recipe range": (["--recipe=range.toml"], "in the recipe range.toml, dropout expects a number less than 1"),
    "recipe NaN": (["--recipe=nan.toml"], "in the recipe nan.toml, learning_rate expects a finite number"),
    "recipe task": (["--recipe=task.toml"], "the recipe task.toml is for the task 'translate'; received the task 'gen"),
    "recipe path": (["--recipe=path.toml"], "train, valid, from and teacher expect a path; received 5"),
    "recipe unset": (["--recipe=unset.toml"], "needs $NOBODY_SETS_THIS, which the environment does not set"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refused(said, message: str) -> None:
    assert said.code == 2, said.err
    assert said.out == ""
    assert said.err.startswith("elman: ")
    assert message in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(("options", "message"), TRAINING.values(), ids=TRAINING)
def test_training(options, message, here, cli):
    before = contents(here)
    refused(cli("train", "generate", *SMALL, *options), message)
    assert contents(here) == before


def test_from_python_it_is_the_same_line(here, cli):
    import elman

    said = cli("train", "generate", *SMALL, "--train=cut.gz")
    with pytest.raises(ElmanError) as error:
        elman.train("generate", train="cut.gz", batch_size=2)
    assert said.err == f"elman: {error.value}\n"
    with pytest.raises(ElmanError, match="'generate' has no option 'hiden_size'; did you mean 'hidden_size'"):
        elman.train("generate", hiden_size=3)


def test_a_folder_that_cannot_be_finished_is_not_left(here, cli, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = contents(here)
    monkeypatch.setattr("elman.data.files.os.fsync", full)
    refused(cli("train", "generate", *SMALL, "--train=text.txt", "--out=new"), "could not write new/config.json")
    assert contents(here) == before


WORK = {
    "no run": (["predict", "nowhere", "a"], "there is no run folder nowhere; train one with: elman train TASK"),
    "unknown prompt": (["predict", "RUN", "Ж"], "the prompt has 1 characters that the training text lacks: 'Ж'"),
    "temperature": (
        ["predict", "RUN", "--temperature=-1"],
        "temperature expects a number greater than or equal to 0; rec",
    ),
    "temperature NaN": (["predict", "RUN", "--temperature=nan"], "temperature expects a finite number; received nan"),
    "top_k": (["predict", "RUN", "--top-k=0"], "top_k expects a number greater than or equal to 1; received 0"),
    "top_p 0": (["predict", "RUN", "--top-p=0"], "top_p expects a number greater than 0; received 0.0"),
    "top_p 2": (["predict", "RUN", "--top-p=2"], "top_p expects a number less than or equal to 1; received 2.0"),
    "length": (["predict", "RUN", "--length=-1"], "length expects a number greater than or equal to 0; received -1"),
    "seed": (["predict", "RUN", "--seed=-1"], "seed expects a number greater than or equal to 0; received -1"),
    "no input": (["predict", "RUN", "--input=nowhere.txt"], "there is no file nowhere.txt"),
    "empty input": (["predict", "RUN", "--input=empty.txt"], "empty.txt is empty"),
    "prompt and input": (["predict", "RUN", "a", "--input=text.txt"], "expects a text or --input, one of the two"),
    "out below a file": (["predict", "RUN", "9", "--length=3", "--out=text.txt/a"], "could not write text.txt/a"),
    "neither": (["evaluate", "RUN"], "evaluate expects a file or --text, one of the two"),
    "both": (["evaluate", "RUN", "text.txt", "--text=a"], "evaluate expects a file or --text, one of the two"),
    "no file": (["evaluate", "RUN", "nowhere.txt"], "there is no file nowhere.txt"),
    "unknown text": (["evaluate", "RUN", "other.txt"], "other.txt has 7 characters that the training text lacks"),
    "one unit": (["evaluate", "RUN", "--text=9"], "the text expects 2 units or more"),
    "unknown cell": (["cells", "lsmt"], "no cell is called 'lsmt'; did you mean 'lstm'?"),
    "unknown command": (["trian"], "No such command 'trian'"),
    "unknown task": (["train", "generat"], "No such command 'generat'. Did you mean 'generate'?"),
}


@pytest.mark.parametrize(("words", "message"), WORK.values(), ids=WORK)
def test_work(words, message, here, cli, trained):
    before = contents(here) | contents(trained)
    refused(cli(*(trained if word == "RUN" else word for word in words)), message)
    assert contents(here) | contents(trained) == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", b"{", "metrics.json is damaged"),
        ("metrics.json", b'{"seconds": 3}', "metrics.json is damaged: valid expects numbers by name; received None"),
        ("config.json", b"[]", "expects a JSON object; received list"),
        ("model.safetensors", b"xx", "model.safetensors is damaged"),
        ("tokenizer.json", None, "cannot read"),
    ],
)
def test_resuming_a_damaged_run(name, content, message, cli, trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / name).unlink() if content is None else (run / name).write_bytes(content)
    before = contents(run)
    said = cli("train", "generate", f"--out={run}", "--resume")
    assert (said.code, said.out) == (2, "")
    assert message in said.err.splitlines()[-1]
    assert contents(run) == before


def test_resume_refuses_settings(cli, trained):
    refused(
        cli("train", "generate", f"--out={trained}", "--resume", "--epochs=9"), "received epochs too; leave them away"
    )
