"""One training under Lightning, from the first step or from a checkpoint to the last."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, EarlyStopping
from rich.console import Console

from elman.errors import Interrupted, RunError
from elman.pictures import draw_learning_curves
from elman.tasks import Examples, Task, Teacher, load, start_from
from elman.training.checkpoint import SafetensorsIO, check_fits, read_checkpoint
from elman.training.determinism import deterministic
from elman.training.keeping import Averaging, BestWeights, Checkpoints, MeanOfLast
from elman.training.logs import make_loggers, read_curve
from elman.training.module import TrainingModule
from elman.training.optimisers import validation_steps
from elman.training.progress import Bar, Lines
from elman.training.recipe import Recipe, TrainingOptions
from elman.training.stream import Stream


def fit(recipe: Recipe, task: Task, examples: Examples, out: Path, console: Console) -> float:
    """Train in a run folder; the weights that are kept stand there afterwards.

    Returns:
        Seconds that it took, those before a resume included.
    """
    options = recipe.training
    if options.threads:
        torch.set_num_threads(options.threads)
    with quiet(), deterministic():
        seed_everything(options.seed, verbose=False)
        checkpoint = out / "checkpoints" / "last.safetensors"
        network = task.network()
        if not checkpoint.exists():
            task.begin(network)
            if recipe.start:
                start_from(recipe.start, task, network)
        if recipe.teacher:
            task.teacher = Teacher(load(recipe.teacher).network, options.teacher_share, options.softness)
        stream = Stream(examples.train, options.epochs)
        validate_every = validation_steps(options, len(stream))
        checkpoints = Checkpoints(checkpoint, options.checkpoint_minutes, validate_every, console)
        trainer = Trainer(
            accelerator="cpu",
            max_epochs=1,
            val_check_interval=validate_every,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            log_every_n_steps=min(options.log_every, len(stream)),
            logger=make_loggers(out / "logs"),
            plugins=[SafetensorsIO()],
            callbacks=_callbacks(options, task, out, checkpoints, console, len(examples.train)),
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=console.is_terminal,
            default_root_dir=out,
        )
        module = TrainingModule(task, network, options, len(stream))
        resumed = str(checkpoint) if checkpoint.exists() else None
        if resumed:
            saved = read_checkpoint(checkpoint)
            check_fits(saved, module, checkpoint)
            console.print(f"going on after step {saved['global_step']:,}")
        try:
            with checkpoints.listening():
                trainer.fit(module, stream, examples.valid, ckpt_path=resumed)
        except Interrupted:
            _draw(out)
            raise
        except OSError as error:  # of the loggers; whatever else writes says so itself
            raise RunError(
                f"could not write {out / 'logs'}: {error.strerror or error}; make room, then --resume"
            ) from error
        _draw(out)
        return module.seconds()


def _draw(out: Path) -> None:
    logs = out / "logs"
    curves = out / "pictures" / "learning_curves.png"
    draw_learning_curves(curves, read_curve(logs, "train_loss"), read_curve(logs, "valid_loss"))


def _callbacks(
    options: TrainingOptions,
    task: Task,
    out: Path,
    checkpoints: Checkpoints,
    console: Console,
    epoch_steps: int,
) -> list[Callback]:
    callbacks: list[Callback] = [
        Lines(console, epoch_steps, task.best, task.told),
        BestWeights(out, task.best, last=options.keep == "last"),
        checkpoints,
    ]
    if options.optimiser == "asgd":
        callbacks.append(Averaging(options.patience or 5))
    if options.average > 1:
        callbacks.append(MeanOfLast(options.average))
    if options.early_stopping:
        callbacks.append(EarlyStopping(f"valid_{task.best[0]}", patience=options.early_stopping, mode=task.best[1]))
    if console.is_terminal:
        callbacks.append(Bar(console_kwargs={"stderr": True}))
    return callbacks


@contextmanager
def quiet() -> Iterator[None]:
    """Without Lightning's remarks."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        logger.setLevel(level)
