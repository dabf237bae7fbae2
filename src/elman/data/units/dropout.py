"""Words in other pieces than usual: BPE-dropout (Provilkov, Emelianenko and Voita 2020).

While a word is put together of byte-pair units, each merge may be passed over; so a network sees rare pieces often, and
learns what frequent words are made of. A word's variants are drawn once; which of them comes is drawn at every reading.
"""

import json
from itertools import pairwise
from random import Random

import torch
from torch import Tensor

from elman.data.units.tokenizer import Tokenizer
from elman.errors import OptionError

VARIANTS = 16
"""Of each word; among them, as often as by chance, its usual pieces."""


LONGEST = 32
"""Bytes of a word that are put together; a longer one, as where there are no spaces, is several words."""


class UnitDropout:
    """Encodes texts with merges passed over.

    Args:
        tokenizer: One of byte-pair units.
        p: Share of merges that are passed over.

    Raises:
        OptionError: The units are no byte-pair units.

    Example:
        >>> tokenizer = Tokenizer.learn("low lower lowest\\n" * 9, "bpe", vocabulary_size=270)
        >>> dropout = UnitDropout(tokenizer, 0.5)
        >>> ways = {tuple(dropout.encode("lower", Random(n)).tolist()) for n in range(50)}
        >>> {tokenizer.decode(way) for way in ways}, len(ways) > 1
        ({'lower'}, True)
    """

    def __init__(self, tokenizer: Tokenizer, p: float) -> None:
        if tokenizer.units != "bpe":
            raise OptionError(f"units can be dropped from merges of units = bpe; received {tokenizer.units}")
        self.tokenizer, self.p = tokenizer, p
        merges = json.loads(tokenizer.backend.to_str())["model"]["merges"]
        self.ranks = {tuple(merge): rank for rank, merge in enumerate(merges)}
        self.variants: dict[str, list[list[int]]] = {}

    def encode(self, text: str, random: Random) -> Tensor:
        """Numbers of a text's units, in pieces that chance chooses, (units,)."""
        words = self.tokenizer.backend.pre_tokenizer.pre_tokenize_str(text)
        parts = (word[first : first + LONGEST] for word, _ in words for first in range(0, len(word), LONGEST))
        numbers = [number for part in parts for number in random.choice(self._variants(part))]
        return torch.tensor(numbers, dtype=torch.long)

    def _variants(self, word: str) -> list[list[int]]:
        """Some ways to put a word together, always the same ones."""
        if word not in self.variants:
            random, vocabulary = Random(word), self.tokenizer.vocabulary
            ways = [self._pieces(word, random) for _ in range(VARIANTS)]
            self.variants[word] = [[vocabulary[piece] for piece in way] for way in ways]
        return self.variants[word]

    def _pieces(self, word: str, random: Random) -> list[str]:
        """One way: again and again the earliest merge that is not passed over."""
        pieces = list(word)
        while True:
            known = [(self.ranks.get(pair), place) for place, pair in enumerate(pairwise(pieces))]
            offered = [(rank, place) for rank, place in known if rank is not None and random.random() >= self.p]
            if not offered:
                return pieces
            _, place = min(offered)
            pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
