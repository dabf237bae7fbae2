"""Settings: one field, one sentence under it; the sentence is also the `--help`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from elman.errors import OptionError, suggestion

Count = Annotated[int, Field(ge=1)]
WholeOrNone = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Options(BaseModel):
    """Some settings, checked when they are made."""

    reading: ClassVar[tuple[str, ...]] = ()
    """Options that say where examples stand: a run that starts from another one has its own."""
    columns: ClassVar[tuple[str, ...]] = ()
    """Those of them that say where in a file: the file that a model is judged on may have them elsewhere."""
    fixed: ClassVar[tuple[str, ...]] = ()
    """Options that such a run cannot change: what the model is made of."""
    learned: ClassVar[tuple[str, ...]] = ()
    """And those that say what it gets to see and may say: they go with the vocabulary, to a pupil too."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Check the values and fill in the defaults.

        Raises:
            OptionError: The first value that does not fit, in one line.
        """
        unknown = [name for name in values if name not in cls.model_fields]
        if unknown:
            raise OptionError(f"there is no option '{unknown[0]}'; {suggestion(unknown[0], cls.model_fields)}")
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise OptionError(cls._first_line(error)) from None

    @classmethod
    def _first_line(cls, error: ValidationError) -> str:
        first = error.errors()[0]
        if not first["loc"]:  # a check of several options, in its own words
            return first["msg"].removeprefix("Value error, ")
        return _line(str(first["loc"][0]), first, cls.model_fields[str(first["loc"][0])].default)


def _line(name: str, first: Any, default: Any) -> str:
    received = first["input"]
    if first["type"] == "literal_error":
        known = [word.strip(" '") for word in first.get("ctx", {})["expected"].replace(" or ", ",").split(",")]
        return f"{name} cannot be {received!r}; {suggestion(str(received), known)}"
    expected = first["msg"].removeprefix("Input should be ").replace("valid integer", "whole number")
    expected = f"a number {expected}" if expected.startswith(("greater", "less")) else expected
    return f"{name} expects {expected}; received {received!r}; the default is {default!r}"


def check_kind(options: Options, kind: str, acting: Mapping[str, tuple[str, ...]]) -> None:
    """See that only options are given that act on a kind.

    Args:
        options: The options.
        kind: What is learned.
        acting: By kinds, with spaces between them, the names of options that act on no other.

    Raises:
        ValueError: Another one is given.
    """
    for kinds, names in acting.items():
        given = [name for name in names if getattr(options, name) != type(options).model_fields[name].default]
        if given and kind not in kinds.split():
            expected = kinds.replace(" ", " and ")
            raise ValueError(f"{given[0]} acts on kind = {expected}; received kind = {kind}; leave it away")


def schema_of(kind: type[Options]) -> dict[str, Any]:
    """Settings that lead to no file, each as a JSON schema with what may be chosen, its default and its sentence.

    Example:
        >>> class Sorting(Options):
        ...     down: bool = False
        >>> schema_of(Sorting)
        {'down': {'default': False, 'type': 'boolean'}}
    """
    found = kind.model_json_schema()["properties"]
    paths = [
        name for name, field in kind.model_fields.items() if Path in (field.annotation, *get_args(field.annotation))
    ]
    return {
        name: {word: value for word, value in schema.items() if word != "title"}
        for name, schema in found.items()
        if name not in paths
    }


def size_of(text: str | None) -> tuple[int, int] | None:
    """Rows and columns of an image.

    Raises:
        ValueError: The text names none.

    Example:
        >>> size_of("28x20")
        (28, 20)
    """
    if text is None:
        return None
    rows, _, columns = text.partition("x")
    if not (rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns)):
        raise ValueError(f"image_size expects rows x columns, such as 28x28; received {text!r}")
    return int(rows), int(columns)
