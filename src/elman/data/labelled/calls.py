"""Telephone numbers as one hears them being dialled: two tones for each key (ITU-T Q.23)."""

from math import pi
from random import Random

import torch
from torch import Tensor

from elman.data.labelled.labelled import Labelled
from elman.data.sound.read import Sound

RATE = 8000
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477)
"""Hertz of a row of keys, and of a column."""
KEYS = ("123", "456", "789", "*0#")
COUNT = 600


def made_calls(count: int = COUNT) -> Labelled:
    """Numbers in groups with pauses between them, in noise; always the same ones.

    >>> calls = made_calls(2)
    >>> calls.kind, [len(said.split()) > 1 for said in calls.answers]
    ('sound', [True, True])
    """
    random, generator = Random(0), torch.Generator().manual_seed(0)
    said = [" ".join(_group(random) for _ in range(random.randint(2, 4))) for _ in range(count)]
    sounds = [Sound(_dialled(text, random, generator), RATE) for text in said]
    note = f"no recordings given: learning to write down {count:,} telephone numbers from their tones"
    return Labelled("sound", sounds, said, "the calls", [f"call {n:,}" for n in range(1, count + 1)], (note,))


def _group(random: Random) -> str:
    return "".join(random.choice("0123456789*#") for _ in range(random.randint(2, 4)))


def _dialled(text: str, random: Random, generator: torch.Generator) -> Tensor:
    parts = [_silence(random.uniform(0.05, 0.2))]
    for key in text:
        parts += [_silence(random.uniform(0.2, 0.35))] if key == " " else [_tones(key, random), _silence(0.05)]
    samples = torch.cat([*parts, _silence(0.1)])
    return samples + random.uniform(0.001, 0.05) * torch.randn(len(samples), generator=generator)


def _silence(seconds: float) -> Tensor:
    return torch.zeros(round(seconds * RATE))


def _tones(key: str, random: Random) -> Tensor:
    row = next(n for n, keys in enumerate(KEYS) if key in keys)
    time = torch.arange(round(random.uniform(0.06, 0.14) * RATE)) / RATE
    hertz = LOW[row], HIGH[KEYS[row].index(key)]
    return random.uniform(0.1, 0.4) * sum((torch.sin(2 * pi * each * time) for each in hertz), torch.zeros(()))
