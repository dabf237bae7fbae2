"""Made-up music: four voices that walk through the chords of a key and come home."""

from random import Random

from elman.data.music.chords import Pieces, as_keys

GOES_TO = {0: (3, 4, 5, 1), 1: (4,), 3: (4, 0, 1), 4: (0, 5), 5: (3, 1)}
"""By a chord's degree, the degrees that may follow."""
SCALE = (0, 2, 4, 5, 7, 9, 11)
"""Semitones of a major scale."""


def made_pieces(count: int = 200, seed: int = 0) -> Pieces:
    """So many pieces of 8 to 16 chords, the same for the same seed.

    Example:
        >>> made_pieces(2).chords[0].sum(1).max()
        tensor(4.)
    """
    random = Random(seed)
    pieces = [as_keys(_piece(random), "a made-up piece") for _ in range(count)]
    note = f"no music given: learning to write cadences from {count:,} made-up ones"
    return Pieces(pieces, [f"piece {number:,}" for number in range(1, count + 1)], (note,))


def _piece(random: Random) -> list[list[int]]:
    key, degree, length = random.randint(43, 54), 0, random.randint(8, 16)
    degrees = [0]
    while len(degrees) < length or degree:
        degree = random.choice(GOES_TO[degree])
        degrees.append(degree)
    return [_chord(key, degree) for degree in degrees]


def _chord(key: int, degree: int) -> list[int]:
    """Bass, and a triad in the octave above the key."""
    triad = sorted(SCALE[(degree + third) % 7] for third in (0, 2, 4))
    return [key + SCALE[degree] - 12, *(key + 12 + note for note in triad)]
