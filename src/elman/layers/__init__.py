"""Networks over time: cells, wrappers around a cell, layers, PyTorch's layers as drop-ins."""

from elman.layers.accelerate import Acceleration, accelerate
from elman.layers.attention import (
    Attention,
    AttentionPooling,
    ContextOutput,
    HierarchicalAttention,
    MultiHeadAttention,
)
from elman.layers.attention_cell import AttentionCell
from elman.layers.cells import (
    CELLS,
    ConvLSTMCell,
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
    chrono_,
    convert_update,
    find_cell,
)
from elman.layers.crf import CRF, FORBIDDEN, ChainCell, Paths
from elman.layers.drop_in import GRU, LSTM, RNN
from elman.layers.dropout import Embedding, drop_features, sequence_dropout
from elman.layers.encoder_decoder import Attend, Encoded, EncoderDecoder, Look, Regularisation, Writing
from elman.layers.explain import explain
from elman.layers.gradient_flow import gradient_flow
from elman.layers.linear_cross_entropy import linear_cross_entropy, softmax_in_place
from elman.layers.places import with_places
from elman.layers.pooling import Pooling, PoolingName
from elman.layers.recurrent import LayerState, Recurrent, detach_state, join_states, state_of_row
from elman.layers.renet import ReNet
from elman.layers.spec_augment import spec_augment
from elman.layers.stacked import Stacked
from elman.layers.state_table import StateTable
from elman.layers.steady import steady_linear
from elman.layers.step import Step, compile_step
from elman.layers.wrappers import OutputDropout, RecurrentDropout, Residual, WeightDrop, Wrapper, Zoneout

__all__ = [
    "CELLS",
    "CRF",
    "FORBIDDEN",
    "GRU",
    "LSTM",
    "RNN",
    "Acceleration",
    "Attend",
    "Attention",
    "AttentionCell",
    "AttentionPooling",
    "ChainCell",
    "ContextOutput",
    "ConvLSTMCell",
    "ElmanCell",
    "Embedding",
    "Encoded",
    "EncoderDecoder",
    "Factory",
    "GRUCell",
    "GatedCell",
    "HierarchicalAttention",
    "JordanCell",
    "LSTMCell",
    "LayerNormLSTMCell",
    "LayerState",
    "Look",
    "MultiHeadAttention",
    "OutputDropout",
    "Paths",
    "PeepholeLSTMCell",
    "Pooling",
    "PoolingName",
    "ProjectedLSTMCell",
    "ReNet",
    "Recurrent",
    "RecurrentDropout",
    "Regularisation",
    "Residual",
    "Stacked",
    "StateTable",
    "Step",
    "UpdateGateCell",
    "WeightDrop",
    "Wrapper",
    "Writing",
    "Zoneout",
    "accelerate",
    "chrono_",
    "compile_step",
    "convert_update",
    "detach_state",
    "drop_features",
    "explain",
    "find_cell",
    "gradient_flow",
    "join_states",
    "linear_cross_entropy",
    "sequence_dropout",
    "softmax_in_place",
    "spec_augment",
    "state_of_row",
    "steady_linear",
    "with_places",
]
