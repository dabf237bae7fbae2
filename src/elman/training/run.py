"""From a recipe to a trained model in a run folder; a run that was stopped goes on where it stood."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from elman.data import locked, read_json, write_json, write_text
from elman.errors import CellError, ElmanError, Interrupted, OptionError, RunError
from elman.tasks import VERSION, Examples, Model, Task, check_free, load, make_task, read_config, start_from
from elman.training.card import model_card
from elman.training.recipe import Recipe, read_recipe


def train(
    task: str,
    *,
    train: str | Path | None = None,
    valid: str | Path | None = None,
    from_: str | Path | None = None,
    teacher: str | Path | None = None,
    out: str | Path | None = None,
    recipe: str | Path | None = None,
    resume: bool = False,
    console: Console | None = None,
    **settings: Any,
) -> Model:
    """Train a model.

    Main arguments:
        task: What to learn, such as "generate".
        train: The training data; data inside the package when omitted.
        valid: The validation data; split from the training data when omitted.
        from_: A run of the same task: its vocabulary, weights and network settings are the start. For `classify` and
            `tag` also a language model of `generate`, which reads for them.
        teacher: A run of the same task whose answers are learned beside the true ones, by a smaller network maybe.
        out: The run folder; runs/TASK when omitted.
        settings: Whatever differs from the defaults; `elman train TASK --help` lists all.

    Other arguments:
        recipe: A TOML file with settings; those given here count more.
        resume: Go on with the run in `out`, with its own settings; `train` and `valid` say where its data is now.
        console: Where progress is told; standard error when omitted.

    Returns:
        The model with the best validation score, or the last one with keep = last.

    Raises:
        OptionError: A setting is unknown or impossible.
        DataError: The data cannot be used.
        RunError: The folder holds another run, or cannot be written; or training diverged.
        Interrupted: Ctrl-C or SIGTERM; `resume` goes on.
    """
    console = console or Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    out = Path(out or f"runs/{task}")
    given, data = _not_none(settings), _not_none({"train": train, "valid": valid, "from_": from_, "teacher": teacher})
    try:
        if resume:
            _check_resume(task, out, {"recipe": recipe, **given})
            return resume_run(out, console, data)
        return start_run(gather(task, recipe, data | given), out, console)
    except KeyboardInterrupt:
        kept = "what was saved stays" if (out / "config.json").exists() else "nothing was written"
        raise Interrupted(f"stopped outside the steps of training; {kept}") from None


def gather(task: str, recipe: str | Path | None, given: dict[str, Any]) -> Recipe:
    """A recipe from a file, where there is one, and from what counts more.

    Raises:
        OptionError: A setting is unknown or impossible.
        DataError: A path needs a name of the environment that is not set.
    """
    return Recipe.of(task, (read_recipe(Path(recipe), task) if recipe else {}) | given)


def start_run(recipe: Recipe, out: Path, console: Console) -> Model:
    """Train a recipe in a folder that does not hold a run yet."""
    check_free(out)
    task = make_task(recipe.task, recipe.options)
    examples = task.read(recipe.train, recipe.valid, recipe.known)
    _try(task, examples, recipe.start)
    config = {
        "format": VERSION,
        "elman": version("elman"),
        "task": recipe.task,
        "data": recipe.data(),
        "fingerprint": examples.fingerprint,
        "facts": examples.facts,
        "notes": list(examples.notes),
        "settings": recipe.settings(),
    }
    _open(out, task, config)
    for note in examples.notes:
        console.print(note)
    return _fit(recipe, task, examples, out, config, console)


@torch.no_grad()
def _try(task: Task, examples: Examples, start: Path | None) -> None:
    """One step, so that a network that cannot be made or cannot read its data is found before anything is written."""
    try:
        network = task.network()
        if start is not None:
            start_from(start, task, network)
        task.loss(network, examples.valid.batch(0), None)
    except ElmanError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        if "allocate" in reason or isinstance(error, MemoryError):
            raise OptionError(f"the network does not fit in memory, {reason}; try smaller sizes or batches") from error
        raise CellError(f"the network fails at its first step, {reason}; mend its cell") from error


def _open(out: Path, task: Task, config: dict[str, Any]) -> None:
    """Make the run folder, whole or not at all."""
    made = not out.exists()
    try:
        write_json(out / "config.json", config)  # first: a folder with it can be resumed, and has the rest made anew
        task.save(out)
    except BaseException:
        for path in out.glob("*"):
            path.unlink()
        if made and out.is_dir():
            out.rmdir()
        raise


def _check_resume(task: str, out: Path, given: dict[str, Any]) -> None:
    """Raise where there is no such run, or where settings come that it would not heed."""
    if not (out / "config.json").exists():
        raise RunError(f"{out} holds no run to go on with; start one without --resume")
    found = read_config(out)["task"]
    if found != task:
        raise RunError(f"{out} holds a run of the task {found!r}; received {task!r}; go on with that one")
    if _not_none(given):
        raise OptionError(
            f"--resume goes on with the settings of {out}; received {', '.join(_not_none(given))} too; "
            "leave them away, or start a new run in a new folder"
        )


def resume_run(out: Path, console: Console, data: dict[str, Any]) -> Model:
    """Go on with a run that was stopped; one that had come to its end is loaded.

    Args:
        out: The run folder.
        console: Where progress is told.
        data: Where `train` and `valid` are now, if they have moved.
    """
    config = read_config(out)
    if (out / "metrics.json").exists() and "seconds" in read_metrics(out):
        console.print(f"the run in {out} had already come to its end")
        return load(out)
    try:
        recipe = Recipe.of(config["task"], config["settings"] | _not_none(config["data"]) | data, inherit=False)
    except OptionError as error:
        raise RunError(f"{out / 'config.json'} is damaged: {error}; start again in a new folder") from error
    task = make_task(recipe.task, recipe.options)
    known = out if (out / task.saved).exists() else recipe.known
    examples = task.read(recipe.train, recipe.valid, known if recipe.known else None)
    if examples.fingerprint != config["fingerprint"]:
        raise RunError(f"the data of {out} has changed since it was started; bring it back, or start in a new folder")
    task.save(out)
    return _fit(recipe, task, examples, out, config, console)


def _not_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def preview(recipe: Recipe) -> Examples:
    """What a training would read, without training.

    Raises:
        DataError: The data cannot be used.
    """
    task = make_task(recipe.task, recipe.options)
    examples = task.read(recipe.train, recipe.valid, recipe.known)
    _try(task, examples, recipe.start)
    return examples


def _fit(recipe: Recipe, task: Task, examples: Examples, out: Path, config: dict[str, Any], console: Console) -> Model:
    from elman.training.fit import fit  # Lightning takes two seconds to import: only training pays for it

    with locked(out):
        return _finish(out, config, examples, fit(recipe, task, examples, out, console))


def _finish(out: Path, config: dict[str, Any], examples: Examples, seconds: float) -> Model:
    metrics = read_metrics(out)
    model = load(out)
    if judge := model.task.settle(model.network, examples.valid, out):
        metrics |= {"valid": metrics["valid"] | judge.scores(), "notes": list(judge.notes())}
    write_text(out / "card.md", model_card(config, model.network, metrics, version("elman")))
    write_json(
        out / "metrics.json", {**metrics, "seconds": round(seconds, 1)}
    )  # last: `seconds` says that the run has come to its end
    return model


def read_metrics(out: Path) -> dict[str, Any]:
    """A run's scores: `valid`, the best ones by name; `step`; and `seconds` once it has come to its end.

    Raises:
        RunError: The file is missing or damaged.
    """
    metrics = read_json(out / "metrics.json")
    scores = metrics.get("valid")
    if not isinstance(scores, dict) or not all(isinstance(value, int | float) for value in scores.values()):
        raise RunError(
            f"{out / 'metrics.json'} is damaged: valid expects numbers by name; received {scores!r}; remove it"
        )
    return metrics
