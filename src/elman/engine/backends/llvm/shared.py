"""A function that all cells share: what a call brings stands in an array of 8-byte words."""

from elman.engine.backends.llvm.text import Writer


class SharedFunction(Writer):
    """A function of a call's words."""

    words: tuple[str, ...]

    def word(self, name: str, kind: str = "i64") -> str:
        address = self.assign(f"getelementptr i64, ptr %call, i64 {self.words.index(name)}")
        return self.assign(f"load {kind}, ptr {address}")

    def row(self, start: str, table: str, size: str, n: str) -> str:
        """The vector of a row: through a table, where there is one."""
        none = self.assign(f"icmp eq ptr {table}, null")
        index = self.alloca("i64")
        self.do(f"store i64 {n}, ptr {index}")
        with self.when(self.assign(f"xor i1 {none}, true")):
            found = self.assign(f"load i64, ptr {self.element(table, n, 'i64')}")
            self.do(f"store i64 {found}, ptr {index}")
        return self.element(start, self.i64("mul", self.assign(f"load i64, ptr {index}"), size))
