"""Finding a good answer: beam search, with greedy choice as the beam of one, and drawing by chance.

Key: B sentences, K beams, S source time, T steps taken, V vocabulary, C candidates.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain
from random import Random
from typing import Annotated, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from elman.errors import OptionError, RunError
from elman.layers import softmax_in_place
from elman.models import Position, Translator
from elman.tasks.decoding import Sampling, sample
from elman.tasks.options import Count, Seed

NotNegative = Annotated[float, Field(ge=0)]

SCORES_AT_ONCE = 1 << 23
"""Of so many rows at a time: 32 MB."""

BLOCK = 64
"""Scores are searched for the best in blocks of so many."""

UNSEEN = 0.01
"""Less attention than this to a place counts as this much, where coverage counts."""

LONGEST = 400
"""Units of an answer at most, when nothing is said."""


class Searching(Sampling):
    """How an answer is searched for."""

    beam_size: Count = 5
    """How many beginnings are kept side by side; 1 takes the best unit at each step."""
    length_penalty: NotNegative = 1.0
    """How much longer answers are favoured: the exponent of their length that log-probabilities are divided by."""
    coverage_penalty: NotNegative = 0.0
    """How much it counts against an answer to leave parts of its source unseen (Wu et al. 2016)."""
    n_best: Count | None = None
    """Give so many answers to each input, with their scores and alignments; only the best one's text when omitted."""
    max_length: Count | None = None
    """Units of an answer at most; twice those of its source and 20 more, but 400 at most, when omitted."""
    prefix: str | None = None
    """How each answer begins."""
    no_repeat: Annotated[int, Field(ge=0)] = 0
    """So many units in a row come once at most in an answer; 0 lets them come again."""
    sample: bool = False
    """Draw each unit by its probability, instead of searching for the best answer."""
    seed: Seed = 0
    """The same seed draws the same answers."""
    precision: Literal["f32", "bf16"] = "f32"
    """Numbers in the output layer; bf16 has three digits, and is fast where processors know it."""

    @model_validator(mode="after")
    def _options_that_act(self) -> Self:
        drawing = {"temperature", "top_k", "top_p"} & self.model_fields_set
        if drawing and not self.sample:
            raise ValueError(f"{min(drawing)} acts on drawn answers only; add sample, or leave it away")
        if self.sample and "beam_size" in self.model_fields_set:
            raise ValueError("beam_size does not act on drawn answers; leave it or sample away")
        if self.n_best and not self.sample and self.n_best > self.beam_size:
            raise ValueError(f"n_best expects at most beam_size, {self.beam_size}; received {self.n_best}")
        return self


@dataclass(frozen=True)
class Found:
    """One answer."""

    units: list[int]
    """Without the border at its end."""
    log_probability: float
    score: float
    """The log-probability for its length, what is left unseen counted against it; the best answer's is largest."""
    weights: Tensor | None
    """(T, S), where the network looked at each step; also at the border's, if it came to it."""


@dataclass
class Beams:
    """Answers in the making: K rows for each sentence that is not done; a single one before the first step."""

    position: Position
    sentences: list[int]
    """Which ones are not done."""
    totals: Tensor
    """(B, K), log-probabilities so far."""
    history: Tensor
    """(B K, T)."""
    lengths: list[int]
    """Of the source of each sentence, done or not."""
    limits: list[int]
    """Units that the answers of each may have."""
    finished: list[list[Found]]
    """Answers of each."""
    looks: list[Tensor] = field(default_factory=list)
    """Of each step (rows then, S)."""
    origins: list[Tensor] = field(default_factory=list)
    """After each step: which row at that step each row comes from."""

    def looked(self, row: int, *, now: bool) -> Tensor | None:
        """Where a row has looked at each step (T, S), at the present one too if `now`."""
        if not self.looks:
            return None
        found = [self.looks[-1][row]] if now else []
        for look, origin in zip(self.looks[-2::-1], self.origins[::-1], strict=True):
            row = int(origin[row])
            found.append(look[row])
        return torch.stack(found[::-1]) if found else None


