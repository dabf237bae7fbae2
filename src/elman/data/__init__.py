"""Files, texts, units of text, batches."""

from elman.data.arrays import ARRAYS
from elman.data.comma_separated import comma_separated
from elman.data.cuts import cuts
from elman.data.files import locked, read_bytes, read_json, read_text, replacing, write_json, write_tensors, write_text
from elman.data.frames import read_frame
from elman.data.labelled.calls import made_calls
from elman.data.labelled.fasta import FASTA
from elman.data.labelled.images import IDX, IMAGES
from elman.data.labelled.labelled import Columns, Labelled, Named
from elman.data.labelled.labels import Labels
from elman.data.labelled.motifs import labelled_motifs, motifs
from elman.data.labelled.read import read_labelled
from elman.data.labelled.sounds import read_sounds, usual_rate
from elman.data.labelled.transcripts import find_recordings, read_transcripts
from elman.data.labelled.videos import FILMS
from elman.data.labelled.waves import made_waves
from elman.data.lines import Lines, cut_to
from elman.data.long_lags import SYMBOLS, adding, copy_memory
from elman.data.music.batches import PieceBatches
from elman.data.music.cadences import made_pieces
from elman.data.music.chords import KEYS, Chord, Pieces, as_chords, as_keys, read_pieces
from elman.data.music.midi import MIDI, read_midi, write_midi
from elman.data.pairs.batches import NumberedPairs, PairBatch, PairBatches, padded_sources
from elman.data.pairs.embedded import EmbeddedName, embedded_pairs
from elman.data.pairs.nearest import Nearest
from elman.data.pairs.pairs import TURN, Pairs, join_turns, read_pairs, tidy
from elman.data.pairs.reports import report_pairs
from elman.data.pairs.spelled import spelled_pairs
from elman.data.pairs.toy import toy_pairs
from elman.data.pictures import as_picture, check_shape
from elman.data.rows_by_length import RowsByLength
from elman.data.scaler import Scaler
from elman.data.sequences import SequenceBatch, SequenceBatches
from elman.data.series.embedded import EmbeddedSeries, embedded_series
from elman.data.series.frequency import Frequency
from elman.data.series.scale import Scaling, centre_and_scale, facts_of
from elman.data.series.series import Series, SeriesColumns, SeriesSet, as_frame, read_series
from elman.data.series.windows import SeriesWindows, WindowBatch
from elman.data.shades import as_bytes, shades
from elman.data.sound.ear import Ear
from elman.data.sound.mel import MOMENT, LogMel
from elman.data.sound.mu_law import LEVELS, from_mu_law, mu_law
from elman.data.sound.read import RATES, SOUNDS, Sound, read_sound, resampled, sound_blocks
from elman.data.sound.write import write_sound
from elman.data.source import Allowance, Source, Upload
from elman.data.tables import TABLES, Table, is_table, read_columns, read_table
from elman.data.tagged.batches import TagBatch, TagBatches, plain
from elman.data.tagged.scenes import Scenes, read_pictures, read_scenes
from elman.data.tagged.shapes import made_scenes
from elman.data.tagged.spans import OUTSIDE, Span, bio, bioes, may_follow, spans_of
from elman.data.tagged.tagged import Sentence, TagColumns, Tagged, Word, read_tagged, split_words, tagged_motifs
from elman.data.text import VALIDATION_SHARE, Texts, embedded_text, held_out, read_texts
from elman.data.units.decoder import Decoder
from elman.data.units.dropout import UnitDropout
from elman.data.units.tokenizer import Tokenizer, Units
from elman.data.units.vectors import WordTable, read_vectors
from elman.data.units.vocabulary import Vocabulary
from elman.data.units.words import UNSPACED, words
from elman.data.video.moving import Event, Moving, MovingVideo, made_glyphs
from elman.data.video.read import VIDEOS, Clip, as_frames, read_clip, read_videos
from elman.data.video.videos import Videos, brightness, made_videos
from elman.data.windows import IGNORE, Window, Windows

__all__ = [
    "ARRAYS",
    "FASTA",
    "FILMS",
    "IDX",
    "IGNORE",
    "IMAGES",
    "KEYS",
    "LEVELS",
    "MIDI",
    "MOMENT",
    "OUTSIDE",
    "RATES",
    "SOUNDS",
    "SYMBOLS",
    "TABLES",
    "TURN",
    "UNSPACED",
    "VALIDATION_SHARE",
    "VIDEOS",
    "Allowance",
    "Chord",
    "Clip",
    "Columns",
    "Decoder",
    "Ear",
    "EmbeddedName",
    "EmbeddedSeries",
    "Event",
    "Frequency",
    "Labelled",
    "Labels",
    "Lines",
    "LogMel",
    "Moving",
    "MovingVideo",
    "Named",
    "Nearest",
    "NumberedPairs",
    "PairBatch",
    "PairBatches",
    "Pairs",
    "PieceBatches",
    "Pieces",
    "RowsByLength",
    "Scaler",
    "Scaling",
    "Scenes",
    "Sentence",
    "SequenceBatch",
    "SequenceBatches",
    "Series",
    "SeriesColumns",
    "SeriesSet",
    "SeriesWindows",
    "Sound",
    "Source",
    "Span",
    "Table",
    "TagBatch",
    "TagBatches",
    "TagColumns",
    "Tagged",
    "Texts",
    "Tokenizer",
    "UnitDropout",
    "Units",
    "Upload",
    "Videos",
    "Vocabulary",
    "Window",
    "WindowBatch",
    "Windows",
    "Word",
    "WordTable",
    "adding",
    "as_bytes",
    "as_chords",
    "as_frame",
    "as_frames",
    "as_keys",
    "as_picture",
    "bio",
    "bioes",
    "brightness",
    "centre_and_scale",
    "check_shape",
    "comma_separated",
    "copy_memory",
    "cut_to",
    "cuts",
    "embedded_pairs",
    "embedded_series",
    "embedded_text",
    "facts_of",
    "find_recordings",
    "from_mu_law",
    "held_out",
    "is_table",
    "join_turns",
    "labelled_motifs",
    "locked",
    "made_calls",
    "made_glyphs",
    "made_pieces",
    "made_scenes",
    "made_videos",
    "made_waves",
    "may_follow",
    "motifs",
    "mu_law",
    "padded_sources",
    "plain",
    "read_bytes",
    "read_clip",
    "read_columns",
    "read_frame",
    "read_json",
    "read_labelled",
    "read_midi",
    "read_pairs",
    "read_pictures",
    "read_pieces",
    "read_scenes",
    "read_series",
    "read_sound",
    "read_sounds",
    "read_table",
    "read_tagged",
    "read_text",
    "read_texts",
    "read_transcripts",
    "read_vectors",
    "read_videos",
    "replacing",
    "report_pairs",
    "resampled",
    "shades",
    "sound_blocks",
    "spans_of",
    "spelled_pairs",
    "split_words",
    "tagged_motifs",
    "tidy",
    "toy_pairs",
    "usual_rate",
    "words",
    "write_json",
    "write_midi",
    "write_sound",
    "write_tensors",
    "write_text",
]
