"""What can be learned: each task is its examples, its model, its loss and its scores."""

from elman.tasks.decoding import sample
from elman.tasks.generate import Generate, GenerateOptions
from elman.tasks.model import (
    TASKS,
    VERSION,
    Model,
    find_task,
    load,
    load_weights,
    mean_loss,
    save_weights,
    task_of,
)
from elman.tasks.options import Options
from elman.tasks.session import Session
from elman.tasks.task import Batches, Examples, Loss, Task

__all__ = [
    "TASKS",
    "VERSION",
    "Batches",
    "Examples",
    "Generate",
    "GenerateOptions",
    "Loss",
    "Model",
    "Options",
    "Session",
    "Task",
    "find_task",
    "load",
    "load_weights",
    "mean_loss",
    "sample",
    "save_weights",
    "task_of",
]
