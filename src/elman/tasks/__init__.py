"""What can be learned: each task is its examples, its model, its loss and its scores."""

from elman.tasks.classify.options import ClassifyOptions
from elman.tasks.classify.task import Classify
from elman.tasks.decoding import sample
from elman.tasks.forecast.task import Forecast, ForecastOptions
from elman.tasks.generate.options import GenerateOptions, Writing
from elman.tasks.generate.session import Session
from elman.tasks.generate.task import Generate
from elman.tasks.inspection.inspection import Inspection
from elman.tasks.inspection.units import liveliest, property_of, units_in_order
from elman.tasks.live import Event, Live, Talk
from elman.tasks.model import TASKS, Model, find_task, load, make_task, task_of
from elman.tasks.options import Count, Options, Seed, Share
from elman.tasks.run_folder import VERSION, check_free, load_weights, read_config, save_weights
from elman.tasks.start import start_from
from elman.tasks.tag.options import TagOptions
from elman.tasks.tag.task import Tag
from elman.tasks.task import Batch, Batches, Conversation, Examples, Judge, Loss, RunningLoss, Task, judged
from elman.tasks.teacher import Teacher
from elman.tasks.transcribe.hearing import Hearing
from elman.tasks.transcribe.options import TranscribeOptions
from elman.tasks.transcribe.task import Transcribe
from elman.tasks.translate.options import TranslateOptions
from elman.tasks.translate.scores import bleu, by_length, chrf, paired_bootstrap, rouge, tokenizer_for
from elman.tasks.translate.task import Translate

__all__ = [
    "TASKS",
    "VERSION",
    "Batch",
    "Batches",
    "Classify",
    "ClassifyOptions",
    "Conversation",
    "Count",
    "Event",
    "Examples",
    "Forecast",
    "ForecastOptions",
    "Generate",
    "GenerateOptions",
    "Hearing",
    "Inspection",
    "Judge",
    "Live",
    "Loss",
    "Model",
    "Options",
    "RunningLoss",
    "Seed",
    "Session",
    "Share",
    "Tag",
    "TagOptions",
    "Talk",
    "Task",
    "Teacher",
    "Transcribe",
    "TranscribeOptions",
    "Translate",
    "TranslateOptions",
    "Writing",
    "bleu",
    "by_length",
    "check_free",
    "chrf",
    "find_task",
    "judged",
    "liveliest",
    "load",
    "load_weights",
    "make_task",
    "paired_bootstrap",
    "property_of",
    "read_config",
    "rouge",
    "sample",
    "save_weights",
    "start_from",
    "task_of",
    "tokenizer_for",
    "units_in_order",
]
