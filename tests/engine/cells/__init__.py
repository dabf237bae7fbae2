"""Cells to test the engine with: those it must compile, and those it must refuse."""

from .catalogue import FUSED, RANDOM, REFUSED, UNFORESEEN, context_for, input_for, state_for

__all__ = ["FUSED", "RANDOM", "REFUSED", "UNFORESEEN", "context_for", "input_for", "state_for"]
