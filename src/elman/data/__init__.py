"""Files, texts, units of text, batches."""

from elman.data.decoder import Decoder
from elman.data.files import locked, read_bytes, read_json, read_text, replacing, write_json, write_tensors, write_text
from elman.data.lines import Lines, cut_to
from elman.data.long_lags import SYMBOLS, adding, copy_memory
from elman.data.text import Texts, embedded_text, read_texts
from elman.data.tokenizer import Tokenizer, Units
from elman.data.windows import IGNORE, Window, Windows

__all__ = [
    "IGNORE",
    "SYMBOLS",
    "Decoder",
    "Lines",
    "Texts",
    "Tokenizer",
    "Units",
    "Window",
    "Windows",
    "adding",
    "copy_memory",
    "cut_to",
    "embedded_text",
    "locked",
    "read_bytes",
    "read_json",
    "read_text",
    "read_texts",
    "replacing",
    "write_json",
    "write_tensors",
    "write_text",
]
