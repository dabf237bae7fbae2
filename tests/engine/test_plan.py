"""Plans, carried out by plain loops over their lines: the same numbers as PyTorch's, forward and back.

Key: B batch.
"""

from collections.abc import Sequence as Listed
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from elman.engine import Cell
from elman.engine.affine import Affine
from elman.engine.backends.base import Sequence
from elman.engine.backends.llvm import kinds
from elman.engine.backends.llvm.backend import drawn, prepared
from elman.engine.capture import Captured, capture
from elman.engine.nest import Buffer, Instruction, Nest, Slot
from elman.engine.operations import OPERATIONS
from elman.engine.phases import Contraction, Factor, Phase, Plan
from elman.engine.plan import plan
from elman.engine.printed import printed
from elman.engine.step import Step, translate
from elman.engine.traced import TracedCell
from elman.errors import Refused
from elman.layers import GRUCell, LSTMCell

from .cells import FUSED, UNFORESEEN, context_for, state_for

LONG = {"nested_cells", "ode_step", "turing_memory", "relational_memory", "cfc", "mogrifier_lstm", "on_lstm"}
"""Cells whose many lines are like those of others."""
CELLS = FUSED | UNFORESEEN | {"lstm": lambda: LSTMCell(3, 4), "gru": lambda: GRUCell(3, 4)}
BATCH = 2
Memory = dict[tuple[str, int], Tensor]


