"""Networks that read a window of a time series and say what comes.

Key: C steps of context, H of the horizon, B windows, P past covariates, G features known ahead, F = 2 + P + G features
    of a known step: its value, whether there is one, past covariates, what was known ahead; K numbers of a head for
    each step to come; W steps of a segment; D hidden width.
"""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.engine import scan
from elman.layers import Factory, Recurrent
from elman.models.bodies import Body

Guess = Callable[[Tensor], Tensor]
"""From numbers for a head (B, K) to the value that they stand for (B,)."""


class Forecaster(nn.Module):
    """Known steps, and what is known ahead, to numbers for a head."""

    @abstractmethod
    def forward(
        self, known: Tensor, ahead: Tensor, series: Tensor, guess: Guess, coming: Tensor | None = None
    ) -> Tensor:
        """(C, B, F) and (H, B, G) -> (H, B, K).

        Args:
            known: What is known.
            ahead: What is known ahead.
            series: (B,), which series each window is of, from 1; 0 for one that training has not seen.
            guess: What numbers for a head stand for.
            coming: (H, B), what comes, NaN where that is not known; in training only.
        """


class DirectForecaster(Forecaster):
    """The final state, and for each step to come what is known of it, through two layers to its numbers.

    Args:
        body: What reads the known steps.
        horizon: H.
        ahead_size: G.
        outputs: K.
        hidden_size: D, of the layers behind.
        dropout: Share of their features dropped.
    """

    def __init__(
        self, body: Recurrent | Body, horizon: int, ahead_size: int, outputs: int, hidden_size: int, dropout: float
    ) -> None:
        super().__init__()
        self.body, self.horizon, self.dropout = body, horizon, nn.Dropout(dropout)
        self.spread = nn.Linear(body.output_size, horizon * hidden_size)
        self.mixed = nn.Linear(hidden_size + ahead_size, hidden_size)
        self.output = nn.Linear(hidden_size, outputs)

    def forward(
        self, known: Tensor, ahead: Tensor, series: Tensor, guess: Guess, coming: Tensor | None = None
    ) -> Tensor:
        steps, _ = self.body(known)
        spread = self.spread(self.dropout(steps[-1])).unflatten(1, (self.horizon, -1)).transpose(0, 1)
        mixed = self.mixed(torch.cat([torch.relu(spread), ahead], 2))
        return self.output(self.dropout(torch.relu(mixed)))


class RecursiveForecaster(Forecaster):
    """The network goes on reading: what it says of a step is what it reads next; in training, what really came.

    Salinas et al. 2020, with the best guess fed back in place of a drawn one.

    Args:
        body: What reads steps.
        ahead_size: G.
        outputs: K.
        dropout: Share of features dropped before the output.
    """

    def __init__(self, body: Recurrent, ahead_size: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.body, self.dropout = body, nn.Dropout(dropout)
        self.output = nn.Linear(body.output_size + ahead_size, outputs)

    def forward(
        self, known: Tensor, ahead: Tensor, series: Tensor, guess: Guess, coming: Tensor | None = None
    ) -> Tensor:
        if coming is not None:
            steps = [known, *(self._row(known, value, there) for value, there in zip(coming[:-1], ahead, strict=False))]
            said, _ = self.body(torch.cat(steps))
            return self._say(said[len(known) - 1 :], ahead)
        steps, state = self.body(known)
        found = [self._say(steps[-1:], ahead[:1])]
        for place in range(1, len(ahead)):
            row = self._row(known, guess(found[-1][0]), ahead[place - 1])
            step, state = self.body(row, state)
            found.append(self._say(step, ahead[place : place + 1]))
        return torch.cat(found)

    def _row(self, known: Tensor, value: Tensor, ahead: Tensor) -> Tensor:
        """A step that has come: its value (B,), and what was known ahead (B, G)."""
        there = ~value.isnan()
        past = known.new_zeros(known.shape[1], known.shape[2] - 2 - ahead.shape[1])
        return torch.cat([value.nan_to_num().unsqueeze(1), there.unsqueeze(1).to(known), past, ahead], 1).unsqueeze(0)

    def _say(self, steps: Tensor, ahead: Tensor) -> Tensor:
        return self.output(torch.cat([self.dropout(steps), ahead], 2))


class SegmentForecaster(Forecaster):
    """Segments in place of steps; and all segments to come at once, each from the final state and its own place.

    SegRNN (Lin et al. 2023) with its parallel decoding.

    Args:
        cell: A class or factory of the cell.
        features: F.
        horizon: H.
        ahead_size: G.
        outputs: K.
        segment: W; the first and the last segment may be shorter.
        hidden_size: D.
        series: How many series have a vector of their own; 0 for none.
        dropout: Share of features dropped before the output.
    """

    def __init__(
        self,
        cell: Factory,
        features: int,
        horizon: int,
        ahead_size: int,
        outputs: int,
        *,
        segment: int,
        hidden_size: int,
        series: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.segment, self.outputs = segment, outputs
        self.segments = -(-horizon // segment)
        self.read = nn.Linear(segment * features, hidden_size)
        self.body = Recurrent(cell, hidden_size, hidden_size)
        half = hidden_size // 2 if series else hidden_size
        self.places = nn.Parameter(torch.randn(self.segments, half))
        self.series = nn.Embedding(series + 1, hidden_size - half) if series else None
        self.ahead = nn.Linear(segment * ahead_size, hidden_size) if ahead_size else None
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden_size, segment * outputs)

    def forward(
        self, known: Tensor, ahead: Tensor, series: Tensor, guess: Guess, coming: Tensor | None = None
    ) -> Tensor:
        horizon, batch = ahead.shape[:2]
        _, (state,) = self.body(torch.relu(self.read(self._cut(known, front=True))))
        starts = self.places.unsqueeze(1).expand(-1, batch, -1)
        if self.series is not None:
            starts = torch.cat([starts, self.series(series).expand(self.segments, -1, -1)], 2)
        if self.ahead is not None:
            starts = starts + self.ahead(self._cut(ahead, front=False))
        states = tuple(tensor.repeat(self.segments, *[1] * (tensor.dim() - 1)) for tensor in state)
        ended, _ = scan(self.body.cells[0], starts.flatten(0, 1).unsqueeze(0), states)
        found = self.output(self.dropout(ended[0])).view(self.segments, batch, self.segment, self.outputs)
        return found.transpose(1, 2).flatten(0, 1)[:horizon]

    def _cut(self, steps: Tensor, *, front: bool) -> Tensor:
        """(T, B, width) -> (segments, B, W width), filled up with zeros in front or behind."""
        missing = -len(steps) % self.segment
        steps = F.pad(steps, (0, 0, 0, 0, missing, 0) if front else (0, 0, 0, 0, 0, missing))
        return steps.unflatten(0, (-1, self.segment)).transpose(1, 2).flatten(2)
