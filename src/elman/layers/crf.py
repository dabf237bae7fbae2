"""Labels of a whole sequence at once: a linear chain of them, each with a score and each step from one to the next.

Lafferty, McCallum and Pereira 2001; on top of recurrent networks Huang, Xu and Yu 2015 and Lample et al. 2016.

Key: T time, B batch, C labels, K best paths.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from elman.engine import Cell, Context, State, scan, without_padding
from elman.errors import ShapeError

FORBIDDEN = -1e4
"""The score of a step from one label to another that cannot be; its exponential is zero."""

SMALLEST = 1e-30
"""A sum of exponentials is at least this, so that its logarithm has a gradient."""


@dataclass(frozen=True)
class Paths:
    """The best sequences of labels."""

    labels: Tensor
    """(K, T, B), the best first; zero past each row's length."""
    scores: Tensor
    """(K, B); the logarithm of a path's probability is its score less that of all paths."""


@dataclass(frozen=True)
class Expected:
    """How often something is on a path that is drawn by chance, each path as often as it is probable."""

    labels: Tensor
    """(T, B, C)."""
    steps: Tensor
    """(C, C), from a label to another, over all sequences."""
    first: Tensor
    """(C,), over all sequences."""
    last: Tensor
    """(C,), over all sequences."""


class ChainCell(Cell):
    """The sum over all ways to each label, one step of the forward algorithm.

        α_t(j) = x_t(j) + log Σ_i exp(α_{t-1}(i) + A_ij)

    Args:
        labels: C.

    Shapes: x (B, C), α (B, C), both output and state; A (C, C), from the row's label to the column's.
    """

    def __init__(self, labels: int) -> None:
        super().__init__(labels, labels)
        self.transitions = nn.Parameter(torch.zeros(labels, labels))

    def forward(self, x: Tensor, state: State, context: Context = ()) -> tuple[Tensor, State]:
        (alpha,) = state
        most = alpha.amax(-1, keepdim=True)
        ways = torch.matmul(torch.exp(alpha - most), torch.exp(self.transitions))
        alpha = torch.log(ways.clamp_min(SMALLEST)) + most + x
        return alpha, (alpha,)


