"""Pictures: curves of a training, alignments, scores by length."""

from elman.pictures.alignment import draw_alignment
from elman.pictures.by_length import draw_by_length
from elman.pictures.curves import draw_gradient_flow, draw_learning_curves

__all__ = ["draw_alignment", "draw_by_length", "draw_gradient_flow", "draw_learning_curves"]
