"""Networks over time: cells, wrappers around a cell, layers, PyTorch's layers as drop-ins."""

from elman.layers.accelerate import Acceleration, accelerate
from elman.layers.attention import (
    Attention,
    AttentionPooling,
    ContextOutput,
    HierarchicalAttention,
    MultiHeadAttention,
)
from elman.layers.cells import (
    CELLS,
    ElmanCell,
    Factory,
    GatedCell,
    GRUCell,
    JordanCell,
    LayerNormLSTMCell,
    LSTMCell,
    PeepholeLSTMCell,
    ProjectedLSTMCell,
    UpdateGateCell,
    convert_update,
    find_cell,
)
from elman.layers.drop_in import GRU, LSTM, RNN
from elman.layers.dropout import Embedding, sequence_dropout
from elman.layers.explain import explain
from elman.layers.recurrent import LayerState, Recurrent, detach_state
from elman.layers.step import Step, compile_step
from elman.layers.wrappers import OutputDropout, RecurrentDropout, Residual, WeightDrop, Wrapper, Zoneout

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "RNN",
    "Acceleration",
    "Attention",
    "AttentionPooling",
    "ContextOutput",
    "ElmanCell",
    "Embedding",
    "Factory",
    "GRUCell",
    "GatedCell",
    "HierarchicalAttention",
    "JordanCell",
    "LSTMCell",
    "LayerNormLSTMCell",
    "LayerState",
    "MultiHeadAttention",
    "OutputDropout",
    "PeepholeLSTMCell",
    "ProjectedLSTMCell",
    "Recurrent",
    "RecurrentDropout",
    "Residual",
    "Step",
    "UpdateGateCell",
    "WeightDrop",
    "Wrapper",
    "Zoneout",
    "accelerate",
    "compile_step",
    "convert_update",
    "detach_state",
    "explain",
    "find_cell",
    "sequence_dropout",
]
