"""Briefs on disk, beside the object code: so that the next process need not trace, plan or write text either.

A brief answers for a cell of the same code, attributes and shapes, made by the same engine, PyTorch and LLVM for the
same processor. What a step does may still hang on something that no name tells; so its numbers are compared with the
cell's own in every process, and what fails is made anew.
"""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import torch

from elman.engine.backends.llvm.brief import Brief
from elman.engine.backends.llvm.cache import folder, read, write
from elman.engine.backends.llvm.target import host
from elman.engine.capture import Kind
from elman.engine.cell import Cell
from elman.engine.identity import identity


class Slot:
    """Where the brief of a cell lies on disk, if it can.

    Args:
        cell: It.
        dtype: Of input, state and context.
        contexts: Shape and dtype of each tensor of context.
    """

    def __init__(self, cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...]) -> None:
        home, name = folder(), identity(cell)
        self._place: Path | None = None
        if home is not None and name is not None:
            made_for = (name, dtype, contexts, torch.get_default_dtype(), host(), *_made_by())
            self._place = home / f"{sha256(repr(made_for).encode()).hexdigest()}.brief"

    def read(self) -> Brief | None:
        """What lies there, if it is whole."""
        import msgspec

        held = None if self._place is None else read(self._place)
        try:
            return None if held is None else msgspec.json.decode(held, type=Brief)
        except msgspec.MsgspecError:
            return None

    def write(self, brief: Brief) -> None:
        """Put it there."""
        import msgspec

        if self._place is not None and brief.plain:
            write(self._place, msgspec.json.encode(brief))


@cache
def _made_by() -> tuple[str, ...]:
    """Versions, and the engine's own source."""
    engine = Path(__file__).parents[2]
    source = sha256()
    for path in sorted(engine.rglob("*.py")):
        source.update(path.read_bytes())
    return torch.__version__, version("llvmlite"), source.hexdigest()
