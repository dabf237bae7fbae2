"""Reports: what they come down to follows from their words alone, and the first sentence does not give it away."""

import re
from collections import Counter

import pytest

from elman.data.pairs.reports import report_pairs
from elman.errors import OptionError

PAIRS = report_pairs()

FACTS = [
    *(r"(?P<home>\w+) received (?P<away>\w+)", r"(?P<away>\w+) travelled to (?P<home>\w+)"),
    *(r"teams of (?P<home>\w+) and (?P<away>\w+)", r"[Ff]inal score of (?P<score>\d-\d)"),
    *(r"read (?P<score>\d-\d)", r"ninety minutes it was (?P<score>\d-\d)"),
    *(
        r"With (?P<goals>\w+ goals?) to his name (?P<player>\w+)",
        r"sang for (?P<player>\w+) and his (?P<goals>\w+ goals?)",
    ),
    r"cheer went up for (?P<player>\w+) who had scored (?P<goals>\w+ goals?)",
    *(r"People in (?P<town>\w+)", r"For (?P<town>\w+) the \w+ began", r"bells of (?P<town>\w+)"),
    *(r"no warmer than (?P<high>\d+)", r"best was (?P<high>\d+)", r"glass showed (?P<high>\d+)"),
    *(r"(?P<sunny>not a cloud|sun shone|Hats)", r"(?P<rainy>Umbrellas|poured|puddles)"),
    *(r"(?P<windy>Gusts|gale|Washing)", r"(?P<grey>never came through|hung low|Not one ray)"),
    *(r"(?P<owner>\w+) opened the (?P<trade>[\w ]+) at", r"The (?P<trade>[\w ]+) that (?P<owner>\w+) runs"),
    r"counter of the (?P<trade>[\w ]+) stood (?P<owner>\w+)",
    *(r"asked for (?P<ware>[\w ]+) and nothing", r"shelf of (?P<ware>[\w ]+) was empty"),
    r"sold like the (?P<ware>[\w ]+) by the window",
    *(r"time (?P<sum>\d+) pounds", r"till held (?P<sum>\d+)", r"locked (?P<sum>\d+)"),
    r"(?P<day>\w+day)",
]


def facts_of(report: str) -> dict[str, str]:
    """What a report says, each fact exactly once."""
    found = [fact for pattern in FACTS for match in re.finditer(pattern, report) for fact in match.groupdict().items()]
    assert max(Counter(name for name, _ in found).values()) == 1, report
    return dict(found)


def match_summary(facts: dict[str, str]) -> str:
    home, away = map(int, facts["score"].split("-"))
    result = {-1: "lost {score} to", 0: "drew {score} with", 1: "won {score} against"}[(home > away) - (home < away)]
    return ("{home} " + result + " {away} and {player} scored {goals}.").format(**facts)


def summary_of(facts: dict[str, str]) -> str:
    if "score" in facts:
        return match_summary(facts)
    if "trade" in facts:
        return "{owner} took {sum} pounds at the {trade} on {day} and sold {ware} best.".format(**facts)
    (sky,) = {"sunny", "rainy", "windy", "grey"} & facts.keys()
    return f"{facts['town']} had a {sky} {facts['day']} with up to {facts['high']} degrees."


def test_a_summary_follows_from_the_words_of_its_report():
    for report, summary in PAIRS:
        assert summary == summary_of(facts_of(report))


def test_no_report_comes_twice():
    assert len(PAIRS) == len(dict(PAIRS)) == 6_000


def test_reports_have_four_to_seven_sentences_and_summaries_one():
    lengths = Counter(len(re.findall(r"\.( |$)", report)) for report, _ in PAIRS)
    assert set(lengths) == {4, 5, 6, 7}
    assert min(lengths.values()) > 1_000
    assert all(re.fullmatch(r"[^.]+\.", summary) for _, summary in PAIRS)


def test_a_scorer_has_no_more_goals_than_the_teams_best():
    for report, _ in PAIRS[:1_500]:
        facts = facts_of(report)
        if "score" in facts:
            assert ["one", "two", "three"].index(facts["goals"].split()[0]) < max(map(int, facts["score"].split("-")))


def test_every_kind_is_frequent():
    kinds = Counter(word for _, summary in PAIRS for word in ("goal", "degrees", "pounds") if word in summary)
    assert kinds.total() == len(PAIRS)
    assert min(kinds.values()) > 1_800


def shared_words(lead: str, summary: str) -> float:
    """The F-measure of ROUGE-1 (Lin 2004)."""
    one, other = (Counter(re.findall(r"\w+", text.lower())) for text in (lead, summary))
    return 2 * (one & other).total() / (one.total() + other.total())


@pytest.mark.parametrize(("sentences", "most"), [(1, 0.25), (3, 0.45)])
def test_the_first_sentences_are_no_summary(sentences: int, most: float):
    leads = [(" ".join(re.findall(r"[^.]+\.", report)[:sentences]), summary) for report, summary in PAIRS[:1_000]]
    assert sum(shared_words(lead, summary) for lead, summary in leads) / len(leads) < most


def test_a_seed_gives_the_same_pairs_and_another_seed_unseen_ones():
    assert report_pairs(500) == report_pairs(500)
    other = report_pairs(1_000, seed=1)
    assert not dict(other).keys() & dict(PAIRS).keys()
    known = {word for report, _ in PAIRS for word in report.split()}
    assert {word for report, _ in other for word in report.split()} <= known


@pytest.mark.parametrize("count", [0, -1, 200_001])
def test_a_count_that_cannot_be_is_refused(count: int):
    with pytest.raises(OptionError, match=rf"count expects 1 to 200,000 pairs; received {count}; try 6000"):
        report_pairs(count)
