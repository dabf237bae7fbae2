"""What a task trains: embedding, recurrent body, head."""

from elman.models.bodies import BODIES, Body, WindowBody
from elman.models.chord_model import ChordModel
from elman.models.classifier import Classifier, DocumentClassifier, cut_sentences
from elman.models.forecaster import DirectForecaster, Forecaster, RecursiveForecaster, SegmentForecaster
from elman.models.frame_encoder import FrameEncoder
from elman.models.heads import Head, HeadName, Outputs, find_head
from elman.models.language_model import LanguageModel
from elman.models.live_transcriber import NEEDS_END, LiveTranscriber, Progress
from elman.models.next_frames import NextFrames
from elman.models.painter import Painter
from elman.models.reader import Reader
from elman.models.segmenter import Segmenter
from elman.models.step_reader import StepReader
from elman.models.tagger import Tagger, WordVectors
from elman.models.tracker import Tracker, overlap
from elman.models.transcriber import Transcriber
from elman.models.transformer import TransformerTranslator
from elman.models.translator import Position, RecurrentTranslator, Tied, Translator

__all__ = [
    "BODIES",
    "NEEDS_END",
    "Body",
    "ChordModel",
    "Classifier",
    "DirectForecaster",
    "DocumentClassifier",
    "Forecaster",
    "FrameEncoder",
    "Head",
    "HeadName",
    "LanguageModel",
    "LiveTranscriber",
    "NextFrames",
    "Outputs",
    "Painter",
    "Position",
    "Progress",
    "Reader",
    "RecurrentTranslator",
    "RecursiveForecaster",
    "SegmentForecaster",
    "Segmenter",
    "StepReader",
    "Tagger",
    "Tied",
    "Tracker",
    "Transcriber",
    "TransformerTranslator",
    "Translator",
    "WindowBody",
    "WordVectors",
    "cut_sentences",
    "find_head",
    "overlap",
]
