"""What runs in the loop over time, in which order, and what is kept for the way back.

A phase (forward for inference, forward for training, backward) stores some values: its results, vectors that enter
matrix products, totals, and what several loops share. Each store is a task; tasks that walk over the same entries and
do not wait for each other become one nest of loops; nests become stages, one matrix product (or several) or a run of
loops over one row each.

Key: H hidden size.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from elman.engine.affine import Affine, counter, flattened
from elman.engine.graph import VIEWS, Node, ordered
from elman.engine.nest import Body, Buffer, Divide, Index, Instruction, Memory, NeedsBuffer, Nest, Slot
from elman.engine.operations import OPERATIONS
from elman.engine.step import Step
from elman.engine.verify import verify
from elman.errors import Refused

Result = TypeVar("Result")

FORWARD_LEAVES = {"x": "time", "state": "before", "context": "position", "draw": "time", "weight": "shared"}
TURNING = ("carried", "carries")
"""Buffers that later steps write over."""
BACKWARD_LEAVES = FORWARD_LEAVES | {"output_gradient": "time", "state_gradient": "carried"}


@dataclass(frozen=True)
class Task:
    """One store: a region of a value into a buffer, or a total over some of its dimensions."""

    node: Node
    buffer: Buffer
    start: tuple[int, ...]
    extents: tuple[int, ...]
    """Of all dimensions of the node, or of what it reduces."""
    add: bool = False
    """Is it added to what the buffer holds?"""


@dataclass(frozen=True)
class Stage:
    """Nests that run one after the other, for each row or, with sums of products, for a tile of rows at a time."""

    nests: tuple[Nest, ...]
    after: bool = False
    """Does it run for all steps of a chunk at once, after the loop over time?"""

    @property
    def products(self) -> bool:
        """Does it take matrix products?"""
        return bool(self.nests[0].slots)

    @property
    def buffers(self) -> Iterator[Buffer]:
        """What it reads and writes, in order, with repetitions."""
        for nest in self.nests:
            yield from (operand.buffer for slot in nest.slots for operand, _ in slot.terms)
            yield from (line.buffer for line in nest.body if line.buffer is not None)


@dataclass
class Phase:
    """A way through a step: its stages in order, and the buffers of values that only it needs.

    Args:
        stages: What runs.
        buffers: By value, everything that lies in memory, leaves too.
        made: Those that the phase stores into.
    """

    stages: tuple[Stage, ...]
    buffers: dict[Node, Buffer]
    made: tuple[Buffer, ...] = ()

    @property
    def values(self) -> list[Buffer]:
        """Buffers that the phase makes for itself."""
        return [buffer for buffer in self.made if buffer.role == "value"]


@dataclass(frozen=True)
class Factor:
    """One side of a product that is summed over rows and time; all ones where it has no buffer."""

    buffer: Buffer | None
    places: tuple[int, ...]
    """Where the vector starts in the row's entry, for each head and, within it, each entry that is summed over."""
    size: int


@dataclass(frozen=True)
class Contraction:
    """A sum over rows and time of outer products, (heads, M, N)."""

    left: Factor
    right: Factor
    heads: int


@dataclass(frozen=True)
class Plan:
    """All that the kernels of a cell do."""

    step: Step
    inference: Phase
    forward: Phase
    backward: Phase
    saved: dict[Node, Buffer]
    contractions: tuple[Contraction, ...]

    @property
    def buffers(self) -> list[Buffer]:
        """All that kernels look at."""
        stages = (stage for phase in (self.inference, self.forward, self.backward) for stage in phase.stages)
        return list(dict.fromkeys([*(buffer for stage in stages for buffer in stage.buffers), *self.factors]))

    @property
    def factors(self) -> list[Buffer]:
        """Buffers that sums over rows look at."""
        sides = (side for each in self.contractions for side in (each.left, each.right))
        return list(dict.fromkeys(side.buffer for side in sides if side.buffer is not None))


