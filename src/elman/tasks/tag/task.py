"""The task `tag`: learn to say something about every word, place of a picture, step of a series or frame."""

from typing import ClassVar

from elman.tasks.options import Options
from elman.tasks.tag.base import TagTask
from elman.tasks.tag.boxes import Boxes
from elman.tasks.tag.options import TagOptions
from elman.tasks.tag.scenes import Scenery
from elman.tasks.tag.steps import Steps
from elman.tasks.tag.words import Words
from elman.tasks.task import Task


class Tag(TagTask):
    """What is tagged decides which task it is."""

    kinds: ClassVar[dict[str, type[TagTask]]] = {"words": Words, "scenes": Scenery, "steps": Steps, "boxes": Boxes}

    @classmethod
    def fitting(cls, options: Options) -> type[Task]:
        assert isinstance(options, TagOptions)
        return cls.kinds[options.kind]
