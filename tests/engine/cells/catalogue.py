"""Every cell by name, small and in odd sizes.

A cell that wants special examples has `example_context(batch, dtype)`, `example_state(batch, dtype)` or
`example_input(time, batch, dtype)`.

Key: T time, B batch, I input size, H hidden size.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from elman.engine import Cell, Context, State, as_sizes

from . import refused
from .activation_mix import BENT, SMOOTH, ActivationMix
from .added_input import AddedInput
from .antisymmetric import Antisymmetric
from .attention import AdditiveAttention
from .awkward_names import AwkwardNames
from .block_diagonal_bmm import BlockDiagonalBmm
from .block_diagonal_einsum import BlockDiagonalEinsum
from .cfc import CfC
from .clipped import Clipped
from .clockwork import Clockwork
from .convolution import ConvLSTM
from .cornn import CoRNN
from .coupled_gate_lstm import CoupledGateLSTM
from .delta_rule import DeltaRule
from .dropout_inside import DropoutInside
from .echo_state import EchoState
from .fast_weights import FastWeights
from .fastgrnn import FastGRNN
from .film import FiLM
from .gelu import GELU
from .group_norm_heads import GroupNormHeads
from .gumbel_gates import GumbelGates
from .hyper import Hyper
from .in_place import InPlace
from .indrnn import IndRNN
from .interleaved_gates import InterleavedGates
from .layer_norm_gru import LayerNormGRU
from .leaky_integrator import LeakyIntegrator
from .learned_start import LearnedStart
from .legendre_memory import LegendreMemory
from .ligru import LiGRU
from .logsumexp_mixing import LogSumExpMixing
from .masked_attention import MaskedAttention
from .matrix_memory import MLSTM
from .min_gru import MinGRU
from .min_lstm import MinLSTM
from .minimal_gated_unit import MinimalGatedUnit
from .missing_values import MissingValues
from .mixed_states import MixedStates
from .mlp_step import MLPStep
from .mogrifier_lstm import MogrifierLSTM
from .multiplicative_lstm import MultiplicativeLSTM
from .nested_cells import NestedCells
from .no_grad_inside import NoGradInside
from .no_parameters import RunningMoments
from .noise_inside import NoiseInside
from .norm_preserving import NormPreserving
from .ode_step import ODEStep
from .on_lstm import ONLSTM
from .one_hot_lookup import OneHotLookup
from .permuted import Permuted
from .phased_lstm import PhasedLSTM
from .prepared import Prepared
from .qrnn import QRNN
from .recurrent_highway import RecurrentHighway
from .relational_memory import RelationalMemory
from .ring_memory import RingMemory
from .rms_norm_gru import RMSNormGRU
from .rotation import Rotation
from .sampled_gate import SampledGate
from .second_order import SecondOrder
from .sinusoidal import Sinusoidal
from .slstm import SLSTM
from .slstm_heads import HeadedSLSTM
from .sru import SRU
from .straight_through import StraightThrough
from .swiglu import SwiGLU
from .three_states import ThreeStates
from .training_switch import TrainingSwitch
from .turing_memory import TuringMemory
from .variational_dropout import VariationalDropout
from .weight_normalised import WeightNormalised
from .wide_output import WideOutput
from .zoneout_by_hand import ZoneoutByHand

FUSED: dict[str, Callable[[], Cell]] = {
    "coupled_gate_lstm": lambda: CoupledGateLSTM(3, 5),
    "ligru": lambda: LiGRU(3, 7),
    "ligru_norm": lambda: LiGRU(5, 7, norm=True),
    "minimal_gated_unit": lambda: MinimalGatedUnit(4, 5),
    "indrnn": lambda: IndRNN(3, 7),
    "sru": lambda: SRU(5, 5),
    "qrnn": lambda: QRNN(3, 5),
    "min_gru": lambda: MinGRU(3, 7),
    "min_lstm": lambda: MinLSTM(5, 7),
    "slstm": lambda: SLSTM(3, 5),
    "slstm_heads": lambda: HeadedSLSTM(5, 6, heads=2),
    "mogrifier_lstm": lambda: MogrifierLSTM(3, 5),
    "multiplicative_lstm": lambda: MultiplicativeLSTM(3, 7),
    "cfc": lambda: CfC(4, 5),
    "cornn": lambda: CoRNN(3, 5),
    "fastgrnn": lambda: FastGRNN(3, 7),
    "fastgrnn_low_rank": lambda: FastGRNN(5, 7, rank=2),
    "recurrent_highway": lambda: RecurrentHighway(3, 5),
    "antisymmetric": lambda: Antisymmetric(3, 7),
    "dropout_inside": lambda: DropoutInside(3, 5),
    "dropout_inside_evaluated": lambda: DropoutInside(3, 5).eval(),
    "zoneout_by_hand": lambda: ZoneoutByHand(3, 5),
    "zoneout_by_hand_evaluated": lambda: ZoneoutByHand(3, 5).eval(),
    "weight_normalised": lambda: WeightNormalised(3, 5),
    "three_states": lambda: ThreeStates(3, 5),
    "mixed_states": lambda: MixedStates(3, 7),
    "block_diagonal_einsum": lambda: BlockDiagonalEinsum(3, 6, heads=2),
    "block_diagonal_bmm": lambda: BlockDiagonalBmm(5, 6, heads=3),
}
"""Cells that were in view when the engine was designed."""

UNFORESEEN: dict[str, Callable[[], Cell]] = {
    "on_lstm": lambda: ONLSTM(3, 6, levels=3),
    "additive_attention": lambda: AdditiveAttention(3, 5, memory_size=4),
    "masked_attention": lambda: MaskedAttention(3, 6, memory_size=5, heads=2),
    "film": lambda: FiLM(3, 5),
    "matrix_memory": lambda: MLSTM(3, 5),
    "fast_weights": lambda: FastWeights(3, 5),
    "delta_rule": lambda: DeltaRule(3, 5, key_size=4),
    "rms_norm_gru": lambda: RMSNormGRU(3, 5),
    "layer_norm_gru": lambda: LayerNormGRU(3, 5),
    "swiglu": lambda: SwiGLU(3, 5),
    "gelu": lambda: GELU(3, 5),
    "sinusoidal": lambda: Sinusoidal(3, 5),
    "activation_mix_smooth": lambda: ActivationMix(3, 5, SMOOTH),
    "activation_mix_bent": lambda: ActivationMix(3, 5, BENT),
    "clipped": lambda: Clipped(3, 7),
    "group_norm_heads": lambda: GroupNormHeads(3, 6, heads=2),
    "leaky_integrator": lambda: LeakyIntegrator(3, 5),
    "phased_lstm": lambda: PhasedLSTM(3, 5),
    "clockwork": lambda: Clockwork(3, (1, 2, 4), width=2),
    "legendre_memory": lambda: LegendreMemory(3, 5, order=4),
    "rotation": lambda: Rotation(3, 6),
    "one_hot_lookup": lambda: OneHotLookup(4, 5),
    "norm_preserving": lambda: NormPreserving(3, 5),
    "logsumexp_mixing": lambda: LogSumExpMixing(3, 5),
    "wide_output": lambda: WideOutput(3, 5),
    "mlp_step": lambda: MLPStep(3, 7),
    "added_input": lambda: AddedInput(5),
    "learned_start": lambda: LearnedStart(3, 5),
    "interleaved_gates": lambda: InterleavedGates(3, 7),
    "convolution": lambda: ConvLSTM(5, 2),
    "training_switch": lambda: TrainingSwitch(3, 5),
    "training_switch_evaluated": lambda: TrainingSwitch(3, 5).eval(),
    "ring_memory": lambda: RingMemory(3, 5, slots=3),
    "second_order": lambda: SecondOrder(3, 5),
    "nested_cells": lambda: NestedCells(3, 5),
    "ode_step": lambda: ODEStep(4, 5),
    "in_place": lambda: InPlace(3, 5),
    "permuted": lambda: Permuted(3, 7),
    "echo_state": lambda: EchoState(3, 7, 4),
    "no_parameters": lambda: RunningMoments(3),
    "relational_memory": lambda: RelationalMemory(3, slots=3, width=4, heads=2),
    "turing_memory": lambda: TuringMemory(3, slots=5, width=4),
    "noise_inside": lambda: NoiseInside(3, 5),
    "gumbel_gates": lambda: GumbelGates(3, 5),
    "sampled_gate": lambda: SampledGate(3, 5),
    "straight_through": lambda: StraightThrough(3, 5),
    "no_grad_inside": lambda: NoGradInside(3, 5),
    "missing_values": lambda: MissingValues(3, 5),
    "variational_dropout": lambda: VariationalDropout(3, 5),
    "prepared": lambda: Prepared(3, 5),
    "hyper": lambda: Hyper(3, 7),
    "awkward_names": lambda: AwkwardNames(3, 5),
}
"""Cells that nobody had in mind."""

REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "batch_norm": (lambda: refused.BatchNorm(3, 5), "norm"),
    "batch_norm_without_buffers": (lambda: refused.BatchNorm(3, 5, running=False), "norm"),
    "batch_mean": (lambda: refused.BatchMean(3, 5), "mean"),
    "first_row": (lambda: refused.FirstRow(3, 5), "rows"),
    "rolled_rows": (lambda: refused.RolledRows(3, 5), "rows"),
    "data_branch": (lambda: refused.DataBranch(3, 5), "data"),
    "custom_function": (lambda: refused.CustomFunction(3, 5), "autograd"),
    "leaked_tensor": (lambda: refused.LeakedTensor(3, 5), "last"),
    "counter_buffer": (lambda: refused.CounterBuffer(3, 5), "steps"),
    "counter_number": (lambda: refused.CounterNumber(3, 5), "steps"),
    "item": (lambda: refused.Item(3, 5), "item"),
    "sort": (lambda: refused.Sort(3, 5), "sort"),
    "complex": (lambda: refused.Complex(3, 6), "complex"),
    "python_random": (lambda: refused.PythonRandom(3, 5), "differ"),
}
"""Cells that must run on `eager`, each with a word of the reason."""

RANDOM = {"dropout_inside", "zoneout_by_hand", "noise_inside", "gumbel_gates", "sampled_gate", "variational_dropout"}
"""Cells that draw numbers at every step or sequence."""


def context_for(cell: nn.Module, batch: int, dtype: torch.dtype) -> Context:
    """What the cell wants to see at every step, (B, ...); mostly nothing."""
    example = getattr(cell, "example_context", None)
    return () if example is None else example(batch, dtype)


def state_for(cell: Cell, batch: int, dtype: torch.dtype) -> State:
    """A state as the cell may meet it, random; each tensor (B, *shape)."""
    example = getattr(cell, "example_state", None)
    if example is not None:
        return example(batch, dtype)
    return tuple(torch.randn(batch, *as_sizes(shape), dtype=dtype) for shape in cell.state_shapes)


def input_for(cell: Cell, time: int, batch: int, dtype: torch.dtype) -> Tensor:
    """Random input (T, B, I)."""
    example = getattr(cell, "example_input", None)
    if example is not None:
        return example(time, batch, dtype)
    return torch.randn(time, batch, cell.input_size, dtype=dtype)