def plan(step: Step) -> Plan:
    """Plan a step.

    Raises:
        Refused: A value cannot be brought into loops.
    """
    leaves = [node for node in ordered(_roots(step)) if node.op in BACKWARD_LEAVES and node.op != "constant"]
    buffers = {node: _leaf_buffer(node, step.weights) for node in leaves}
    forward_leaves = {node: buffer for node, buffer in buffers.items() if node.op in FORWARD_LEAVES}
    results = _forward_results(step)
    inference = _Planner(forward_leaves, results).phase()
    saved = {node: Buffer("saved", i, "step", node.size, node.op) for i, node in enumerate(_saved(step))}
    forward = _Planner(forward_leaves, results + list(saved.items())).phase()
    known = buffers | saved
    known |= {node: buffer for node, buffer in results if node not in known and node.op not in BACKWARD_LEAVES}
    back = [(node, *_gradient_buffer(name, node)) for name, node in step.gradients.items()]
    planner = _Planner(known, [each[:2] for each in back], added={each[1] for each in back if each[2]})
    backward, contractions = planner.phase_with_sums(step.sums)
    made = Plan(step, inference, forward, backward, saved, contractions)
    verify(made)
    return made


def _roots(step: Step) -> list[Node]:
    return [step.output, *step.states, *step.gradients.values(), *step.sums]


def _leaf_buffer(node: Node, weights: tuple[Node, ...]) -> Buffer:
    number = weights.index(node) if node.op == "weight" else node.settings["number"]
    return Buffer(node.op.replace("_", " "), number, BACKWARD_LEAVES[node.op], node.size)


def _forward_results(step: Step) -> list[tuple[Node, Buffer]]:
    output = (step.output, Buffer("output", 0, "time", step.output.size))
    states = [(node, Buffer("after", i, "after", node.size)) for i, node in enumerate(step.states)]
    return [*states, output]


def _gradient_buffer(name: str, node: Node) -> tuple[Buffer, bool]:
    kind, *number = name.split()
    rows = {"x": "time", "state": "carries", "context": "position"}[kind]
    return Buffer(f"gradient of {kind}", int(number[0]) if number else 0, rows, node.size), kind == "context"


# what is kept


def _saved(step: Step) -> list[Node]:
    """Values of the way forward that the way back must find stored, rather than compute again."""
    forward = set(ordered([step.output, *step.states]))
    stored = {node for node in forward if node.op in FORWARD_LEAVES or node.op == "constant"} | {
        *step.states,
        step.output,
    }
    saved: dict[Node, None] = {}
    for node in ordered([*step.gradients.values(), *step.sums]):
        if node not in forward:
            for each in node.inputs:
                if each in forward:
                    _need(each, stored, saved)
    return list(saved)


def _need(node: Node, stored: set[Node], saved: dict[Node, None]) -> None:
    cost = _cost(node, stored, saved)
    if not cost:
        return
    if not _repeatable(node) or sum(each.size for each in cost) > node.size:
        saved[node] = None
        return
    for each in node.inputs:
        _need(each, stored, saved)


def _repeatable(node: Node) -> bool:
    """Is it cheap to compute again from what it is made of?"""
    if node.op in OPERATIONS:
        return not OPERATIONS[node.op].costly
    return node.op in VIEWS or node.op in ("cat", "pad")


def _cost(node: Node, stored: set[Node], saved: dict[Node, None]) -> set[Node]:
    """What would have to be saved to compute the node again: nothing, if all that it needs is there."""
    if node in stored or node in saved:
        return set()
    if node.op not in OPERATIONS and node.op not in VIEWS and node.op not in ("cat", "pad"):
        return {node}
    below = set().union(*(_cost(each, stored, saved) for each in node.inputs))
    return {node} if below and not _repeatable(node) else below


# tasks, nests, stages