class Search:
    """Searches for answers.

    Args:
        network: What writes.
        border: The number that begins and ends an answer.
        options: How to search.
        prefix: (P,), units that each answer begins with.
        forbidden: Units that never come.
        aligned: Keep where the network looked.

    Raises:
        OptionError: The beam is larger than the vocabulary, or the prefix is not shorter than an answer may be.
    """

    def __init__(
        self,
        network: Translator,
        border: int,
        options: Searching,
        prefix: Tensor | None = None,
        forbidden: Sequence[int] = (),
        *,
        aligned: bool = True,
    ) -> None:
        vocabulary = network.output.out_features
        if "beam_size" in options.model_fields_set and options.beam_size > vocabulary:
            raise OptionError(
                f"beam_size expects at most {vocabulary:,}, the units of the vocabulary; received {options.beam_size:,}"
            )
        self.network, self.border, self.options = network, border, options
        small = options.precision == "bf16"
        self.output = deepcopy(network.output).to(torch.bfloat16) if small else network.output
        self.prefix = [] if prefix is None else prefix.tolist()
        if options.max_length and len(self.prefix) >= options.max_length:
            raise OptionError(
                f"max_length expects more than the prefix has, {len(self.prefix)} units; received {options.max_length}"
            )
        self.forbidden = list(forbidden)
        self.beams = 1 if options.sample else min(options.beam_size, vocabulary)
        self.aligned = aligned or options.coverage_penalty > 0
        self.generators: list[torch.Generator] = []

    @torch.inference_mode()
    def __call__(self, source: Tensor, lengths: Tensor) -> list[list[Found]]:
        """Answers to sources (S, B), the best first: n_best of them, or one."""
        wanted = self.options.n_best or 1
        if self.options.sample:  # each drawing is a sentence of its own, and draws by its source alone
            source, lengths = source.repeat_interleave(wanted, 1), lengths.repeat_interleave(wanted)
            read = [units[:length] for units, length in zip(source.t().tolist(), lengths.tolist(), strict=True)]
            names = [f"{self.options.seed} {number % wanted} {units}" for number, units in enumerate(read)]
            self.generators = [torch.Generator().manual_seed(Random(name).getrandbits(60)) for name in names]
            found = self._search(source, lengths.tolist())
            found = [list(chain(*found[first : first + wanted])) for first in range(0, len(found), wanted)]
        else:
            found = self._search(source, lengths.tolist())
        return [sorted(each, key=lambda one: -one.score)[:wanted] for each in found]

    def _search(self, source: Tensor, lengths: list[int]) -> list[list[Found]]:
        batch = source.shape[1]
        state = Beams(
            self.network.start(source, torch.tensor(lengths)),
            list(range(batch)),
            torch.zeros(batch, 1),
            torch.empty(batch, 0, dtype=torch.long),
            lengths,
            [self._limit(length) for length in lengths],
            [[] for _ in range(batch)],
        )
        for step in range(max(state.limits)):
            self._step(state, step)
            if not state.sentences:
                break
        return state.finished

    def _limit(self, length: int) -> int:
        """Units of an answer at most, by the length of its source; no other sentence counts."""
        return self.options.max_length or max(min(2 * length + 20, LONGEST), len(self.prefix) + 1)

    def _step(self, state: Beams, step: int) -> None:
        """Every beam grows by a unit, or ends."""
        last = state.history[:, -1] if step else torch.full((len(state.history),), self.border)
        outputs, weights, state.position = self.network.write(last, state.position)
        if weights is not None and self.aligned:
            state.looks.append(weights)
        gains, units = self._offered(state, outputs, step)
        grown = (state.totals.unsqueeze(2) + gains.view(*state.totals.shape, -1)).flatten(1)
        totals, places = grown.topk(min(2 * self.beams, grown.shape[1]))
        parents = places // gains.shape[1] + torch.arange(len(totals)).unsqueeze(1) * state.totals.shape[1]
        units = units.view(len(totals), -1).gather(1, places)
        order = self._end(state, totals, parents, units)
        totals, parents, units = (each.gather(1, order) for each in (totals, parents, units))
        self._stop(state, step + 1, totals, parents, units)
        self._go_on(state, totals, parents, units)

    def _end(self, state: Beams, totals: Tensor, parents: Tensor, units: Tensor) -> Tensor:
        """Take out the best of candidates, all (B, C), that end; the places (B, K) of the best that go on."""
        ends = units == self.border
        for number, place in (ends[:, : self.beams] & totals[:, : self.beams].isfinite()).nonzero().tolist():
            row = int(parents[number, place])
            history, steps = state.history[row].tolist(), state.history.shape[1] + 1
            self._finish(state, number, row, float(totals[number, place]), history, steps)
        return ends.to(torch.uint8).argsort(dim=1, stable=True)[:, : self.beams]

    def _stop(self, state: Beams, steps: int, totals: Tensor, parents: Tensor, units: Tensor) -> None:
        """Take what there is of sentences that are as long as they may be, or that nothing can follow."""
        for number, (sentence, alive) in enumerate(zip(state.sentences, totals.tolist(), strict=True)):
            done, last = state.finished[sentence], steps == state.limits[sentence]
            if self.options.sample and done:
                continue
            going = [beam for beam, total in enumerate(alive) if total > -torch.inf]
            for beam in going if last else ():
                row = int(parents[number, beam])
                history = [*state.history[row].tolist(), int(units[number, beam])]
                self._finish(state, number, row, alive[beam], history, steps)
            if not going and not done:
                beam = int(state.totals[number].argmax())
                row = number * state.totals.shape[1] + beam
                total, history = float(state.totals[number, beam]), state.history[row].tolist()
                self._finish(state, number, row, total, history, steps - 1)
            if last or not going or self._settled(done, max(alive), steps):
                totals[number] = -torch.inf

    def _settled(self, done: list[Found], total: float, steps: int) -> bool:
        """Is nothing that goes on as good, for its length so far, as the answers there are? It rarely gets better.

        How many answers there are does not tell: where the network is sure, they are bad ones that ended early.
        """
        wanted = self.options.n_best or 1
        if self.options.coverage_penalty:
            return len(done) >= self.beams
        if len(done) < wanted:
            return False
        worst = sorted((one.score for one in done), reverse=True)[wanted - 1]
        return worst >= total / self._length(steps)

    def _go_on(self, state: Beams, totals: Tensor, parents: Tensor, units: Tensor) -> None:
        """Go on with beams (B, K), without the sentences that are done."""
        alive = totals.isfinite().any(1).tolist()
        going = [
            number
            for number, sentence in enumerate(state.sentences)
            if alive[number] and not (self.options.sample and state.finished[sentence])
        ]
        dropped = len(going) < len(state.sentences)
        kept = torch.tensor(going, dtype=torch.long)
        rows = parents[kept].flatten()
        state.sentences = [state.sentences[n] for n in going]
        state.totals = totals[kept]
        state.history = torch.cat([state.history[rows], units[kept].view(-1, 1)], dim=1)
        state.origins.append(rows)
        if going:
            state.position = state.position.select(rows, kept if dropped else None)

    def _finish(self, state: Beams, number: int, row: int, total: float, units: list[int], steps: int) -> None:
        """An answer of a sentence is done, after so many steps; that to its end counts too, if it came to it."""
        weights = state.looked(row, now=steps > state.history.shape[1])
        score = total / self._length(steps)
        if self.options.coverage_penalty and weights is not None:
            seen = weights.sum(0)[: state.lengths[state.sentences[number]]].clamp(UNSEEN, 1)
            score += self.options.coverage_penalty * float(seen.log().sum())
        state.finished[state.sentences[number]].append(Found(units, total, score, weights))

    def _length(self, steps: int) -> float:
        """What a log-probability is divided by (Wu et al. 2016)."""
        return ((5 + steps) / 6) ** self.options.length_penalty

    def _offered(self, state: Beams, outputs: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Gains and units (B K, C) of what may come next."""
        count = max(1, SCORES_AT_ONCE // self.output.out_features)
        blocks = range(0, len(outputs), count)
        found = [self._of_block(state, outputs[first : first + count], first, step) for first in blocks]
        gains, units = zip(*found, strict=True)
        return torch.cat(gains), torch.cat(units)

    def _of_block(self, state: Beams, outputs: Tensor, first: int, step: int) -> tuple[Tensor, Tensor]:
        """The same for some rows, from a first one on."""
        scores = self.output(outputs.to(self.output.weight.dtype)).to(outputs.dtype)
        if step < len(self.prefix):
            units = torch.full((len(scores), 1), self.prefix[step])
            return _log_probabilities(scores, units), units
        self._forbid(scores, state.history[first : first + len(scores)])
        if self.options.sample:
            units = self._draw(state, scores, first)
            return _log_probabilities(scores, units), units
        units = best_of(scores, min(2 * self.beams, scores.shape[1]))
        return _log_probabilities(scores, units, units[:, :1]), units

    def _forbid(self, scores: Tensor, history: Tensor) -> None:
        """Take what may not come next out of the scores (rows, V) after what was written (rows, T)."""
        if self.forbidden:
            scores[:, self.forbidden] = -torch.inf
        step = history.shape[1]
        if not step:  # an answer has one unit at least
            scores[:, self.border] = -torch.inf
        if 0 < self.options.no_repeat <= step:
            for row, units in enumerate(history.tolist()):
                scores[row, _repeating(units, self.options.no_repeat)] = -torch.inf

    def _draw(self, state: Beams, scores: Tensor, first: int) -> Tensor:
        rows = zip(scores.split(1), state.sentences[first:], strict=False)
        return torch.stack([sample(row, self.options, self.generators[sentence]) for row, sentence in rows])


def best_of(scores: Tensor, count: int) -> Tensor:
    """The places of the largest scores of each row, the largest first.

    A block that has one of them has one of the largest maxima: so most blocks are passed over once their maximum is
    known, and the sort sees few numbers.

    Args:
        scores: (rows, V).
        count: How many.

    Example:
        >>> best_of(torch.tensor([[0.1, 3.0, 0.2, 2.0]]), 2)
        tensor([[1, 3]])
    """
    vocabulary = scores.shape[1]
    blocks = vocabulary // BLOCK
    if blocks <= 2 * count:
        return scores.topk(count).indices
    head, tail = scores[:, : blocks * BLOCK].unflatten(1, (blocks, BLOCK)), scores[:, blocks * BLOCK :]
    chosen = head.amax(2).topk(count).indices
    few = head.gather(1, chosen.unsqueeze(2).expand(-1, -1, BLOCK)).flatten(1)
    places = (chosen.unsqueeze(2) * BLOCK + torch.arange(BLOCK)).flatten(1)
    rest = torch.arange(blocks * BLOCK, vocabulary).expand(len(scores), -1)
    return torch.cat([places, rest], 1).gather(1, torch.cat([few, tail], 1).topk(count).indices)


def _log_probabilities(scores: Tensor, units: Tensor, best: Tensor | None = None) -> Tensor:
    """Of some units (rows, C); the scores, whose largest are at places (rows, 1) if that is known, are used up."""
    chosen = scores.gather(1, units)
    logs = softmax_in_place(scores, best)
    found = torch.where(chosen == -torch.inf, -torch.inf, chosen - logs)
    if found.isnan().any():
        raise RunError("the model's scores are not numbers: its weights are damaged or diverged; train again")
    return found


def _repeating(units: list[int], n: int) -> list[int]:
    """Units that would make the last n ones come a second time."""
    beginning = units[len(units) - n + 1 :]
    return [units[place + n - 1] for place in range(len(units) - n + 1) if units[place : place + n - 1] == beginning]
