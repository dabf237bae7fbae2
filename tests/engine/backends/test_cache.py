"""Object code on disk: found again, made anew when damaged, small, and never in the way."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from elman.engine.backends.llvm import cache
from elman.engine.backends.llvm.target import Target, host

TEXT = "define i32 @answer() {\n  ret i32 42\n}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "kernels"))
    return tmp_path / "kernels"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that were compiled, and not read from disk."""
    texts: list[str] = []
    assembled = cache.assembled

    def counted(text: str, target: Target) -> bytes:
        texts.append(text)
        return assembled(text, target)

    monkeypatch.setattr(cache, "assembled", counted)
    return texts


def test_the_second_time_comes_from_disk(home: Path, made: list[str]) -> None:
    first = cache.object_code(TEXT, host())
    assert cache.object_code(TEXT, host()) == first
    assert made == [TEXT]
    assert len(list(home.iterdir())) == 1


def test_another_text_or_machine_is_another_file(home: Path, made: list[str]) -> None:
    here = host()
    for target in (here, Target(here.triple, "generic", "", 16)):
        for text in (TEXT, TEXT.replace("42", "43")):
            cache.object_code(text, target)
    assert len(made) == len(list(home.glob("*.o"))) == 4


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "foreign"])
def test_damage_is_noticed_and_mended(damage: str, home: Path, made: list[str]) -> None:
    code = cache.object_code(TEXT, host())
    (path,) = home.iterdir()
    held = bytearray(path.read_bytes())
    held[-5] ^= 1
    path.write_bytes(
        {"cut": path.read_bytes()[:-9], "empty": b"", "flipped": bytes(held), "foreign": b"x" * 99}[damage]
    )
    assert cache.object_code(TEXT, host()) == code
    assert cache.object_code(TEXT, host()) == code
    assert len(made) == 2, "made anew once, then found"


def test_kernels_from_disk_run(home: Path) -> None:
    program = (
        "import ctypes; from elman.engine.backends.llvm.cache import addresses\n"
        f"print(ctypes.CFUNCTYPE(ctypes.c_int)(addresses({TEXT!r}, ('answer',))['answer'])())"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout == "42\n"
    assert len(list(home.iterdir())) == 1


def test_many_writers_leave_one_whole_file(home: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        codes = set(threads.map(lambda _: cache.object_code(TEXT, host()), range(32)))
    assert len(codes) == 1
    assert [path.suffix for path in home.iterdir()] == [".o"]


def test_a_folder_that_cannot_be_used_is_no_error(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "below"))
    assert cache.folder() is None
    assert cache.object_code(TEXT, host())
    assert made == [TEXT]


def test_a_disk_that_takes_nothing_is_no_error(home: Path, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert cache.object_code(TEXT, host())
    assert list(home.iterdir()) == []


def test_what_was_used_longest_ago_goes_first(home: Path, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [TEXT.replace("42", str(number)) for number in range(4)]
    for number, text in enumerate(texts[:3]):
        cache.object_code(text, host())
        os.utime(max(home.iterdir(), key=lambda path: path.stat().st_mtime), (number, number))
    cache.object_code(texts[0], host())  # used again, so it is the youngest now
    sizes = [path.stat().st_size for path in home.iterdir()]
    monkeypatch.setattr(cache, "LIMIT", sum(sizes) - 1)
    (home / "killed.part").write_bytes(b"half")
    os.utime(home / "killed.part", (1, 1))
    cache.object_code(texts[3], host())
    assert len(list(home.iterdir())) == 2
    made.clear()
    for text in (texts[3], texts[0]):
        cache.object_code(text, host())
    assert made == []


def test_where_the_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "elman" / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.folder() == tmp_path / "home" / ".cache" / "elman" / "kernels"