class _Planner:
    """Plans one phase.

    Args:
        known: Values that lie in buffers before it starts.
        results: Values that it stores, and where.
        added: Buffers to which is added.
    """

    def __init__(
        self, known: dict[Node, Buffer], results: list[tuple[Node, Buffer]], added: Iterable[Buffer] = ()
    ) -> None:
        self.known = known
        self.results = results
        self.added = set(added)
        self.stored: dict[Node, Buffer] = {}
        self.rows = "scratch"
        """How rows find values that the planner decides to store: anew at each step, at first."""

    def phase(self) -> Phase:
        """Stages that compute the results, all in the loop over time."""
        return self._settled(lambda: self._phase(set()))

    def phase_with_sums(self, sums: tuple[Node, ...]) -> tuple[Phase, tuple[Contraction, ...]]:
        """The same with what is summed over rows; what no earlier step waits for runs after the loop."""
        self.rows = "step"
        return self._settled(lambda: self._with_sums(sums))

    def _settled(self, attempt: Callable[[], Result]) -> Result:
        """Try, and store what turns out to be needed whole, until nothing more does."""
        for _ in range(200):
            try:
                return attempt()
            except NeedsBuffer as needed:
                self._store(needed.node)
        raise Refused("the step needs too many values stored")

    def _store(self, node: Node) -> None:
        while node.op == "reshape":
            node = node.inputs[0]
        if node in self.stored or (node.shared and node.op != "expand"):
            raise Refused(f"a view of {node.op} {list(node.shape)} cannot be walked evenly")
        self.stored[node] = Buffer("value", len(self.stored), self.rows, node.size, node.op)

    def _with_sums(self, sums: tuple[Node, ...]) -> tuple[Phase, tuple[Contraction, ...]]:
        buffers = self._buffers()
        contractions = tuple(self._contraction(node, Memory(buffers)) for node in sums)
        carried = {node for node, buffer in self.results if buffer.rows == "carries"}
        return self._phase(carried), contractions

    def _buffers(self) -> dict[Node, Buffer]:
        stored = {n: b for n, b in self.results if n not in self.known and b not in self.added}
        return self.known | stored | self.stored

    def _contraction(self, node: Node, memory: Memory) -> Contraction:
        if len(node.inputs) == 1:
            (values,) = node.inputs
            whole = _factor(values, (), memory)
            return Contraction(Factor(None, (0,), 1), whole, 1)
        left, right = node.inputs
        heads = left.shape[0]
        return Contraction(_factor(left, left.shape[:-1], memory), _factor(right, right.shape[:-1], memory), heads)

    def _phase(self, carried: set[Node]) -> Phase:
        buffers = self._buffers()
        tasks = [
            task
            for node, buffer in [*self.results, *self.stored.items()]
            for task in self._tasks(node, buffer, buffers)
        ]
        bodies = {task: self._body([task], buffers) for task in tasks}
        made = {task.node for task in tasks}
        waits = {task: self._waits(task, bodies[task], tasks, made) for task in tasks}
        late = self._late(tasks, bodies, waits, carried) if carried else set()
        levels = _levels(tasks, waits)
        groups: dict[tuple[bool, int, tuple[int, ...], str, int], list[Task]] = {}
        for task in tasks:
            key = (task in late, levels[task], _extents(task), _kind(task), _outer(task))
            groups.setdefault(key, []).append(task)
        ordered_groups = [groups[key] for key in sorted(groups, key=lambda key: key[:2])]
        nests = [self._nest(_by_waiting(group, waits), buffers) for group in ordered_groups]
        self._share([body for body, _ in nests])
        flags = [group[0] in late for group in ordered_groups]
        stages = _stages([nest for _, nest in nests], flags)
        return Phase(stages, buffers, tuple(dict.fromkeys(task.buffer for task in tasks)))

    def _tasks(self, node: Node, buffer: Buffer, buffers: dict[Node, Buffer]) -> list[Task]:
        """The stores of one value: one, or several where pieces of it are made differently."""
        shape = node.inputs[0].shape if _kind_of(node) != "each" else node.shape
        pending = [Task(node, buffer, (0,) * len(shape), shape, buffer in self.added)]
        done: list[Task] = []
        while pending:
            task = pending.pop()
            try:
                self._body([task], buffers)
                done.append(task)
            except Divide as cut:
                if _kind(task) != "each":
                    raise NeedsBuffer(node.inputs[0]) from None
                pending.extend(_halves(task, cut))
        return done[::-1] if len(done) > 1 else done

    def _body(self, tasks: list[Task], buffers: dict[Node, Buffer]) -> Body:
        kind, extents = _kind(tasks[0]), _extents(tasks[0])
        body = Body(extents, Memory(buffers), fused=kind == "each")
        own = {task.node for task in tasks}
        for task in tasks:
            index = _reordered(task)
            body.memory = Memory({n: b for n, b in buffers.items() if n not in own or n in self.known})
            line = self._line_of(body, task, index) if kind == "each" else body.value(task.node.inputs[0], index)
            _finish(body, task, kind, line, index)
        return body

    def _line_of(self, body: Body, task: Task, index: Index) -> int:
        if task.node in self.known:
            return body._value(task.node, index)
        return body.value(task.node, index)

    def _waits(self, task: Task, body: Body, tasks: list[Task], made: set[Node]) -> dict[Task, int]:
        """Which tasks must come before, and whether in an earlier nest (1) or the same will do (0)."""
        waits: dict[Task, int] = {}
        for node in body.read:
            if node in made and node not in self.known:
                waits |= {other: 1 for other in tasks if other.node is node}
        for node, index in body.loaded:
            if node not in made or node in self.known or node is task.node:
                continue
            others = [other for other in tasks if other.node is node]
            same = [each for each in others if _alike(each, task) and _reordered(each) == index]
            for other in same or others:
                waits[other] = max(waits.get(other, 0), 0 if same else 1)
        return waits

    def _late(
        self, tasks: list[Task], bodies: dict[Task, Body], waits: dict[Task, dict[Task, int]], carried: set[Node]
    ) -> set[Task]:
        """Tasks that no carried gradient waits for, and that can be done from what lies in buffers."""
        needed: set[Task] = set()
        stack = [
            task
            for task in tasks
            if task.buffer.rows in ("carries", "position") or self._looks_at_carried(bodies[task])
        ]
        while stack:
            task = stack.pop()
            if task not in needed:
                needed.add(task)
                stack.extend(waits[task])
        return {task for task in tasks if task not in needed}

    def _looks_at_carried(self, body: Body) -> bool:
        return any(
            line.buffer is not None and line.kind == "load" and line.buffer.rows in TURNING for line in body.lines
        )

    def _nest(self, tasks: list[Task], buffers: dict[Node, Buffer]) -> tuple[Body, Nest]:
        body = self._body(tasks, buffers)
        _merge_sums(body)
        outer = _outer(tasks[0])
        return body, Nest(_kind(tasks[0]), _extents(tasks[0]), tuple(body.lines), tuple(body.slots), outer)

    def _share(self, bodies: list[Body]) -> None:
        """Store what several nests would compute, if it is worth it."""
        counts: dict[Node, int] = {}
        for body in bodies:
            for node in body.computed:
                counts[node] = counts.get(node, 0) + 1
        for node, count in counts.items():
            dear = node.op == "product" or OPERATIONS[node.op].costly
            if count > 1 and dear and node not in self._buffers():
                raise NeedsBuffer(node)


