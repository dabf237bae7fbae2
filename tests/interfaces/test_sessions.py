"""Sessions over a WebSocket: they remember, go on elsewhere, end in order, and nobody disturbs anybody."""

import json
from base64 import urlsafe_b64encode
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import torch
from tests.interfaces.serving import Serving, serving

import elman
from elman.data import made_calls
from elman.tasks import Model

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")
client = pytest.importorskip("websockets.sync.client")
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Model:
    folder = tmp_path_factory.mktemp("writer")
    (folder / "a.txt").write_text(rhyme)
    settings = {"hidden_size": 6, "epochs": 1, "window": 8, "batch_size": 4}
    return elman.train("generate", train=folder / "a.txt", out=folder / "run", **settings)


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Model:
    settings = {"hidden_size": 6, "bidirectional": False, "epochs": 1}
    return elman.train("transcribe", out=tmp_path_factory.mktemp("listener") / "run", **settings)


@pytest.fixture(scope="module")
def texts(writer: Model) -> Any:
    with serving(writer) as server:
        yield server


@pytest.fixture(scope="module")
def sounds(listener: Model) -> Any:
    with serving(listener) as server:
        yield server


class Talking:
    """A client that says JSON."""

    def __init__(self, server: Serving, **options: Any) -> None:
        self.connection = client.connect(server.socket_url, proxy=None, **options)

    def __enter__(self) -> "Talking":
        self.socket = self.connection.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.connection.__exit__(*error)

    def say(self, type: str, **rest: Any) -> None:
        self.socket.send(json.dumps({"type": type, **rest}))

    def hear(self) -> dict[str, Any]:
        return json.loads(self.socket.recv(timeout=20))

    def until(self, type: str) -> list[dict[str, Any]]:
        heard = [self.hear()]
        while heard[-1]["type"] != type:
            heard.append(self.hear())
        return heard


def spoken(number: int = 0) -> bytes:
    samples = made_calls(8).inputs[number].samples
    return (samples * 32767).to(torch.int16).numpy().tobytes()


def test_a_text_session_remembers(texts: Serving, writer: Model) -> None:
    with Talking(texts) as talk:
        talk.say("start", settings={"seed": 3})
        started = talk.hear()
        assert (started["type"], started["takes"], started["rate"]) == ("started", "text", None)
        talk.say("text", text="9")
        talk.say("text", text=" green")
        talk.say("write", settings={"length": 12})
        heard = talk.until("final")
        expected = writer.predict("9 green", length=12, seed=3)[0]
        assert heard[-1]["text"] == "".join(one["text"] for one in heard[:-1]) == expected
        talk.say("write", settings={"length": 5})
        assert len(talk.until("final")[-1]["text"]) == 5


def test_what_is_said_comes_while_it_is_said(sounds: Serving, listener: Model) -> None:
    sound = spoken()
    with Talking(sounds) as talk:
        talk.say("start")
        assert talk.hear() | {"session": ""} == {"type": "started", "session": "", "takes": "sound", "rate": 8000}
        for start in range(0, len(sound), 1600):
            talk.socket.send(sound[start : start + 1600])
        talk.say("finish")
        heard = talk.until("final")
    assert [one["heard"] for one in heard] == sorted(one["heard"] for one in heard)
    assert heard[-1]["heard"] == len(sound) // 2
    hearing: Any = listener.session()
    hearing.hear(torch.frombuffer(bytearray(sound), dtype=torch.int16) / 32768, 8000)
    whole = hearing.finish()
    assert heard[-1]["text"] == whole.text
    words = [word for one in heard for word in one["words"]]
    assert [(word["text"], word["start"]) for word in words] == [(word.text, word.start) for word in whole.words]


