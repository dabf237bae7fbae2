"""One model, what it may be asked, and those who wait for it: what all routes share."""

from pathlib import Path
from typing import Any, get_args

from elman.errors import DataError, OptionError, suggestion
from elman.interfaces.server.batcher import Batcher
from elman.interfaces.server.limits import Limits
from elman.tasks import Model

Settings = dict[str, Any]

BEAMS = ("beam", "beam_size", "n_best")


class Service:
    """A model that others ask.

    Args:
        model: A trained one.
        name: What it is called in answers.
        limits: What is allowed.
    """

    def __init__(self, model: Model, name: str, limits: Limits) -> None:
        self.model, self.name, self.limits = model, name, limits
        self.task = model.task
        self.settings = _settings(model)
        """Names of those that may come over a wire."""
        self.batcher = Batcher(self._said, limits.together, limits.queue)

    def description(self) -> dict[str, Any]:
        """What somebody must know to ask the model, and to show what it says."""
        task, options = self.task, self.task.options
        return {
            "name": self.name,
            "task": task.name,
            "kind": getattr(options, "kind", None) or getattr(options, "answer", None),
            "facts": self.model.config["facts"],
            "needs_input": task.needs_input,
            "answers_with": task.answers_with,
            "looked_into": task.looked_into,
            "settings": task.settings_schema(),
            "live": None,
            **task.description(),
        }

    def received(self, inputs: list[Any], settings: Settings) -> list[Any]:
        """Inputs as the model takes them, once it is clear that no more is asked for than is allowed.

        Raises:
            DataError: There are too many, or one is too long or of another kind.
            OptionError: A setting is unknown, leads to a file, or asks for too much.
        """
        limits = self.limits
        if len(inputs) > limits.inputs:
            raise DataError(f"a request may have {limits.inputs:,} inputs; received {len(inputs):,}")
        for given in inputs:
            if isinstance(given, str) and len(given) > limits.text_length:
                raise DataError(f"an input may have {limits.text_length:,} characters; received {len(given):,}")
        self.check(settings, len(inputs))
        return [self.task.received(given) for given in inputs]

    def check(self, settings: Settings, count: int = 1) -> None:
        """See that settings lead to no file, and do not ask for too much of so many answers.

        Raises:
            OptionError: They do.
        """
        limits = self.limits
        if foreign := [name for name in settings if name not in self.settings]:
            raise OptionError(f"there is no setting {foreign[0]!r} here; {suggestion(foreign[0], self.settings)}")
        for name in BEAMS:
            if isinstance(settings.get(name), int) and settings[name] > limits.beam:
                raise OptionError(f"{name} may be {limits.beam} at most; received {settings[name]:,}")
        amount = self.task.amount(settings) * count
        if amount > limits.written:
            raise OptionError(f"{limits.written:,} steps may be written for a request; received a wish for {amount:,}")

    def _said(self, inputs: list[Any], **settings: Any) -> list[Any]:
        """Answers that are ready for JSON."""
        if self.task.answers_in_rows:
            answers = [self.model.predict([given], **settings) for given in inputs]
        else:
            answers = self.model.predict(inputs, **settings)
        return [self.task.as_json(answer) for answer in answers]


def _settings(model: Model) -> set[str]:
    fields = model.task.predicting_class.model_fields
    return {name for name, field in fields.items() if Path not in (field.annotation, *get_args(field.annotation))} | {
        "seed"
    }
