"""Made-up stretches of DNA with the signs that bacteria read: where a gene's copying starts, and where it ends.

A promoter has the boxes TTGACA and TATAAT, about 17 letters apart (Hawley and McClure 1983); a terminator has a stem,
a loop, the stem's counterpart and a run of T (d'Aubenton Carafa et al. 1990). Some letters of the boxes are others.
"""

from dataclasses import dataclass
from random import Random

from elman.data.labelled.labelled import Labelled

LETTERS = "ACGT"
BOXES = ("TTGACA", "TATAAT")
PAIRED = str.maketrans("ACGT", "TGCA")
MUTATED = 0.05
"""Share of the letters of a sign that are others."""


@dataclass(frozen=True)
class Stretch:
    """Some DNA, what it is, and where its signs stand."""

    letters: str
    kind: str
    """promoter, terminator or none."""
    signs: tuple[tuple[int, int, str], ...]
    """Where each begins and ends, and its name."""


def motifs(count: int = 4_000, seed: int = 0) -> list[Stretch]:
    """Stretches of 60 to 120 letters, a third of each kind.

    Args:
        count: How many.
        seed: Where the randomness starts; the same seed gives the same stretches.

    Example:
        >>> one = motifs(3)[1]
        >>> one.kind, [(one.letters[first:last], name) for first, last, name in one.signs]
        ('terminator', [('GCCCCGC', 'stem'), ('GCGGGGC', 'stem'), ('TTTTTT', 'run')])
    """
    random = Random(seed)
    kinds = ("promoter", "terminator", "none")
    return [_stretch(kinds[number % 3], random) for number in range(count)]


def _stretch(kind: str, random: Random) -> Stretch:
    signs = {"promoter": _promoter, "terminator": _terminator, "none": _nothing}[kind](random)
    length = random.randint(60, 120)
    start = random.randint(0, length - sum(len(text) for text, _ in signs))
    before = "".join(random.choices(LETTERS, k=start))
    found, places = before, []
    for text, name in signs:
        if name:
            places.append((len(found), len(found) + len(text), name))
        found += text
    found += "".join(random.choices(LETTERS, k=length - len(found)))
    return Stretch(found, kind, tuple(places))


def _promoter(random: Random) -> list[tuple[str, str]]:
    between = "".join(random.choices(LETTERS, k=random.randint(16, 18)))
    return [(_mutated(BOXES[0], random), "-35"), (between, ""), (_mutated(BOXES[1], random), "-10")]


def _terminator(random: Random) -> list[tuple[str, str]]:
    stem = "".join(random.choices("GC", k=7))
    loop = "".join(random.choices(LETTERS, k=random.randint(4, 6)))
    counterpart = stem[::-1].translate(PAIRED)
    return [(stem, "stem"), (loop, ""), (counterpart, "stem"), (_mutated("TTTTTT", random), "run")]


def _nothing(random: Random) -> list[tuple[str, str]]:
    return []


def _mutated(sign: str, random: Random) -> str:
    return "".join(random.choice(LETTERS) if random.random() < MUTATED else letter for letter in sign)


def labelled_motifs() -> Labelled:
    """Stretches, and what each is."""
    made = motifs()
    places = [f"stretch {number:,}" for number in range(1, len(made) + 1)]
    note = f"no examples given: telling promoters and terminators in made-up DNA, {len(made):,} stretches"
    letters, kinds = [one.letters for one in made], [one.kind for one in made]
    return Labelled("text", letters, kinds, "the made-up DNA", places, (note,))
