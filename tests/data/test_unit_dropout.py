"""Other pieces, the same text; always the same for the same chance; without dropout the usual pieces."""

from random import Random

import pytest

from elman.data import NumberedPairs, PairBatches, Tokenizer, UnitDropout
from elman.errors import OptionError

TEXT = "two young men are outside near many bushes\nzwei junge Männer sind im Freien in der Nähe vieler Büsche\n"


@pytest.fixture
def tokenizer() -> Tokenizer:
    return Tokenizer.learn(TEXT * 20, "bpe", vocabulary_size=400)


def test_without_dropout_the_pieces_are_the_librarys(tokenizer: Tokenizer):
    plain = UnitDropout(tokenizer, 0.0)
    for line in TEXT.splitlines():
        assert plain.encode(line, Random(0)).tolist() == tokenizer.encode(line).tolist()


def test_the_text_stays_whatever_its_pieces(tokenizer: Tokenizer):
    dropout = UnitDropout(tokenizer, 0.3)
    line = TEXT.splitlines()[1] + " 🎈 狗"
    ways = [dropout.encode(line, Random(n)) for n in range(20)]
    assert {tokenizer.decode(way) for way in ways} == {line}
    assert len({tuple(way.tolist()) for way in ways}) > 10
    assert ways[3].tolist() == UnitDropout(tokenizer, 0.3).encode(line, Random(3)).tolist()


def test_more_dropout_makes_more_pieces(tokenizer: Tokenizer):
    lengths = [
        sum(len(UnitDropout(tokenizer, p).encode(TEXT.splitlines()[0], Random(n))) for n in range(30))
        for p in (0.0, 0.1, 0.5)
    ]
    assert lengths == sorted(set(lengths))


def test_batches_vary_by_epoch_and_come_again(tokenizer: Tokenizer):
    lines = TEXT.splitlines() * 4
    numbers = tokenizer.encode_lines(lines)
    dropout = UnitDropout(tokenizer, 0.3)

    def made() -> PairBatches:
        pairs = NumberedPairs(numbers, numbers, lines, lines)
        return PairBatches(pairs, (tokenizer.border,) * 2, 10_000, varied=(dropout, dropout))

    first, second = made().batch(0), made().batch(1)
    assert made().batch(0).source.equal(first.source)
    assert second.source.shape != first.source.shape or not second.source.equal(first.source)
    plain = next(iter(made()))  # those that judge see the usual pieces
    assert int(plain.source_lengths.sum()) == sum(len(line) + 1 for line in numbers)
    for column, text in enumerate(first.sources):
        assert tokenizer.decode(first.source[: first.source_lengths[column] - 1, column]) == text


def test_other_units_are_refused():
    with pytest.raises(OptionError, match="received word"):
        UnitDropout(Tokenizer.learn(TEXT, "word"), 0.1)
