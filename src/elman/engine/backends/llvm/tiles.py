"""Which products a tile of rows takes, in which order, and the loop that takes them.

Weights lie packed: for each block of entries, for each k of the sum, the vectors of all sums that take part. A tile of
up to four rows keeps its sums in registers while k runs.

Key: K length of a sum, V vectors of weights at each k, R rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from elman.engine.backends.llvm.text import Value, Writer
from elman.engine.nest import Nest, Operand, Slot, WeightAccess

ROWS = 4
"""In a tile."""
BLOCK = 256
"""Products that are added up before they join the sum."""
SHORT = 64
"""The same where rows are summed up over many rows, as for gradients of weights."""
EARLY = ("x", "context", "draw", "output gradient")
"""Roles of buffers that are filled before time begins; what a step itself writes is not there yet."""


@dataclass(frozen=True)
class Run:
    """One operand and the sums that it takes part in, which stand next to each other."""

    operand: Operand
    first: int
    """Place of its first sum."""
    weights: tuple[WeightAccess, ...]
    """One a sum."""
    fresh: bool
    """Do these sums start here?"""

    @property
    def early(self) -> bool:
        """Is the operand there before time begins?"""
        return self.operand.buffer.role in EARLY


@dataclass(frozen=True)
class Tiling:
    """How a nest's products are taken.

    Args:
        order: The nest's slots in the order of their sums in memory.
        runs: Operands, early ones first.
        repeat: Vectors of entries in a block, so that there is enough to do between two loads.
    """

    order: tuple[int, ...]
    runs: tuple[Run, ...]
    repeat: int
    cleared: tuple[int, ...]
    """Places of sums that start at zero, for they enter a run together with others that have begun."""

    @property
    def early(self) -> tuple[int, ...]:
        """Places of sums that can begin before time does."""
        return tuple(sorted({run.first + i for run in self.runs if run.early for i in range(len(run.weights))}))

    def vectors(self, run: Run) -> int:
        """Vectors of weights at each k."""
        return len(run.weights) * self.repeat


def tiling(nest: Nest, most: int) -> Tiling:
    """Decide how to take a nest's products.

    Args:
        nest: With slots.
        most: Vectors of weights that a tile can take at once.
    """
    groups = _by_operand(nest.slots)
    order = _order(len(nest.slots), [tuple(slots) for _, slots in groups])
    place = {slot: i for i, slot in enumerate(order)}
    pieces: list[tuple[Operand, int, list[WeightAccess]]] = []
    for operand, slots in groups:
        for slot in sorted(slots, key=place.__getitem__):
            last = pieces[-1] if pieces else None
            if last and last[0] == operand and last[1] + len(last[2]) == place[slot] and len(last[2]) < most:
                last[2].append(slots[slot])
            else:
                pieces.append((operand, place[slot], [slots[slot]]))
    seen: set[int] = set()
    cleared: set[int] = set()
    runs: list[Run] = []
    for operand, first, weights in pieces:
        own = set(range(first, first + len(weights)))
        runs.append(Run(operand, first, tuple(weights), not own & seen))
        cleared |= own - seen if own & seen else set()
        seen |= own
    widest = max(len(run.weights) for run in runs)
    return Tiling(order, tuple(runs), max(1, min(most, 4) // widest), tuple(sorted(cleared)))


def _by_operand(slots: Sequence[Slot]) -> list[tuple[Operand, dict[int, WeightAccess]]]:
    groups: list[tuple[Operand, dict[int, WeightAccess]]] = []
    for number, slot in enumerate(slots):
        for operand, weight in slot.terms:
            fitting = next((held for key, held in groups if key == operand and number not in held), None)
            if fitting is None:
                groups.append((operand, {number: weight}))
            else:
                fitting[number] = weight
    return sorted(groups, key=lambda group: group[0].buffer.role not in EARLY)


def _order(count: int, groups: list[tuple[int, ...]]) -> tuple[int, ...]:
    """An order in which each operand's sums stand together, if there is one."""

    def torn(order: tuple[int, ...]) -> int:
        places = [sorted(order.index(slot) for slot in group) for group in groups]
        return sum(place[-1] - place[0] + 1 - len(place) for place in places)

    natural = tuple(range(count))
    if count > 6 or not torn(natural):
        return natural
    return min(permutations(natural), key=torn)


