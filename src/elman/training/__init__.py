"""Training: recipes, truncated back-propagation through time, runs that nothing is lost of."""

from elman.training.comparison import Measured, compare
from elman.training.logs import read_curves
from elman.training.recipe import Recipe, TrainingOptions, read_recipe
from elman.training.run import gather, preview, read_metrics, resume_run, start_run, train
from elman.training.update import update

__all__ = [
    "Measured",
    "Recipe",
    "TrainingOptions",
    "compare",
    "gather",
    "preview",
    "read_curves",
    "read_metrics",
    "read_recipe",
    "resume_run",
    "start_run",
    "train",
    "update",
]
