"""What tagging words, places of pictures, steps of series and frames have in common."""

from typing import Any, ClassVar

from elman.tasks.options import Options
from elman.tasks.tag.options import Tagging, TagOptions
from elman.tasks.task import Task


class TagTask(Task):
    """A tag for every step."""

    name: ClassVar[str] = "tag"
    summary: ClassVar[str] = (
        "Learn what every word, place of a picture or step of a series is, or where something is in a video."
    )
    options_class: ClassVar[type[Options]] = TagOptions
    predicting_class: ClassVar[type[Options]] = Tagging
    answers_with: ClassVar[str] = "answer"
    saved: ClassVar[str] = "tags.json"
    encoders: ClassVar[dict[str, dict[str, Any]]] = {
        "generate": {"kind": "words", "bidirectional": False, "letter_size": 0, "pair_size": 0, "patch": 2}
    }

    options: TagOptions
