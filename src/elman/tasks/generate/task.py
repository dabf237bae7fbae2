"""The task `generate`: learn how something goes on, and write more of it."""

from typing import ClassVar

from elman.tasks.generate.base import GenerateTask
from elman.tasks.generate.chords import Chords
from elman.tasks.generate.images import Images
from elman.tasks.generate.options import GenerateOptions
from elman.tasks.generate.sound import Sounds
from elman.tasks.generate.text import Texts
from elman.tasks.generate.video import Film
from elman.tasks.options import Options
from elman.tasks.task import Task


class Generate(GenerateTask):
    """What is written decides which task it is."""

    kinds: ClassVar[dict[str, type[GenerateTask]]] = {
        "text": Texts,
        "chords": Chords,
        "images": Images,
        "sound": Sounds,
        "video": Film,
    }

    @classmethod
    def fitting(cls, options: Options) -> type[Task]:
        assert isinstance(options, GenerateOptions)
        return cls.kinds[options.kind]
