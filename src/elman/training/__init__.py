"""Training: recipes, truncated back-propagation through time, runs that nothing is lost of."""

from elman.training.gradient_flow import gradient_flow
from elman.training.pictures import draw_gradient_flow, draw_learning_curves
from elman.training.recipe import Recipe, TrainingOptions, read_recipe
from elman.training.run import resume_run, start_run, train

__all__ = [
    "Recipe",
    "TrainingOptions",
    "draw_gradient_flow",
    "draw_learning_curves",
    "gradient_flow",
    "read_recipe",
    "resume_run",
    "start_run",
    "train",
]
