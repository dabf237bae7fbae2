"""Products that one body adds up become one sum of products, which a tile takes without putting anything down."""

from dataclasses import replace

from elman.engine.nest import Body, Instruction, Slot


def merge_sums(body: Body) -> None:
    """Let products that are only added to each other share one sum."""
    users = _uses(body.lines)
    for number, line in enumerate(body.lines):
        if line.kind == "operation" and line.name == "add" and not _only_added(body, number, users):
            terms = _terms(body, number, users)
            sums = [each for each in terms if body.lines[each].kind == "sum of products"]
            if len(sums) > 1:
                _rewrite(body, number, terms, sums)
                return merge_sums(body)
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
