"""A function of tensors as a list of PyTorch's operations: plain data that may lie on disk and needs no tracer."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from operator import getitem
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node


@dataclass(frozen=True)
class Call:
    """One operation.

    Args:
        operation: Its name, as `aten.permute.default`; `getitem` takes one of several results.
        arguments: Numbers, words and lists of them; an earlier value is {"value": its place}.
        settings: The same, by name.
    """

    operation: str
    arguments: tuple[Any, ...]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Calls:
    """Operations in order; a value's place counts the inputs first, then the operations.

    Args:
        inputs: How many tensors it takes.
        calls: What it does.
        results: Which values it gives.
    """

    inputs: int
    calls: tuple[Call, ...]
    results: tuple[int, ...]

    def __call__(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Run."""
        values: list[Any] = list(tensors)
        for call in self.calls:
            arguments = [_read(each, values) for each in call.arguments]
            settings = {name: _read(each, values) for name, each in call.settings.items()}
            values.append(_operation(call.operation)(*arguments, **settings))
        return tuple(values[place] for place in self.results)

    @staticmethod
    def of(module: GraphModule) -> "Calls | None":
        """A traced function; None where it holds more than plain data can say, such as a constant tensor."""
        nodes = list(module.graph.nodes)
        places = {node: place for place, node in enumerate(nodes)}
        inputs = sum(node.op == "placeholder" for node in nodes)
        *body, output = nodes[inputs:]
        try:
            calls = tuple(_call(node, places) for node in body)
            return Calls(inputs, calls, tuple(places[node] for node in output.args[0]))
        except (_NotPlain, KeyError):
            return None


class _NotPlain(Exception):
    """Something that plain data cannot say."""


def _call(node: Node, places: dict[Node, int]) -> Call:
    if node.op != "call_function":
        raise _NotPlain
    name = "getitem" if node.target is getitem else str(node.target)
    if name != "getitem" and not name.startswith("aten."):
        raise _NotPlain
    settings = {key: _written(value, places) for key, value in node.kwargs.items()}
    return Call(name, tuple(_written(each, places) for each in node.args), settings)


def _operation(name: str) -> Any:
    if name == "getitem":
        return getitem
    _, operation, overload = name.split(".")
    return getattr(getattr(torch.ops.aten, operation), overload)


NAMED = (torch.dtype, torch.layout, torch.memory_format)


def _written(value: Any, places: dict[Node, int]) -> Any:
    if isinstance(value, Node):
        return {"value": places[value]}
    if isinstance(value, NAMED):
        return {"torch": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {"device": str(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_written(each, places) for each in value]
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and isfinite(value)):
        return value
    raise _NotPlain


def _read(value: Any, values: list[Any]) -> Any:
    if isinstance(value, list):
        return [_read(each, values) for each in value]
    if not isinstance(value, dict):
        return value
    ((kind, word),) = value.items()
    if kind == "value":
        return values[word]
    return torch.device(word) if kind == "device" else getattr(torch, word)