def test_sessions_go_on_together(sounds: Serving) -> None:
    sound, finals = spoken(), []
    calls, advanced = sounds.floor.calls, sounds.floor.advanced

    def speak() -> None:
        with Talking(sounds) as talk:
            talk.say("start")
            for start in range(0, len(sound), 800):
                talk.socket.send(sound[start : start + 800])
            talk.say("finish")
            finals.append(talk.until("final")[-1]["text"])

    threads = [Thread(target=speak) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(finals) == 8
    assert len(set(finals)) == 1
    assert sounds.floor.advanced - advanced > sounds.floor.calls - calls


def test_a_session_goes_on_in_another_one(sounds: Serving, listener: Model) -> None:
    sound = spoken(1)
    with Talking(sounds) as talk:
        talk.say("start")
        talk.socket.send(sound[:3000])
        talk.say("finish")
        talk.until("final")
        talk.socket.send(sound[:5000])
        talk.until("partial")
        talk.say("export")
        state = talk.until("state")[-1]
        talk.socket.send(sound[5000:])
        talk.say("finish")
        expected = talk.until("final")[-1]
    assert state["taken"] == 3
    with serving(listener) as other, Talking(other) as talk:
        talk.say("start", state=state["state"])
        talk.hear()
        talk.say("export")
        assert talk.hear()["state"] == state["state"]
        talk.socket.send(sound[5000:])
        talk.say("finish")
        assert talk.until("final")[-1]["text"] == expected["text"]


STRANGE: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "a message expects one of start, text, write, finish, export as JSON"),
    "no type": ("{}", "a message expects one of"),
    "another type": ('{"type": "stop"}', "a message expects one of"),
    "more than there is": ('{"type": "finish", "now": 1}', "a message expects one of"),
    "deep": ("[" * 9000, "a message expects one of"),
    "a second start": ('{"type": "start"}', "a session starts once"),
    "samples": (b"0123", "this session takes text; received samples"),
    "an unknown setting": ('{"type": "write", "settings": {"lenght": 3}}', "there is no setting 'lenght' here"),
    "too much": ('{"type": "write", "settings": {"length": 99999999}}', "100,000 steps may be written"),
    "unknown letters": ('{"type": "text", "text": "Ж"}', "the training text lacks"),
    "a long text": (json.dumps({"type": "text", "text": "9" * 20_001}), "an input may have 20,000 characters"),
}


@pytest.mark.parametrize(("message", "words"), STRANGE.values(), ids=STRANGE)
def test_what_cannot_be_is_told_and_the_session_goes_on(texts: Serving, message: Any, words: str) -> None:
    with Talking(texts) as talk:
        talk.say("start")
        talk.hear()
        talk.socket.send(message)
        error = talk.hear()
        assert error["type"] == "error"
        assert words in error["error"]
        talk.say("write", settings={"length": 2})
        assert len(talk.until("final")[-1]["text"]) == 2


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ('{"type": "finish"}', 'a session expects {"type": "start"} first'),
        (b"\xff\x00", "a message expects one of"),
        ('{"type": "start", "state": "AAAA"}', "a state expects what a session of this model gave out"),
        ('{"type": "start", "settings": {"seed": -1}}', "seed expects"),
        ('{"type": "start", "settings": {"network": 1}}', "there is no setting 'network' here"),
    ],
)
def test_a_session_that_cannot_begin(texts: Serving, first: Any, words: str) -> None:
    with Talking(texts) as talk:
        talk.socket.send(first)
        assert words in talk.hear()["error"]
        with pytest.raises(ConnectionClosed) as closed:
            talk.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_a_message_that_is_too_long_ends_a_session_and_no_other(writer: Model) -> None:
    with serving(writer, message_bytes=1000) as server, Talking(server) as one, Talking(server) as other:
        for talk in (one, other):
            talk.say("start")
            talk.hear()
        one.say("text", text="9" * 2000)
        with pytest.raises(ConnectionClosed):
            one.hear()
        other.say("write", settings={"length": 3})
        assert other.until("final")[-1]["type"] == "final"
        assert len(server.floor.seats) == 1


def test_no_more_sessions_than_allowed(writer: Model) -> None:
    with serving(writer, sessions=1) as server, Talking(server) as talk:
        talk.say("start")
        talk.hear()
        with pytest.raises(InvalidStatus) as refused, Talking(server):
            pass
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["retry-after"] == "1"


@pytest.mark.parametrize("limit", ["session_seconds", "idle_seconds"])
def test_sessions_end_with_what_they_remember(writer: Model, limit: str) -> None:
    with serving(writer, **{limit: 0.1}) as server, Talking(server) as talk:
        talk.say("start")
        closed = talk.until("closed")[-1]
        assert closed["taken"] == 0
        with pytest.raises(ConnectionClosed):
            talk.hear()
        with Talking(server) as second:
            second.say("start", state=closed["state"])
            assert second.hear()["type"] == "started"


