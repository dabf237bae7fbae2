"""What a captured step took for granted: everything about a cell that is not a tensor.

`self.alpha`, `training` and a dropout's probability were constants when the step was traced. A fingerprint holds them,
and is taken anew at each call: kernels answer only for the one that they were made for.
"""

from collections.abc import Hashable
from typing import Any

from torch import Tensor, nn

OWN = {
    "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_is_full_backward_hook",
    "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
    "_backward_hooks", "_backward_pre_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called",
    "_forward_pre_hooks_with_kwargs",
}  # fmt: skip
"""Attributes of any module that say nothing about its step."""
PLAIN = (bool, int, float, str, bytes, type(None))


class ByIdentity:
    """A value that is the same only if it is the same object; keeps it alive, so that its place is not taken."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and other.value is self.value


def fingerprint(module: nn.Module) -> Hashable:
    """A module's class, attributes, and the names, shapes and dtypes of its tensors; its submodules' too."""
    attributes = tuple(
        (name, _held(value)) for name, value in module.__dict__.items() if name not in OWN and not _is_empty(value)
    )
    tensors = tuple(
        (name, tensor.shape, tensor.dtype)
        for group in (module._parameters, module._buffers)
        for name, tensor in group.items()
        if tensor is not None
    )
    below = tuple((name, fingerprint(child)) for name, child in module._modules.items() if child is not None)
    return type(module), attributes, tensors, below


def _is_empty(value: Any) -> bool:
    return isinstance(value, dict) and not value


def _held(value: Any) -> Hashable:
    if isinstance(value, PLAIN):
        return value, type(value)
    if isinstance(value, tuple | list):
        return type(value), *(_held(each) for each in value)
    if isinstance(value, dict):
        return dict, *((_held(key), _held(each)) for key, each in value.items())
    if isinstance(value, Tensor):
        return ByIdentity(value), value._version
    return ByIdentity(value)
