"""Short reports and what they come down to, from a small grammar: pairs to summarise that need no file."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from elman.errors import OptionError

MOST_PAIRS = 200_000

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TOWNS = (
    *("Ashford", "Bellmore", "Carwick", "Dunholm", "Fenbridge", "Garrow"),
    *("Inverby", "Marlow", "Oakham", "Penrith", "Selby", "Westbury"),
)
PEOPLE = (
    *("Abbott", "Costa", "Duval", "Fischer", "Hansen", "Kowalski"),
    *("Moreau", "Okafor", "Petrov", "Rossi", "Silva", "Tanaka"),
)
GOALS = ("one goal", "two goals", "three goals")
SKIES = {
    "sunny": ("There was not a cloud to be seen.", "The sun shone from dawn to dusk.", "Hats and shade were wanted."),
    "rainy": ("Umbrellas were open all day.", "It poured from dawn to dusk.", "The streets were full of puddles."),
    "windy": ("Gusts tore leaves from the trees.", "A gale rattled every door.", "Washing flew from the lines."),
    "grey": ("The sun never came through the clouds.", "Clouds hung low all day.", "Not one ray of sun was seen."),
}
WARES = {
    "bakery": ("rolls", "bagels", "rye bread", "plum cake", "cheese sticks"),
    "bookshop": ("novels", "atlases", "cookbooks", "comics", "calendars"),
    "flower shop": ("roses", "tulips", "lilies", "sunflowers", "carnations"),
    "grocery": ("apples", "lemons", "onions", "honey", "potatoes"),
}


@dataclass(frozen=True)
class Kind:
    """What reports of one kind are made of; sentences are formats of facts.

    Args:
        facts: Draws what happened.
        needed: Sentences that the summary needs, each in several wordings.
        asides: Sentences that it does not, some with numbers and names of their own.
        summary: What it all comes down to.
    """

    facts: Callable[[Random], dict[str, str]]
    needed: tuple[tuple[str, ...], ...]
    asides: tuple[tuple[str, ...], ...]
    summary: str

    def pair(self, random: Random) -> tuple[str, str]:
        """A report of four to seven sentences in any order, and its summary."""
        facts = self.facts(random)
        wordings = [*self.needed, *random.sample(self.asides, random.randint(1, 4))]
        sentences = [random.choice(wording).format_map(facts) for wording in wordings]
        random.shuffle(sentences)
        return " ".join(sentences), self.summary.format_map(facts)


def _match(random: Random) -> dict[str, str]:
    home, away = random.sample(TOWNS, 2)
    player, other = random.sample(PEOPLE, 2)
    first, second = random.randint(0, 5), random.randint(0, 5)
    best = max(first, second, 1)
    if first == second:
        first = second = best
    verb, word = ("drew", "with") if first == second else ("won", "against") if first > second else ("lost", "to")
    return {
        "home": home,
        "away": away,
        "day": random.choice(DAYS),
        "score": f"{first}-{second}",
        "verb": verb,
        "word": word,
        "player": player,
        "goals": random.choice(GOALS[:best]),
        "other": other,
        "half": f"{random.randint(0, first)}-{random.randint(0, second)}",
        "last": f"{random.randint(0, 5)}-{random.randint(0, 5)}",
        "crowd": f"{random.randint(2, 40)}00",
    }


def _weather(random: Random) -> dict[str, str]:
    sky = random.choice(list(SKIES))
    high = random.randint(3, 35)
    return {
        "town": random.choice(TOWNS),
        "day": random.choice(DAYS),
        "sky": sky,
        "signs": random.choice(SKIES[sky]),
        "high": str(high),
        "low": str(high - random.randint(2, 12)),
        "before": str(random.randint(3, 35)),
        "tomorrow": str(random.randint(3, 35)),
        "other": random.choice(PEOPLE),
    }


def _shop(random: Random) -> dict[str, str]:
    trade = random.choice(list(WARES))
    ware, slow, late = random.sample(WARES[trade], 3)
    owner, other = random.sample(PEOPLE, 2)
    return {
        "owner": owner,
        "trade": trade,
        "day": random.choice(DAYS),
        "ware": ware,
        "sum": str(50 * random.randint(2, 19)),
        "slow": slow,
        "late": late,
        "other": other,
        "before": str(50 * random.randint(2, 19)),
        "rent": str(50 * random.randint(2, 19)),
    }


KINDS = (
    Kind(
        _match,
        needed=(
            (
                "{home} received {away} on {day} evening.",
                "On {day} {away} travelled to {home} for the cup.",
                "The teams of {home} and {away} met on {day} in the first town.",
            ),
            (
                "The board read {score} at the final whistle.",
                "After ninety minutes it was {score} and all was over.",
                "A final score of {score} went into the books.",
            ),
            (
                "With {goals} to his name {player} was the man of the match.",
                "The crowd sang for {player} and his {goals} that night.",
                "A cheer went up for {player} who had scored {goals} in all.",
            ),
        ),
        asides=(
            ("It was {half} at the break.", "The first half had ended {half} after some rough play."),
            ("Their last meeting had ended {last} in the spring.", "A year ago the same two had parted {last} here."),
            ("A red card sent {other} off the pitch.", "Late on {other} hit the post.", "Poor {other} went off hurt."),
            ("Some {crowd} people watched.", "The ground held {crowd} people on the night."),
            ("Rain fell throughout.", "The night was cold and dry.", "The grass was wet and slow."),
            ("Both coaches shook hands.", "The coaches said little.", "Nobody envied the referee."),
        ),
        summary="{home} {verb} {score} {word} {away} and {player} scored {goals}.",
    ),
    Kind(
        _weather,
        needed=(
            (
                "People in {town} rose early on {day} as ever.",
                "For {town} the {day} began without haste.",
                "On {day} the bells of {town} rang at seven.",
            ),
            ("{signs}",),
            (
                "It grew no warmer than {high} degrees in the afternoon.",
                "The day's best was {high} degrees at three.",
                "At most the glass showed {high} degrees before it fell.",
            ),
        ),
        asides=(
            ("The night had been at {low} degrees.", "At dawn it was {low} degrees by the river."),
            ("The day before had seen {before} degrees.", "Last year it had been {before} degrees on this date."),
            ("Tomorrow should bring {tomorrow} degrees.", "The radio promises {tomorrow} degrees for tomorrow."),
            ("Old {other} had foretold it.", "The mayor {other} opened a fair.", "Farmer {other} mended a roof."),
            ("Children played by the mill.", "The ferry ran late.", "A market filled the square."),
        ),
        summary="{town} had a {sky} {day} with up to {high} degrees.",
    ),
    Kind(
        _shop,
        needed=(
            (
                "On {day} {owner} opened the {trade} at eight.",
                "The {trade} that {owner} runs was busy on {day} as well.",
                "Behind the counter of the {trade} stood {owner} all {day} long.",
            ),
            (
                "Most people asked for {ware} and nothing else.",
                "The shelf of {ware} was empty first.",
                "Nothing sold like the {ware} by the window.",
            ),
            (
                "At closing time {sum} pounds lay in the till.",
                "The till held {sum} pounds in the end.",
                "When the door was locked {sum} pounds had come in.",
            ),
        ),
        asides=(
            ("The day before had brought {before} pounds.", "A week ago it had been {before} pounds."),
            ("The rent of {rent} pounds fell due.", "A new lamp for {rent} pounds was ordered."),
            ("Hardly anyone wanted {slow} this time.", "The {slow} found no friends."),
            ("A delivery of {late} came late.", "A crate of {late} was dropped at the door."),
            ("A friend named {other} came by.", "For an hour {other} lent a hand.", "A bill for {other} was mislaid."),
            ("A dog slept by the door.", "The radio played old songs.", "A child lost a mitten."),
        ),
        summary="{owner} took {sum} pounds at the {trade} on {day} and sold {ware} best.",
    ),
)


def report_pairs(count: int = 6_000, seed: int = 0) -> list[tuple[str, str]]:
    """Reports of matches, of a day's weather and of a shop's day, with a one-sentence summary each, in random order.

    A summary joins facts of three sentences, which stand in any order among others that do not matter.

    Args:
        count: How many pairs, 1 to 200,000; no report comes twice.
        seed: The same seed gives the same pairs, everywhere.

    Raises:
        OptionError: So many pairs cannot be made.

    Example:
        >>> report, summary = report_pairs(1)[0]
        >>> report.count("."), summary
        (5, 'Fenbridge had a grey Friday with up to 5 degrees.')
    """
    if not 1 <= count <= MOST_PAIRS:
        raise OptionError(f"count expects 1 to {MOST_PAIRS:,} pairs; received {count}; try 6000")
    random = Random(seed)
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        report, summary = random.choice(KINDS).pair(random)
        pairs[report] = summary
    return list(pairs.items())
