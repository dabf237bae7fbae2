"""What stands between a writer and a reader: it counts, and ends a text where it should stop."""

from collections.abc import Sequence


class Stop:
    """Passes text on, up to but without a certain one, which may be spread over several pieces.

    Example:
        >>> stop = Stop("two")
        >>> [stop.put(piece) for piece in ("one t", "w", "o three")], stop.reached
        (['one ', '', ''], True)
    """

    def __init__(self, text: str, held: str = "") -> None:
        self.text, self.held = text, held
        """What might be the beginning of the text, and waits for more."""
        self.reached = False

    def put(self, piece: str) -> str:
        """The next piece -> what can be passed on."""
        self.held += piece
        if self.text in self.held:
            self.reached = True
            return self._passed(self.held.index(self.text))
        wait = next((n for n in range(min(len(self.text) - 1, len(self.held)), 0, -1) if self._ends_with(n)), 0)
        return self._passed(len(self.held) - wait)

    def rest(self) -> str:
        """What waited, as nothing more comes."""
        return "" if self.reached else self._passed(len(self.held))

    def _ends_with(self, count: int) -> bool:
        return self.held.endswith(self.text[:count])

    def _passed(self, count: int) -> str:
        passed, self.held = self.held[:count], self.held[count:]
        return passed


class Pen:
    """Writes a text of so many units at most.

    Args:
        stops: It ends before any of these.
        left: Units that may still come.
        held: What waits in each of the stops.

    Example:
        >>> pen = Pen(["!"], 9)
        >>> [pen.put(piece) for piece in ("a", "b!")], pen.done
        (['a', 'b'], True)
    """

    def __init__(self, stops: Sequence[str], left: int, held: Sequence[str] | None = None) -> None:
        self.stops = [Stop(text, waits) for text, waits in zip(stops, held or [""] * len(stops), strict=True)]
        self.left = left

    @property
    def done(self) -> bool:
        """Is the text at its end?"""
        return self.left <= 0 or any(stop.reached for stop in self.stops)

    def put(self, piece: str) -> str:
        """The text of the next unit -> what there is to show."""
        self.left -= 1
        for stop in self.stops:
            piece = stop.put(piece)
        return piece + self._rest() if self.done else piece

    def _rest(self) -> str:
        """What waited in the stops goes through those that follow."""
        rest = ""
        for stop in self.stops:
            rest = (stop.put(rest) if rest else "") + stop.rest()
            if stop.reached:
                return rest
        return rest
