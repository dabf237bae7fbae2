"""What all batches share: they can be taken to another device."""

from dataclasses import fields, replace
from typing import Any, Self

from torch import Tensor


class TensorBatch:
    """A dataclass of tensors and of facts about them."""

    def to(self, device: Any, **keywords: Any) -> Self:
        """The same batch on another device."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}  # pyright: ignore[reportArgumentType]
        moved = {n: value.to(device, **keywords) for n, value in tensors.items() if isinstance(value, Tensor)}
        return replace(self, **moved)  # pyright: ignore[reportArgumentType, reportCallIssue]