def test_models_without_sessions_say_so(tmp_path: Path) -> None:
    model = elman.train("classify", out=tmp_path / "run", hidden_size=4, epochs=1)
    with serving(model) as server, pytest.raises(InvalidStatus) as refused, Talking(server):
        pass
    assert refused.value.response.status_code == 404
    assert "have no sessions; ask POST /v1/predict" in json.loads(refused.value.response.body or b"")["error"]


def test_who_may_come_in(writer: Model) -> None:
    offer = "elman.bearer." + urlsafe_b64encode(b"secret").decode().rstrip("=")
    with serving(writer, token="secret") as server:
        for options in ({}, {"additional_headers": {"Authorization": "Bearer other"}}, {"subprotocols": ["elman"]}):
            with pytest.raises(InvalidStatus) as refused, Talking(server, **options):
                pass
            assert refused.value.response.status_code == 401
        welcome: list[dict[str, Any]] = [
            {"additional_headers": {"Authorization": "Bearer secret"}},
            {"subprotocols": ["elman", offer]},
        ]
        for options in welcome:
            with Talking(server, **options) as talk:
                talk.say("start")
                assert talk.hear()["type"] == "started"


def test_no_other_page_and_no_other_name(texts: Serving) -> None:
    with pytest.raises(InvalidStatus) as refused, Talking(texts, origin="http://elsewhere.example"):
        pass
    assert refused.value.response.status_code == 403
    other = {"Origin": "http://elsewhere.example"}
    assert httpx.post(f"{texts.url}/v1/predict", json={"inputs": ["9"]}, headers=other).status_code == 403
    assert httpx.get(f"{texts.url}/v1/models", headers={"Host": "elsewhere.example"}).status_code == 403
    assert httpx.get(f"{texts.url}/v1/models", headers={"Origin": texts.url}).status_code == 200


def test_a_server_that_stops_loses_nothing(writer: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elman.interfaces.server.floor.LAST", 0.1)
    found: dict[str, Any] = {}
    with serving(writer) as server, Talking(server) as talk, httpx.Client(base_url=server.url) as connected:
        assert connected.get("/readyz").status_code == 200
        talk.say("start", settings={"seed": 4})
        talk.say("text", text="98 green")
        talk.say("write", settings={"length": 3000})

        def ask() -> None:
            body = {"input": "9", "settings": {"length": 600, "seed": 1}}
            found["events"] = httpx.post(f"{server.url}/v1/stream", json=body, timeout=60).text

        asking = Thread(target=ask)
        asking.start()
        while len(server.floor.seats) < 2:
            talk.hear()
        server.stop()
        heard = talk.until("closed")
        refused = connected.post("/v1/predict", json={"inputs": ["9"]})
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/healthz")
        asking.join()
        assert (refused.status_code, refused.headers["connection"]) == (503, "close")
    assert found["events"].endswith("event: final\ndata: {}\n\n")
    assert found["events"].count("event: piece") == 600
    closed = heard[-1]
    assert (closed["reason"], closed["taken"]) == ("the server stops", 2)
    with serving(writer) as server, Talking(server) as talk:
        talk.say("start", state=closed["state"])
        text = talk.until("final")[-1]["text"]
    assert text == writer.predict("98 green", length=3000, seed=4)[0]


def test_whoever_sends_too_much_holds_up_nobody(writer: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elman.interfaces.server.floor.LAST", 0.1)
    with serving(writer) as server, Talking(server) as talk:
        talk.say("start")
        talk.say("write", settings={"length": 100_000})
        for _ in range(130):
            talk.say("text", text="9")
        talk.until("partial")
        server.stop()
        assert talk.until("closed")[-1]["taken"] == 1
        talk.socket.close()
        assert eventually(lambda: not server.server.server_state.tasks)


def test_no_more_begin_together_than_allowed(writer: Model) -> None:
    with serving(writer, sessions=3) as server:
        talks = [Talking(server) for _ in range(3)]
        with talks[0], talks[1], talks[2], ExitStack() as more:
            late = []
            for _ in range(5):
                with suppress(InvalidStatus):
                    late.append(more.enter_context(Talking(server)))
            for talk in (*talks, *late):
                talk.say("start")
            kinds = [talk.hear()["type"] for talk in (*talks, *late)]
            assert kinds.count("started") == 3
            assert len(server.floor.seats) == 3


def eventually(holds: Any) -> bool:
    """Within a few seconds."""
    end = monotonic() + 8
    while not holds() and monotonic() < end:
        sleep(0.05)
    return holds()
