"""Chords after chords: which notes sound together, given all that came before.

Key: T time, B batch, P pitches.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elman.layers import LayerState, Recurrent
from elman.models.reader import Reader

TINY = 1e-6
"""Below this temperature chance has no part."""


class ChordModel(Reader):
    """Recurrent layers over chords, and a chord note by note: each depends on the lower notes of its chord too.

    The notes of a chord are no independent draws: the scores of all pitches are W y + L c, with L nothing but a
    triangle below its diagonal, so the likelihood of a chord is exact (a sigmoid belief network, Frey et al. 1996).

    Args:
        body: Reads chords of P notes.
        rest: As in `Reader`.
    """

    def __init__(self, body: Recurrent, **rest: Any) -> None:
        super().__init__(None, body, **rest)
        self.output = nn.Linear(body.output_size, body.input_size)
        self.among = nn.Parameter(torch.zeros(body.input_size, body.input_size))

    def forward(self, chords: Tensor) -> Tensor:
        """Chords (T, B, P) of zeros and ones -> how likely each note is, given what came before it, as log odds."""
        before = F.pad(chords, (0, 0, 0, 0, 1, 0))[:-1]
        y, _ = self.vectors(before)
        return self.among_them(self.output(y), chords)

    def among_them(self, odds: Tensor, chords: Tensor) -> Tensor:
        """Log odds of notes that do not know their chord yet -> those that know its lower notes, (..., P)."""
        return odds + chords @ self.among.tril(-1).T

    def step(self, before: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
        """The chord before (B, P) -> log odds (B, P) that do not know the chord itself yet; and the state."""
        y, state = self.vectors(before.unsqueeze(0), state)
        return self.output(y[0]), state

    def chord(self, odds: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        """Draw the notes of a chord (B, P), the lowest first; at temperature 0 the likelier way."""
        chord, among = torch.zeros_like(odds), self.among.tril(-1)
        for pitch in range(odds.shape[1]):
            share = ((odds[:, pitch] + chord @ among[pitch]) / max(temperature, TINY)).sigmoid()
            chord[:, pitch] = (share > torch.rand(share.shape, generator=generator)).float()
        return chord
