"""Files, texts, units of text, batches."""

from elman.data.decoder import Decoder
from elman.data.embedded_pairs import EmbeddedName, embedded_pairs
from elman.data.files import locked, read_bytes, read_json, read_text, replacing, write_json, write_tensors, write_text
from elman.data.lines import Lines, cut_to
from elman.data.long_lags import SYMBOLS, adding, copy_memory
from elman.data.nearest import Nearest
from elman.data.pair_batches import NumberedPairs, PairBatch, PairBatches, padded_sources
from elman.data.pairs import TURN, Pairs, join_turns, read_pairs, tidy
from elman.data.reports import report_pairs
from elman.data.rows_by_length import RowsByLength
from elman.data.spelled import spelled_pairs
from elman.data.tables import Table, is_table, read_columns, read_table
from elman.data.text import Texts, embedded_text, read_texts
from elman.data.tokenizer import Tokenizer, Units
from elman.data.toy_pairs import toy_pairs
from elman.data.unit_dropout import UnitDropout
from elman.data.windows import IGNORE, Window, Windows
from elman.data.words import UNSPACED, words

__all__ = [
    "IGNORE",
    "SYMBOLS",
    "TURN",
    "UNSPACED",
    "Decoder",
    "EmbeddedName",
    "Lines",
    "Nearest",
    "NumberedPairs",
    "PairBatch",
    "PairBatches",
    "Pairs",
    "RowsByLength",
    "Table",
    "Texts",
    "Tokenizer",
    "UnitDropout",
    "Units",
    "Window",
    "Windows",
    "adding",
    "copy_memory",
    "cut_to",
    "embedded_pairs",
    "embedded_text",
    "is_table",
    "join_turns",
    "locked",
    "padded_sources",
    "read_bytes",
    "read_columns",
    "read_json",
    "read_pairs",
    "read_table",
    "read_text",
    "read_texts",
    "replacing",
    "report_pairs",
    "spelled_pairs",
    "tidy",
    "toy_pairs",
    "words",
    "write_json",
    "write_tensors",
    "write_text",
]
