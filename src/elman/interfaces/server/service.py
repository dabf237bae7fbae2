"""One model, what it may be asked, and those who wait for it: what all routes share."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from elman.data import Allowance, Upload
from elman.errors import DataError, ElmanError, OptionError, suggestion
from elman.interfaces.server.batcher import Batcher
from elman.interfaces.server.floor import Floor
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
        self.batcher = Batcher(self._said, limits.together, limits.queue, limits.workers)
        live = self.task.live(model.network)
        self.floor = None if live is None else Floor(live, limits)
        """Where sessions are, of models that have such."""
        self.stopping = False

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
            "live": None if self.floor is None else self.floor.live.takes,
            **task.description(),
        }

    def received(self, inputs: list[Any], settings: Settings) -> list[Any]:
        """Inputs as the model takes them, once it is clear that no more is asked for than is allowed.

        Raises:
            DataError: There are too many, or one is too long or of another kind.
            OptionError: A setting is unknown, leads to a file, or asks for too much.
        """
        self._measure(inputs)
        self.check(settings, inputs)
        return [self.task.received(given) for given in inputs]

    def uploaded(self, files: Sequence[tuple[str, bytes]], settings: Settings) -> list[Any]:
        """Inputs from the names and contents of files, as `received`.

        Raises:
            DataError: A file is of another kind or damaged, or there is too much in them.
            OptionError: As in `received`.
        """
        self.check(settings, files)
        allowance = Allowance(self.limits.unpacked_bytes)
        uploads = [Upload.of(name, content, allowance) for name, content in files]
        inputs = [given for upload in uploads for given in self.task.uploaded(upload)]
        self._measure(inputs)
        self.check(settings, inputs)
        return inputs

    def _measure(self, inputs: Sequence[Any]) -> None:
        limits = self.limits
        if len(inputs) > limits.inputs:
            raise DataError(f"a request may have {limits.inputs:,} inputs; received {len(inputs):,}")
        for given in inputs:
            if isinstance(given, str):
                self.check_text(given)

    def check_text(self, text: str) -> None:
        """See that a text is not too long.

        Raises:
            DataError: It is.
        """
        if len(text) > self.limits.text_length:
            raise DataError(f"an input may have {self.limits.text_length:,} characters; received {len(text):,}")

    def check(self, settings: Settings, inputs: Sequence[Any] = ("",)) -> None:
        """See that settings lead to no file, and do not ask for too much of some inputs.

        Raises:
            OptionError: They do.
        """
        limits = self.limits
        if foreign := [name for name in settings if name not in self.settings]:
            raise OptionError(f"there is no setting {foreign[0]!r} here; {suggestion(foreign[0], self.settings)}")
        for name in BEAMS:
            if isinstance(settings.get(name), int) and settings[name] > limits.beam:
                raise OptionError(f"{name} may be {limits.beam} at most; received {settings[name]:,}")
        amount = sum(self.task.amount(settings, given) for given in inputs)
        if amount > limits.written:
            raise OptionError(f"{limits.written:,} steps may be written for a request; received a wish for {amount:,}")

    async def warm(self) -> None:
        """Go through everything once, so that nobody waits for what is made at the first call."""
        sample = self.task.sample()
        if sample is not None:
            with suppress(ElmanError):
                await self.batcher.answer([sample], {})
        if self.floor is not None:
            await self.floor.run(self.floor.live.warm)

    async def stop(self) -> None:
        """Take nothing more, answer what waits, end sessions with what they remember."""
        self.stopping = True
        await asyncio.gather(
            self.batcher.finish(self.limits.seconds), *([self.floor.stop(self.limits.seconds)] if self.floor else [])
        )

    def close(self) -> None:
        """Give back what was taken."""
        self.batcher.close()
        if self.floor is not None:
            self.floor.shut()

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
