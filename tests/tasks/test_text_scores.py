"""Scores of texts: as sacreBLEU and rouge-score say, as can be worked out by hand, and honest about chance."""

import random
import sys
from math import exp

import numpy as np
import pytest

from elman.errors import DataError, MissingExtra, OptionError
from elman.tasks.translate.scores import bleu, by_length, chrf, paired_bootstrap, rouge, tokenizer_for

sacrebleu = pytest.importorskip("sacrebleu", reason="the extra 'translate' is not installed")
pytest.importorskip("rouge_score", reason="the extra 'translate' is not installed")
from rouge_score.rouge_scorer import RougeScorer  # noqa: E402

CHANCE = random.Random(0)
WORDS = ["The", "dog", ",", "cat", "runs", "on", "and", "sleeps", "fast", "."]
REFERENCES = [" ".join(CHANCE.choices(WORDS, k=9)) for _ in range(63)]


def worse(references: list[str], share: float, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join("x" if chance.random() < share else word for word in text.split()) for text in references]


def test_bleu_by_hand():
    # of 6, 5, 4 and 3 n-grams, 5, 3, 2 and 1 are right
    score = bleu(["the cat sat on the mat"], ["the cat sat on a mat"])
    assert score.value == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)


def test_bleu_punishes_what_is_too_short():
    assert bleu(["a b c d"], ["a b c d e f"]).value == pytest.approx(100 * exp(1 - 6 / 4))


@pytest.mark.parametrize("tokenize", ["13a", "char", "zh", "intl", "none"])
def test_bleu_is_sacrebleus(tokenize):
    answers = worse(REFERENCES, 0.2, seed=1)
    metric = sacrebleu.BLEU(tokenize=tokenize)
    expected = metric.corpus_score(answers, [REFERENCES]).score
    score = bleu(answers, REFERENCES, tokenize)
    assert (score.value, score.signature) == (expected, str(metric.get_signature()))
    assert f"tok:{tokenize}" in score.signature


def test_case_counts():
    assert bleu(["A B C D"], ["a b c d"]).value == 0
    assert "case:mixed" in bleu(["a"], ["a"]).signature


def test_bleu_of_chinese_counts_characters():
    assert bleu(["我喜欢黑猫。"], ["我喜欢黑狗。"], "zh").value > bleu(["我喜欢黑猫。"], ["我喜欢黑狗。"]).value


def test_chrf_is_sacrebleus():
    answers = worse(REFERENCES, 0.2, seed=1)
    score = chrf(answers, REFERENCES)
    assert score.value == sacrebleu.corpus_chrf(answers, [REFERENCES]).score
    assert "nc:6|nw:0" in score.signature


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["我喜欢 Python。"], "zh"),
        (["玩得開心。", "A"], "zh"),
        (["ネコが好きです。"], "char"),
        (["東京都は日本の首都である。"], "char"),
        (["สวัสดีครับ"], "char"),
        (["고양이가 잔다."], "13a"),
        (["Two men talk about 猫."], "13a"),
        (["Привет, мир"], "13a"),
        (["", "?!"], "13a"),
        ([], "13a"),
    ],
)
def test_tokenizer_for_a_language(texts, expected):
    assert tokenizer_for(texts) == expected


def test_rouge_of_english_is_rouge_scores():
    answers = worse(REFERENCES, 0.3, seed=1)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    expected = [scorer.score(reference, answer) for answer, reference in zip(answers, REFERENCES, strict=True)]
    found = rouge(answers, REFERENCES)
    assert list(found) == ["rouge1", "rouge2", "rougeL"]
    for kind, value in found.items():
        assert value == pytest.approx(100 * sum(score[kind].fmeasure for score in expected) / len(expected))


@pytest.mark.parametrize(
    ("answer", "reference", "one", "two", "longest"),
    [
        ("黑猫睡觉", "黑猫跑跳", 1 / 2, 1 / 3, 1 / 2),
        ("Привет, МИР", "привет мир!", 1, 1, 1),
        ("मैं हिन्दी", "हिन्दी मैं", 1, 0, 1 / 2),
        ("été", "ete", 0, 0, 0),
        ("", "a", 0, 0, 0),
    ],
)
def test_rouge_of_any_script_by_hand(answer, reference, one, two, longest):
    assert list(rouge([answer], [reference]).values()) == pytest.approx([100 * one, 100 * two, 100 * longest])


def test_bootstrap_is_the_loop_of_its_definition():
    a, b = worse(REFERENCES, 0.2, seed=1), worse(REFERENCES, 0.25, seed=2)
    found = paired_bootstrap(a, b, REFERENCES, samples=40, seed=7)
    random_numbers, differences = np.random.default_rng(7), []
    for _ in range(40):
        drawn = random_numbers.integers(len(REFERENCES), size=len(REFERENCES))
        scores = [
            sacrebleu.corpus_bleu([answers[i] for i in drawn], [[REFERENCES[i] for i in drawn]]).score
            for answers in (a, b)
        ]
        differences.append(scores[0] - scores[1])
    assert (found.a, found.b) == (bleu(a, REFERENCES).value, bleu(b, REFERENCES).value)
    assert found.difference == found.a - found.b
    assert found.interval == pytest.approx(np.percentile(differences, [2.5, 97.5]))
    assert found.p_value == pytest.approx((1 + sum(one <= 0 for one in differences)) / 41)


