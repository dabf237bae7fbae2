"""A cell becomes a loop over time; knows no layer, task or file."""

from elman.engine.backends.llvm import kernel_facts
from elman.engine.cell import Cell, Context, Shape, State, TorchCell, as_cell, as_sizes, state_size
from elman.engine.dispatch import BACKENDS, Explanation, FallbackWarning, explain_scan, use_backend
from elman.engine.padding import within, without_padding
from elman.engine.probe import probe_states
from elman.engine.record import Recording, recording
from elman.engine.scan import autocast_dtype, scan
from elman.engine.stepping import Level, Steps

__all__ = [
    "BACKENDS",
    "Cell",
    "Context",
    "Explanation",
    "FallbackWarning",
    "Level",
    "Recording",
    "Shape",
    "State",
    "Steps",
    "TorchCell",
    "as_cell",
    "as_sizes",
    "autocast_dtype",
    "explain_scan",
    "kernel_facts",
    "probe_states",
    "recording",
    "scan",
    "state_size",
    "use_backend",
    "within",
    "without_padding",
]
