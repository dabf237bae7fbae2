"""Settings: one field, one sentence under it; the sentence is also the `--help`."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from elman.errors import OptionError, suggestion


class Options(BaseModel):
    """Some settings, checked when they are made."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

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
            raise OptionError(_first_line(error)) from None


def _first_line(error: ValidationError) -> str:
    first = error.errors()[0]
    name, received = ".".join(str(part) for part in first["loc"][:1]), first["input"]
    if first["type"] == "literal_error":
        known = [word.strip(" '") for word in first["ctx"]["expected"].replace(" or ", ",").split(",")]
        return f"{name} cannot be {received!r}; {suggestion(str(received), known)}"
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{name} expects {expected}; received {received!r}"
