"""Cells by name: those of Elman, and anybody's own from a module or a file."""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import cast
from zlib import crc32

from torch import nn

from elman.engine import Cell
from elman.errors import CellError, OptionError, suggestion
from elman.layers.cells.elman import ElmanCell
from elman.layers.cells.gated import GatedCell
from elman.layers.cells.gru import GRUCell
from elman.layers.cells.jordan import JordanCell
from elman.layers.cells.layer_norm_lstm import LayerNormLSTMCell
from elman.layers.cells.lstm import LSTMCell
from elman.layers.cells.peephole_lstm import PeepholeLSTMCell
from elman.layers.cells.projected_lstm import ProjectedLSTMCell
from elman.layers.cells.update_gate import UpdateGateCell

Factory = Callable[[int, int], nn.Module]


def half_projected_lstm(input_size: int, hidden_size: int) -> ProjectedLSTMCell:
    """A projected LSTM whose output is half as wide as its memory."""
    return ProjectedLSTMCell(input_size, hidden_size, proj_size=max(1, hidden_size // 2))


CELLS: dict[str, Factory] = {
    "elman": ElmanCell,
    "elman-relu": partial(ElmanCell, activation="relu"),
    "elman-sigmoid": partial(ElmanCell, activation="sigmoid"),
    "jordan": JordanCell,
    "gated": GatedCell,
    "gated-states": partial(GatedCell, candidate="states"),
    "lstm": LSTMCell,
    "peephole-lstm": PeepholeLSTMCell,
    "peephole-lstm-full": partial(PeepholeLSTMCell, peepholes="full", output_sees="old"),
    "projected-lstm": half_projected_lstm,
    "gru": GRUCell,
    "gru-reset-before": partial(GRUCell, reset="before"),
    "update-gate": UpdateGateCell,
    "layer-norm-lstm": LayerNormLSTMCell,
}
"""Name -> factory called with (input_size, hidden_size)."""


def find_cell(name: str) -> Factory:
    """The factory of a cell.

    Args:
        name: A name in `CELLS`, or "package.module:ClassName", or "path/to/file.py:ClassName". Importing runs the
            module's code, so name only what you trust.

    Returns:
        What to call with (input_size, hidden_size).

    Raises:
        OptionError: No cell has that name, or it cannot be imported.

    Example:
        >>> find_cell("lstm")(3, 4)
        LSTMCell(3, 4)
        >>> find_cell("elman.layers:GRUCell")(3, 4).output_size
        4
    """
    if name in CELLS:
        return CELLS[name]
    source, colon, attribute = name.rpartition(":")
    if not colon:
        raise OptionError(
            f"no cell is called '{name}'; {suggestion(name, CELLS)} (or name your own as module:Class or file.py:Class)"
        )
    module = _imported(source)
    try:
        factory = getattr(module, attribute)
    except AttributeError:
        raise OptionError(f"cell '{name}': {source} has no '{attribute}'; {_classes(module, attribute)}") from None
    if not callable(factory):
        raise OptionError(f"cell '{name}' is no class or function; received {type(factory).__name__}")
    return _guarded(name, cast(Factory, factory))


def _guarded(name: str, factory: Factory) -> Factory:
    """Somebody's factory, which may fail in any way, but says so in one line."""

    def make(input_size: int, hidden_size: int) -> nn.Module:
        try:
            return factory(input_size, hidden_size)
        except Exception as error:
            raise CellError(
                f"cell '{name}' cannot be made from ({input_size}, {hidden_size}), its input and hidden size: "
                f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            ) from error

    return make


def _imported(source: str) -> ModuleType:
    try:
        return _from_file(Path(source)) if source.endswith(".py") else import_module(source)
    except Exception as error:  # a user's module may fail in any way
        reason = str(error).partition("\n")[0]
        raise OptionError(
            f"{source or 'a module without a name'} cannot be imported: {type(error).__name__}: {reason}"
        ) from error


def _from_file(path: Path) -> ModuleType:
    """The file as a module, under a name that pickle finds again and that no two files share."""
    path = path.resolve()
    name = f"elman_cell_{path.stem}_{crc32(str(path).encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _classes(module: ModuleType, attribute: str) -> str:
    cells = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, Cell)]
    return suggestion(attribute, [name for name in cells if name != "Cell"]) if cells else "it defines no cell"
