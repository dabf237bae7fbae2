"""How good written texts are: BLEU, chrF and ROUGE against references, and whether a difference may be chance."""

import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from elman.data import UNSPACED, words
from elman.errors import DataError, OptionError, check_option, optional

TOKENIZERS = ("13a", "char", "intl", "none", "zh")
"""Those of sacreBLEU that need neither a download nor another library."""
BORDERS = (8, 12, 16, 20, 30)
HAN = ("CJK", "IDEOGRAPHIC ITERATION")
KANA = ("HIRAGANA", "KATAKANA")
"""How Unicode's names begin for Chinese characters, and for Japanese syllables."""


@dataclass(frozen=True)
class TextScore:
    """A score in percent, and sacreBLEU's signature: what another person needs to compute the same."""

    value: float
    signature: str


@dataclass(frozen=True)
class Comparison:
    """BLEU of two systems on the same sources.

    Args:
        a: BLEU of the first.
        b: BLEU of the second.
        difference: a - b.
        p_value: How likely the worse one is as good, had other sources been drawn; one-sided.
        interval: The difference lies in here for 95% of the samples.
    """

    a: float
    b: float
    difference: float
    p_value: float
    interval: tuple[float, float]


def bleu(answers: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> TextScore:
    """BLEU of all answers together (Papineni et al. 2002), case kept, as sacreBLEU counts it (Post 2018).

    Args:
        answers: What was written, as a person would read it: not split into units.
        references: One for each.
        tokenize: How sacreBLEU splits; `tokenizer_for` finds it.

    Raises:
        DataError: There are no answers, or not as many references.
        OptionError: `tokenize` is unknown.
        MissingExtra: sacreBLEU is not installed.

    Example:
        >>> score = bleu(["the cat sat on the mat"], ["the cat sat on a mat"])
        >>> round(score.value, 1), score.signature.split("|version")[0]
        (53.7, 'nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp')
    """
    _check(answers, references)
    return _score(_bleu(tokenize), answers, references)


def chrf(answers: Sequence[str], references: Sequence[str]) -> TextScore:
    """chrF2 of all answers together: F-score of character n-grams up to 6 (Popović 2015); needs no words.

    Raises:
        DataError: There are no answers, or not as many references.
        MissingExtra: sacreBLEU is not installed.
    """
    _check(answers, references)
    return _score(optional("sacrebleu", "sacrebleu", "translate").CHRF(), answers, references)


def tokenizer_for(texts: Iterable[str]) -> str:
    """The tokenizer that BLEU needs for texts of a language.

    Returns:
        "zh" where most words and characters are Chinese, "char" for other scripts without spaces, else "13a".

    Example:
        >>> tokenizer_for(["我喜欢 Python。"]), tokenizer_for(["ネコが好き"]), tokenizer_for(["ein Hund"])
        ('zh', 'char', '13a')
    """
    names = [unicodedata.name(word[0], "") for text in texts for word in words(text)]
    han, kana, unspaced = (sum(name.startswith(script) for name in names) for script in (HAN, KANA, UNSPACED))
    if 2 * unspaced <= len(names):
        return "13a"
    return "zh" if 2 * han > len(names) and 10 * kana < len(names) else "char"


def rouge(answers: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """ROUGE-1, -2 and -L (Lin 2004): the mean of F-measures in percent, words of any script, no stemming.

    Raises:
        DataError: There are no answers, or not as many references.
        MissingExtra: rouge-score is not installed.

    Example:
        >>> rouge(["黑猫睡觉"], ["黑猫跑跳"])
        {'rouge1': 50.0, 'rouge2': 33.33333333333333, 'rougeL': 50.0}
    """
    _check(answers, references)
    kinds = ["rouge1", "rouge2", "rougeL"]
    scorer = optional("rouge_score.rouge_scorer", "rouge-score", "translate").RougeScorer(kinds, tokenizer=_Words())
    scores = [scorer.score(reference, answer) for answer, reference in zip(answers, references, strict=True)]
    return {kind: 100 * float(np.mean([score[kind].fmeasure for score in scores])) for kind in kinds}


def paired_bootstrap(
    answers_a: Sequence[str],
    answers_b: Sequence[str],
    references: Sequence[str],
    *,
    samples: int = 1000,
    seed: int = 0,
    tokenize: str = "13a",
) -> Comparison:
    """Whether one system's BLEU is better by more than chance: sources drawn with replacement (Koehn 2004).

    Args:
        answers_a: Of the first system.
        answers_b: Of the second, to the same sources.
        references: One for each.
        samples: How often as many sources as there are are drawn.
        seed: Where randomness starts; the same seed gives the same answer.
        tokenize: As in `bleu`.

    Raises:
        DataError: There are no answers, or not as many of each.
        OptionError: An option is impossible.
        MissingExtra: sacreBLEU is not installed.

    Example:
        >>> good, bad, references = ["a dog runs fast"] * 9, ["a dog runs now"] * 9, ["a dog runs fast"] * 9
        >>> comparison = paired_bootstrap(good, bad, references, samples=99)
        >>> round(comparison.a), comparison.p_value
        (100, 0.01)
    """
    _check(answers_a, references)
    _check(answers_b, references)
    for name, value, least in (("samples", samples, 1), ("seed", seed, 0)):
        if value < least:
            raise OptionError(f"{name} expects {least} or more; received {value}; leave it out for the default")
    metric = _bleu(tokenize)
    systems = [_statistics(metric, answers, references) for answers in (answers_a, answers_b)]
    a, b = (_from_statistics(metric, rows.sum(0)) for rows in systems)
    random = np.random.default_rng(seed)
    differences = np.empty(samples)
    for sample in range(samples):
        drawn = random.integers(len(references), size=len(references))
        first, second = (_from_statistics(metric, rows[drawn].sum(0)) for rows in systems)
        differences[sample] = first - second
    turned = np.sum(differences <= 0 if a >= b else differences >= 0)
    low, high = np.percentile(differences, [2.5, 97.5])
    return Comparison(a, b, a - b, float(turned + 1) / (samples + 1), (float(low), float(high)))


def by_length(
    source_lengths: Sequence[int],
    answers: Sequence[str],
    references: Sequence[str],
    borders: Sequence[int] = BORDERS,
    tokenize: str = "13a",
) -> list[tuple[str, float, int]]:
    """BLEU for short, middle and long sources.

    Args:
        source_lengths: Units of each source.
        answers: One for each.
        references: One for each.
        borders: The longest source of each bucket but the last, which has no end.
        tokenize: As in `bleu`.

    Returns:
        For each bucket that is not empty: its label such as "9-12", BLEU, how many sources it has.

    Raises:
        DataError: There are no answers, or not as many of each.
        OptionError: The borders do not rise, or `tokenize` is unknown.
        MissingExtra: sacreBLEU is not installed.

    Example:
        >>> by_length([3, 8, 40], ["yes", "no", "e"], ["no", "yes", "f"])
        [('1-8', 0.0, 2), ('31+', 0.0, 1)]
    """
    _check(answers, references)
    if len(source_lengths) != len(answers):
        raise DataError(f"expected a length for each of {len(answers):,} answers; received {len(source_lengths):,}")
    if not borders or borders[0] < 1 or any(left >= right for left, right in pairwise(borders)):
        raise OptionError(f"borders expects rising numbers from 1 on; received {list(borders)}; try {list(BORDERS)}")
    buckets: dict[int, list[int]] = defaultdict(list)
    for index, length in enumerate(source_lengths):
        buckets[bisect_left(borders, length)].append(index)
    starts = [1, *(border + 1 for border in borders)]
    labels = [*(f"{start}-{end}" for start, end in zip(starts, borders, strict=False)), f"{starts[-1]}+"]
    return [
        (labels[bucket], bleu([answers[i] for i in found], [references[i] for i in found], tokenize).value, len(found))
        for bucket, found in sorted(buckets.items())
    ]


def _check(answers: Sequence[str], references: Sequence[str]) -> None:
    if len(answers) != len(references):
        raise DataError(
            f"expected a reference for each answer; received {len(answers):,} answers and {len(references):,} "
            "references; check that both come from the same lines"
        )
    if not answers:
        raise DataError("there are no answers to score; expected at least one; check the test file")


def _bleu(tokenize: str) -> Any:
    check_option("tokenize", tokenize, TOKENIZERS)
    library = optional("sacrebleu", "sacrebleu", "translate")
    return library.BLEU(tokenize=tokenize, force=True)  # force: no remark on " ." at the end


def _score(metric: Any, answers: Sequence[str], references: Sequence[str]) -> TextScore:
    value = metric.corpus_score(list(answers), [list(references)]).score
    return TextScore(float(value), str(metric.get_signature()))


def _statistics(metric: Any, answers: Sequence[str], references: Sequence[str]) -> np.ndarray:
    """(answers, 10): what BLEU adds up over a corpus: right and all n-grams of four orders, and both lengths."""
    scores = [metric.corpus_score([one], [[other]]) for one, other in zip(answers, references, strict=True)]
    return np.array([[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in scores])


def _from_statistics(metric: Any, statistics: np.ndarray) -> float:
    numbers = statistics.tolist()
    return float(metric.compute_bleu(numbers[:4], numbers[4:8], *numbers[8:], smooth_method="exp").score)


class _Words:
    """Splits for ROUGE, whose own tokenizer sees nothing but ASCII."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)
