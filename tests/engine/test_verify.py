"""A plan that is broken in any one way is not taken; the message says where."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from elman.engine import lower
from elman.engine.affine import Affine, counter
from elman.engine.capture import capture
from elman.engine.graph import Graph, Node
from elman.engine.nest import Buffer, Instruction, Nest, Slot
from elman.engine.phases import Phase, Plan, Stage
from elman.engine.plan import plan
from elman.engine.step import Step, translate
from elman.engine.verify import verify, verify_step
from elman.errors import PlanError, Refused

from .cells.layer_norm_gru import LayerNormGRU
from .cells.minimal_gated_unit import MinimalGatedUnit


@pytest.fixture(scope="module")
def whole() -> Plan:
    """Two stages forward; back, five in the loop and one after it."""
    return plan(translate(capture(MinimalGatedUnit(3, 5), torch.float32), torch.float32))


@pytest.fixture(scope="module")
def normed() -> Plan:
    """One with reductions."""
    return plan(translate(capture(LayerNormGRU(3, 5), torch.float32), torch.float32))


def with_nest(phase: Phase, stage: int, change: Callable[[Nest], Nest], nest: int = 0) -> Phase:
    """A phase with one nest changed."""
    old = phase.stages[stage]
    nests = (*old.nests[:nest], change(old.nests[nest]), *old.nests[nest + 1 :])
    return replace(phase, stages=(*phase.stages[:stage], replace(old, nests=nests), *phase.stages[stage + 1 :]))


def with_line(number: int, **changes: object) -> Callable[[Nest], Nest]:
    """A nest with one line changed."""

    def change(nest: Nest) -> Nest:
        line = replace(nest.body[number], **changes)
        return replace(nest, body=(*nest.body[:number], line, *nest.body[number + 1 :]))

    return change


def without_line(number: int) -> Callable[[Nest], Nest]:
    return lambda nest: replace(nest, body=(*nest.body[:number], *nest.body[number + 1 :]))


def place_of(nest: Nest, kind: str, which: int = 0) -> int:
    """Where a line of a kind stands; the last one if `which` is -1."""
    return [number for number, line in enumerate(nest.body) if line.kind == kind][which]


def refused(broken: Plan, message: str) -> None:
    with pytest.raises(PlanError, match=message) as error:
        verify(broken)
    assert "\n" not in str(error.value)


def test_what_the_planner_makes_is_well_formed(whole: Plan, normed: Plan) -> None:
    verify(whole)
    verify(normed)


def test_a_mistake_of_the_engine_is_a_refusal() -> None:
    assert issubclass(PlanError, Refused)  # so that the cell runs on eager, and says why


# the order of things


def test_a_line_comes_after_its_inputs(whole: Plan) -> None:
    number = place_of(whole.inference.stages[0].nests[0], "operation")
    change = with_line(number, inputs=(number, 0))
    refused(replace(whole, inference=with_nest(whole.inference, 0, change)), "takes a value from a later line")


def test_a_store_has_no_value(whole: Plan) -> None:
    nest = whole.inference.stages[0].nests[0]
    store, operation = place_of(nest, "store"), place_of(nest, "operation", -1)
    change = with_line(operation, inputs=(store, store))
    refused(replace(whole, inference=with_nest(whole.inference, 0, change)), "takes the value of a store")


def test_what_is_read_was_stored_before(whole: Plan) -> None:
    first, second = whole.inference.stages
    phase = replace(whole.inference, stages=(second, first))
    refused(replace(whole, inference=phase), r"inference: stage 0.* reads value \d: .* before it is stored")


def test_a_product_waits_for_its_vector(whole: Plan) -> None:
    first, _ = whole.inference.stages
    number = next(i for i, line in enumerate(first.nests[0].body) if line.buffer and line.buffer.what == "mul")
    phase = with_nest(whole.inference, 0, without_line(number))
    refused(replace(whole, inference=phase), "stage 1 reads value 0: mul before it is stored")


def test_the_way_forward_knows_no_gradients(whole: Plan) -> None:
    buffer = Buffer("state gradient", 0, "carried", 5)
    number = place_of(whole.forward.stages[0].nests[0], "load")
    phase = with_nest(whole.forward, 0, with_line(number, buffer=buffer))
    refused(replace(whole, forward=phase), "reads state gradient 0 before it is stored")


def test_nothing_after_the_loop_reads_what_later_steps_write_over(whole: Plan) -> None:
    buffer = Buffer("state gradient", 0, "carried", 5)
    last = len(whole.backward.stages) - 1
    number = place_of(whole.backward.stages[last].nests[0], "load")
    phase = with_nest(whole.backward, last, with_line(number, buffer=buffer))
    refused(replace(whole, backward=phase), "reads state gradient 0 after the loop")


def test_a_sum_over_rows_does_not_either(whole: Plan) -> None:
    (first, *others) = whole.contractions
    right = replace(first.right, buffer=Buffer("state gradient", 0, "carried", 5))
    broken = replace(whole, contractions=(replace(first, right=right), *others))
    refused(broken, "sum 0 reads state gradient 0 after the loop")


def test_the_loop_does_not_go_on_after_its_end(whole: Plan) -> None:
    (*loop, last) = whole.backward.stages
    phase = replace(whole.backward, stages=(last, *loop))
    refused(replace(whole, backward=phase), "backward: .*(before it is stored|in the loop, after)")
    phase = replace(whole.backward, stages=(replace(loop[0], after=True), *loop[1:], last))
    refused(replace(whole, backward=phase), "backward: .*(stage 1 is in the loop, after one|after the loop)")


def test_the_gradient_of_a_state_is_stored_in_the_loop(whole: Plan) -> None:
    stages = whole.backward.stages
    number = next(
        i
        for i, stage in enumerate(stages)
        for line in stage.nests[0].body
        if line.kind == "store" and line.buffer and line.buffer.rows == "carries"
    )
    lines = stages[number].nests[0].body
    constant = Nest("each", (5,), (Instruction("constant"), replace(lines[-1], inputs=(0,))))
    changed = (*stages[:number], *stages[number + 1 :], Stage((constant,), after=True))
    refused(replace(whole, backward=replace(whole.backward, stages=changed)), "after the loop, when its step has gone")


# stores


def test_every_result_is_stored(whole: Plan) -> None:
    number = place_of(whole.inference.stages[1].nests[0], "store", -1)
    refused(replace(whole, inference=with_nest(whole.inference, 1, without_line(number))), "output 0 is never stored")


def test_what_the_way_back_needs_is_stored(whole: Plan) -> None:
    refused(replace(whole, forward=whole.inference), "forward: saved 0 is never stored")


def test_a_result_is_stored_whole(whole: Plan) -> None:
    change: Callable[[Nest], Nest] = lambda nest: replace(nest, extents=(4,))  # noqa: E731
    refused(replace(whole, inference=with_nest(whole.inference, 1, change)), r"\w+ ?\d? is stored in part only")


def test_no_place_is_stored_twice(whole: Plan) -> None:
    nest = whole.inference.stages[1].nests[0]
    twice = replace(nest, body=(*nest.body, nest.body[-1]))
    phase = with_nest(whole.inference, 1, lambda _: twice)
    refused(replace(whole, inference=phase), "stores a place of output a second time")
    phase = with_nest(whole.inference, 1, with_line(len(nest.body) - 1, place=Affine(2)))
    refused(replace(whole, inference=phase), "stores a place of output a second time")


def test_nothing_is_written_over_what_is_given(whole: Plan) -> None:
    number = place_of(whole.inference.stages[0].nests[0], "store")
    phase = with_nest(whole.inference, 0, with_line(number, buffer=Buffer("state", 0, "before", 5)))
    refused(replace(whole, inference=phase), "writes over state 0, which is given")


def test_only_results_are_stored(whole: Plan) -> None:
    nest = whole.inference.stages[1].nests[0]
    more = replace(nest.body[-1], buffer=Buffer("saved", 7, "step", 5))
    phase = with_nest(whole.inference, 1, lambda _: replace(nest, body=(*nest.body, more)))
    refused(replace(whole, inference=phase), "saved 7 is stored, but is no result")


def test_a_total_has_one_place(normed: Plan) -> None:
    stage, which, nest = next(
        (i, j, nest)
        for i, stage in enumerate(normed.inference.stages)
        for j, nest in enumerate(stage.nests)
        if nest.kind == "across"
    )
    lane = len(nest.extents) - 1
    number = place_of(nest, "reduce")
    phase = with_nest(normed.inference, stage, with_line(number, place=counter(lane)), which)
    refused(replace(normed, inference=phase), "(reaches|a place that changes while it is taken)")


# places


@pytest.mark.parametrize("place", [counter(0) + 1, counter(0) + -1, counter(0) * 2], ids=str)
def test_a_load_stays_inside_its_buffer(whole: Plan, place: Affine) -> None:
    number = place_of(whole.inference.stages[1].nests[0], "load")
    phase = with_nest(whole.inference, 1, with_line(number, place=place))
    refused(replace(whole, inference=phase), r"reaches from -?\d+ to \d+ in .*, which has 5 numbers")


def test_a_store_stays_inside_its_buffer(whole: Plan) -> None:
    number = place_of(whole.inference.stages[1].nests[0], "store", -1)
    phase = with_nest(whole.inference, 1, with_line(number, place=counter(0) + 1))
    refused(replace(whole, inference=phase), "reaches from 1 to 5 in output, which has 5 numbers")


def with_operand(nest: Nest, **changes: object) -> Nest:
    """The first operand of the first product changed."""
    ((operand, access), *rest) = nest.slots[0].terms
    return replace(nest, slots=(Slot(((replace(operand, **changes), access), *rest)), *nest.slots[1:]))


def test_a_vector_of_a_product_stays_inside_its_buffer(whole: Plan) -> None:
    phase = with_nest(whole.inference, 0, lambda nest: with_operand(nest, place=Affine(1)))
    refused(replace(whole, inference=phase), "reaches from 1 to 3 in x, which has 3 numbers")
    phase = with_nest(whole.inference, 0, lambda nest: with_operand(nest, length=4))
    refused(replace(whole, inference=phase), "reaches from 0 to 3 in x, which has 3 numbers")


def test_a_vector_of_a_product_is_the_same_for_all_lanes(whole: Plan) -> None:
    phase = with_nest(whole.inference, 0, lambda nest: with_operand(nest, place=counter(0)))
    refused(replace(whole, inference=phase), "a vector that moves with the lane")


def test_a_product_stays_inside_its_weight(whole: Plan) -> None:
    def change(nest: Nest) -> Nest:
        ((operand, access), *rest) = nest.slots[0].terms
        access = replace(access, index=(access.index[0] + 6, access.index[1]))
        return replace(nest, slots=(Slot(((operand, access), *rest)),))

    phase = with_nest(whole.inference, 0, change)
    refused(replace(whole, inference=phase), r"reaches from 6 to 8 in a dimension of weight\[8, 5\]")


def test_a_factor_of_a_sum_stays_inside_its_buffer(whole: Plan) -> None:
    (first, second, *others) = whole.contractions
    right = replace(second.right, places=(4,))
    refused(replace(whole, contractions=(first, replace(second, right=right), *others)), "sum 1 reaches from 4 to 11")
    refused(replace(whole, contractions=(second, first, *others)), r"sum \d has \d+ numbers instead of \d+")
    refused(replace(whole, contractions=whole.contractions[1:]), "4 sums over rows have 3 contractions")


# products


def test_a_sum_of_products_exists_and_is_used(whole: Plan) -> None:
    number = place_of(whole.inference.stages[0].nests[0], "sum of products")
    phase = with_nest(whole.inference, 0, with_line(number, slot=1))
    refused(replace(whole, inference=phase), r"has 1 sums, and uses \[1\]")
    phase = with_nest(whole.inference, 0, lambda nest: replace(nest, slots=nest.slots * 2))
    refused(replace(whole, inference=phase), r"has 2 sums, and uses \[0\]")


def test_matrix_products_stand_alone(whole: Plan) -> None:
    first, second = whole.inference.stages
    phase = replace(whole.inference, stages=(Stage((*first.nests, *second.nests)),))
    refused(replace(whole, inference=phase), "stage 0 has matrix products and other loops")
    phase = with_nest(whole.inference, 0, lambda nest: replace(nest, kind="across"))
    refused(replace(whole, inference=phase), "stage 0 takes matrix products in a reduction")


# operations


def test_operations_are_those_of_the_table(whole: Plan) -> None:
    number = place_of(whole.inference.stages[0].nests[0], "operation")
    phase = with_nest(whole.inference, 0, with_line(number, name="lgamma"))
    refused(replace(whole, inference=phase), "no operation is called lgamma")
    phase = with_nest(whole.inference, 0, with_line(number, kind="wish"))
    refused(replace(whole, inference=phase), "of an unknown kind: wish")


def test_truth_values_are_no_numbers(whole: Plan) -> None:
    number = place_of(whole.inference.stages[0].nests[0], "load")
    phase = with_nest(whole.inference, 0, with_line(number, boolean=True))
    refused(replace(whole, inference=phase), "needs numbers, and gets truth values")
    number = place_of(whole.inference.stages[0].nests[0], "operation")
    phase = with_nest(whole.inference, 0, with_line(number, name="gt"))
    refused(replace(whole, inference=phase), "gt gives truth values, and is said not to")


# steps


def step_of(output: Node, **changes: object) -> Step:
    """A step that has an output and nothing else."""
    nothing = torch.fx.GraphModule(torch.nn.Module(), torch.fx.Graph())
    step = Step(Graph(), output, (), {}, (), (), nothing, nothing)
    return replace(step, **changes)


X = Node("x", (2, 3), settings={"number": 0})
WRONG = {
    "elementwise, other sizes": Node("add", (2, 3), (X, Node("x", (2, 2)))),
    "elementwise, another rank": Node("add", (2, 3), (X, Node("x", (3,)))),
    "reshape": Node("reshape", (5,), (X,)),
    "permute": Node("permute", (2, 3), (X,), {"order": (1, 0)}),
    "permute, one dimension twice": Node("permute", (2, 2), (X,), {"order": (0, 0)}),
    "slice": Node("slice", (2, 2), (X,), {"dim": 1, "start": 2}),
    "slice, before the start": Node("slice", (2, 2), (X,), {"dim": 1, "start": -1}),
    "expand": Node("expand", (4, 3), (X,)),
    "flip": Node("flip", (2, 3), (X,), {"dims": (2,)}),
    "cat": Node("cat", (2, 5), (X, X), {"dim": 1}),
    "pad": Node("pad", (2, 4), (X,), {"dim": 1, "before": 2}),
    "product": Node("product", (2, 4), (X, Node("constant", (3, 4))), {}),
    "product of two rows": Node("product", (2, 4), (X, Node("x", (2, 3, 4)))),
    "reduce": Node("reduce", (2, 3), (X,), {"dims": (1,), "kind": "sum"}),
    "reduce, another kind": Node("reduce", (2, 1), (X,), {"dims": (1,), "kind": "median"}),
    "cumulate": Node("cumulate", (2, 3), (X,), {"dim": 2}),
    "contract": Node("contract", (3, 3), (X, Node("x", (3, 3)))),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_value_has_the_shape_that_its_inputs_give_it(name: str) -> None:
    with pytest.raises(PlanError, match=r"^step: .*(does not fit what it is made from|cannot spread its input)"):
        verify_step(step_of(WRONG[name]))


def test_values_of_a_step_are_of_known_kinds() -> None:
    with pytest.raises(PlanError, match="is no leaf, no view and no operation that is known"):
        verify_step(step_of(Node("roll", (2, 3), (X,))))
    with pytest.raises(PlanError, match="is a leaf, and has inputs"):
        verify_step(step_of(Node("x", (2, 3), (X,))))
    with pytest.raises(PlanError, match="is not among the weights of the step"):
        verify_step(step_of(Node("weight", (2, 3))))
    truth = Node("gt", (2, 3), (X, X), boolean=True)
    with pytest.raises(PlanError, match="exp needs numbers, and gets truth values"):
        verify_step(step_of(Node("exp", (2, 3), (truth,))))


def test_a_gradient_has_the_shape_of_its_state() -> None:
    with pytest.raises(PlanError, match=r"the gradient of state 0 has shape \[2, 3\]"):
        verify_step(step_of(X, states=(Node("x", (6,)),), gradients={"state 0": X}))


def test_truth_values_are_not_taken_for_numbers() -> None:
    truth = Node("gt", (2, 3), (X, X), boolean=True)
    with pytest.raises(PlanError, match="exp needs numbers, and gets truth values"):
        verify(plan(step_of(Node("exp", (2, 3), (truth,)))))


def test_every_plan_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Plan] = []
    monkeypatch.setattr(lower, "verify", seen.append)
    lowered = lower.lower(MinimalGatedUnit(3, 5), torch.float32)
    assert seen == [lowered.plan]
