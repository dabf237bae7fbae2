"""From a recipe to a trained model in a run folder; a run that was stopped goes on where it stood."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, EarlyStopping
from rich.console import Console

from elman.data import read_json, write_json, write_text
from elman.errors import RunError
from elman.tasks import VERSION, Examples, Model, Task, find_task, load
from elman.training.card import model_card
from elman.training.checkpoint import SafetensorsIO, read_checkpoint
from elman.training.keeping import Averaging, BestWeights, Checkpoints
from elman.training.logs import make_loggers, read_curve
from elman.training.module import TrainingModule
from elman.training.optimisers import validation_steps
from elman.training.pictures import draw_learning_curves
from elman.training.progress import Bar, Lines
from elman.training.recipe import Recipe, read_recipe
from elman.training.stream import Stream


def train(
    task: str,
    *,
    train: str | Path | None = None,
    valid: str | Path | None = None,
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
        out: The run folder; runs/TASK when omitted.
        settings: Whatever differs from the defaults; `elman train TASK --help` lists all.

    Other arguments:
        recipe: A TOML file with settings; those given here count more.
        resume: Go on with the run in `out`, with its own settings.
        console: Where progress is told; standard error when omitted.

    Returns:
        The model with the best validation loss.

    Raises:
        OptionError: A setting is unknown or impossible.
        DataError: The data cannot be used.
        RunError: The folder holds another run, or cannot be written.
        Interrupted: Ctrl-C or SIGTERM; `resume` goes on.
    """
    console = console or Console(stderr=True)
    out = Path(out or f"runs/{task}")
    if resume:
        return resume_run(out, console)
    given = {"train": train, "valid": valid, **settings}
    values = (read_recipe(Path(recipe)) if recipe else {}) | {n: v for n, v in given.items() if v is not None}
    return start_run(Recipe.of(task, values), out, console)


def start_run(recipe: Recipe, out: Path, console: Console) -> Model:
    """Train a recipe in a folder that does not hold a run yet."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} holds another run or other files; choose a new folder with --out, or go on with --resume")
    task = find_task(recipe.task)(recipe.options)
    examples = task.read(recipe.train, recipe.valid)
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
    task.save(out)
    write_json(out / "config.json", config)  # last: a folder with it can be resumed
    for note in examples.notes:
        console.print(note)
    return _fit(recipe, task, examples, out, config, console)


def resume_run(out: Path, console: Console) -> Model:
    """Go on with a run that was stopped; one that had come to its end is loaded."""
    if not (out / "config.json").exists():
        raise RunError(f"{out} holds no run to go on with; start one without --resume")
    config = read_json(out / "config.json")
    if "seconds" in read_json_if_there(out / "metrics.json"):
        console.print(f"the run in {out} had already come to its end")
        return load(out)
    try:
        recipe = Recipe.of(config["task"], config["settings"] | {n: v for n, v in config["data"].items() if v})
        known = config["fingerprint"]
    except (KeyError, TypeError) as error:
        raise RunError(f"{out / 'config.json'} is damaged: {error!r} is missing; start again in a new folder") from error
    task = find_task(recipe.task)(recipe.options)
    examples = task.read(recipe.train, recipe.valid)
    if examples.fingerprint != known:
        raise RunError(f"the data of {out} has changed since it was started; bring it back, or start in a new folder")
    return _fit(recipe, task, examples, out, config, console)


def _fit(
    recipe: Recipe, task: Task, examples: Examples, out: Path, config: dict[str, Any], console: Console
) -> Model:
    options = recipe.training
    if options.threads:
        torch.set_num_threads(options.threads)
    with quiet():
        seed_everything(options.seed, verbose=False)
        network = task.network()
        stream = Stream(examples.train, options.epochs)
        validate_every = validation_steps(options, len(stream))
        checkpoint = out / "checkpoints" / "last.safetensors"
        checkpoints = Checkpoints(checkpoint, options.checkpoint_minutes, validate_every)
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=1,
            val_check_interval=validate_every,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            log_every_n_steps=min(options.log_every, len(stream)),
            logger=make_loggers(out / "logs"),
            plugins=[SafetensorsIO()],
            callbacks=_callbacks(options, out, checkpoints, console, len(examples.train)),
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=console.is_terminal,
            default_root_dir=out,
        )
        module = TrainingModule(task, network, options, len(stream))
        resumed = str(checkpoint) if checkpoint.exists() else None
        if resumed:
            console.print(f"going on after step {read_checkpoint(checkpoint)['global_step']:,}")
        clock = _Clock()
        try:
            trainer.fit(module, stream, examples.valid, ckpt_path=resumed)
        finally:
            checkpoints.restore_signals()
            logs = out / "logs"
            curves = out / "pictures" / "learning_curves.png"
            draw_learning_curves(curves, read_curve(logs, "train_loss"), read_curve(logs, "valid_loss"))
    return _finish(out, config, clock.seconds())


def _callbacks(options: Any, out: Path, checkpoints: Checkpoints, console: Console, epoch_steps: int) -> list[Callback]:
    callbacks: list[Callback] = [Lines(console, epoch_steps), BestWeights(out), checkpoints]
    if options.optimiser == "asgd":
        callbacks.append(Averaging(options.patience or 5))
    if options.early_stopping:
        callbacks.append(EarlyStopping("valid_loss", patience=options.early_stopping))
    if console.is_terminal:
        callbacks.append(Bar(console_kwargs={"stderr": True}))
    return callbacks


def _finish(out: Path, config: dict[str, Any], seconds: float) -> Model:
    metrics = read_json(out / "metrics.json") | {"seconds": round(seconds, 1)}
    model = load(out)
    write_text(out / "card.md", model_card(config, model.network, metrics["valid"], version("elman")))
    write_json(out / "metrics.json", metrics)  # last: `seconds` says that the run has come to its end
    return model


def read_json_if_there(path: Path) -> dict[str, Any]:
    """The JSON in a file, empty where there is none."""
    return read_json(path) if path.exists() else {}


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's remarks; deterministic algorithms throughout."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic)
        logger.setLevel(level)


class _Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        from time import monotonic

        self.now = monotonic
        self.start = monotonic()

    def seconds(self) -> float:
        return self.now() - self.start
