"""Conversations side by side: each as if it were alone, and whole again in another process."""

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

import elman
from elman.data import made_calls
from elman.errors import DataError, OptionError
from elman.tasks import Model
from elman.tasks.live import Live, Talk


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Model:
    folder = tmp_path_factory.mktemp("writer")
    (folder / "a.txt").write_text(rhyme)
    settings = {"hidden_size": 12, "epochs": 1, "window": 8, "batch_size": 4, "num_layers": 2}
    return elman.train("generate", train=folder / "a.txt", out=folder / "run", **settings)


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("listener")
    settings = {"hidden_size": 12, "num_layers": 2, "bidirectional": False, "ahead": 2, "epochs": 1}
    return elman.train("transcribe", out=folder / "run", **settings)


def live_of(model: Model) -> Live:
    live = model.task.live(model.network)
    assert live is not None
    return live


def told(live: Live, talks: list[Talk]) -> list[list[dict[str, Any]]]:
    """What each tells until nobody waits."""
    events: list[list[dict[str, Any]]] = [[] for _ in talks]
    while ready := [talk for talk in talks if talk.waiting]:
        for talk, its in zip(ready, live.advance(ready), strict=True):
            events[talks.index(talk)] += its
    return events


def spoken(number: int) -> bytes:
    samples = made_calls(8).inputs[number].samples
    return (samples * 32767).to(torch.int16).numpy().tobytes()


def transcribed(events: list[dict[str, Any]]) -> tuple[str, list[Any]]:
    words = [word for event in events for word in event["words"]]
    assert events[-1]["type"] == "final"
    return events[-1]["text"], words


def test_texts_side_by_side_are_those_that_are_written_alone(writer: Model) -> None:
    live, prompts = live_of(writer), ["9", "98 green", "7 bottles"]
    talks = [live.begin({"seed": seed}) for seed in range(3)]
    for talk, prompt in zip(talks, prompts, strict=True):
        talk.read(prompt)
        talk.write({"length": 10 + len(prompt)})
    for seed, (events, prompt) in enumerate(zip(told(live, talks), prompts, strict=True)):
        expected = writer.predict(prompt, length=10 + len(prompt), seed=seed)[0]
        assert events[-1] == {"type": "final", "text": expected}
        assert "".join(event["text"] for event in events[:-1]) == expected


def test_a_conversation_goes_on_where_it_was(writer: Model) -> None:
    live = live_of(writer)
    talk, alone = live.begin({"seed": 3}), writer.session(3)
    talk.read("9")
    talk.write({"length": 7})
    talk.read(" green")
    talk.write({"length": 5, "temperature": 0})
    events = told(live, [talk])[0]
    alone.read("9")
    first = "".join(alone.write(length=7))
    alone.read(" green")
    finals = [event["text"] for event in events if event["type"] == "final"]
    assert finals == [first, "".join(alone.write(length=5, temperature=0))]


def test_sounds_side_by_side_are_those_that_are_heard_alone(listener: Model) -> None:
    live = live_of(listener)
    talks, sounds = [live.begin({}) for _ in range(4)], [spoken(number) for number in range(4)]
    events: list[list[dict[str, Any]]] = [[] for _ in talks]
    for start in range(0, max(map(len, sounds)), 1600):
        for talk, sound in zip(talks, sounds, strict=True):
            if piece := sound[start : start + 1600]:
                talk.hear(piece)
        for its, new in zip(events, told(live, talks), strict=True):
            its += new
    for talk in talks:
        talk.finish()
    for its, new in zip(events, told(live, talks), strict=True):
        its += new
    for number, its in enumerate(events):
        hearing = listener.session()
        assert hasattr(hearing, "hear")
        hearing.hear(torch.frombuffer(bytearray(spoken(number)), dtype=torch.int16) / 32768, 8000)
        whole = hearing.finish()
        text, words = transcribed(its)
        assert text == whole.text
        assert [(word.text, word.start) for word in words] == [(word.text, word.start) for word in whole.words]


def test_after_an_end_a_new_sound_begins(listener: Model) -> None:
    live = live_of(listener)
    talk = live.begin({})
    found = []
    for _ in range(2):
        talk.hear(spoken(0))
        talk.finish()
        found.append(told(live, [talk])[0])
    assert transcribed(found[0]) == transcribed(found[1])


