"""A plan in words: what runs once a call, what in the loop over time, what is kept, what is computed again."""

from collections.abc import Iterator

from elman.engine.nest import Buffer, Instruction, Nest
from elman.engine.phases import Contraction, Phase, Plan


def printed(plan: Plan) -> str:
    """All phases of a plan."""
    lines = [
        "forward, in the loop over time",
        *_indented(_phase(plan.inference, after=False)),
        "training keeps, at each step",
        *_indented(_kept(plan)),
        "backward, in the loop over time",
        *_indented(_phase(plan.backward, after=False)),
        "backward, for 64 steps at once",
        *_indented(_phase(plan.backward, after=True)),
        *_indented(map(_sum, plan.contractions)),
    ]
    return "\n".join(lines)


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _kept(plan: Plan) -> Iterator[str]:
    yield f"the states: {', '.join(str(list(node.shape)) for node in plan.step.states)}"
    for node, buffer in plan.saved.items():
        yield f"{buffer.name} {list(node.shape)}"
    if not plan.saved:
        yield "nothing else: all other values are computed again"


def _phase(phase: Phase, after: bool) -> Iterator[str]:
    for number, stage in enumerate(phase.stages):
        if stage.after == after:
            what = "matrix products, a tile of rows at a time" if stage.products else "row by row"
            yield f"stage {number}: {what}"
            for nest in stage.nests:
                yield from _indented(_nest(nest))


def _nest(nest: Nest) -> Iterator[str]:
    loops = " ".join(f"{'ijklmn'[i]}<{extent}" for i, extent in enumerate(nest.extents))
    kinds = {"each": "for", "across": "total over", "along": "totals over", "running": "running totals over"}
    yield f"{kinds[nest.kind]} {loops}:"
    for number, slot in enumerate(nest.slots):
        terms = [f"{operand.buffer.name}[{operand.length}] · {access.weight.op}" for operand, access in slot.terms]
        yield f"  p{number} = {' + '.join(terms)}"
    for number, line in enumerate(nest.body):
        text = _line(line)
        if text:
            yield f"  {text if line.kind in ('store', 'add', 'reduce', 'running') else f'v{number} = {text}'}"


def _line(line: Instruction) -> str:
    inputs = ", ".join(f"v{each}" for each in line.inputs)
    if line.kind == "constant":
        return f"{line.value:g}"
    if line.kind == "sum of products":
        return f"p{line.slot}"
    if line.kind == "operation":
        return f"{line.name}({inputs})"
    place = f"{_name(line.buffer)}[{line.place}]"
    if line.kind == "load":
        return place
    return {"store": f"{place} = {inputs}", "add": f"{place} += {inputs}"}.get(
        line.kind, f"{place} = {line.name or 'sum'} of {inputs}"
    )


def _name(buffer: Buffer | None) -> str:
    return buffer.name if buffer is not None else ""


def _sum(contraction: Contraction) -> str:
    left, right = (each.buffer.name if each.buffer else "1" for each in (contraction.left, contraction.right))
    shape = f"{contraction.left.size} x {contraction.right.size}"
    heads = f"{contraction.heads} times " if contraction.heads > 1 else ""
    return f"sum over rows and steps: {left} ⊗ {right}, {heads}{shape}"
