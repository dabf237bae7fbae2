"""From a cell to graphs: one step as PyTorch's core operations, and the same step with its way back.

The step is traced with stand-ins for tensors that have no memory, and a batch size that nothing else has (`ROWS`): a
number in the trace that it divides can only come from the batch. What depends on nothing but weights is cut off and
stays with PyTorch (the prelude); the way back is PyTorch's own `vjp` of the rest, so nobody writes a gradient by hand.

Key: B batch.
"""

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.fx import Graph, GraphModule, Node
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from elman.engine.cell import Cell, as_sizes, check_step
from elman.errors import CellError, Refused

Kind = tuple[tuple[int, ...], torch.dtype]

ROWS = 1_000_003
"""The batch size of the trace: a prime."""

TAKEN_APART = ("addmm", "baddbmm", "native_dropout", "logsumexp", "gelu_backward")
KEPT = (
    "slice_backward",
    "select_backward",
    "cumsum",
    "split_with_sizes",
    "lerp",
    "addcmul",
    "addcdiv",
    "detach",
    "roll",
)

aten = torch.ops.aten


@dataclass(frozen=True)
class Draw:
    """Numbers that the step draws at random, (B, *shape) at each step."""

    kind: str
    """`uniform` in [0, 1), or `normal`."""
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Captured:
    """A step in three pieces, each a function of tensors.

    Args:
        prelude: (parameters and buffers) -> weights; run by PyTorch once a call.
        step: (weights, x, states, contexts, draws) -> (output, states).
        way_back: The same, then the gradients of output and states -> gradients of the learned weights, of x, states
            and contexts.
        names: Of the parameters and buffers that the prelude takes.
        draws: What the step draws at random.
        learned: For each weight: is it floating point, so that it has a gradient?
        states: How many states there are.
        contexts: How many tensors of context there are.
    """

    prelude: GraphModule
    step: GraphModule
    way_back: GraphModule
    names: tuple[str, ...]
    draws: tuple[Draw, ...]
    learned: tuple[bool, ...]
    states: int
    contexts: int

    @cached_property
    def order(self) -> tuple[int, ...] | None:
        """Which of its inputs the prelude gives back, if that is all it does."""
        *inputs, output = self.prelude.graph.nodes
        if any(node.op != "placeholder" for node in inputs):
            return None
        return tuple(inputs.index(node) for node in output.args[0])

    def __str__(self) -> str:
        return "\n".join(
            f"{title}\n{module.graph}"
            for title, module in (("prelude", self.prelude), ("step", self.step), ("way back", self.way_back))
        )


def capture(cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...] = ()) -> Captured:
    """Trace one step of a cell.

    Args:
        cell: Any cell.
        dtype: Of input, state and context.
        contexts: Shape, without the batch, and dtype of each tensor of context.

    Raises:
        Refused: The step cannot be taken apart; says what is in the way.
    """
    from torch._subclasses import FakeTensorMode

    fixed_order = torch.backends.opt_einsum.flags(enabled=False)  # its search takes the batch size for a constant
    with FakeTensorMode(allow_non_fake_inputs=True), torch.enable_grad(), fixed_order:
        trace, names = _traced(cell, dtype, contexts)
        draws = _give_draws(trace.graph)
        prelude, step, learned = _split(trace, len(names))
        way_back = _traced_back(step, learned, len(draws))
    return Captured(prelude, step, way_back, names, draws, learned, len(cell.state_shapes), len(contexts))


def _traced(cell: Cell, dtype: torch.dtype, contexts: tuple[Kind, ...]) -> tuple[GraphModule, tuple[str, ...]]:
    named = dict(cell.named_parameters()) | dict(cell.named_buffers())
    values = tuple(torch.empty_like(value, device="cpu") for value in named.values())

    def rows(*sizes: int, dtype: torch.dtype = dtype) -> Tensor:
        return torch.empty(ROWS, *sizes, dtype=dtype)

    state = tuple(rows(*as_sizes(shape)) for shape in cell.state_shapes)
    context = tuple(rows(*shape, dtype=kind) for shape, kind in contexts)

    def step(values: Any, x: Tensor, state: Any, context: Any) -> Any:
        arguments = (x, state, context) if context else (x, state)
        by_name = dict(zip(named, values, strict=True))
        with _Detaching():
            result = torch.func.functional_call(cell, by_name, arguments, tie_weights=False)
        try:
            check_step(cell, result, ROWS)
        except CellError as error:
            raise Refused("the step breaks the contract of a cell") from error
        return result[0], *result[1]

    with _watched(cell):
        trace = _functional(step, values, rows(cell.input_size), state, context)
    _refuse_mutation(trace.graph, tuple(named))
    return trace, tuple(named)