@pytest.mark.parametrize("cut", [2, 1600, 7000])
def test_a_sound_goes_on_in_another_place(listener: Model, cut: int) -> None:
    live, sound = live_of(listener), spoken(1)
    whole, first = live.begin({}), live.begin({})
    for talk in (whole, first):
        talk.hear(sound[:cut])
    before = told(live, [whole, first])[1]
    state = live.export(first)
    second = live_of(listener).begin({}, state)
    assert live.export(second) == state
    for talk in (whole, second):
        talk.hear(sound[cut:])
        talk.finish()
    expected, found = told(live, [whole])[0], told(live, [second])[0]
    assert found == expected
    assert found[-1]["heard"] == len(sound) // 2
    assert all(event["type"] == "partial" for event in before)


def test_an_answer_goes_on_in_another_process(writer: Model, tmp_path: Path) -> None:
    live = live_of(writer)
    talk = live.begin({"seed": 5})
    talk.read("98 green")
    talk.write({"length": 30, "stop": "zz"})
    begun = [event for _ in range(9) for event in live.advance([talk])[0]]
    state = live.export(talk)
    writer.save(tmp_path / "run")
    (tmp_path / "state.txt").write_text(state)
    program = f"""
import sys, elman
model = elman.load({str(tmp_path / "run")!r})
live = model.task.live(model.network)
state = open({str(tmp_path / "state.txt")!r}).read()
talk = live.begin({{}}, state)
assert live.export(talk) == state
while talk.waiting:
    for event in live.advance([talk])[0]:
        final = event
print(repr(final["text"]))
"""
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    rest = told(live, [talk])[0]
    assert eval(other.stdout) == rest[-1]["text"] == writer.predict("98 green", length=30, seed=5)[0]
    assert rest[-1]["text"].startswith("".join(event["text"] for event in begun))


