"""Object code on disk, so that the next process need not compile."""

from functools import lru_cache

from elman.engine.backends.llvm.compiler import assembled, loaded


@lru_cache(maxsize=None)
def addresses(text: str, names: tuple[str, ...]) -> dict[str, int]:
    """Addresses of the functions of a text, compiled if need be."""
    return loaded(assembled(text), list(names))
