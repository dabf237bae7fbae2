"""What a cell is, in words that hold in every process: the code of its classes, its attributes, its tensors' shapes.

`fingerprint` tells cells apart within a process, by identity where need be; this one is for what lies on disk. Where a
cell holds something that no words describe, it has no name, and what was made for it is not kept.
"""

import sys
import types
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import chain
from typing import Any

import torch
from torch import nn

from elman.engine.fingerprint import OWN, PLAIN

FOREIGN = {"torch", "numpy", "elman.engine", *sys.stdlib_module_names}
"""Modules whose code belongs to a version that is known otherwise."""


class _Nameless(Exception):
    """Something that has no name in another process."""


def identity(module: nn.Module) -> str | None:
    """A name for all modules that take the same step; None where there is none."""
    seen: set[int] = set()
    try:
        words = "\n".join(_of_module(module, seen))
    except _Nameless:
        return None
    return sha256(words.encode()).hexdigest()


def _of_module(module: nn.Module, seen: set[int]) -> Iterator[str]:
    for kind in type(module).__mro__:
        yield from _of_class(kind, seen)
    for name, value in sorted(module.__dict__.items()):
        if name not in OWN and value != {}:
            yield f"{name} = {_of_value(value, seen)}"
    for group in (module._parameters, module._buffers):
        for name, tensor in group.items():
            if tensor is not None:
                yield f"{name}: {tuple(tensor.shape)} {tensor.dtype}"
    for name, child in module._modules.items():
        if child is not None:
            yield f"{name}:"
            yield from _of_module(child, seen)


def _of_class(kind: type, seen: set[int]) -> Iterator[str]:
    yield f"{kind.__module__}.{kind.__qualname__}"
    if id(kind) in seen or _foreign(kind.__module__):
        return
    seen.add(id(kind))
    for name, value in sorted(vars(kind).items()):
        if name in ("__doc__", "__module__", "__dict__", "__weakref__", "__annotations__"):
            continue
        yield f"{name} = {_of_value(value, seen)}"


def _of_value(value: Any, seen: set[int]) -> str:
    """A value in words, by the first rule that knows its kind."""
    for kinds, rule in RULES:
        if isinstance(value, kinds):
            return rule(value, seen)
    if type(value).__module__ == "typing":
        return repr(value)
    if _foreign(getattr(value, "__module__", None)):
        return _named(value)
    raise _Nameless


def _named(value: Any) -> str:
    name, owner = getattr(value, "__qualname__", None), getattr(value, "__self__", None)
    if name is None or not isinstance(owner, types.ModuleType | type | None):  # a method of some object
        raise _Nameless
    return f"{value.__module__}.{name}"


def _of_list(values: Iterable[Any], seen: set[int]) -> str:
    return f"[{', '.join(_of_value(each, seen) for each in values)}]"


SPOKEN = (*PLAIN, torch.dtype, torch.device, torch.layout, torch.Size, types.GenericAlias, types.UnionType)
"""Values that `repr` tells apart."""
RULES: list[tuple[Any, Callable[[Any, set[int]], str]]] = [
    (SPOKEN, lambda value, seen: repr(value)),
    (tuple | list, lambda value, seen: type(value).__name__ + _of_list(value, seen)),
    (dict, lambda value, seen: _of_list(chain.from_iterable(value.items()), seen)),
    (staticmethod | classmethod, lambda value, seen: _of_value(value.__func__, seen)),
    (property, lambda value, seen: _of_list((value.fget, value.fset, value.fdel), seen)),
    (types.FunctionType, lambda value, seen: " ".join(_of_function(value, seen))),
    (type, lambda value, seen: " ".join(_of_class(value, seen))),
    (types.ModuleType, lambda value, seen: value.__name__),
    (types.BuiltinFunctionType, lambda value, seen: _named(value)),
]


def _of_function(function: types.FunctionType, seen: set[int]) -> Iterator[str]:
    yield f"{function.__module__}.{function.__qualname__}"
    if id(function) in seen or _foreign(function.__module__):
        return
    seen.add(id(function))
    yield from _of_code(function.__code__)
    yield _of_value(function.__defaults__, seen)
    yield _of_value(function.__kwdefaults__, seen)
    for cell in function.__closure__ or ():
        if cell.cell_contents is not function:
            yield _of_value(cell.cell_contents, seen)
    for name in sorted(_names(function.__code__) & function.__globals__.keys()):
        yield f"{name}: {_of_value(function.__globals__[name], seen)}"


def _of_code(code: types.CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _of_code(constant)
        else:
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def _names(code: types.CodeType) -> set[str]:
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return set(code.co_names).union(*(_names(each) for each in inner))


def _foreign(module: str | None) -> bool:
    parts = (module or "").split(".")
    return parts[0] in FOREIGN or ".".join(parts[:2]) in FOREIGN