def _kind_of(node: Node) -> str:
    if node.op == "cumulate":
        return "running"
    if node.op != "reduce":
        return "each"
    shape = node.inputs[0].shape
    last = max(i for i, size in enumerate(shape) if size != 1)
    return "across" if last in node.settings["dims"] else "along"


def _kind(task: Task) -> str:
    return _kind_of(task.node) if task.buffer is not None else "each"


def _order(task: Task) -> list[int]:
    """The dimensions of what is reduced in the order of the loops: kept, reduced, and what goes in vectors last."""
    node = task.node
    wide = [i for i, size in enumerate(task.extents) if size != 1]
    if node.op == "product" and task.extents[-1] == 1:
        wide.append(len(task.extents) - 1)
    if _kind(task) == "each" or not wide:
        return wide
    if node.op == "cumulate":
        return [i for i in wide if i != node.settings["dim"]] + [i for i in wide if i == node.settings["dim"]]
    reduced = [i for i in wide if i in node.settings["dims"]]
    kept = [i for i in wide if i not in reduced]
    return kept + reduced if _kind(task) == "across" else kept[:-1] + reduced + kept[-1:]


def _extents(task: Task) -> tuple[int, ...]:
    return tuple(task.extents[i] for i in _order(task)) or (1,)


def _outer(task: Task) -> int:
    kind = _kind(task)
    if kind == "each":
        return 0
    if kind == "running":
        return len(_extents(task)) - 1
    reduced = sum(task.extents[i] != 1 for i in task.node.settings["dims"])
    return len(_extents(task)) - reduced - (kind == "along")