class CRF(nn.Module):
    """A conditional random field over sequences of labels.

    Args:
        labels: C.
        allowed: (C, C), true where a label may follow another; (C,) of `first` and `last`, true where it may stand at
            that end. All may when omitted.
        first: As above.
        last: As above.

    Shapes: scores of labels (T, B, C), labels (T, B), lengths (B,) from 1.

    Raises:
        ShapeError: Tensors do not fit.

    Example:
        >>> crf = CRF(3)
        >>> scores = torch.tensor([[[0.0, 2.0, 1.0]], [[3.0, 0.0, 0.0]]])
        >>> crf.best(scores, torch.tensor([2])).labels[0].T.tolist()
        [[1, 0]]
    """

    allowed: Tensor
    first_allowed: Tensor
    last_allowed: Tensor

    def __init__(
        self,
        labels: int,
        allowed: Tensor | None = None,
        first: Tensor | None = None,
        last: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.labels = labels
        self.chain = ChainCell(labels)
        self.first, self.last = nn.Parameter(torch.zeros(labels)), nn.Parameter(torch.zeros(labels))
        for name, given, shape in (
            ("allowed", allowed, (labels, labels)),
            ("first_allowed", first, (labels,)),
            ("last_allowed", last, (labels,)),
        ):
            tensor = torch.ones(shape, dtype=torch.bool) if given is None else given
            if tensor.shape != shape:
                raise ShapeError(f"{name} of a CRF expects shape {shape}; received {tuple(tensor.shape)}")
            self.register_buffer(name, tensor, persistent=False)

    def loss(self, scores: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        """Nats for each step: what all paths have, less the right one; where one is negative any label may stand."""
        self._check(scores, lengths)
        known = (targets >= 0) | (torch.arange(len(targets)).unsqueeze(1) >= lengths)
        right = self.of_path(scores, targets, lengths) if known.all() else self._of_paths_with(scores, targets, lengths)
        return (self.of_all(scores, lengths) - right).sum() / lengths.sum()

    def _of_paths_with(self, scores: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        """As `of_all`, of the paths that have the labels that are known."""
        known = (targets >= 0).unsqueeze(2)
        others = torch.ones_like(scores, dtype=torch.bool).scatter_(2, targets.clamp_min(0).unsqueeze(2), False)
        return self.of_all(scores.masked_fill(known & others, FORBIDDEN), lengths)

    def of_all(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The logarithm of the sum over all paths of their scores' exponentials, (B,)."""
        self._check(scores, lengths)
        alpha = self._first() + scores[0]
        if len(scores) > 1:
            _, (alpha,) = scan(
                self.chain,
                scores[1:],
                (alpha,),
                lengths=lengths - 1,
                parameters={"transitions": self._transitions()},
            )
        return (alpha + self._last()).logsumexp(1)

    def of_path(self, scores: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        """The score of one path, (B,)."""
        labels = without_padding(labels.clamp_min(0), lengths)
        found = without_padding(scores.gather(2, labels.unsqueeze(2)).squeeze(2), lengths).sum(0)
        steps = without_padding(self._transitions()[labels[:-1], labels[1:]], lengths - 1).sum(0)
        ends = labels.gather(0, (lengths - 1).unsqueeze(0)).squeeze(0)
        return found + steps + self._first()[labels[0]] + self._last()[ends]

    @torch.no_grad()
    def best(self, scores: Tensor, lengths: Tensor, count: int = 1) -> Paths:
        """The paths with the largest scores (Viterbi 1967), so many of them.

        Where there are fewer paths, those that cannot be come behind, with scores about `FORBIDDEN` or less.
        """
        self._check(scores, lengths)
        time, batch, labels = scores.shape
        transitions = self._transitions().view(1, labels, 1, labels)
        totals = scores.new_full((batch, labels, count), 10 * FORBIDDEN)  # of the best ways to each label
        totals[:, :, 0] = self._first() + scores[0]
        stay = torch.arange(labels * count).expand(batch, -1)
        origins = []  # of each step, the place of (label, way) that each comes from
        for step in range(1, time):
            ways = (totals.unsqueeze(3) + transitions).flatten(1, 2)
            found, origin = ways.topk(count, dim=1)
            inside = (step < lengths).view(-1, 1, 1)
            totals = torch.where(inside, found.transpose(1, 2) + scores[step].unsqueeze(2), totals)
            origins.append(torch.where(inside.squeeze(2), origin.transpose(1, 2).flatten(1), stay))
        ended = (totals + self._last().view(1, labels, 1)).flatten(1).topk(count, dim=1)
        places = [ended.indices]
        for origin in reversed(origins):
            places.append(origin.gather(1, places[-1]))
        path = torch.stack(places[::-1]) // count  # (T, B, K)
        return Paths(without_padding(path, lengths).permute(2, 0, 1), ended.values.t())

    def marginals(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The probability of each label at each step, (T, B, C)."""
        return self.expected(scores, lengths).labels

    def expected(self, scores: Tensor, lengths: Tensor) -> Expected:
        """What is on a path that is drawn by chance: the gradients of `of_all`."""
        with torch.enable_grad():
            scores = scores.detach().requires_grad_()
            parts = scores, self.chain.transitions, self.first, self.last
            return Expected(*torch.autograd.grad(self.of_all(scores, lengths).sum(), parts, materialize_grads=True))

    def surprise(self, scores: Tensor, lengths: Tensor, known: Expected) -> Tensor:
        """Nats for each step of paths that another chain draws by chance."""
        parts = (scores, self._transitions(), self._first(), self._last())
        theirs = (known.labels, known.steps, known.first, known.last)
        score = sum((own * count).sum() for own, count in zip(parts, theirs, strict=True))
        return (self.of_all(scores, lengths).sum() - score) / lengths.sum()

    def _first(self) -> Tensor:
        return self.first.masked_fill(~self.first_allowed, FORBIDDEN)

    def _last(self) -> Tensor:
        return self.last.masked_fill(~self.last_allowed, FORBIDDEN)

    def _transitions(self) -> Tensor:
        return self.chain.transitions.masked_fill(~self.allowed, FORBIDDEN)

    def _check(self, scores: Tensor, lengths: Tensor) -> None:
        if scores.dim() != 3 or scores.shape[2] != self.labels or lengths.shape != scores.shape[1:2]:
            raise ShapeError(
                f"a CRF expects scores (time, batch, {self.labels}) and lengths (batch,); received "
                f"{tuple(scores.shape)} and {tuple(lengths.shape)}"
            )
        if len(lengths) and int(lengths.min()) < 1:
            raise ShapeError("a CRF expects sequences of one step or more; received one of length 0; leave it out")
