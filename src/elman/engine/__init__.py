"""A cell becomes a loop over time; knows no layer, task or file."""

from elman.engine.cell import Cell, Context, Shape, State, TorchCell, as_cell, as_sizes, state_size
from elman.engine.padding import without_padding
from elman.engine.probe import probe_states
from elman.engine.record import Recording, recording
from elman.engine.dispatch import BACKENDS, Explanation, FallbackWarning, explain_scan, use_backend
from elman.engine.scan import scan

__all__ = [
    "BACKENDS",
    "Cell",
    "Context",
    "Explanation",
    "FallbackWarning",
    "Recording",
    "Shape",
    "State",
    "TorchCell",
    "as_cell",
    "as_sizes",
    "explain_scan",
    "probe_states",
    "recording",
    "scan",
    "state_size",
    "use_backend",
    "without_padding",
]