def tile_function(dtype: object, lanes: int, vectors: int, stride: int = 1) -> tuple[str, set[str]]:
    """`tile_V(rows, K, weights, sums, fresh, R)`: adds R rows' products to their sums, or starts them.

    Args:
        dtype: Of the numbers.
        lanes: Numbers in a vector.
        vectors: V.
        stride: From one number of a row to the next.
    """
    w = Writer(dtype, lanes)  # pyright: ignore[reportArgumentType]
    done = w.label()
    starts = [w.label() for _ in range(ROWS)]
    cases = " ".join(f"i64 {rows}, label %{starts[rows - 1]}" for rows in range(1, ROWS))
    w.do("%starts = icmp ne i64 %fresh, 0")
    w.do(f"switch i64 %R, label %{starts[ROWS - 1]} [ {cases} ]")
    for rows in range(1, ROWS + 1):
        w.place(starts[rows - 1])
        _tile(w, vectors, rows, stride)
        w.do(f"br label %{done}")
    w.place(done)
    signature = f"internal void @tile_{vectors}(ptr %rows, i64 %K, ptr %weights, ptr %sums, i64 %fresh, i64 %R)"
    return w.function(signature, "noinline"), w.declared


def _tile(w: Writer, vectors: int, rows: int, stride: int) -> None:
    """The loop over k for a number of rows: in blocks, each summed up from zero, so that rounding stays small."""
    kind, align = w.type(), w.lanes * w.dtype.itemsize
    bases = [w.assign(f"load ptr, ptr {w.element('%rows', str(r), 'ptr')}") for r in range(rows)]
    places = [(v, r) for v in range(vectors) for r in range(rows)]
    sums = {place: w.alloca(kind, align) for place in places}
    unroll = 4 if rows * vectors <= 8 else 2

    def once(k: str, offset: int) -> None:
        at = w.i64("mul", k, str(vectors * w.lanes))
        entries = [
            w.element("%weights", w.i64("add", at, str((offset * vectors + v) * w.lanes))) for v in range(vectors)
        ]
        loaded = [w.emit(f"load {kind}, ptr {entry}, align {align}") for entry in entries]
        here = w.i64("mul", w.i64("add", k, str(offset)), str(stride))
        for r in range(rows):
            one = w.splat(w.assign(f"load {w.scalar}, ptr {w.element(bases[r], here)}"))
            for v in range(vectors):
                held = Value(w, w.assign(f"load {kind}, ptr {sums[v, r]}"))
                w.do(f"store {kind} {w.intrinsic('fma', one, loaded[v], held).name}, ptr {sums[v, r]}")

    block = str(BLOCK if stride == 1 else SHORT)
    with w.loop("0", "%K", block) as start:
        end = w.least(w.i64("add", start, block), "%K")
        for place in places:
            w.do(f"store {kind} zeroinitializer, ptr {sums[place]}")
        even = w.i64("add", start, w.i64("and", w.i64("sub", end, start), str(-unroll)))
        with w.loop(start, even, str(unroll)) as k:
            for offset in range(unroll):
                once(k, offset)
        with w.loop(even, end) as k:
            once(k, 0)
        first = w.assign(f"icmp eq i64 {start}, 0")
        begun = w.assign(f"xor i1 {w.assign(f'and i1 {first}, %starts')}, true")
        addresses = {(v, r): w.element("%sums", str((v * ROWS + r) * w.lanes)) for v, r in places}
        with w.when(begun):
            for place, address in addresses.items():
                # volatile, or LLVM would keep these sums in registers that it does not have
                held = Value(w, w.assign(f"load volatile {kind}, ptr {address}, align {align}"))
                total = Value(w, w.assign(f"load {kind}, ptr {sums[place]}")) + held
                w.do(f"store {kind} {total.name}, ptr {sums[place]}")
        for place, address in addresses.items():
            total = w.assign(f"load {kind}, ptr {sums[place]}")
            w.do(f"store {kind} {total}, ptr {address}, align {align}")
