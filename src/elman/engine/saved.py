"""What the way forward keeps for the way back: what would be dear to compute again."""

from elman.engine.graph import VIEWS, Node, ordered
from elman.engine.operations import OPERATIONS
from elman.engine.phases import FORWARD_LEAVES
from elman.engine.step import Step


def kept_forward(step: Step) -> list[Node]:
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
