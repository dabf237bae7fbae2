"""What tagging words and tagging places of pictures have in common."""

from typing import Any, ClassVar

from elman.tasks.options import Options
from elman.tasks.tag.options import Tagging, TagOptions
from elman.tasks.task import Task


class TagTask(Task):
    """A tag for every step."""

    name: ClassVar[str] = "tag"
    summary: ClassVar[str] = "Learn to find names and other stretches in texts, or what each place of a picture shows."
    options_class: ClassVar[type[Options]] = TagOptions
    predicting_class: ClassVar[type[Options]] = Tagging
    answers_with: ClassVar[str] = "answer"
    saved: ClassVar[str] = "tags.json"
    encoders: ClassVar[dict[str, dict[str, Any]]] = {"generate": {"bidirectional": False, "letter_size": 0}}

    options: TagOptions
