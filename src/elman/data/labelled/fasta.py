"""FASTA, the form in which biology keeps sequences of letters: a header line that begins with >, then the letters."""

from elman.data.files import read_text
from elman.data.source import Source
from elman.errors import DataError

FASTA = (".fasta", ".fa", ".fna", ".faa")


def is_fasta(path: Source) -> bool:
    """Whether a file is named like one, also with .gz behind it."""
    return path.name.lower().removesuffix(".gz").endswith(FASTA)


def read_fasta(path: Source) -> list[tuple[str, str]]:
    """Headers, without their >, and sequences in upper case, their lines put together.

    Raises:
        DataError: The file cannot be read, or does not begin with a header.
    """
    records: list[tuple[str, list[str]]] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        line = line.strip()
        if line.startswith(">"):
            records.append((line[1:].strip(), []))
        elif line and not records:
            raise DataError(f"{path} line {number:,} expects a header that begins with >; received {line[:40]!r}")
        elif line:
            records[-1][1].append(line)
    if not records:
        raise DataError(f"{path} has no sequences; expected headers that begin with >")
    return [(header, "".join(lines).upper()) for header, lines in records]