def test_bootstrap_agrees_with_sacrebleus_own_test(monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "3")
    from sacrebleu.significance import PairedTest

    a, b = worse(REFERENCES, 0.2, seed=1), worse(REFERENCES, 0.24, seed=5)
    systems = [("b", b), ("a", a)]
    _, results = PairedTest(systems, {"BLEU": sacrebleu.BLEU()}, [REFERENCES], test_type="bs", n_samples=500)()
    theirs = next(scores for name, scores in results.items() if name.startswith("BLEU"))
    ours = paired_bootstrap(a, b, REFERENCES, samples=500, seed=3)
    assert [result.score for result in theirs] == pytest.approx([ours.b, ours.a])
    assert ours.p_value == pytest.approx(theirs[1].p_value, abs=0.05)  # theirs folds the differences about zero


def test_the_same_seed_gives_the_same_answer():
    a, b = worse(REFERENCES, 0.2, seed=1), worse(REFERENCES, 0.25, seed=2)
    first, again, other = (paired_bootstrap(a, b, REFERENCES, samples=50, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.interval != other.interval


def test_a_system_is_no_better_than_itself():
    found = paired_bootstrap(REFERENCES, REFERENCES, REFERENCES, samples=20)
    assert (found.difference, found.p_value, found.interval) == (0, 1, (0, 0))


def test_exchanged_systems_turn_the_difference_and_keep_the_p_value():
    a, b = worse(REFERENCES, 0.2, seed=1), worse(REFERENCES, 0.25, seed=2)
    one, other = paired_bootstrap(a, b, REFERENCES, samples=50), paired_bootstrap(b, a, REFERENCES, samples=50)
    assert (one.difference, one.p_value) == (-other.difference, other.p_value)
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]))


def test_a_clear_difference_is_clear():
    found = paired_bootstrap(REFERENCES, worse(REFERENCES, 0.5, seed=1), REFERENCES, samples=100)
    assert found.p_value == pytest.approx(1 / 101)
    assert found.interval[0] > 0


def test_each_source_counts_in_the_bucket_of_its_length():
    lengths = [1, 8, 9, 12, 30, 31, 400]
    answers = [f"a b c d e{n}" for n in range(7)]
    references = [*answers[:2], "x y", "z", *answers[4:]]
    found = by_length(lengths, answers, references)
    assert [(label, round(score, 6), count) for label, score, count in found] == [
        *(("1-8", 100, 2), ("9-12", 0, 2), ("21-30", 100, 1), ("31+", 100, 2))
    ]


def test_buckets_of_ones_own():
    assert [label for label, *_ in by_length([1, 2, 3], ["a"] * 3, ["a"] * 3, borders=[1, 2])] == ["1-1", "2-2", "3+"]


def test_buckets_are_scored_by_bleu():
    answers = worse(REFERENCES, 0.2, seed=1)
    ((label, score, count),) = by_length([10] * 63, answers, REFERENCES, tokenize="char")
    assert (label, score, count) == ("9-12", bleu(answers, REFERENCES, "char").value, 63)


@pytest.mark.parametrize(
    "score", [bleu, chrf, rouge, lambda a, r: paired_bootstrap(a, a, r), lambda a, r: by_length([], a, r)]
)
def test_texts_that_do_not_match_are_refused(score):
    with pytest.raises(DataError, match="received 2 answers and 1 references"):
        score(["a", "b"], ["a"])
    with pytest.raises(DataError, match="there are no answers to score"):
        score([], [])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bleu(["a"], ["a"], "13b"), OptionError, "tokenize cannot be '13b'; did you mean '13a'"),
        (lambda: bleu(["a"], ["a"], "ja-mecab"), OptionError, "tokenize cannot be 'ja-mecab'"),
        (lambda: paired_bootstrap(["a"], ["a", "b"], ["a"]), DataError, "received 2 answers and 1 references"),
        (
            lambda: paired_bootstrap(["a"], ["a"], ["a"], samples=0),
            OptionError,
            "samples expects 1 or more; received 0",
        ),
        (lambda: paired_bootstrap(["a"], ["a"], ["a"], seed=-1), OptionError, "seed expects 0 or more; received -1"),
        (lambda: by_length([1, 2], ["a"], ["a"]), DataError, "a length for each of 1 answers; received 2"),
        (lambda: by_length([1], ["a"], ["a"], []), OptionError, r"borders expects rising numbers.*received \[\]"),
        (lambda: by_length([1], ["a"], ["a"], [8, 8]), OptionError, "borders expects rising numbers"),
        (lambda: by_length([1], ["a"], ["a"], [0, 8]), OptionError, "borders expects rising numbers"),
    ],
)
def test_impossible_options_are_named_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("library", "score"), [("sacrebleu", bleu), ("sacrebleu", chrf), ("rouge_score.rouge_scorer", rouge)]
)
def test_a_missing_library_is_named(library, score, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra, match=r"is not installed.*pip install 'elman\[translate\]'"):
        score(["a"], ["a"])


def test_a_hundred_tokenised_lines_bring_no_remark(caplog):
    bleu(["a ."] * 200, ["a ."] * 200)
    assert not caplog.records
