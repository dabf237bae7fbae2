"""Options of a command from the fields of settings: one field, one sentence, one `--option`."""

from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from elman.tasks import Options


def option(
    name: str, kind: Any, text: str, panel: str, default: str | bool = False, metavar: str | None = None
) -> Parameter:
    """An option that is None where it is not given."""
    made = typer.Option(flag(name), help=text, show_default=default, rich_help_panel=panel, metavar=metavar)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, made])


def switch(name: str, text: str, panel: str) -> Parameter:
    """An option without a value."""
    made = typer.Option(flag(name), help=text, rich_help_panel=panel)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, made])


def flag(name: str) -> str:
    """A name as it is typed; what Python cannot call a variable ends in an underscore there."""
    return f"--{name.removesuffix('_').replace('_', '-')}"


def field(name: str, info: FieldInfo, panel: str) -> Parameter:
    """A setting as an option; words are checked by the settings, which know the nearest one."""
    kind = _plain(info.annotation)
    words = "|".join(_words(kind)) if get_origin(kind) is Literal else None
    default = "none" if info.default is None else str(info.default).lower() if kind is bool else str(info.default)
    if kind is bool:
        made = typer.Option(f"{flag(name)}/--no-{flag(name)[2:]}", help=info.description, show_default=default)
        made.rich_help_panel = panel
        return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[bool | None, made])
    return option(name, str if words else kind, info.description or "", panel, default, words and f"[{words}]")


def fields(options: type[Options], panel: str, names: Iterable[str] | None = None) -> Iterable[Parameter]:
    """Settings as options, all of them or some."""
    return [
        field(name, options.model_fields[name], panel) for name in (options.model_fields if names is None else names)
    ]


def with_options(command: Callable[..., None], parameters: Iterable[Parameter], text: str) -> Callable[..., None]:
    """The command with a signature for Typer to read; of parameters with one name the first counts."""
    named: dict[str, Parameter] = {}
    for parameter in parameters:
        named.setdefault(parameter.name, parameter)
    command.__signature__ = Signature(list(named.values()))  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {name: parameter.annotation for name, parameter in named.items()}
    command.__doc__ = text
    return command


def _words(kind: Any) -> list[str]:
    """The words of a literal, also of literals inside it."""
    return [word for each in get_args(kind) for word in (_words(each) if get_origin(each) is Literal else [each])]


def _plain(annotation: Any) -> Any:
    """The type under `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return _plain(next(one for one in get_args(annotation) if one is not NoneType))
    return annotation
