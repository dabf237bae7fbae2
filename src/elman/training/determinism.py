"""The same bits each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch


@contextmanager
def deterministic() -> Iterator[None]:
    """Only algorithms that give the same bits each time; without filling fresh memory, which takes time."""
    memory: Any = import_module("torch.utils.deterministic")
    before, fill = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        memory.fill_uninitialized_memory = fill
        torch.use_deterministic_algorithms(before)