class _Detaching(TorchFunctionMode):
    """What a step computes without gradients is cut off in the trace, which knows no such mode."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if torch.is_grad_enabled() or func is torch.Tensor.detach:
            return result
        return tree_map(lambda each: each.detach() if isinstance(each, Tensor) else each, result)


def _functional(function: Any, *arguments: Any) -> GraphModule:
    """A trace without operations in place; those that PyTorch's own decompositions bring in go in a second round."""
    trace = _make_fx(torch.func.functionalize(function, remove="mutations"))(*arguments)
    if any(node.op == "call_function" and _mutates(node) for node in trace.graph.nodes):
        trace = _make_fx(torch.func.functionalize(trace, remove="mutations"))(*arguments)
    for node in list(trace.graph.nodes):
        if node.target is aten.copy.default:
            _replace_copy(trace.graph, node)
        elif node.target is aten.mul.Tensor and node.args[1] == 1 and _alike(node, node.args[0]):
            node.replace_all_uses_with(node.args[0])
            trace.graph.erase_node(node)
    trace.recompile()
    return trace


def _alike(a: Node, b: Node) -> bool:
    """Have two values one shape and dtype?"""
    a, b = a.meta["val"], b.meta["val"]
    return (a.shape, a.dtype) == (b.shape, b.dtype)  # pyright: ignore[reportAttributeAccessIssue]


def _replace_copy(graph: Graph, node: Node) -> None:
    """`copy(old, new)` is the new value in the old one's shape and dtype; PyTorch knows no gradient of it."""
    given, value = node.args[1], node.meta["val"]
    assert isinstance(given, Node)
    new, before = given, given.meta["val"]
    with graph.inserting_before(node):
        if before.dtype != value.dtype:
            new = graph.call_function(aten._to_copy.default, (new,), {"dtype": value.dtype})
        if before.shape != value.shape:
            new = graph.call_function(aten.expand.default, (new, list(value.shape)))
    if new is not given:
        new.meta["val"] = value
    node.replace_all_uses_with(new)
    graph.erase_node(node)


def _mutates(node: Node) -> bool:
    return getattr(getattr(node.target, "_schema", None), "is_mutable", False)


def _make_fx(function: Any) -> Any:
    from torch.fx.experimental.proxy_tensor import make_fx

    return make_fx(function, decomposition_table=_decompositions(), _error_on_data_dependent_ops=True)


@lru_cache(maxsize=1)
def _decompositions() -> dict[Any, Any]:
    from torch._decomp import core_aten_decompositions, get_decompositions

    table = dict(core_aten_decompositions())
    table |= get_decompositions([getattr(aten, name) for name in TAKEN_APART])
    return {op: rule for op, rule in table.items() if _name(op) not in KEPT}


def _name(op: Any) -> str:
    return getattr(op, "overloadpacket", op).__name__


@contextmanager
def _watched(cell: nn.Module) -> Iterator[None]:
    """Turn what goes wrong in a trace into words, and undo what the step left behind on its modules."""
    before = {name: (module, dict(vars(module))) for name, module in cell.named_modules()}
    try:
        with patch.object(torch.autograd.Function, "apply", _refuse_function):
            yield
    except Refused:
        raise
    except Exception as error:
        raise Refused(_in_words(error)) from error
    finally:
        left = [each for name, (module, old) in before.items() for each in _restore(name, module, old)]
    if left:
        raise Refused(f"the step writes to {left[0]}, which a fused step could not")


def _refuse_function(*_: Any, **__: Any) -> None:
    raise Refused("a torch.autograd.Function inside the step hides its own gradient rule")


def _restore(name: str, module: nn.Module, old: dict[str, Any]) -> list[str]:
    """Put a module's attributes back; names those that had changed and are no private flags."""
    now = vars(module)
    changed = [key for key in now if key not in old or now[key] is not old[key]]
    now.clear()
    now.update(old)
    return [f"self.{f'{name}.' if name else ''}{key}" for key in changed if not key.startswith("_")]


def _in_words(error: Exception) -> str:
    kind = type(error).__name__
    if "DataDependent" in kind or "data-dependent" in str(error) or "aten._local_scalar_dense" in str(error):
        return "what the step does depends on its data (an if, a loop or .item() on a tensor: data-dependent)"
    return f"tracing the step failed with {kind}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


def _refuse_mutation(graph: Graph, names: tuple[str, ...]) -> None:
    for node in graph.nodes:
        if node.op == "call_function" and node.target in (aten.copy_.default, aten.set_.default):
            place = [each for each in graph.nodes if each.op == "placeholder"].index(node.args[0])
            what = f"the buffer '{names[place]}'" if place < len(names) else "its input or state"
            raise Refused(f"the step changes {what} in place (mutated at every step)")


UNIFORM = (aten.rand_like.default, aten.rand.default)
NORMAL = (aten.randn_like.default, aten.randn.default)
BERNOULLI = (aten.bernoulli.p, aten.bernoulli.default)


def _give_draws(graph: Graph) -> tuple[Draw, ...]:
    """Replace what draws at random by inputs that were drawn ahead."""
    draws: list[Draw] = []
    last = [node for node in graph.nodes if node.op == "placeholder"][-1]
    for node in list(graph.nodes):
        if node.op != "call_function" or torch.Tag.nondeterministic_seeded not in getattr(node.target, "tags", ()):
            continue
        value = node.meta["val"]
        if node.target not in UNIFORM + NORMAL + BERNOULLI or value.dim() == 0 or value.shape[0] != ROWS:
            raise Refused(f"the operation {node.target} draws at random in a way that cannot be drawn ahead")
        with graph.inserting_after(last):
            drawn = graph.placeholder(f"draw_{len(draws)}")
        drawn.meta["val"] = value
        last = drawn
        node.replace_all_uses_with(_from_draw(graph, node, drawn) if node.target in BERNOULLI else drawn)
        draws.append(Draw("normal" if node.target in NORMAL else "uniform", tuple(value.shape[1:])))
        graph.erase_node(node)
    return tuple(draws)