def _reordered(task: Task) -> Index:
    order = _order(task)
    return tuple(
        counter(order.index(i)) + task.start[i] if i in order else Affine(task.start[i])
        for i in range(len(task.extents))
    )


def _finish(body: Body, task: Task, kind: str, line: int, index: Index) -> None:
    """The last line of a task: its store."""
    shape = task.node.inputs[0].shape if kind != "each" else task.node.shape
    if kind in ("each", "running"):
        place = flattened(index, shape)
        name = "add" if task.add else "store" if kind == "each" else "running"
        body.line(Instruction(name, (line,), buffer=task.buffer, place=place))
        body.known.setdefault((task.node, index), line) if kind == "each" else None
        return
    dims = task.node.settings["dims"]
    kept = tuple(Affine() if i in dims else each for i, each in enumerate(index))
    place = flattened(kept, task.node.shape)
    body.line(Instruction("reduce", (line,), name=task.node.settings["kind"], buffer=task.buffer, place=place))


def _alike(one: Task, other: Task) -> bool:
    return _kind(one) == _kind(other) == "each" and _extents(one) == _extents(other)


def _halves(task: Task, cut: Divide) -> list[Task]:
    dim = _order(task)[cut.loop]
    pieces = ((0, cut.at), (cut.at, task.extents[dim] - cut.at))
    return [
        Task(
            task.node,
            task.buffer,
            (*task.start[:dim], task.start[dim] + start, *task.start[dim + 1 :]),
            (*task.extents[:dim], size, *task.extents[dim + 1 :]),
            task.add,
        )
        for start, size in pieces
    ]


def _levels(tasks: list[Task], waits: dict[Task, dict[Task, int]]) -> dict[Task, int]:
    """How many nests must come before each task's."""
    levels: dict[Task, int] = {}

    def level(task: Task, above: tuple[Task, ...] = ()) -> int:
        if task in above:
            raise NeedsBuffer(task.node)
        if task not in levels:
            levels[task] = max((level(other, (*above, task)) + gap for other, gap in waits[task].items()), default=0)
        return levels[task]

    for task in tasks:
        level(task)
    return levels


def _by_waiting(group: list[Task], waits: dict[Task, dict[Task, int]]) -> list[Task]:
    """Those first that others of the same nest wait for."""
    result: list[Task] = []

    def visit(task: Task) -> None:
        if task in result:
            return
        for other in waits[task]:
            if other in group:
                visit(other)
        result.append(task)

    for task in group:
        visit(task)
    return result


def _stages(nests: list[Nest], late: list[bool]) -> tuple[Stage, ...]:
    """Nests without products join the stage before them, if it has none either."""
    stages: list[Stage] = []
    for nest, after in zip(nests, late, strict=True):
        if stages and not nest.slots and not stages[-1].products and stages[-1].after == after:
            stages[-1] = Stage((*stages[-1].nests, nest), after)
        else:
            stages.append(Stage((nest,), after))
    return tuple(stages)


