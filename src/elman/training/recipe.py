"""A recipe: the task, its data, and every setting; a TOML file holds only what differs from the defaults."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from elman.errors import DataError, OptionError, RunError, suggestion
from elman.tasks import Count, Options, Seed, Share, find_task, read_config, task_of

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class TrainingOptions(Options):
    """How a model is trained."""

    epochs: Count = 10
    """How often the training data is read from end to end."""
    optimiser: Literal["sgd", "asgd", "adam", "adamw"] = "adamw"
    """How weights follow their gradients; asgd averages them once validation stops improving (Merity et al. 2017)."""
    learning_rate: Positive = 0.002
    """The size of a step."""
    momentum: Share = 0.0
    """Share of the last step that sgd takes again."""
    weight_decay: NotNegative = 0.0
    """How strongly weights are drawn to zero."""
    schedule: Literal["constant", "linear", "cosine", "decay", "plateau"] = "constant"
    """How the learning rate goes on: falling to zero in a line or a cosine, decaying each epoch, or on a plateau."""
    warmup: Share = 0.0
    """Share of all steps in which the learning rate rises from zero."""
    decay: Annotated[float, Field(gt=0, le=1)] = 0.5
    """What the learning rate is multiplied with, by the schedules decay and plateau."""
    decay_after: Count = 1
    """The schedule decay starts after this epoch."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Validations without improvement that the schedule plateau waits for, and asgd before it averages, 5 when 0."""
    clip_norm: NotNegative = 1.0
    """Gradients longer than this are shortened to it; 0 leaves them."""
    clip_value: NotNegative = 0.0
    """Each number of a gradient is cut to this size; 0 leaves it."""
    average: Count = 1
    """Judge and keep the mean of the weights at the last so many validations."""
    early_stopping: Annotated[int, Field(ge=0)] = 0
    """Stop after this many validations without improvement; 0 never."""
    validate_every: Annotated[float, Field(gt=0)] = 1.0
    """Epochs between two validations."""
    checkpoint_minutes: NotNegative = 1.0
    """Minutes between two checkpoints; 0 saves after every step."""
    log_every: Count = 50
    """Steps between two entries in the logs."""
    seed: Seed = 0
    """Where all randomness starts; the same seed gives the same weights, bit for bit."""
    precision: Literal["f32", "bf16"] = "f32"
    """Numbers in products outside the recurrent layers; bf16 has three digits, and is fast where processors know it."""
    threads: Annotated[int, Field(ge=0)] = 0
    """Processor threads; 0 leaves PyTorch's choice."""

    @model_validator(mode="after")
    def _options_that_go_together(self) -> Self:
        if self.warmup and self.schedule == "plateau":
            raise ValueError("warmup cannot go with the schedule plateau; leave one of them away")
        if self.average > 1 and self.optimiser == "asgd":
            raise ValueError("average does not go with asgd, which averages by itself; leave one of them away")
        if self.momentum and self.optimiser != "sgd":
            raise ValueError(f"momentum acts in sgd only; received optimiser = {self.optimiser}; leave it away")
        return self


DATA = ("train", "valid", "from_")
"""What a recipe reads, beside its settings."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out of a training."""

    task: str
    train: Path | None
    valid: Path | None
    start: Path | None
    """The run whose vocabulary and weights are the start."""
    options: Options
    """The settings of the task: data and model."""
    training: TrainingOptions

    @classmethod
    def of(cls, task: str, values: Mapping[str, Any], *, inherit: bool = True) -> "Recipe":
        """Sort flat settings to where they belong, and check them.

        Args:
            task: What is learned.
            values: Settings, and what is read.
            inherit: Take over settings of the run to start from, if there is one.

        Raises:
            OptionError: A name is unknown or a value impossible.
            RunError: The run to start from is none of this task.
        """
        kind = find_task(task).options_class
        start = _data_path(values.get("from_"))
        given = {name: value for name, value in values.items() if name not in DATA}
        ours = inherited(start, task, given) if start and inherit else given
        known = kind.model_fields | TrainingOptions.model_fields
        for name in ours:
            if name not in known:
                raise OptionError(f"'{task}' has no option '{name}'; {suggestion(name, known)}")
        return cls(
            task=task,
            train=_data_path(values.get("train")),
            valid=_data_path(values.get("valid")),
            start=start,
            options=kind.of({name: value for name, value in ours.items() if name in kind.model_fields}),
            training=TrainingOptions.of({n: value for n, value in ours.items() if n in TrainingOptions.model_fields}),
        )

    def settings(self) -> dict[str, Any]:
        """Every setting by name, ready for JSON."""
        return self.options.model_dump() | self.training.model_dump()

    def data(self) -> dict[str, str | None]:
        """Where the data came from."""
        paths = zip(DATA, (self.train, self.valid, self.start), strict=True)
        return {name: None if path is None else str(path) for name, path in paths}


def read_recipe(path: Path, task: str) -> dict[str, Any]:
    """The settings for a task in a TOML file.

    Raises:
        OptionError: The file cannot be read as TOML, is for another task, or has a setting that is impossible.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"cannot read the recipe {path}: {error.strerror}; check the path") from error
    except ValueError as error:
        raise OptionError(
            f"the recipe {path} is not TOML: {error}; expected lines such as: hidden_size = 256"
        ) from error
    if "from" in values:  # no name that Python allows
        values["from_"] = values.pop("from")
    meant = values.pop("task", task)
    if meant != task:
        raise OptionError(f"the recipe {path} is for the task {meant!r}; received the task {task!r}; train that one")
    try:
        Recipe.of(task, {name: value for name, value in values.items() if name not in DATA})
    except OptionError as error:
        raise OptionError(f"in the recipe {path}, {error}") from None
    return values


def inherited(run: Path, task: str, given: dict[str, Any]) -> dict[str, Any]:
    """Given settings, and for the others those of the run to start from; but where examples stand, everyone says anew.

    Raises:
        RunError: The run is missing, damaged, or of another task.
        OptionError: A given setting is another one than the run's, and cannot be.
    """
    config = read_config(run)
    if config["task"] != task:
        raise RunError(f"{run} holds a run of the task {config['task']!r}; expected {task!r} to start from")
    options = task_of(config, run).options
    known = options.model_dump()
    for name in options.fixed:
        if name in given and given[name] != known[name]:
            raise OptionError(
                f"{name} is {known[name]!r} in {run}, which this run starts from; received {given[name]!r}"
            )
    return {name: value for name, value in known.items() if name not in options.reading} | given


def _data_path(value: Any) -> Path | None:
    """A path in which $NAMES of the environment are filled in."""
    if value is None:
        return None
    if not isinstance(value, str | Path) or not str(value):
        raise OptionError(f"train, valid and from expect a path; received {value!r}")
    path = os.path.expandvars(str(value))
    if "$" in path:
        name = path[path.index("$") :].split("/")[0]
        raise DataError(
            f"the path {value} needs {name}, which the environment does not set; set it first: export {name[1:]}=FOLDER"
        )
    return Path(path).expanduser()
