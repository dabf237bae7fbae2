"""Units back to text as they come, with what must be remembered from one to the next."""

import codecs

END_OF_LINE = "<eos>"


class Decoder:
    """Characters: each is text by itself."""

    @property
    def memory(self) -> str:
        """What must be remembered from one unit to the next; can be set, to go on elsewhere."""
        return ""

    @memory.setter
    def memory(self, memory: str) -> None: ...

    def put(self, unit: str) -> str:
        """The text that a unit adds."""
        return unit

    def follow(self, text: str) -> None:
        """Go on after a text."""


class Spaced(Decoder):
    """Words: a space between two, a line end for `<eos>`."""

    def __init__(self) -> None:
        self.between = ""

    @property
    def memory(self) -> str:
        """What stands before the next word."""
        return self.between

    @memory.setter
    def memory(self, memory: str) -> None:
        self.between = memory

    def put(self, unit: str) -> str:
        before, self.between = self.between, "" if unit == END_OF_LINE else " "
        return "\n" if unit == END_OF_LINE else before + unit

    def follow(self, text: str) -> None:
        self.between = " " if text and not text[-1].isspace() else ""


class Bytewise(Decoder):
    """Bytes in the printable stand-ins of GPT-2; a character of several bytes comes when its last byte does."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    @property
    def memory(self) -> str:
        """The bytes of a character that is not complete, as Latin-1."""
        return self.decoder.getstate()[0].decode("latin-1")

    @memory.setter
    def memory(self, memory: str) -> None:
        self.decoder.setstate((memory.encode("latin-1"), 0))

    def put(self, unit: str) -> str:
        return self.decoder.decode(bytes(BYTE_OF[symbol] for symbol in unit))

    def follow(self, text: str) -> None:
        self.decoder.reset()


def _byte_of() -> dict[str, int]:
    """The byte that each stand-in means: visible ones are themselves, the others stand from U+0100 on."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(0x100) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(0x100 + n): byte for n, byte in enumerate(hidden)}


BYTE_OF = _byte_of()
