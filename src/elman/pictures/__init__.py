"""Pictures: curves of a training, alignments, scores by length, what is taken for what."""

from elman.pictures.alignment import draw_alignment
from elman.pictures.by_length import draw_by_length
from elman.pictures.confusion import draw_confusion
from elman.pictures.curves import draw_gradient_flow, draw_learning_curves, draw_over_time
from elman.pictures.fan_chart import draw_fan_chart
from elman.pictures.film import draw_film
from elman.pictures.gates import draw_gates, draw_importance
from elman.pictures.grid import draw_grid
from elman.pictures.scenes import draw_scenes
from elman.pictures.steps import draw_steps

__all__ = [
    "draw_alignment",
    "draw_by_length",
    "draw_confusion",
    "draw_fan_chart",
    "draw_film",
    "draw_gates",
    "draw_gradient_flow",
    "draw_grid",
    "draw_importance",
    "draw_learning_curves",
    "draw_over_time",
    "draw_scenes",
    "draw_steps",
]
