"""A cell with other values in the place of its parameters, without touching the cell: so threads can share one."""

from collections.abc import Mapping
from copy import copy
from typing import TypeVar

from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


def with_parameters(module: Module, values: Mapping[str, Tensor]) -> Module:
    """A twin that shares everything with `module` but the named parameters.

    Args:
        module: Any module.
        values: By name, as in `named_parameters`: dots lead into submodules.

    Example:
        >>> import torch
        >>> layer = nn.Linear(1, 1, bias=False)
        >>> with_parameters(layer, {"weight": torch.tensor([[3.0]])})(torch.ones(1)).item()
        3.0
    """
    twin = copy(module)
    twin._parameters, twin._modules = dict(module._parameters), dict(module._modules)
    below: dict[str, dict[str, Tensor]] = {}
    for name, value in values.items():
        child, dot, rest = name.partition(".")
        if dot:
            below.setdefault(child, {})[rest] = value
        else:
            twin._parameters[name] = value  # pyright: ignore[reportArgumentType]
    for child, inner in below.items():
        twin._modules[child] = with_parameters(module.get_submodule(child), inner)
    return twin
