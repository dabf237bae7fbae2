"""What a well-formed plan is, checked each time one is made: a mistake of the planner ends here, not in memory.

A step first: every value has the shape that its inputs give it. Then each phase: nothing is read before it is there,
every result is stored once and whole, all places lie inside their buffers, and truth values stay where they are meant.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from math import prod

import numpy as np

from elman.engine.affine import Affine
from elman.engine.graph import LEAVES, Node, Shape, ordered
from elman.engine.nest import Buffer, Instruction, Nest, Slot, WeightAccess
from elman.engine.operations import OPERATIONS
from elman.engine.phases import Contraction, Phase, Plan
from elman.engine.step import Step
from elman.errors import PlanError

FORWARD = ("x", "state", "context", "draw", "weight")
"""Roles of buffers that are filled before the way forward starts."""
BACKWARD = (*FORWARD, "output gradient", "state gradient", "output", "after", "saved")
PASSING = ("carried", "carries", "scratch")
"""Buffers that later steps write over: nothing after the loop may look at them."""
INPUTS = {"constant": 0, "load": 0, "sum of products": 0, "store": 1, "add": 1, "reduce": 1, "running": 1}
STORES = {"store", "add", "reduce", "running"}


def verify(plan: Plan) -> None:
    """Check a plan and the step that it was made from.

    Raises:
        PlanError: Something in it cannot be right; says what.
    """
    verify_step(plan.step)
    results = {("output", 0), *(("after", i) for i in range(len(plan.step.states)))}
    saved = {(buffer.role, buffer.number) for buffer in plan.saved.values()}
    gradients = {_gradient(name) for name in plan.step.gradients}
    _Checked("inference", plan.inference, FORWARD, results)
    _Checked("forward", plan.forward, FORWARD, results | saved)
    backward = _Checked("backward", plan.backward, BACKWARD, gradients)
    if len(plan.contractions) != len(plan.step.sums):
        raise PlanError(f"{len(plan.step.sums)} sums over rows have {len(plan.contractions)} contractions")
    for number, contraction in enumerate(plan.contractions):
        backward.contraction(f"sum {number}", plan.step.sums[number], contraction)


def _gradient(name: str) -> tuple[str, int]:
    """Role and number of the buffer of a gradient: of "x", or "state 0"."""
    kind, *number = name.split()
    return f"gradient of {kind}", int(number[0]) if number else 0


class _Checked:
    """One phase, followed nest by nest.

    Args:
        name: Of the phase.
        phase: What runs.
        given: Roles of buffers that are filled before it starts.
        results: Role and number of what it must store.
    """

    def __init__(self, name: str, phase: Phase, given: Collection[str], results: set[tuple[str, int]]) -> None:
        self.name = name
        self.given = given
        self.counts: dict[Buffer, np.ndarray] = {}
        """How often each place of a buffer was stored."""
        self.late = False
        for number, stage in enumerate(phase.stages):
            self.late, before = stage.after, self.late
            self._demand(self.late or not before, f"stage {number} is in the loop, after one that comes after it")
            products = [nest for nest in stage.nests if nest.slots]
            self._demand(len(stage.nests) == 1 or not products, f"stage {number} has matrix products and other loops")
            for nest in stage.nests:
                self._nest(f"stage {number}", nest)
        stored = {(buffer.role, buffer.number): buffer for buffer in self.counts}
        for role, number in sorted(results - set(stored)):
            raise PlanError(f"{name}: {role} {number} is never stored")
        for key, buffer in stored.items():
            self._demand(key in results or key[0] == "value", f"{buffer.name} is stored, but is no result")
            self._demand(self._whole(buffer), f"{buffer.name} is stored in part only")

    def _demand(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise PlanError(f"{self.name}: {otherwise}")

    def _whole(self, buffer: Buffer) -> bool:
        return bool(self.counts[buffer].all())

    # nests

    def _nest(self, where: str, nest: Nest) -> None:
        self._demand(nest.kind == "each" or not nest.slots, f"{where} takes matrix products in a reduction")
        used = {line.slot for line in nest.body if line.kind == "sum of products"}
        self._demand(
            used == set(range(len(nest.slots))), f"{where} has {len(nest.slots)} sums, and uses {sorted(used)}"
        )
        for slot in nest.slots:
            self._slot(where, nest, slot)
        stored: set[tuple[Buffer, Affine]] = set()
        for number, line in enumerate(nest.body):
            self._line(f"{where}, line {number}", nest, number, line, stored)
        for number, line in enumerate(nest.body):
            if line.kind in STORES:
                self._store(f"{where}, line {number}", nest, line)

    def _line(self, where: str, nest: Nest, number: int, line: Instruction, stored: set[tuple[Buffer, Affine]]) -> None:
        self._demand(all(0 <= each < number for each in line.inputs), f"{where} takes a value from a later line")
        inputs = [nest.body[each] for each in line.inputs]
        self._demand(not any(each.kind in STORES for each in inputs), f"{where} takes the value of a store")
        if line.kind == "operation":
            self._operation(where, line, inputs)
            return
        self._demand(line.kind in INPUTS, f"{where} is of an unknown kind: {line.kind}")
        self._demand(len(line.inputs) == INPUTS[line.kind], f"{where}: {line.kind} of {len(line.inputs)} values")
        if line.kind == "load" and line.buffer is not None and (line.buffer, line.place) not in stored:
            self._readable(where, line.buffer)
        if line.buffer is not None:
            self._inside(where, line.buffer, line.place, nest.extents)
        if line.kind in ("store", "add") and line.buffer is not None:
            stored.add((line.buffer, line.place))

    def _operation(self, where: str, line: Instruction, inputs: list[Instruction]) -> None:
        self._demand(line.name in OPERATIONS, f"{where}: no operation is called {line.name}")
        problem = _misused(line.name, line.boolean, [each.boolean for each in inputs])
        self._demand(not problem, f"{where}: {problem}")

    def _readable(self, where: str, buffer: Buffer) -> None:
        """Is what is read there by now, and still?"""
        if buffer.role not in self.given:
            there = buffer in self.counts and self._whole(buffer)
            self._demand(there, f"{where} reads {buffer.name} before it is stored")
        lost = self.late and buffer.rows in PASSING
        self._demand(not lost, f"{where} reads {buffer.name} after the loop, when later steps have written over it")

    def _inside(self, where: str, buffer: Buffer, place: Affine, extents: Sequence[int], length: int = 1) -> None:
        low, high = place.bounds(extents)
        self._demand(
            low >= 0 and high + length <= buffer.size,
            f"{where} reaches from {low} to {high + length - 1} in {buffer.name}, which has {buffer.size} numbers",
        )

    def _store(self, where: str, nest: Nest, line: Instruction) -> None:
        buffer = line.buffer
        if buffer is None:
            raise PlanError(f"{self.name}: {where} stores to no buffer")
        self._demand(buffer.role not in self.given, f"{where} writes over {buffer.name}, which is given")
        once = self.late and buffer.rows in ("carries", "position")
        self._demand(not once, f"{where} stores {buffer.name} after the loop, when its step has gone by")
        loops = _kept(nest) if line.kind == "reduce" else range(len(nest.extents))
        gone = [loop for loop, _ in line.place.steps if loop not in loops]
        self._demand(not gone, f"{where} stores a total at a place that changes while it is taken")
        counts = self.counts.setdefault(buffer, np.zeros(buffer.size, dtype=np.int64))
        counts += np.bincount(_places(line.place, nest.extents, loops), minlength=buffer.size)
        self._demand(counts.max(initial=0) <= 1, f"{where} stores a place of {buffer.name} a second time")

    # products

    def _slot(self, where: str, nest: Nest, slot: Slot) -> None:
        lane = len(nest.extents) - 1
        for operand, access in slot.terms:
            self._demand(not operand.place.step(lane), f"{where} takes a product of a vector that moves with the lane")
            self._readable(where, operand.buffer)
            self._inside(where, operand.buffer, operand.place, nest.extents, operand.length)
            problem = _outside(access, (*nest.extents, operand.length))
            self._demand(not problem, f"{where}: {problem}")

    def contraction(self, where: str, node: Node, contraction: Contraction) -> None:
        """Check a sum over rows, which comes after all stages."""
        self.late = True
        left, right, heads = contraction.left, contraction.right, contraction.heads
        for side in (left, right):
            if side.buffer is not None:
                self._readable(where, side.buffer)
                for place in side.places:
                    self._inside(where, side.buffer, Affine(place), (), side.size)
        fits = left.buffer is None or len(left.places) == len(right.places)
        self._demand(fits and len(right.places) % heads == 0, f"{where} pairs vectors that are not equally many")
        product = heads * left.size * right.size
        self._demand(product == prod(node.shape), f"{where} has {product} numbers instead of {prod(node.shape)}")


def _kept(nest: Nest) -> list[int]:
    """The loops over which totals are stored."""
    last = [len(nest.extents) - 1] if nest.kind == "along" else []
    return [*range(nest.outer), *last]


def _places(place: Affine, extents: Sequence[int], loops: Sequence[int]) -> np.ndarray:
    """All places that loops lead to."""
    places = np.array([place.start])
    for loop in loops:
        places = (places[:, None] + place.step(loop) * np.arange(extents[loop])).ravel()
    return places


def _outside(access: WeightAccess, extents: Sequence[int]) -> str:
    """Why an access to a weight cannot be."""
    weight = access.weight
    if weight.op != "weight" or len(access.index) != len(weight.shape):
        return f"a product takes {weight} for a weight"
    for each, size in zip(access.index, weight.shape, strict=True):
        low, high = each.bounds(extents)
        if low < 0 or high >= size:
            return f"a product reaches from {low} to {high} in a dimension of {weight}"
    return ""


def _misused(name: str, boolean: bool, inputs: Sequence[bool]) -> str:
    """Why an operation cannot take or give truth values in this way."""
    choice = name == "where"
    if any(inputs) and not choice and not name.startswith(("logical_", "bitwise_")):
        return f"{name} needs numbers, and gets truth values"
    gives = OPERATIONS[name].boolean or (choice and all(inputs[1:]))
    if boolean != gives:
        return f"{name} gives {'truth values' if gives else 'numbers'}, and is said not to"
    return ""


# steps


def verify_step(step: Step) -> None:
    """Check the graph of a step.

    Raises:
        PlanError: A value cannot have the shape that it is said to have, or is of an unknown kind.
    """
    roots = [step.output, *step.states, *step.gradients.values(), *step.sums]
    for node in ordered(roots):
        for problem in _problems(node, step):
            raise PlanError(f"step: {problem}")
    for name, node in step.gradients.items():
        kind, *number = name.split()
        if kind == "state" and node.shape != step.states[int(number[0])].shape:
            raise PlanError(f"step: the gradient of {name} has shape {list(node.shape)}")


def _problems(node: Node, step: Step) -> Iterator[str]:
    """What is wrong with a value."""
    if node.op in LEAVES:
        if node.inputs:
            yield f"{node} is a leaf, and has inputs"
        if node.op == "weight" and node not in step.weights:
            yield f"{node} is not among the weights of the step"
    elif node.op in OPERATIONS:
        yield from _elementwise(node)
    elif node.op not in FITS:
        yield f"{node} is no leaf, no view and no operation that is known"
    elif not FITS[node.op](node, *(each.shape for each in node.inputs)):
        yield f"{node} does not fit what it is made from: {list(node.inputs)} {_settings(node)}".rstrip()


def _settings(node: Node) -> str:
    return ", ".join(f"{name}={value}" for name, value in node.settings.items())


def _elementwise(node: Node) -> Iterator[str]:
    for each in node.inputs:
        if not _spreads(each.shape, node.shape):
            yield f"{node} cannot spread its input {each} to its shape"
    problem = _misused(node.op, node.boolean, [each.boolean for each in node.inputs])
    if problem:
        yield problem


def _spreads(shape: Shape, to: Shape) -> bool:
    return len(shape) == len(to) and all(own in (1, size) for own, size in zip(shape, to, strict=True))


def _with(shape: Shape, dim: int, size: int) -> Shape:
    return (*shape[:dim], size, *shape[dim + 1 :])


def _slice(node: Node, shape: Shape) -> bool:
    dim, start = node.settings["dim"], node.settings["start"]
    return node.shape == _with(shape, dim, node.shape[dim]) and 0 <= start <= start + node.shape[dim] <= shape[dim]


def _pad(node: Node, shape: Shape) -> bool:
    dim, before = node.settings["dim"], node.settings["before"]
    return node.shape == _with(shape, dim, node.shape[dim]) and 0 <= before <= before + shape[dim] <= node.shape[dim]


def _permute(node: Node, shape: Shape) -> bool:
    order = node.settings["order"]
    return sorted(order) == list(range(len(shape))) and node.shape == tuple(shape[i] for i in order)


def _cat(node: Node, *shapes: Shape) -> bool:
    dim = node.settings["dim"]
    total = sum(shape[dim] for shape in shapes)
    return all(node.shape == _with(shape, dim, total) for shape in shapes)


def _product(node: Node, rows: Shape, weight: Shape) -> bool:
    shared = node.inputs[1].shared
    return shared and rows == weight[:-1] and node.shape == (*rows[:-1], weight[-1])


def _reduce(node: Node, shape: Shape) -> bool:
    dims, known = node.settings["dims"], node.settings["kind"] in ("sum", "amax", "amin")
    kept = tuple(1 if i in dims else size for i, size in enumerate(shape))
    return known and bool(dims) and all(shape[i] != 1 for i in dims) and node.shape == kept


def _contract(node: Node, *shapes: Shape) -> bool:
    if len(shapes) == 1:
        return prod(node.shape) == prod(shapes[0])
    left, right = shapes
    return left[:-1] == right[:-1] and prod(node.shape) == left[0] * left[-1] * right[-1]


FITS: dict[str, Callable[..., bool]] = {
    "reshape": lambda node, shape: prod(node.shape) == prod(shape),
    "permute": _permute,
    "slice": _slice,
    "expand": lambda node, shape: _spreads(shape, node.shape),
    "flip": lambda node, shape: node.shape == shape and all(0 <= dim < len(shape) for dim in node.settings["dims"]),
    "cat": _cat,
    "pad": _pad,
    "product": _product,
    "reduce": _reduce,
    "cumulate": lambda node, shape: node.shape == shape and 0 <= node.settings["dim"] < len(shape),
    "contract": _contract,
}
"""Has a value the shape that its inputs (their shapes come next) and settings give it? One line an operation."""
