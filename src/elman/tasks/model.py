"""A trained model as its user holds it: predict, evaluate, stream, save."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from elman.data import read_json, write_json, write_tensors
from elman.errors import CellError, OptionError, RunError, suggestion
from elman.tasks.classify.task import Classify
from elman.tasks.forecast.task import Forecast
from elman.tasks.generate.task import Generate
from elman.tasks.generate.text import Texts
from elman.tasks.options import Options
from elman.tasks.tag.task import Tag
from elman.tasks.task import Conversation, Judge, Task, judged
from elman.tasks.transcribe.task import Transcribe
from elman.tasks.translate.task import Translate

TASKS: dict[str, type[Task]] = {task.name: task for task in (Generate, Translate, Classify, Tag, Forecast, Transcribe)}

VERSION = 1
"""Of the form of a run folder."""

CONFIG = {"task": str, "data": dict, "fingerprint": str, "facts": dict, "notes": list, "settings": dict}
"""What stands in a run's `config.json`."""


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
                arrays for `classify`, texts for `tag`, frames or paths for `forecast`.
            settings: For `generate` those of `Writing`, and seed; for `translate` those of `Searching`, for `classify`
                of `Classifying`, for `tag` of `Tagging`.

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

    def write(self, inputs: Any, path: str | Path, **settings: Any) -> str:
        """Answer into a file of a kind that the task knows, such as .wav or .png; and what is in it, in a few words.

        Raises:
            DataError: An input cannot be read, or the file not be written.
            OptionError: A setting is impossible.
        """
        self.network.eval()
        several = isinstance(inputs, list | tuple)
        return self.task.write(self.network, inputs if several else [inputs], Path(path), **settings)

    def stream(self, prompt: str = "", *, seed: int = 0, **settings: Any) -> Iterator[str]:
        """The answer to one prompt, piece by piece as it comes; settings as in `predict`."""
        session = self.session(seed)
        session.read(prompt)
        return session.write(**settings)

    def session(self, seed: int = 0) -> Conversation:
        """The model with a memory of what it has read and written: `read` a text, `write` on or answer, and so on."""
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


def check_free(folder: Path) -> None:
    """Raise RunError where something stands already."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; expected a new folder; choose another one with --out")
    if folder.exists() and any(folder.iterdir()):
        raise RunError(
            f"{folder} holds another run or other files; choose a new folder with --out, or go on with --resume"
        )


def read_config(folder: Path) -> dict[str, Any]:
    """What a run's `config.json` says.

    Raises:
        RunError: It is missing, damaged, or of another version.
    """
    path = folder / "config.json"
    config = read_json(path)
    if config.get("format") != VERSION:
        raise RunError(
            f"{path} expects a run of format {VERSION}; received {config.get('format')!r}; "
            "it is not a run of this version of elman"
        )
    for name, kind in CONFIG.items():
        if not isinstance(config.get(name), kind):
            received = type(config[name]).__name__ if name in config else "nothing"
            raise RunError(
                f"{path} is damaged: {name} expects {kind.__name__}; received {received}; restore it or train again"
            )
    if not {"train", "valid"} <= config["data"].keys() or not all(isinstance(n, int) for n in config["facts"].values()):
        raise RunError(f"{path} is damaged: data or facts are not what elman wrote; restore it or train again")
    return config


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


def save_weights(path: Path, network: nn.Module) -> None:
    """Write a network's weights, whole or not at all; shared ones once."""
    write_tensors(path, _unshared(network))


def load_weights(path: Path, network: nn.Module) -> None:
    """Put a file's weights into a network.

    Raises:
        RunError: The file is missing, damaged, or made for another network.
    """
    try:
        weights = load_file(path)
    except FileNotFoundError:
        raise RunError(f"{path} is missing: the run has no trained weights yet; finish it with --resume") from None
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is damaged: {error}; restore it or train again") from error
    expected = _unshared(network)
    for name in sorted(expected.keys() | weights.keys()):
        wanted, found = (tuple(side[name].shape) if name in side else "nothing" for side in (expected, weights))
        if wanted != found:
            raise RunError(
                f"{path} does not fit its config.json: {name} expects {wanted}; received {found}; "
                "the files come from different runs"
            )
    network.load_state_dict(weights, strict=False)


def _unshared(network: nn.Module) -> dict[str, Tensor]:
    """Weights by name, tied ones under their first name only."""
    seen: set[int] = set()
    weights = {}
    for name, tensor in network.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            weights[name] = tensor.detach().contiguous()
    return weights
