"""What runs in the loop over time, in which order, and what is kept for the way back.

A phase stores some values: its results, vectors that enter matrix products, totals, and what several loops share. Each
store is a task; tasks that walk over the same entries and do not wait for each other become one nest of loops; nests
become stages.

Key: H hidden size.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from elman.engine.affine import counter, flattened
from elman.engine.graph import Node, ordered
from elman.engine.merge import merge_sums
from elman.engine.nest import Body, Buffer, Divide, Index, Memory, NeedsBuffer, Nest
from elman.engine.operations import OPERATIONS
from elman.engine.phases import BACKWARD_LEAVES, FORWARD_LEAVES, TURNING, Contraction, Factor, Phase, Plan, Stage
from elman.engine.saved import kept_forward
from elman.engine.step import Step
from elman.engine.tasks import Task, by_waiting, kind_of, levels_of
from elman.errors import Refused

Result = TypeVar("Result")


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
    saved = {node: Buffer("saved", i, "step", node.size, node.op) for i, node in enumerate(kept_forward(step))}
    forward = _Planner(forward_leaves, results + list(saved.items())).phase()
    known = buffers | saved
    known |= {node: buffer for node, buffer in results if node not in known and node.op not in BACKWARD_LEAVES}
    back = [(node, *_gradient_buffer(name, node)) for name, node in step.gradients.items()]
    planner = _Planner(known, [each[:2] for each in back], added={each[1] for each in back if each[2]})
    backward, contractions = planner.phase_with_sums(step.sums)
    return Plan(step, inference, forward, backward, saved, contractions)


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
        levels = levels_of(tasks, waits)
        groups: dict[tuple[bool, int, tuple[int, ...], str, int], list[Task]] = {}
        for task in tasks:
            key = (task in late, levels[task], task.loops, task.kind, task.outer)
            groups.setdefault(key, []).append(task)
        ordered_groups = [groups[key] for key in sorted(groups, key=lambda key: key[:2])]
        nests = [self._nest(by_waiting(group, waits), buffers) for group in ordered_groups]
        self._share([body for body, _ in nests])
        flags = [group[0] in late for group in ordered_groups]
        stages = _stages([nest for _, nest in nests], flags)
        return Phase(stages, buffers, tuple(dict.fromkeys(task.buffer for task in tasks)))

    def _tasks(self, node: Node, buffer: Buffer, buffers: dict[Node, Buffer]) -> list[Task]:
        """The stores of one value: one, or several where pieces of it are made differently."""
        shape = node.inputs[0].shape if kind_of(node) != "each" else node.shape
        pending = [Task(node, buffer, (0,) * len(shape), shape, buffer in self.added)]
        done: list[Task] = []
        while pending:
            task = pending.pop()
            try:
                self._body([task], buffers)
                done.append(task)
            except Divide as cut:
                if task.kind != "each":
                    raise NeedsBuffer(node.inputs[0]) from None
                pending.extend(task.halves(cut))
        return done[::-1] if len(done) > 1 else done

    def _body(self, tasks: list[Task], buffers: dict[Node, Buffer]) -> Body:
        kind, extents = tasks[0].kind, tasks[0].loops
        body = Body(extents, Memory(buffers), fused=kind == "each")
        own = {task.node for task in tasks}
        for task in tasks:
            index = task.index
            body.memory = Memory({n: b for n, b in buffers.items() if n not in own or n in self.known})
            line = self._line_of(body, task, index) if kind == "each" else body.value(task.node.inputs[0], index)
            task.finish(body, line)
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
            same = [each for each in others if each.alike(task) and each.index == index]
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
        merge_sums(body)
        outer = tasks[0].outer
        return body, Nest(tasks[0].kind, tasks[0].loops, tuple(body.lines), tuple(body.slots), outer)

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
