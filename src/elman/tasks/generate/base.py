"""What writing texts, chords and images has in common."""

from typing import Any, ClassVar

from elman.errors import OptionError
from elman.tasks.generate.options import GenerateOptions, Writing
from elman.tasks.options import Options
from elman.tasks.task import Task


class GenerateTask(Task):
    """Learns how something goes on, and writes more of it."""

    name: ClassVar[str] = "generate"
    summary: ClassVar[str] = "Learn how a text goes on, or music, or an image; and write more of it."
    options_class: ClassVar[type[Options]] = GenerateOptions
    predicting_class: ClassVar[type[Options]] = Writing
    needs_input: ClassVar[bool] = False

    acting: ClassVar[tuple[str, ...]] = ()
    """Settings of an answer that act on what is written."""

    options: GenerateOptions

    def writing(self, settings: dict[str, Any]) -> Writing:
        """Settings of an answer, each of which acts on what this model writes.

        Raises:
            OptionError: One of them is unknown, impossible, or for others.
        """
        writing = Writing.of(settings)
        if idle := [name for name in settings if name not in self.acting]:
            raise OptionError(f"{idle[0]} does not act on models of {self.options.kind}; leave it away")
        return writing
