"""A session remembers, streams, stops, and repeats itself with the same seed."""

import pytest
import torch

from elman.errors import DataError, OptionError, RunError
from elman.tasks import Writing, sample
from elman.tasks.generate.pen import Pen


def test_streaming_equals_predict(model):
    whole = model.predict(["99 green", "1 "], length=40, seed=3, temperature=1.0)
    parts = ["".join(model.stream(prompt, length=40, seed=3, temperature=1.0)) for prompt in ("99 green", "1 ")]
    assert whole == parts


def test_the_same_seed_writes_the_same_text_and_another_does_not(model):
    a, b, c = (model.predict("9", length=60, seed=seed, temperature=1.5)[0] for seed in (0, 0, 1))
    assert a == b != c


@pytest.mark.parametrize("length", [0, 1, 63])
def test_the_length_is_exact(model, length):
    assert len(model.predict("9", length=length)[0]) == length


def test_no_prompt_starts_anywhere(model):
    assert len({model.predict("", length=1, seed=seed)[0] for seed in range(30)}) > 5


def test_a_prompt_in_two_parts_equals_one(model):
    one, two = model.session(), model.session()
    one.read("99 green bottles")
    two.read("99 gre")
    two.read("")
    two.read("en bottles")
    torch.testing.assert_close(one.scores, two.scores)
    assert "".join(one.write(length=30, temperature=0)) == "".join(two.write(length=30, temperature=0))


def test_writing_goes_on_where_it_stopped(model):
    session = model.session(seed=5)
    session.read("99")
    parts = "".join(session.write(length=20)) + "".join(session.write(length=15))
    assert parts == model.predict("99", length=35, seed=5)[0]


def test_temperature_zero_is_a_loop_of_the_best(model):
    numbers, state = model.task.tokenizer.encode("99 "), None
    written = []
    with torch.no_grad():
        for _ in range(20):
            scores, state = model.network(numbers.unsqueeze(1), state)
            numbers = scores[-1].argmax(-1)
            written.append(int(numbers))
    assert model.predict("99 ", length=20, temperature=0)[0] == model.task.tokenizer.decode(written)


def test_words_go_on_with_a_space(make):
    model = make(units="word", min_count=2)
    assert model.predict("green bottles,", length=3)[0][0] in " \n"
    assert model.predict("the wall,\n", length=3)[0][0] != " "


def test_bytes_over_two_calls_come_whole(make):
    model = make(units="byte")
    session, text = model.session(), []
    for _ in range(200):
        text += session.write(length=1, temperature=3.0)
    assert "".join(text) == model.predict("", length=200, temperature=3.0)[0]


def test_writing_stops_before_a_text(model):
    whole = model.predict("99", length=60)[0]
    stop = whole[20:23]
    assert model.predict("99", length=60, stop=stop)[0] == whole[: whole.index(stop)]


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        (["ab", "cd"], "bc", "a"),
        (["a", "a", "a", "b"], "aab", "a"),
        (["abc"], "abc", ""),
        (["ab"], "abc", "ab"),
        (["a", "b", "a", "b", "d"], "abc", "ababd"),
        ([], "x", ""),
    ],
)
def test_a_stop_over_several_pieces(pieces, stop, expected):
    pen, shown = Pen([stop], len(pieces)), ""
    for piece in pieces:
        if not pen.done:
            shown += pen.put(piece)
    assert shown == expected


def test_what_cannot_be_is_refused_before_anything_is_written(model):
    with pytest.raises(DataError, match="the prompt has 1 characters that the training text lacks: 'Ж'"):
        model.stream("Ж")
    with pytest.raises(OptionError, match="there is no option 'lenght'; did you mean 'length'"):
        model.predict("9", lenght=3)
    with pytest.raises(OptionError, match="length expects a number"):
        model.stream("9", length=-1)
    with pytest.raises(OptionError, match="seed expects a number greater than or equal to 0; received -1"):
        model.session(seed=-1)


def test_a_long_prompt_in_parts_equals_one_step_at_a_time(model, rhyme, monkeypatch):
    whole = model.session()
    whole.read(rhyme[:50])
    monkeypatch.setattr("elman.tasks.generate.session.STEPS_AT_ONCE", 7)
    parts = model.session()
    parts.read(rhyme[:50])
    torch.testing.assert_close(parts.scores, whole.scores)


def test_scores_that_are_no_numbers_are_named():
    with pytest.raises(RunError, match="scores are not numbers"):
        sample(torch.tensor([[0.0, float("nan")]]), Writing())
