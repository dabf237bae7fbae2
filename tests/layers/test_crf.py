"""The chain of labels against all paths counted one by one."""

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from elman.engine import use_backend
from elman.errors import ShapeError
from elman.layers import CRF, ChainCell, explain


def crf(labels: int = 3, **allowed: Tensor) -> CRF:
    torch.manual_seed(0)
    made = CRF(labels, **allowed)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return made


@torch.no_grad()
def all_paths(made: CRF, scores: Tensor, length: int) -> dict[tuple[int, ...], float]:
    """The score of every path of one sequence, term by term."""
    found = {}
    for path in product(range(made.labels), repeat=length):
        steps = pairwise(path)
        possible = made.first_allowed[path[0]] and made.last_allowed[path[-1]]
        if possible and all(made.allowed[a, b] for a, b in pairwise(path)):
            found[path] = float(
                made.first[path[0]]
                + made.last[path[-1]]
                + sum(scores[step, label] for step, label in enumerate(path))
                + sum(made.chain.transitions[a, b] for a, b in steps)
            )
    return found


LENGTHS = torch.tensor([4, 1, 3])
ALLOWED = {
    "allowed": torch.tensor([[1, 1, 0], [0, 1, 1], [1, 0, 1]]).bool(),
    "first": torch.tensor([1, 0, 1]).bool(),
    "last": torch.tensor([1, 1, 0]).bool(),
}


@pytest.mark.parametrize("allowed", [{}, ALLOWED], ids=["free", "constrained"])
def test_sums_and_best_paths_are_those_of_all_paths(allowed: dict[str, Tensor]) -> None:
    made, scores = crf(**allowed), torch.randn(4, 3, 3)
    sums = made.of_all(scores, LENGTHS)
    best = made.best(scores, LENGTHS, count=2)
    for row, length in enumerate(LENGTHS.tolist()):
        paths = all_paths(made, scores[:, row], length)
        assert sums[row].item() == pytest.approx(float(torch.tensor(list(paths.values())).logsumexp(0)), abs=1e-4)
        ordered = sorted(paths, key=lambda path: -paths[path])
        for place, path in enumerate(ordered[:2]):
            assert tuple(best.labels[place, :length, row].tolist()) == path
            assert float(best.scores[place, row]) == pytest.approx(paths[path], abs=1e-4)


def test_the_loss_is_the_surprise_of_the_right_path() -> None:
    made, scores = crf(), torch.randn(4, 3, 3)
    targets = torch.randint(3, (4, 3))
    surprises = 0.0
    for row, length in enumerate(LENGTHS.tolist()):
        paths = all_paths(made, scores[:, row], length)
        right = paths[tuple(targets[:length, row].tolist())]
        surprises += float(torch.tensor(list(paths.values())).logsumexp(0)) - right
    assert made.loss(scores, targets, LENGTHS).item() == pytest.approx(surprises / 8, abs=1e-5)


def test_any_label_may_stand_where_the_right_one_is_not_known() -> None:
    made, scores = crf(**ALLOWED), torch.randn(4, 3, 3)
    targets = torch.tensor([[0, -100, 1, -100], [0, -100, -100, -100], [-100, 0, 0, -100]]).T
    nats = 0.0
    for row, length in enumerate(LENGTHS.tolist()):
        paths = all_paths(made, scores[:, row], length)
        wanted = targets[:length, row].tolist()
        fits = [
            s for path, s in paths.items() if all(w in (-100, label) for w, label in zip(wanted, path, strict=True))
        ]
        nats += float(torch.tensor(list(paths.values())).logsumexp(0) - torch.tensor(fits).logsumexp(0))
    assert made.loss(scores, targets, LENGTHS).item() == pytest.approx(nats / int(LENGTHS.sum()), rel=1e-5)


def test_what_stands_past_the_lengths_does_not_matter() -> None:
    made, scores = crf(), torch.randn(4, 3, 3)
    targets = torch.randint(3, (4, 3))
    before = made.loss(scores, targets, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        scores[length:, row], targets[length:, row] = 1e3, -100
    assert made.loss(scores, targets, LENGTHS) == before


def test_gradients_are_those_of_finite_differences() -> None:
    made = crf().double()
    scores, targets = torch.randn(4, 3, 3, dtype=torch.float64, requires_grad=True), torch.randint(3, (4, 3))
    assert torch.autograd.gradcheck(lambda x: made.loss(x, targets, LENGTHS), scores)


def test_marginals_add_up_and_agree_with_all_paths() -> None:
    made, scores = crf(), torch.randn(4, 3, 3)
    found = made.marginals(scores, LENGTHS)
    paths = all_paths(made, scores[:, 0], 4)
    total = torch.tensor(list(paths.values())).logsumexp(0)
    share = sum(float((torch.tensor(score) - total).exp()) for path, score in paths.items() if path[2] == 1)
    assert float(found[2, 0, 1]) == pytest.approx(share, abs=1e-4)
    torch.testing.assert_close(found.sum(2), torch.tensor([[1, 1, 1], [1, 0, 1], [1, 0, 1], [1, 0, 0]]).float())


def test_the_chain_is_fused_and_equals_steps() -> None:
    assert explain(ChainCell(5)).backend == "llvm"
    made, scores = crf(), torch.randn(4, 3, 3)
    fused = made.of_all(scores, LENGTHS)
    with use_backend("eager"):
        torch.testing.assert_close(made.of_all(scores, LENGTHS), fused)


def test_scores_far_apart_give_finite_gradients() -> None:
    made = crf(**ALLOWED)
    scores = (500 * torch.randn(6, 2, 3)).requires_grad_()
    made.loss(scores, torch.zeros(6, 2, dtype=torch.long), torch.tensor([6, 6])).backward()
    assert all(
        tensor.grad is not None and bool(tensor.grad.isfinite().all()) for tensor in (scores, *made.parameters())
    )


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"allowed of a CRF expects shape \(3, 3\)"):
        CRF(3, torch.ones(2, 2).bool())
    with pytest.raises(ShapeError, match="expects scores"):
        crf().of_all(torch.randn(4, 3, 5), LENGTHS)
    with pytest.raises(ShapeError, match="received one of length 0"):
        crf().of_all(torch.randn(4, 3, 3), torch.tensor([4, 0, 1]))