def test_a_long_text_is_read_in_parts(writer: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elman.tasks.generate.session.STEPS_AT_ONCE", 7)
    live = live_of(writer)
    talk, other = live.begin({}), live.begin({})
    talk.read("green bottles hanging on the wall")
    talk.write({"length": 5})
    other.write({"length": 3})
    assert live.advance([talk, other])[1][0]["type"] == "partial"  # which did not wait
    assert told(live, [talk, other])[0][-1]["text"] == writer.predict("green bottles hanging on the wall", length=5)[0]


def strange_states(live: Live) -> dict[str, str]:
    good = live.export(live.begin({}))
    content = b64decode(good)
    tensors = load(content)
    owner = {"facts": live.owner + " {}"}
    facts = {"facts": live.owner + ' {"decoder": "語", "begun": true, "writing": null}'}
    some = next(name for name, each in tensors.items() if each.is_floating_point() and each.numel())
    return {
        "nothing": "",
        "no letters of base 64": "ä" * 40,
        "cut off": good[:-40],
        "noise": b64encode(bytes(range(256)) * 9).decode(),
        "no tensors": b64encode(save({}, owner)).decode(),
        "other facts": b64encode(save(tensors, owner)).decode(),
        "a character that is no byte": b64encode(save(tensors, facts)).decode(),
        "another size": b64encode(save(tensors | {some: torch.zeros(3, 3)}, facts)).decode(),
        "no numbers": b64encode(save(tensors | {some: tensors[some] * torch.nan}, facts)).decode(),
    }


def test_states_that_are_none(writer: Model, listener: Model) -> None:
    for model in (writer, listener):
        live = live_of(model)
        for what, state in strange_states(live).items():
            if what == "a character that is no byte" and model is writer:
                continue  # its units are characters, which remember nothing
            with pytest.raises(DataError, match="a state expects what a session of this model gave out"):
                live.begin({}, state)
        with pytest.raises(DataError, match="of another model, or of other weights"):
            live.begin(
                {},
                live_of(listener if model is writer else writer).export(
                    live_of(listener if model is writer else writer).begin({})
                ),
            )


def test_what_a_conversation_does_not_take(writer: Model, listener: Model) -> None:
    text, sound = live_of(writer).begin({}), live_of(listener).begin({})
    with pytest.raises(DataError, match="this session takes text; received samples"):
        text.hear(b"00")
    with pytest.raises(DataError, match="this session takes sound; received a text"):
        sound.read("9")
    with pytest.raises(DataError, match="this session takes sound; received a wish for an answer"):
        sound.write({})
    with pytest.raises(DataError, match="samples expect two bytes each, one or more; received 3 bytes"):
        sound.hear(b"000")
    with pytest.raises(DataError, match="the training text lacks"):
        text.read("Ж")
    with pytest.raises(OptionError, match="there is no option 'lenght'"):
        text.write({"lenght": 3})
    with pytest.raises(OptionError, match="beam expects 1; received 4"):
        live_of(listener).begin({"beam": 4})


def test_an_idle_conversation_is_small(listener: Model) -> None:
    live = live_of(listener)
    talks = [live.begin({}) for _ in range(20)]
    for talk in talks:
        talk.hear(spoken(2))
    told(live, talks)
    sizes = [sum(each.untyped_storage().nbytes() for each in talk.memory().tensors.values()) for talk in talks]
    assert max(sizes) < 20_000  # nothing of the batch is kept alive by one of its rows


def test_a_poisoned_state_hurts_nobody_else(writer: Model) -> None:
    live = live_of(writer)
    content = b64decode(live.export(live.begin({})))
    tensors = load(content)
    header = content[8 : 8 + int.from_bytes(content[:8], "little")]
    facts = json.loads(header)["__metadata__"]["facts"].replace('"begun":false', '"begun":true')
    large = torch.full_like(tensors["scores"], 3e38)
    poisoned = b64encode(save(tensors | {"scores": large}, {"facts": facts})).decode()
    bad, good = live.begin({}, poisoned), live.begin({"seed": 1})
    bad.write({"length": 5, "temperature": 0.1})
    good.write({"length": 5})
    first, second = told(live, [bad, good])
    assert [event["type"] for event in first] == ["error"]
    assert second[-1]["text"] == writer.predict("", length=5, seed=1)[0]


def test_stops_in_a_state_are_those_of_its_settings(writer: Model) -> None:
    live = live_of(writer)
    talk = live.begin({})
    talk.write({"length": 9, "stop": "zz"})
    live.advance([talk])
    content = b64decode(live.export(talk))
    facts = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]["facts"]
    others = {'"stops":["zz"]': ['"stops":["aa"]'], '"held":[""]': ['"held":["zzz"]', '"held":[]']}
    for old, new in ((old, new) for old, several in others.items() for new in several):
        assert old in facts
        with pytest.raises(DataError, match="a state expects what a session"):
            live.begin({}, b64encode(save(load(content), {"facts": facts.replace(old, new)})).decode())


def test_an_end_ends_what_was_asked_for_before(writer: Model) -> None:
    live = live_of(writer)
    talk = live.begin({})
    talk.write({"length": 1000})
    talk.finish()
    talk.write({"length": 3})
    finals = [event["text"] for event in told(live, [talk])[0] if event["type"] == "final"]
    assert [len(text) for text in finals] == [0, 3]
    assert talk.taken == 3
    talk.write({"length": 0})
    assert told(live, [talk])[0] == [{"type": "final", "text": ""}]


def test_what_is_taken_is_what_is_remembered(writer: Model, listener: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elman.tasks.generate.session.STEPS_AT_ONCE", 4)
    talk = live_of(writer).begin({})
    talk.read("98 green")
    talk.read("9")
    counts = []
    while talk.waiting:
        live_of(writer).advance([talk])
        counts.append(talk.taken)
    assert counts == [0, 1, 2]
    live = live_of(listener)
    sound = live.begin({})
    sound.hear(bytes(5 * 2 * sound.most))
    sound.hear(bytes(20))
    heard = []
    while sound.waiting:
        heard += [event["heard"] for event in live.advance([sound])[0]]
        assert sound.taken == (2 if sound.heard > 5 * sound.most else 1 if sound.heard == 5 * sound.most else 0)
    assert heard == [sound.most, 2 * sound.most, 3 * sound.most, 4 * sound.most, 5 * sound.most, 5 * sound.most + 10]
    assert not sound.full
    for _ in range(30):
        sound.hear(bytes(2 * sound.most))
    assert sound.full