class Mathematics:
    """What operations are spelled with, on PyTorch's tensors."""

    def where(self, condition: Tensor, yes: Any, no: Any) -> Tensor:
        return torch.where(self.true(condition), yes, no)

    def true(self, a: Tensor) -> Tensor:
        return a if a.dtype == torch.bool else a != 0

    def library(self, name: str, *arguments: Tensor) -> Tensor:
        return getattr(torch, name)(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


class Row:
    """Carries out a phase for one row.

    Args:
        step: Whose weights are looked at.
        weights: Their values.
        memory: What lies in buffers, by role and number; one entry each.
    """

    def __init__(self, step: Step, weights: Listed[Tensor], memory: Memory) -> None:
        self.weights = dict(zip(step.weights, weights, strict=True))
        self.memory = memory

    def run(self, phase: Phase) -> None:
        for stage in phase.stages:
            for nest in stage.nests:
                self.nest(nest)

    def of(self, buffer: Buffer) -> Tensor:
        key = buffer.role, buffer.number
        if key not in self.memory:
            self.memory[key] = torch.full((buffer.size,), float("nan"), dtype=torch.float64)
        assert len(self.memory[key]) == buffer.size
        return self.memory[key]

    def nest(self, nest: Nest) -> None:
        sums = [self.sums(slot, nest.extents) for slot in nest.slots]
        values: list[Any] = []
        for line in nest.body:
            values.append(self.line(nest, line, [values[each] for each in line.inputs], sums))

    def line(self, nest: Nest, line: Instruction, inputs: list[Tensor], sums: list[Tensor]) -> Tensor | None:
        if line.kind == "constant":
            value = torch.tensor(line.value, dtype=torch.float64)
            return (value != 0 if line.boolean else value).expand(nest.extents)
        if line.kind == "sum of products":
            return sums[line.slot]
        if line.kind == "operation":
            assert not any(each.isnan().all() for each in inputs if each.dtype != torch.bool), "never written"
            return OPERATIONS[line.name].spell(Mathematics(), *inputs)
        assert line.buffer is not None
        places, held = grid(line.place, nest.extents), self.of(line.buffer)
        if line.kind == "load":
            return held[places] != 0 if line.boolean else held[places]
        return self.put(nest, line, places, held, inputs[0].to(torch.float64))

    def put(self, nest: Nest, line: Instruction, places: Tensor, held: Tensor, value: Tensor) -> None:
        value = value.expand(nest.extents)
        if line.kind == "add":
            held[places] = held[places].nan_to_num(0.0) + value
            return
        if line.kind == "running":
            value = value.cumsum(-1)
        if line.kind == "reduce":
            gone = list(range(nest.outer, len(nest.extents) - (nest.kind == "along")))
            value = getattr(torch, line.name)(value, gone, keepdim=True)
            places = places[tuple(slice(0, 1) if i in gone else slice(None) for i in range(places.dim()))]
        held[places] = value

    def sums(self, slot: Slot, extents: tuple[int, ...]) -> Tensor:
        total = torch.zeros(extents, dtype=torch.float64)
        for operand, access in slot.terms:
            along = torch.arange(operand.length)
            vector = self.of(operand.buffer)[grid(operand.place, extents)[..., None] + along]
            inner = (*extents, operand.length)
            weight = self.weights[access.weight][tuple(grid(each, inner) for each in access.index)]
            total = total + (vector * weight).sum(-1)
        return total

    def contract(self, contraction: Contraction) -> Tensor:
        """(heads, M, N), of this row."""
        left, right = self.vectors(contraction.left), self.vectors(contraction.right)
        heads = contraction.heads
        left = left.expand(len(right), -1).reshape(heads, -1, left.shape[-1])
        return torch.einsum("him,hin->hmn", left, right.reshape(heads, -1, right.shape[-1]))

    def vectors(self, factor: Factor) -> Tensor:
        if factor.buffer is None:
            return torch.ones(1, 1, dtype=torch.float64)
        held = self.of(factor.buffer)
        return torch.stack([held[place : place + factor.size] for place in factor.places])


def grid(place: Affine, extents: Listed[int]) -> Tensor:
    """A place at every turn of the loops."""
    places = torch.full(tuple(extents), place.start)
    for loop, step in place.steps:
        counters = torch.arange(extents[loop]).view(*[-1 if i == loop else 1 for i in range(len(extents))])
        places = places + step * counters
    return places


class Trial:
    """One step of a cell, with everything that goes in and the gradients that come back."""

    def __init__(self, name: str) -> None:
        torch.manual_seed(0)
        self.cell: Cell = CELLS[name]().double()
        context = (*self.cell.draw_context(BATCH), *context_for(self.cell, BATCH, torch.float64))
        self.captured: Captured = capture(self.cell, torch.float64, kinds(context))
        self.step = translate(self.captured, torch.float64)
        self.plan: Plan = plan(self.step)
        self.x = torch.randn(BATCH, self.cell.input_size, dtype=torch.float64, requires_grad=True)
        self.states = tuple(each.requires_grad_() for each in state_for(self.cell, BATCH, torch.float64))
        self.context = tuple(each.requires_grad_() if each.is_floating_point() else each for each in context)
        self.draws = tuple(each[0] for each in drawn(self.captured.draws, self.x[None]))
        sequence = Sequence(x=self.x, state=None)
        weights = prepared(self.captured.names, self.captured.prelude.forward, self.cell, sequence)
        self.weights = [
            each.detach().requires_grad_(each.requires_grad) for each in weights
        ]  # one may come from another
        after = (self.step.output, *self.step.states)
        self.gradients = [torch.randn(BATCH, *node.shape, dtype=torch.float64) for node in after]

    def leaves(self, row: int) -> Memory:
        """What lies in memory before a row's step."""
        named = {("x", 0): self.x}
        named |= {("state", i): each for i, each in enumerate(self.states)}
        named |= {("context", i): each for i, each in enumerate(self.context)}
        named |= {("draw", i): each for i, each in enumerate(self.draws)}
        memory = {key: each[row].detach().double().flatten() for key, each in named.items()}
        values = self.step.sources.forward(*(each.detach() for each in self.weights))
        return memory | {("weight", i): each.double().flatten() for i, each in enumerate(values)}

    def row(self, memory: Memory) -> Row:
        values = self.step.sources.forward(*(each.detach() for each in self.weights))
        return Row(self.step, [each.double() for each in values], memory)

    def by_pytorch(self) -> dict[str, Tensor]:
        traced = TracedCell(self.cell, self.captured, self.weights, self.states)
        output, after = traced(self.x, self.states, (*self.context, *self.draws))
        results = {"output": output, **{f"after {i}": each for i, each in enumerate(after)}}
        wanted = {"x": self.x, **{f"state {i}": each for i, each in enumerate(self.states)}}
        wanted |= {f"context {i}": each for i, each in enumerate(self.context) if each.is_floating_point()}
        weights = zip(self.weights, self.captured.learned, strict=True)
        learned = {f"weight {i}": each for i, (each, yes) in enumerate(weights) if yes and each.requires_grad}
        pairs = [(a, b) for a, b in zip(results.values(), self.gradients, strict=True) if a.requires_grad]
        found = torch.autograd.grad(
            [a for a, _ in pairs], [*wanted.values(), *learned.values()], [b for _, b in pairs],
            allow_unused=True, materialize_grads=True,
        )  # fmt: skip
        return results | {f"gradient of {name}": each for name, each in zip([*wanted, *learned], found, strict=True)}

    def by_plan(self) -> dict[str, Tensor]:
        rows, sums = [], [0.0] * len(self.plan.contractions)
        for number in range(BATCH):
            memory = self.leaves(number)
            alone = self.row(dict(memory))
            alone.run(self.plan.inference)
            forward = self.row(memory)
            forward.run(self.plan.forward)
            for key in [("output", 0), *(("after", i) for i in range(len(self.states)))]:
                assert_close(
                    alone.memory[key], forward.memory[key], rtol=1e-12, atol=1e-12
                )  # sums may be joined otherwise
            kept = {key: each for key, each in memory.items() if key[0] != "value"}
            kept["output gradient", 0] = self.gradients[0][number].flatten()
            kept |= {("state gradient", i): each[number].flatten() for i, each in enumerate(self.gradients[1:])}
            back = self.row(kept)
            back.run(self.plan.backward)
            sums = [total + back.contract(each) for total, each in zip(sums, self.plan.contractions, strict=True)]
            rows.append(kept)
        return self.named(rows, sums)

    def named(self, rows: list[Memory], sums: list[Any]) -> dict[str, Tensor]:
        def of(role: str, number: int, like: Tensor) -> Tensor:
            return torch.stack([memory[role, number].view(like.shape[1:]) for memory in rows])

        shaped = [total.reshape(node.shape) for total, node in zip(sums, self.step.sums, strict=True)]
        learned = self.step.afterwards.forward(*(each.detach() for each in self.weights), *shaped)
        results = {"output": of("output", 0, self.gradients[0])}
        results |= {f"after {i}": of("after", i, each) for i, each in enumerate(self.states)}
        results["gradient of x"] = of("gradient of x", 0, self.x)
        for kind, group in (("state", self.states), ("context", self.context)):
            for i, each in enumerate(group):
                if each.is_floating_point():
                    results[f"gradient of {kind} {i}"] = of(f"gradient of {kind}", i, each)
        places = [i for i, yes in enumerate(self.captured.learned) if yes]
        return results | {f"gradient of weight {i}": each for i, each in zip(places, learned, strict=True)}


@pytest.mark.parametrize("name", [name for name in CELLS if name not in LONG])
def test_a_plan_gives_the_numbers_of_pytorch(name: str) -> None:
    try:
        trial = Trial(name)
    except Refused as refusal:
        pytest.skip(str(refusal))  # whether a cell may be refused is for test_cells.py to say
    ours = trial.by_plan()
    for what, value in trial.by_pytorch().items():
        assert_close(ours[what], value, rtol=1e-9, atol=1e-9, msg=lambda message, what=what: f"{what}: {message}")


# what is kept, and what runs where


def planned(name: str) -> Plan:
    return plan(translate(capture(CELLS[name](), torch.float32), torch.float32))


def test_an_lstm_is_one_stage_of_products_that_keeps_its_gates() -> None:
    made = planned("lstm")
    (stage,) = made.inference.stages
    assert stage.products
    assert [len(slot.terms) for slot in stage.nests[0].slots] == [2, 2, 2, 2]  # x and h share a sum
    assert sorted(node.op for node in made.saved) == ["sigmoid", "sigmoid", "sigmoid", "tanh"]


def test_what_is_cheap_is_computed_again() -> None:
    saved = {node.op for node in planned("minimal_gated_unit").saved}
    assert saved == {"sigmoid", "tanh"}


def test_the_gradient_of_the_input_waits_for_the_end_of_the_loop() -> None:
    late = [stage for stage in planned("lstm").backward.stages if stage.after]
    stored = [line.buffer for stage in late for nest in stage.nests for line in nest.body if line.kind == "store"]
    assert [buffer.name for buffer in stored if buffer] == ["gradient of x"]


def test_gradients_of_weights_are_products_of_what_lies_in_memory() -> None:
    made = planned("lstm")
    shapes = sorted((each.left.size, each.right.size) for each in made.contractions)
    assert shapes == [(1, 16), (16, 3), (16, 4)]
    assert all(buffer.rows not in ("carried", "carries", "scratch") for buffer in made.factors)


def test_a_second_product_waits_for_the_first() -> None:
    made = planned("minimal_gated_unit")
    assert [stage.products for stage in made.inference.stages] == [True, True]


@pytest.mark.parametrize("name", ["lstm", "layer_norm_gru", "slstm_heads", "no_parameters"])
def test_the_same_cell_has_the_same_plan(name: str) -> None:
    assert printed(planned(name)) == printed(planned(name))


def test_a_plan_in_words() -> None:
    text = printed(planned("minimal_gated_unit"))
    headings = [line for line in text.splitlines() if not line.startswith(" ")]
    assert headings[0] == "forward, in the loop over time"
    assert headings[1:3] == ["training keeps, at each step", "backward, in the loop over time"]
    assert "saved 0: sigmoid [5]" in text
    assert "sum over rows and steps: value 0: mul ⊗ value 1: cat, 5 x 9" in text
