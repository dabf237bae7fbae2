"""The recurrent cells, one step each: those of the five articles, and those that practice added."""

from elman.layers.cells.catalogue import CELLS, Factory, find_cell
from elman.layers.cells.chrono import chrono_
from elman.layers.cells.conv_lstm import ConvLSTMCell
from elman.layers.cells.elman import ElmanCell
from elman.layers.cells.gated import GatedCell
from elman.layers.cells.gru import GRUCell
from elman.layers.cells.jordan import JordanCell
from elman.layers.cells.layer_norm_lstm import LayerNormLSTMCell
from elman.layers.cells.lstm import LSTMCell
from elman.layers.cells.peephole_lstm import PeepholeLSTMCell
from elman.layers.cells.projected_lstm import ProjectedLSTMCell
from elman.layers.cells.update import convert_update
from elman.layers.cells.update_gate import UpdateGateCell

__all__ = [
    "CELLS",
    "ConvLSTMCell",
    "ElmanCell",
    "Factory",
    "GRUCell",
    "GatedCell",
    "JordanCell",
    "LSTMCell",
    "LayerNormLSTMCell",
    "PeepholeLSTMCell",
    "ProjectedLSTMCell",
    "UpdateGateCell",
    "chrono_",
    "convert_update",
    "find_cell",
]
