"""A trained model as its user holds it: predict, evaluate, stream, save."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from elman.data import write_json
from elman.errors import CellError, OptionError, RunError, suggestion
from elman.tasks.classify.task import Classify
from elman.tasks.forecast.task import Forecast
from elman.tasks.generate.task import Generate
from elman.tasks.generate.text import Texts
from elman.tasks.inspection.inspection import Inspection
from elman.tasks.options import Options
from elman.tasks.run_folder import check_free, load_weights, read_config, save_weights
from elman.tasks.tag.task import Tag
from elman.tasks.task import Conversation, Judge, Task, judged
from elman.tasks.transcribe.task import Transcribe
from elman.tasks.translate.task import Translate

TASKS: dict[str, type[Task]] = {task.name: task for task in (Generate, Translate, Classify, Tag, Forecast, Transcribe)}


class Model:
    """A network together with the task that it was trained for.

    Args:
        task: Its task, with options and vocabulary.
        network: Its weights.
        config: What stands in its `config.json`.
    """

    def __init__(self, task: Task, network: nn.Module, config: dict[str, Any]) -> None:
        self.task = task
        self.network = network
        self.config = config

    def predict(self, inputs: Any = "", **settings: Any) -> list[Any]:
        """Answers, one for each input; of `forecast` a row for each series and step to come.

        Args:
            inputs: What the task reads, one or a list: prompts for `generate`, sources for `translate`, texts or
                arrays for `classify`, texts for `tag`, frames or paths for `forecast`, paths of recordings for
                `transcribe`, however long they are.
            settings: For `generate` those of `Writing`, and seed; for `translate` those of `Searching`, for `classify`
                of `Classifying`, for `tag` of `Tagging`, for `transcribe` of `Transcribing`.

        Raises:
            DataError: An input cannot be read.
            OptionError: A setting is impossible.
        """
        self.network.eval()
        several = isinstance(inputs, list | tuple)
        return self.task.predict(self.network, inputs if several else [inputs], **settings)

    def draw(self, text: str, path: str | Path, **settings: Any) -> None:
        """Draw how the answer to a text came about, as a PNG: for `translate`, what was looked at for each unit.

        Raises:
            OptionError: The model has nothing to draw, or a setting is impossible.
            DataError: The text cannot be read.
        """
        self.network.eval()
        self.task.draw(self.network, text, Path(path), **settings)

    def inspect(self, given: Any = "") -> Inspection:
        """Everything there is to see of the network while it reads one input: gates, states, what mattered, how far
        gradients reach.

        Args:
            given: What `predict` takes, one of it.

        Raises:
            OptionError: The network has no recurrent layers to look into.
            DataError: The input cannot be read.
        """
        self.network.eval()
        return Inspection(self.task.case(self.network, given))

    def write(self, inputs: Any, path: str | Path, **settings: Any) -> str:
        """Answer into a file of a kind that the task knows, such as .wav or .png; and what is in it, in a few words.

        Raises:
            DataError: An input cannot be read, or the file not be written.
            OptionError: A setting is impossible.
        """
        path = Path(path)
        if path.suffix.lower() not in self.task.files:
            expected = ", ".join(self.task.files) or ".csv or .jsonl from the command line"
            raise OptionError(
                f"models like this one write no {path.suffix or 'file without an end'}; expected {expected}"
            )
        self.network.eval()
        several = isinstance(inputs, list | tuple)
        if several and not inputs:
            raise OptionError(f"there is nothing to write to {path}; expected one input or more")
        return self.task.write(self.network, inputs if several else [inputs], path, **settings)

    def stream(self, prompt: str = "", *, seed: int = 0, **settings: Any) -> Iterator[str]:
        """The answer to one prompt, piece by piece as it comes; settings as in `predict`."""
        session = self.session(seed)
        session.read(prompt)
        return session.write(**settings)

    def session(self, seed: int = 0) -> Conversation:
        """The model with a memory of what it has read and written: `read` a text, `write` on or answer, and so on.

        Of `transcribe` without `bidirectional` a `Hearing`, which writes down what it hears while one speaks.
        """
        return self.task.session(self.network, seed)

    def evaluate(self, path: str | Path, /, **settings: Any) -> dict[str, float]:
        """The task's scores on a file; everything in it counts once.

        Args:
            path: The file.
            settings: As in `predict`, for tasks that answer before they are judged; and columns, such as `source` and
                `target` of `translate`, where the file has them elsewhere than the training data.

        Raises:
            DataError: The file cannot be used.
            OptionError: A setting is impossible.
        """
        return self.judge(path, **settings).scores()

    def judge(self, path: str | Path, /, **settings: Any) -> Judge:
        """As `evaluate`, but with all that was found out: scores, notes, and the answers where there are any."""
        columns = {name: settings.pop(name) for name in self.task.options.columns if name in settings}
        task = self.task.reading(**columns) if columns else self.task
        return judged(task.judge(**settings), self.network, task.read_to_score(Path(path)))

    def score(self, text: str) -> dict[str, float]:
        """How well a model of the task `generate` expects a text: scores as in `evaluate`.

        Raises:
            OptionError: The model has another task.
        """
        if not isinstance(self.task, Texts):
            raise OptionError(
                f"a text by itself can be scored by models that generate text; received one of {self.task.name}"
            )
        return judged(self.task.judge(), self.network, self.task.batches_to_score(text)).scores()

    def save(self, folder: str | Path) -> None:
        """Write a new folder that `load` reads.

        Raises:
            RunError: The folder holds files already, or cannot be written.
        """
        folder = Path(folder)
        check_free(folder)
        self.task.save(folder)
        save_weights(folder / "model.safetensors", self.network)
        write_json(folder / "config.json", self.config)


def load(folder: str | Path) -> Model:
    """A model from a run folder.

    Raises:
        RunError: The folder is missing, unfinished, damaged or foreign.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}; train one with: elman train TASK --out {folder}")
    config = read_config(folder)
    task = task_of(config, folder)
    task.load(folder)
    try:
        network = task.network()
    except (CellError, OptionError) as error:
        raise RunError(f"the network of {folder / 'config.json'} cannot be made: {error}") from error
    load_weights(folder / "model.safetensors", network)
    return Model(task, network.eval(), config)


def task_of(config: dict[str, Any], folder: Path) -> Task:
    """The task that a run's `config.json` describes.

    Raises:
        RunError: It describes none.
    """
    try:
        kind = find_task(config["task"]).options_class
        known = kind.model_fields
        options = kind.of({name: value for name, value in config["settings"].items() if name in known})
        return make_task(config["task"], options)
    except OptionError as error:
        raise RunError(f"{folder / 'config.json'} is damaged: {error}; restore it or train again") from error


def make_task(name: str, options: Options) -> Task:
    """A task with its options."""
    return find_task(name).fitting(options)(options)


def find_task(name: str) -> type[Task]:
    """A task by its name.

    Raises:
        OptionError: There is none of that name.
    """
    if name not in TASKS:
        raise OptionError(f"there is no task '{name}'; {suggestion(name, TASKS)}")
    return TASKS[name]
