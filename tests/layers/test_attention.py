"""Attention against its formula written out, and against torch.nn; masks; what is refused."""

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from elman.errors import OptionError, ShapeError
from elman.layers import Attention, AttentionPooling, ContextOutput, HierarchicalAttention, MultiHeadAttention
from elman.layers.attention import SCORES

T, S, B, Q, M = 4, 5, 3, 6, 6
LENGTHS = torch.tensor([5, 1, 3])


def by_hand(attention: Attention, name: str, query: Tensor, place: Tensor) -> Tensor:
    """The score of one query and one place, as its paper writes it."""
    score = attention.score
    if name in ("dot", "scaled_dot"):
        return query @ place / (Q**0.5 if name == "scaled_dot" else 1)
    if name == "general":
        return query @ (score.key.weight @ place)
    if name == "additive":
        return score.energy.weight[0] @ torch.tanh(
            score.query.weight @ query + score.key.weight @ place + score.key.bias
        )
    q, k = score.query, score.key
    return (q.weight @ query + q.bias) @ (k.weight @ place + k.bias)


@pytest.mark.parametrize("values", [None, 7])
@pytest.mark.parametrize("name", SCORES)
def test_it_is_the_formula(name: str, values: int | None) -> None:
    attention = Attention(Q, M, name, value_size=values).double()
    query, memory = torch.randn(T, B, Q).double(), torch.randn(S, B, M).double()
    context, weights = attention(query, memory, LENGTHS, weights=True)
    for t in range(T):
        for b, length in enumerate(LENGTHS.tolist()):
            scores = torch.stack([by_hand(attention, name, query[t, b], memory[s, b]) for s in range(length)])
            expected = scores.softmax(0)
            assert_close(weights[t, b, :length], expected)
            assert not weights[t, b, length:].any()
            seen = memory[:length, b] if attention.value is None else attention.value(memory[:length, b])
            assert_close(context[t, b], expected @ seen)


def test_heads_are_those_of_torch() -> None:
    ours = MultiHeadAttention(8, 6, 2)
    theirs = nn.MultiheadAttention(8, 2, kdim=6, vdim=6)
    weights = {"q_proj_weight": ours.query.weight, "k_proj_weight": ours.key.weight, "v_proj_weight": ours.value.weight}
    weights |= {"in_proj_bias": torch.cat([ours.query.bias, ours.key.bias, ours.value.bias])}
    weights |= {"out_proj.weight": ours.output.weight, "out_proj.bias": ours.output.bias}
    theirs.load_state_dict(weights)
    query, memory = torch.randn(T, B, 8), torch.randn(S, B, 6)
    hidden = torch.arange(S) >= LENGTHS.unsqueeze(1)
    expected, where = theirs(query, memory, memory, key_padding_mask=hidden)
    context, found = ours(query, memory, LENGTHS, weights=True)
    assert_close(context, expected)
    assert_close(found, where.transpose(0, 1))


@pytest.mark.parametrize("make", [lambda: Attention(Q, M, "general"), lambda: MultiHeadAttention(Q, M, 2)])
def test_nothing_past_a_row_is_seen(make: type) -> None:
    attention = make()
    query, memory = torch.randn(T, B, Q), torch.randn(S, B, M)
    expected = attention(query, memory, LENGTHS)
    for b, length in enumerate(LENGTHS.tolist()):
        memory[length:, b] = float("nan")
    memory.requires_grad_()
    context = attention(query, memory, LENGTHS)
    assert_close(context, expected)
    (gradient,) = torch.autograd.grad(context.sum(), memory)
    assert gradient.isfinite().all()
    assert not gradient[LENGTHS[1] :, 1].any()


def test_an_empty_memory_gives_zeros() -> None:
    attention = Attention(Q, M, "general")
    memory = torch.randn(S, B, M, requires_grad=True)
    context = attention(torch.randn(T, B, Q), memory, torch.tensor([0, 2, 0]))
    assert not context[:, 0].any()
    (gradient,) = torch.autograd.grad(context.sum(), memory)
    assert gradient.isfinite().all()


def test_step_by_step_is_the_same() -> None:
    attention = Attention(Q, M, "additive")
    query, memory = torch.randn(T, B, Q), torch.randn(S, B, M)
    prepared = attention.prepare(memory, LENGTHS)
    steps = torch.cat([attention.look(query[t : t + 1], prepared)[0] for t in range(T)])
    assert_close(steps, attention(query, memory, LENGTHS))


def test_dropout_acts_in_training_only() -> None:
    attention = Attention(Q, M, "dot", dropout=0.5)
    query, memory = torch.randn(T, B, Q), torch.randn(S, B, M)
    assert not torch.equal(attention(query, memory), attention(query, memory))
    attention.eval()
    assert torch.equal(attention(query, memory), attention(query, memory))


def test_the_output_is_of_context_and_input() -> None:
    layer = ContextOutput(3, 2, 4)
    context, x = torch.randn(T, B, 3), torch.randn(T, B, 2)
    weight, bias = layer.linear.weight, layer.linear.bias
    assert_close(layer(context, x), torch.tanh(context @ weight[:, :3].t() + x @ weight[:, 3:].t() + bias))


def test_pooling_is_a_weighted_mean() -> None:
    pooling = AttentionPooling(4, 3)
    x = torch.randn(S, B, 4)
    pooled, weights = pooling(x, LENGTHS, weights=True)
    assert_close(weights.sum(0), torch.ones(B))
    assert_close(pooled, (weights.unsqueeze(2) * x).sum(0))
    assert_close(pooled[1], x[0, 1])


def test_a_document_does_not_hang_on_its_neighbours() -> None:
    network = HierarchicalAttention(3, 4, 5).double()
    x, lengths = torch.randn(6, 5, 3).double(), torch.tensor([6, 2, 3, 1, 4])
    both = network(x, lengths, torch.tensor([2, 3]))
    assert_close(both[:1], network(x[:, :2], lengths[:2], torch.tensor([2])))
    assert_close(both[1:], network(x[:4, 2:], lengths[2:], torch.tensor([3])))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OptionError, match="general"):
        Attention(3, 4, "dot")
    with pytest.raises(OptionError, match="did you mean"):
        Attention(3, 4, "aditive")  # pyright: ignore[reportArgumentType]
    with pytest.raises(OptionError, match=r"size \(=6\) must be divisible by heads \(=4\)"):
        MultiHeadAttention(6, 4, 4)
    attention = Attention(Q, M, "general")
    with pytest.raises(ShapeError, match=r"the query .* \(time, 3, 6\); received \(4, 2, 6\)"):
        attention(torch.randn(T, 2, Q), torch.randn(S, B, M))
    with pytest.raises(ShapeError, match=r"the memory .* received \(5, 3, 7\)"):
        attention(torch.randn(T, B, Q), torch.randn(S, B, 7))
    with pytest.raises(ShapeError, match="lengths expects 3"):
        attention(torch.randn(T, B, Q), torch.randn(S, B, M), torch.tensor([1, 2]))
    with pytest.raises(ShapeError, match="4 sentences together; received 5 of words"):
        HierarchicalAttention(3, 4, 5)(torch.randn(2, 5, 3), torch.ones(5, dtype=torch.long), torch.tensor([2, 2]))
