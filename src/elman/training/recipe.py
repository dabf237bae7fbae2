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
    keep: Literal["best", "last"] = "best"
    """Keep the weights of the best validation, or of the last one, where validation data is too small to choose by."""
    average: Count = 1
    """Judge and keep the mean of the weights at the last so many validations."""
    early_stopping: Annotated[int, Field(ge=0)] = 0
    """Stop after this many validations without improvement; 0 never."""
    validate_every: Annotated[float, Field(gt=0)] = 1.0
    """Epochs between two validations."""
    checkpoint_minutes: NotNegative = 1.0
    """Minutes between two checkpoints; 0 saves after every step."""
    teacher_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the loss that is the distance from a teacher's answers, where there is a teacher."""
    softness: Positive = 2.0
    """What scores are divided by before they are compared with a teacher's, so that unlikely answers count more."""
    log_every: Count = 50
    """Steps between two entries in the logs."""
    seed: Seed = 0
    """Where all randomness starts; the same seed gives the same weights, bit for bit."""
    precision: Literal["f32", "bf16"] = "f32"
    """Numbers in convolutions and products outside recurrent layers; bf16 has three digits, fast on some processors."""
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


DATA = ("train", "valid", "from_", "teacher")
"""What a recipe reads, beside its settings."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out of a training."""

    task: str
    train: Path | None
    valid: Path | None
    start: Path | None
    """The run whose vocabulary and weights are the start."""
    teacher: Path | None
    """The run whose answers are learned too."""
    options: Options
    """The settings of the task: data and model."""
    training: TrainingOptions

    @classmethod
    def of(cls, task: str, values: Mapping[str, Any], *, inherit: bool = True) -> "Recipe":
        """Sort flat settings to where they belong, and check them.

        Args:
            task: What is learned.
            values: Settings, and what is read.
            inherit: Take over settings of the run to start from or to learn from, if there is one.

        Raises:
            OptionError: A name is unknown or a value impossible.
            RunError: The run to start from or to learn from does not fit.
        """
        kind = find_task(task).options_class
        paths = {name: _data_path(values.get(name)) for name in DATA}
        start, teacher = paths["from_"], paths["teacher"]
        if start and teacher:
            raise OptionError(
                "a run starts from another one or has a teacher, not both; leave --from or --teacher away"
            )
        ours = {name: value for name, value in values.items() if name not in DATA}
        if inherit and start:
            ours = inherited(start, task, ours)
        if teacher and not find_task(task).taught:
            raise OptionError(f"{task} has no teachers; let one answer with elman predict, and learn from its answers")
        if inherit and teacher:
            ours = learned_from(teacher, task, ours)
        known = kind.model_fields | TrainingOptions.model_fields
        for name in ours:
            if name not in known:
                raise OptionError(f"'{task}' has no option '{name}'; {suggestion(name, known)}")
        return cls(
            task=task,
            train=paths["train"],
            valid=paths["valid"],
            start=start,
            teacher=teacher,
            options=kind.of({name: value for name, value in ours.items() if name in kind.model_fields}),
            training=TrainingOptions.of({n: value for n, value in ours.items() if n in TrainingOptions.model_fields}),
        )

    @property
    def known(self) -> Path | None:
        """The run that has learned what to read and to say, where there is one."""
        return self.start or self.teacher

    def settings(self) -> dict[str, Any]:
        """Every setting by name, ready for JSON."""
        return self.options.model_dump() | self.training.model_dump()

    def data(self) -> dict[str, str | None]:
        """Where the data came from."""
        paths = zip(DATA, (self.train, self.valid, self.start, self.teacher), strict=True)
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

    Of a run whose network only reads for this task, they are those of the network and of what it reads.

    Raises:
        RunError: The run is missing, damaged, or of a task that does not fit.
        OptionError: A given setting is another one than the run's, and cannot be.
    """
    config, kind = read_config(run), find_task(task)
    options, found = task_of(config, run).options, config["task"]
    if found not in (task, *kind.encoders):
        expected = " or ".join(map(repr, (task, *kind.encoders)))
        raise RunError(f"{run} holds a run of the task {found!r}; expected {expected} to start from")
    known = options.model_dump() | kind.encoders.get(found, {})
    fixed = {*options.fixed, *options.learned, *kind.encoders.get(found, ())} & kind.options_class.model_fields.keys()
    _check_agreement(run, given, {name: known[name] for name in sorted(fixed)})
    kept = known.keys() - options.reading if found == task else fixed
    return {name: known[name] for name in kept} | given


def learned_from(run: Path, task: str, given: dict[str, Any]) -> dict[str, Any]:
    """Given settings, and those of a teacher that say what is seen and what may be said.

    Raises:
        RunError: The run is missing, damaged, or of another task.
        OptionError: A given setting is another one than the teacher's, and cannot be.
    """
    config = read_config(run)
    if config["task"] != task:
        raise RunError(f"{run} holds a run of the task {config['task']!r}; expected {task!r} to learn from")
    options = task_of(config, run).options
    known = {name: getattr(options, name) for name in options.learned}
    _check_agreement(run, given, known)
    return known | given


def _check_agreement(run: Path, given: dict[str, Any], known: dict[str, Any]) -> None:
    for name, value in known.items():
        if name in given and given[name] != value:
            raise OptionError(f"{name} is {value!r} in {run}, which this run builds on; received {given[name]!r}")


def _data_path(value: Any) -> Path | None:
    """A path in which $NAMES of the environment are filled in."""
    if value is None:
        return None
    if not isinstance(value, str | Path) or not str(value):
        raise OptionError(f"train, valid, from and teacher expect a path; received {value!r}")
    path = os.path.expandvars(str(value))
    if "$" in path:
        name = path[path.index("$") :].split("/")[0]
        raise DataError(
            f"the path {value} needs {name}, which the environment does not set; set it first: export {name[1:]}=FOLDER"
        )
    return Path(path).expanduser()
