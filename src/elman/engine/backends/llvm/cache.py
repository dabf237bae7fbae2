"""Object code on disk, so that the next process need not compile.

One file a text: a checksum, then the code; briefs lie in the same folder. A file is written beside its place and
renamed, so that nobody ever reads half of one; what a disk or a killed process damaged does not fit its checksum and is
made anew. The folder stays below a size: what was used longest ago goes first.
"""

import os
import time
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import mkstemp

from elman.engine.backends.llvm.compiler import assembled, loaded
from elman.engine.backends.llvm.target import Target, host

VARIABLE = "ELMAN_CACHE"
LIMIT = 256 << 20
"""Bytes in the folder."""
ABANDONED = 3600.0
"""Seconds after which a file that was never renamed belongs to a process that is gone."""


@cache
def addresses(text: str, names: tuple[str, ...]) -> dict[str, int]:
    """Addresses of the functions of a text, compiled if need be."""
    return loaded(object_code(text, host()), list(names))


def object_code(text: str, target: Target) -> bytes:
    """Object code of a text, from disk if it is there."""
    home = folder()
    if home is None:
        return assembled(text, target)
    place = home / f"{_key(text, target)}.o"
    code = read(place)
    if code is None:
        code = assembled(text, target)
        write(place, code)
    return code


def folder() -> Path | None:
    """Where object code is kept: $ELMAN_CACHE, else the user's cache; None where no folder can be made."""
    given, cache = os.environ.get(VARIABLE), os.environ.get("XDG_CACHE_HOME", "")
    try:
        home = Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache"
        found = Path(given).expanduser() if given else home / "elman" / "kernels"
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return None
    return found


def _key(text: str, target: Target) -> str:
    import llvmlite
    import llvmlite.binding as llvm

    made_by = (version("elman"), llvmlite.__version__, *llvm.llvm_version_info)
    return sha256(repr((made_by, target, text)).encode()).hexdigest()


def read(place: Path) -> bytes | None:
    """What a file holds, if it is there and whole."""
    try:
        held = place.read_bytes()
    except OSError:
        return None
    size = sha256().digest_size
    code = held[size:]
    if not code or sha256(code).digest() != held[:size]:
        return None
    with suppress(OSError):
        os.utime(place)  # used just now
    return code


def write(place: Path, code: bytes) -> None:
    """Write beside the place, then rename; a disk that is full or read-only is no error."""
    beside: Path | None = None
    try:
        handle, name = mkstemp(dir=place.parent, prefix=f"{place.stem[:16]}-", suffix=".part")
        beside = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(sha256(code).digest() + code)
        beside.replace(place)
    except OSError:
        if beside is not None:
            with suppress(OSError):
                beside.unlink()
    _trim(place.parent)


def _trim(home: Path) -> None:
    """Remove what was used longest ago, until the rest is small enough, and what was left behind half-written."""
    held = sorted([*_entries(home, "*.o"), *_entries(home, "*.brief")], reverse=True)
    total = 0
    for _, size, path in held:
        total += size
        if total > LIMIT:
            with suppress(OSError):
                path.unlink()
    for used, _, path in _entries(home, "*.part"):
        if used < time.time() - ABANDONED:
            with suppress(OSError):
                path.unlink()


def _entries(home: Path, pattern: str) -> list[tuple[float, int, Path]]:
    """Time of last use, size and path of files; others may remove some meanwhile."""
    found = []
    with suppress(OSError):
        for path in home.glob(pattern):
            with suppress(OSError):
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
    return found
