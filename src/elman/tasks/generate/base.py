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

    options: GenerateOptions

    def refuse(self, given: dict[str, Any], names: tuple[str, ...]) -> None:
        """Raise OptionError where one of the settings does not act on what this model writes."""
        if found := [name for name in names if name in given]:
            raise OptionError(f"{found[0]} does not act on models of {self.options.kind}; leave it away")
