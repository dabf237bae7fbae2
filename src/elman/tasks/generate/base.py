"""What writing texts, chords, sounds, images and videos has in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from elman.errors import OptionError
from elman.tasks.generate.options import GenerateOptions, Start, Writing
from elman.tasks.options import Options, schema_of
from elman.tasks.task import Conversation, Judge, OneByOne, RunningLoss, Task


class GenerateTask(Task):
    """Learns how something goes on, and writes more of it."""

    name: ClassVar[str] = "generate"
    summary: ClassVar[str] = "Learn how a text, music, a sound, an image or a video goes on; and write more of it."
    options_class: ClassVar[type[Options]] = GenerateOptions
    predicting_class: ClassVar[type[Options]] = Writing
    needs_input: ClassVar[bool] = False

    acting: ClassVar[tuple[str, ...]] = ()
    """Settings of an answer that act on what is written."""
    seeded: ClassVar[bool] = True
    """Is what is written drawn by chance?"""
    usual_length: int = 0
    """Steps that are written when nothing is said."""

    options: GenerateOptions

    def writing(self, settings: dict[str, Any]) -> Writing:
        """Settings of an answer, each of which acts on what this model writes.

        Raises:
            OptionError: One of them is unknown, impossible, or for others.
        """
        writing = Writing.of(settings)
        if idle := [name for name in settings if name not in self.acting]:
            raise OptionError(f"{idle[0]} does not act on models of {self.options.kind}; leave it away")
        if writing.unusual and len(settings) > 1:
            other = next(name for name in settings if name != "unusual")
            raise OptionError(f"{other} does not act where what is unusual is sought; leave it away")
        return writing

    def only_one(self, inputs: Sequence[Any], path: Path) -> Any:
        """The input whose answer a file can hold.

        Raises:
            OptionError: There are several.
        """
        if len(inputs) != 1:
            raise OptionError(f"{path} can hold one answer; received {len(inputs)} inputs; give one, or .jsonl")
        return inputs[0]

    def settings_schema(self) -> dict[str, Any]:
        known = schema_of(Writing) | (schema_of(Start) if self.seeded else {})
        return {name: known[name] for name in known if name in (*self.acting, "seed")}

    def amount(self, settings: Mapping[str, Any], given: Any = "") -> int:
        length = settings.get("length")
        return length if isinstance(length, int) else self.usual_length

    def session(self, network: nn.Module, seed: int = 0) -> Conversation:
        start = {"seed": seed} if self.seeded else {}
        return OneByOne(lambda given, settings: self.predict(network, [given], **start, **settings)[0])


class Expectation(Judge):
    """How well what comes is expected; subclasses say it in the units of the literature.

    Args:
        task: What was learned.
    """

    def __init__(self, task: Any) -> None:
        self.task, self.loss = task, RunningLoss()

    def add(self, network: nn.Module, batch: Any) -> None:
        self.loss.add(self.task, network, batch)