def _from_draw(graph: Graph, node: Node, drawn: Node) -> Node:
    """Ones with probability p, from uniform numbers."""
    probability = node.args[1] if node.target == aten.bernoulli.p else node.args[0]
    overload = aten.lt.Tensor if isinstance(probability, Node) else aten.lt.Scalar
    value = node.meta["val"]
    with graph.inserting_before(node):
        chosen = graph.call_function(overload, (drawn, probability))
        chosen.meta["val"] = torch.empty_like(value, dtype=torch.bool)
        ones = graph.call_function(aten._to_copy.default, (chosen,), {"dtype": value.dtype})
        ones.meta["val"] = value
    return ones


def _split(trace: GraphModule, names: int) -> tuple[GraphModule, GraphModule, tuple[bool, ...]]:
    """Cut what depends on weights only from the step."""
    nodes = list(trace.graph.nodes)
    placeholders = [node for node in nodes if node.op == "placeholder"]
    early = weights_only(nodes, placeholders[:names])
    early -= _turned(early)
    later = [node for node in nodes if node not in early and node.op != "placeholder"]
    used = dict.fromkeys(each for node in later for each in node.all_input_nodes if each in early)
    weights = list(used)
    prelude = _graph_of(trace, placeholders[:names], [n for n in nodes if n in early], tuple(weights))
    output = nodes[-1].args[0]
    step = _graph_of(trace, [*weights, *placeholders[names:]], later[:-1], tuple(output))
    return prelude, step, tuple(node.meta["val"].is_floating_point() for node in weights)


def _turned(early: set[Node]) -> set[Node]:
    """Transposed weights that only the step reads: it may as well read them from where they lie."""
    turned = (node for node in early if node.target is aten.permute.default and node.args[0].op == "placeholder")  # pyright: ignore
    return {node for node in turned if early.isdisjoint(node.users)}


def weights_only(nodes: list[Node], weights: list[Node]) -> set[Node]:
    """Those that depend on the weights alone, or on nothing."""
    early = set(weights)
    for node in nodes:
        if node.op == "get_attr" or (node.op == "call_function" and _shared(node, early)):
            early.add(node)
    return early


def _shared(node: Node, early: set[Node]) -> bool:
    return all(each in early for each in node.all_input_nodes) and not any(map(of_rows, _numbers(node)))


def of_rows(number: object) -> bool:
    """Does a number of the trace come from the batch?"""
    return isinstance(number, int) and not isinstance(number, bool) and number != 0 and number % ROWS == 0


def _numbers(node: Node) -> list[object]:
    flat: list[object] = []
    torch.fx.node.map_aggregate((node.args, node.kwargs), lambda each: flat.append(each) or each)  # pyright: ignore
    return flat


def _graph_of(trace: GraphModule, inputs: list[Node], body: list[Node], outputs: tuple[Node, ...]) -> GraphModule:
    graph, copies = Graph(), {}
    for number, node in enumerate(inputs):
        copies[node] = graph.placeholder(f"in_{number}")
        copies[node].meta = dict(node.meta)
    for node in body:
        if node.op not in ("placeholder", "output") and node not in copies:
            copies[node] = graph.node_copy(node, lambda each: copies[each])
    graph.output(tuple(copies[node] if isinstance(node, Node) else node for node in outputs))
    graph.eliminate_dead_code()
    return GraphModule(trace, graph)


def _traced_back(step: GraphModule, learned: tuple[bool, ...], draws: int) -> GraphModule:
    values = [node.meta["val"] for node in step.graph.nodes if node.op == "placeholder"]
    outputs = next(node for node in step.graph.nodes if node.op == "output").args[0]
    gradients = [torch.empty_like(node.meta["val"]) for node in outputs]
    wanted = [i for i, value in enumerate(values[: len(values) - draws]) if value.is_floating_point()]

    def way_back(values: list[Tensor], gradients: list[Tensor]) -> Any:
        def step_of(*chosen: Tensor) -> Any:
            every = list(values)
            for place, value in zip(wanted, chosen, strict=True):
                every[place] = value
            return tuple(step(*every))

        outputs, pull, *_ = torch.func.vjp(step_of, *(values[place] for place in wanted))
        return outputs, pull(tuple(gradients))  # pyright: ignore[reportCallIssue]

    try:
        trace = _functional(way_back, values, gradients)
    except Exception as error:
        raise Refused(_in_words(error)) from error
    trace.graph.eliminate_dead_code()
    return trace


def getitem(node: Node) -> bool:
    """Does the node take one of several results?"""
    return node.op == "call_function" and node.target is operator.getitem
