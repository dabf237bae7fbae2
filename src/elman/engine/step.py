"""One step of a cell as a graph of rows, forward and back: what the planner starts from."""

from dataclasses import dataclass

import torch
from torch.fx import Graph as Trace
from torch.fx import GraphModule
from torch.fx import Node as Call

from elman.engine.capture import Captured, weights_only
from elman.engine.graph import Graph, Node, described
from elman.engine.rules import arithmetic, products, reductions, views  # noqa: F401  made known by their import
from elman.engine.translate import BATCH, Seen, Summed, Translator
from elman.errors import Refused


@dataclass(frozen=True)
class Step:
    """The values of a step and its way back.

    Args:
        graph: Makes more nodes.
        output: What the cell puts out.
        states: Its states after the step.
        gradients: Of x, each state and each context, by name ("x", "state 0", ...).
        sums: What is summed over rows and time, on the way to the gradients of weights.
        weights: Leaves that are the same for all rows, in the order in which `sources` gives their values.
        sources: (weights of the prelude) -> values of `weights`.
        afterwards: (weights of the prelude, sums) -> gradients of the learned weights.
    """

    graph: Graph
    output: Node
    states: tuple[Node, ...]
    gradients: dict[str, Node]
    sums: tuple[Node, ...]
    weights: tuple[Node, ...]
    sources: GraphModule
    afterwards: GraphModule

    def __str__(self) -> str:
        after = {f"state {i}": node for i, node in enumerate(self.states)}
        back = {f"gradient of {name}": node for name, node in self.gradients.items()}
        sums = {f"sum {i}": node for i, node in enumerate(self.sums)}
        return described({"output": self.output, **after, **back, **sums})


def translate(captured: Captured, dtype: torch.dtype) -> Step:
    """A step as a graph of rows.

    Raises:
        Refused: An operation is not understood, or mixes rows of the batch.
    """
    trace = captured.way_back.graph
    calls = list(trace.nodes)
    places = [call for call in calls if call.op == "placeholder"]
    count = len(captured.learned)
    early = weights_only(calls, places[:count])
    translator = Translator(_leaves(places[count:], captured), early, dtype)
    translator.run(calls)
    results = next(call for call in calls if call.op == "output").args[0]
    forward, back = results[: 1 + captured.states], results[1 + captured.states :]
    learned = sum(captured.learned)
    output, *states = (_of_a_row(translator, each) for each in forward)
    names = [name for name, place in _places(places[count:], captured).items() if place.meta["val"].is_floating_point()]
    gradients = dict(zip(names, (_of_a_row(translator, each) for each in back[learned:]), strict=True))
    weights = tuple(node for node in translator.graph.nodes() if node.op == "weight")
    return Step(
        translator.graph,
        output,
        tuple(states),
        gradients,
        tuple(translator.sums.values()),
        weights,
        _module(captured, calls, places[:count], {}, [node.settings["source"] for node in weights]),
        _module(captured, calls, places[:count], translator.sums, list(back[:learned])),
    )


def _places(places: list[Call], captured: Captured) -> dict[str, Call]:
    """The inputs that may have a gradient, by name."""
    states, contexts = captured.states, captured.contexts
    names = ["x", *(f"state {i}" for i in range(states)), *(f"context {i}" for i in range(contexts))]
    return dict(zip(names, places, strict=False))


def _leaves(places: list[Call], captured: Captured) -> dict[Call, Seen]:
    states, contexts, draws = captured.states, captured.contexts, len(captured.draws)
    kinds = [("x", 0)]
    kinds += [("state", i) for i in range(states)]
    kinds += [("context", i) for i in range(contexts)]
    kinds += [("draw", i) for i in range(draws)]
    kinds += [("output_gradient", 0)]
    kinds += [("state_gradient", i) for i in range(states)]
    return {
        place: Seen(
            Node(
                kind,
                tuple(place.meta["val"].shape[1:]),
                settings={"number": number},
                boolean=place.meta["val"].dtype == torch.bool,
            ),
            ((BATCH,), *((i,) for i in range(place.meta["val"].dim() - 1))),
        )
        for place, (kind, number) in zip(places, kinds, strict=True)
    }


def _of_a_row(translator: Translator, call: Call) -> Node:
    """A result of the trace as the node of one row."""
    value = translator.values.get(call)
    if isinstance(value, Summed):
        raise Refused("what leaves the step mixes the rows of the batch")
    seen = translator.plain(call)
    shape = tuple(call.meta["val"].shape[1:])
    if seen.batch not in (0, None):
        raise Refused("what leaves the step has its rows in another dimension than the first")
    if seen.batch is None:
        seen = Seen(translator.graph.expand(seen.node, shape), seen.groups)
    return translator.graph.reshape(translator.number(seen.node), shape)


def _module(
    captured: Captured, calls: list[Call], weights: list[Call], sums: dict[Call, Node], results: list[Call]
) -> GraphModule:
    """The part of the trace that PyTorch computes from weights and sums."""
    graph, copies = Trace(), {}
    for number, call in enumerate([*weights, *sums]):
        copies[call] = graph.placeholder(f"in_{number}")
    needed, stack = set(), list(results)
    while stack:
        call = stack.pop()
        if call not in needed and call not in copies:
            needed.add(call)
            stack.extend(call.all_input_nodes)
    for call in calls:
        if call in needed:
            copies[call] = graph.node_copy(call, lambda each: copies[each])
    graph.output(tuple(copies[call] for call in results))
    return GraphModule(captured.way_back, graph)