def _factor(node: Node, lead: tuple[int, ...], memory: Memory) -> Factor:
    """A side of a contraction in its buffer: a vector for each entry of the leading dimensions."""
    extents = node.shape
    index = tuple(counter(i) for i in range(len(extents)))
    found = memory.find(node, index, extents)
    if found is None:
        raise NeedsBuffer(node)
    owner, place = found
    buffer = memory.buffers[owner]
    if buffer.rows in TURNING:
        raise NeedsBuffer(owner)
    if lead:
        vectors, size = lead, node.shape[-1]
        if size > 1 and place.step(len(extents) - 1) != 1:
            raise NeedsBuffer(node)
    else:
        vectors, size = (), node.size
        if place != flattened(index, node.shape) + place.start:
            raise NeedsBuffer(node)
    places = [place.start]
    for loop, extent in enumerate(vectors):
        places = [start + place.step(loop) * i for start in places for i in range(extent)]
    return Factor(buffer, tuple(places), size)


# sums of products that are added up


def _merge_sums(body: Body) -> None:
    """Let products that are only added to each other share one sum."""
    users = _uses(body.lines)
    for number, line in enumerate(body.lines):
        if line.kind == "operation" and line.name == "add" and not _only_added(body, number, users):
            terms = _terms(body, number, users)
            sums = [each for each in terms if body.lines[each].kind == "sum of products"]
            if len(sums) > 1:
                _rewrite(body, number, terms, sums)
                return _merge_sums(body)
    return None


def _uses(lines: list[Instruction]) -> dict[int, list[int]]:
    users: dict[int, list[int]] = {}
    for number, line in enumerate(lines):
        for each in line.inputs:
            users.setdefault(each, []).append(number)
    return users


def _only_added(body: Body, number: int, users: dict[int, list[int]]) -> bool:
    above = users.get(number, [])
    return len(above) == 1 and body.lines[above[0]].kind == "operation" and body.lines[above[0]].name == "add"


def _terms(body: Body, number: int, users: dict[int, list[int]]) -> list[int]:
    """What a tree of additions adds up, where nobody else looks at its branches."""
    result: list[int] = []
    for each in body.lines[number].inputs:
        line = body.lines[each]
        if line.kind == "operation" and line.name == "add" and len(users[each]) == 1:
            result.extend(_terms(body, each, users))
        elif line.kind == "sum of products" and len(users[each]) > 1:
            result.append(-1 - each)
        else:
            result.append(each)
    return result


def _rewrite(body: Body, number: int, terms: list[int], sums: list[int]) -> None:
    """Put one line with all products in the place of the first sum, and add the other terms to it."""
    merged = Slot(tuple(term for each in sums for term in body.slots[body.lines[each].slot].terms))
    body.slots.append(merged)
    others = [each if each >= 0 else -1 - each for each in terms if each not in sums]
    lines: list[Instruction] = []
    place: dict[int, int] = {}
    for old, line in enumerate(body.lines):
        if old == number:
            lines.append(Instruction("sum of products", slot=len(body.slots) - 1))
            for other in others:
                lines.append(Instruction("operation", (len(lines) - 1, place[other]), name="add"))
        else:
            inputs = tuple(place[each] for each in line.inputs)
            lines.append(replace(line, inputs=inputs))
        place[old] = len(lines) - 1
    body.lines, body.slots = _alive(lines, body.slots)


def _alive(lines: list[Instruction], slots: list[Slot]) -> tuple[list[Instruction], list[Slot]]:
    """Without lines that nobody reads, and slots that nobody uses."""
    alive: set[int] = set()
    stack = [number for number, line in enumerate(lines) if line.buffer is not None and line.kind != "load"]
    while stack:
        number = stack.pop()
        if number not in alive:
            alive.add(number)
            stack.extend(lines[number].inputs)
    place: dict[int, int] = {}
    kept: list[Instruction] = []
    used: dict[int, int] = {}
    for number in sorted(alive):
        line = lines[number]
        slot = used.setdefault(line.slot, len(used)) if line.kind == "sum of products" else 0
        inputs = tuple(place[each] for each in line.inputs)
        kept.append(replace(line, inputs=inputs, slot=slot))
        place[number] = len(kept) - 1
    return kept, [slots[old] for old in used]
