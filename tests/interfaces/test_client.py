"""A client: what a server says comes back as it is, and what goes wrong is one line."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.interfaces.test_uploads import days as daily
from tests.interfaces.test_uploads import fresh

import elman
from elman import Client
from elman.data import Sound
from elman.errors import DataError, OptionError, ServerError
from elman.interfaces.client import Said
from elman.interfaces.server.limits import Limits
from elman.tasks import Model

pytest.importorskip("httpx")
pytest.importorskip("fastapi")
uvicorn = pytest.importorskip("uvicorn")
ConnectionClosed = pytest.importorskip("websockets.exceptions").ConnectionClosed
websockets = pytest.importorskip("websockets.sync.server")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The address of an application that answers."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def served(model: Model, token: str | None = None, **limits: Any) -> Any:
    from elman.interfaces.server.app import create_app

    return serving(create_app(model, "it", Limits.of(limits), token))


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Model:
    path = tmp_path_factory.mktemp("rhyme") / "a.txt"
    path.write_text(rhyme)
    return fresh("generate", path)


def test_answers_and_pieces_are_those_of_the_server(writer: Model) -> None:
    with served(writer) as url, Client(url) as client:
        (one,) = client.models()
        assert (one["name"], one["task"]) == ("it", "generate")
        assert client.predict("9", length=7, seed=2) == [{"text": writer.predict("9", length=7, seed=2)[0]}]
        assert len(client.predict(["9", "8"], length=3)) == 2
        assert "".join(client.stream("9", length=7, seed=2)) == writer.predict("9", length=7, seed=2)[0]
        pieces = client.stream("9", length=7)
        assert next(pieces)
        pieces.close()


def test_arrays_sounds_and_files(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    model, samples = fresh("transcribe"), np.sin(np.arange(4000) / 3).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 8000, "FLOAT")
    with served(model) as url, Client(url) as client:
        by_array = client.predict({"samples": samples, "rate": 8000})
        assert client.predict(Sound(torch.from_numpy(samples), 8000)) == by_array
        assert client.predict_file(tmp_path / "a.wav") == by_array
        with pytest.raises(DataError, match=r"cannot read .*none.wav"):
            client.predict_file(tmp_path / "none.wav")
    steps = fresh("tag", kind="steps")
    with served(steps) as url, Client(url) as client:
        series = torch.rand(5, 1)
        assert client.predict(series) == client.predict(series.numpy()) == client.predict([series.tolist()])


def test_columns_and_frames(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    model = fresh("forecast", daily(tmp_path), horizon=3)
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(270)]
    frame = polars.DataFrame({"ds": days, "y": [1.0, 2.0, None] * 90})
    with served(model) as url, Client(url) as client:
        found = client.predict(frame)
        assert len(found) == 1
        assert found == client.predict({"ds": list(map(str, days)), "y": [1.0, 2.0, float("nan")] * 90})
        with pytest.raises(ServerError, match="begins at the time 0; expected dates, a day apart, as in training"):
            client.predict({"y": [1.0, 2.0] * 90})


def test_refusals_have_the_words_of_the_server(writer: Model) -> None:
    with served(writer, "secret", body_bytes=500) as url:
        with (
            Client(url, token="other") as client,
            pytest.raises(ServerError, match="this server wants a token") as found,
        ):
            client.models()
        assert found.value.status == 401
        with Client(url, token="secret") as client:
            for inputs, settings, status, words in (
                ("ж", {}, 400, "'ж'"),
                ("9", {"len": 3}, 400, "there is no setting 'len'"),
                ([], {}, 422, "inputs"),
                ("9" * 600, {}, 413, "500 bytes"),
            ):
                with pytest.raises(ServerError, match=words) as found:
                    client.predict(inputs, **settings)
                assert found.value.status == status
                assert "\n" not in str(found.value)
            with pytest.raises(ServerError, match="'ж'"):
                list(client.stream("ж"))


def test_what_cannot_be_sent() -> None:
    with Client() as client:
        for given in (float("inf"), Path("a.wav"), b"a", object()):
            with pytest.raises(DataError, match="a server expects"):
                client.predict([given])
    for wrong in ("localhost:8000", "ftp://here", ""):
        with pytest.raises(OptionError, match="url expects an address such as http://127"):
            Client(wrong)
    with pytest.raises(OptionError, match="tries"):
        Client(tries=0)


def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url) as client:
        with pytest.raises(ServerError, match=f"{url} does not answer: .*; is elman serve running there") as found:
            client.models()
        assert found.value.status is None
        with pytest.raises(ServerError, match=r"is broken: .*refused"), client.session():
            pass


def answering(*answers: tuple[int, dict[str, str], str]) -> tuple[Any, list[int]]:
    """An application with one answer after the other."""
    calls: list[int] = []

    async def app(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http":
            return
        status, headers, text = answers[min(len(calls), len(answers) - 1)]
        calls.append(status)
        names = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": names})
        await send({"type": "http.response.body", "body": text.encode()})

    return app, calls


def test_a_busy_server_is_asked_again() -> None:
    busy = (429, {"retry-after": "0"}, '{"error": "come again"}')
    app, calls = answering(busy, (503, {"retry-after": "0"}, "x"), (200, {}, '{"answers": [1]}'))
    with serving(app) as url, Client(url) as client:
        assert client.predict("a") == [1]
    assert calls == [429, 503, 200]
    app, calls = answering(busy)
    with serving(app) as url, Client(url, tries=3) as client, pytest.raises(ServerError, match="come again") as found:
        client.predict("a")
    assert (len(calls), found.value.status, found.value.retry_after) == (3, 429, 0.0)


def test_another_kind_of_server() -> None:
    for answer, words in (
        ((200, {}, "<html>"), "something else than JSON"),
        ((404, {}, "<html>"), "answers 404 Not Found; is it elman serve"),
        ((302, {"location": "http://example.invalid/"}, ""), "answers 302 Found"),
    ):
        app, _ = answering(answer)
        with serving(app) as url, Client(url) as client, pytest.raises(ServerError, match=words):
            client.models()
    for events, words in (
        ("event: piece\ndata: {}\n", "broke off"),
        ('event: error\ndata: {"error": "no"}\n\n', "^no$"),
    ):
        app, _ = answering((200, {}, events.replace("{}", '{"text": "a"}')))
        with serving(app) as url, Client(url) as client, pytest.raises(ServerError, match=words):
            list(client.stream())


def test_no_proxy_is_asked(writer: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with served(writer) as url, Client(url) as client:
        assert client.models()


# Conversations, with a server that speaks as ours does


@contextmanager
def speaking(say: Callable[[Any], None], **options: Any) -> Iterator[str]:
    """The address of a server that says something to who comes."""
    with websockets.serve(say, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


class Listener:
    """Hears numbers: each frame is a word that says how many samples have come."""

    def __init__(self, takes: str = "sound") -> None:
        self.takes, self.frames, self.heard, self.started = takes, [], [], {}

    def __call__(self, connection: Any) -> None:
        self.authorization = connection.request.headers.get("Authorization")
        self.path = connection.request.path
        self.started = json.loads(connection.recv())
        rate = {"rate": 8000} if self.takes == "sound" else {}
        connection.send(json.dumps({"type": "started", "session": "s1", "takes": self.takes, **rate}))
        with suppress(ConnectionClosed):
            for message in connection:
                self.answer(connection, message)

    def answer(self, connection: Any, message: Any) -> None:
        def say(**message: Any) -> None:
            connection.send(json.dumps(message))

        if isinstance(message, bytes):
            self.frames.append(np.frombuffer(message, "<i2"))
            count = sum(map(len, self.frames))
            word = {"text": f"w{len(self.frames)}", "start": 0.0, "end": count / 8000, "confidence": 0.5}
            say(type="partial", heard=count, words=[word], text="perhaps")
            return
        asked = json.loads(message)
        self.heard.append(asked)
        match asked["type"]:
            case "finish" if self.takes == "sound":
                say(type="final", text="all of it", words=[{"text": "all"}])
            case "export":
                say(type="state", state="c3RhdGU=")
            case "write":
                for piece in "abc":
                    say(type="partial", text=piece)
                say(type="final", text="abc")
            case "text" if asked["text"] == "wrong":
                say(type="error", error="that is wrong")
            case "text" if asked["text"] == "close":
                say(type="closed", reason="the server stops", state="ZW5k")
                connection.close(1001, "the server stops")
            case "text" if asked["text"] == "break":
                connection.socket.shutdown(socket.SHUT_RDWR)


def test_a_sound_is_heard() -> None:
    listener, samples = Listener(), np.linspace(-1, 1, 20_001, dtype=np.float32)
    with speaking(listener) as url, Client(url, token="secret").session(beam=3) as session:
        assert (session.id, session.takes, session.rate) == ("s1", "sound", 8000)
        words = session.hear(samples, 8000)
        assert [word["text"] for word in words] == ["w1", "w2"]
        assert session.partial == "perhaps"
        assert session.hear(torch.zeros(0), 8000) == []
        words += session.hear(np.array([-32768, 5, 32767], np.int16), 8000)
        assert session.finish() == Said("all of it", [*words, {"text": "all"}])
        assert session.partial == ""
        assert session.export() == session.state == "c3RhdGU="
    assert (listener.authorization, listener.path) == ("Bearer secret", "/v1/stream")
    assert listener.started == {"type": "start", "settings": {"beam": 3}}
    np.testing.assert_array_equal(np.concatenate(listener.frames[:2]), np.minimum(np.round(samples * 32768), 32767))
    assert listener.frames[2].tolist() == [-32768, 5, 32767]


def test_another_rate_becomes_that_of_the_model() -> None:
    soxr = pytest.importorskip("soxr")
    listener, samples = Listener(), (np.sin(np.arange(48_000) / 90) / 2).astype(np.float32)
    with speaking(listener) as url, Client(url).session("c3RhdGU=") as session:
        for part in np.array_split(samples, 7):
            session.hear(part, 48_000)
        with pytest.raises(DataError, match="a sound of 48,000 Hz goes on at 8,000 Hz"):
            session.hear(samples, 8000)
        session.finish()
        session.hear(samples[:800], 8000)
    heard = np.concatenate(listener.frames)[:-800]
    assert listener.started["state"] == "c3RhdGU="
    np.testing.assert_allclose(heard / 32768, soxr.resample(samples, 48_000, 8000), atol=2e-4)


def test_a_text_goes_on() -> None:
    listener = Listener("text")
    with speaking(listener) as url, Client(url).session() as session:
        session.read("once")
        assert list(session.write(length=3)) == ["a", "b", "c"]
        pieces = session.write()
        assert next(pieces) == "a"
        pieces.close()  # what is left of it comes, and is passed over
        assert session.export() == "c3RhdGU="
        assert (session.takes, session.rate) == ("text", None)
        with pytest.raises(DataError, match="hears nothing"):
            session.hear(torch.zeros(3), 8000)
    write = {"type": "write", "settings": {"length": 3}}
    assert listener.heard[:3] == [{"type": "text", "text": "once"}, {"type": "export"}, write]


def test_a_text_that_is_refused_leaves_no_answer_behind() -> None:
    listener = Listener("text")
    with speaking(listener) as url, Client(url).session() as session:
        for _ in range(2):
            session.read("wrong")
        with pytest.raises(ServerError, match="that is wrong"):
            session.write()
        assert "write" not in [one["type"] for one in listener.heard]
        assert session.state is None
        assert list(session.write()) == ["a", "b", "c"]
        assert list(session.write()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "words", "state"),
    [
        ("wrong", "^that is wrong$", None),
        ("close", "has closed the conversation: the server stops; go on with its state", "ZW5k"),
        ("break", "^the connection to http://127.* is broken: .*; is elman serve running there", None),
    ],
)
def test_a_conversation_that_ends_badly(text: str, words: str, state: str | None) -> None:
    with speaking(Listener("text")) as url, Client(url).session() as session:
        session.read(text)
        with pytest.raises(ServerError, match=words) as found:
            session.export()
        assert session.state == state
        assert "\n" not in str(found.value)


def test_a_server_that_has_closed_before() -> None:
    with speaking(Listener("text")) as url, Client(url).session() as session:
        session.read("close")
        time.sleep(0.2)
        with pytest.raises(ServerError, match="has closed the conversation"):
            session.read("more")
        assert session.state == "ZW5k"


def test_sounds_that_are_none() -> None:
    with speaking(Listener()) as url, Client(url).session() as session:
        for samples in (torch.zeros(2, 2), ["a"], np.zeros(3, np.int64), np.array([np.nan])):
            with pytest.raises(DataError, match="a sound expects"):
                session.hear(samples, 8000)


def test_doors_that_stay_shut() -> None:
    def refuse(status: int, headers: dict[str, str]) -> Any:
        def answer(connection: Any, _: Any) -> Any:
            response = connection.respond(status, '{"error": "too many conversations"}')
            response.headers.update(headers)
            return response

        return answer

    for status in (401, 429):
        shut = refuse(status, {"Retry-After": "0"})
        with speaking(Listener(), process_request=shut) as url, Client(url, tries=2) as client:
            with pytest.raises(ServerError, match="too many conversations") as found, client.session():
                pass
            assert found.value.status == status
    with pytest.raises(ServerError, match="has not begun; use it in a with block"):
        Client().session().read("a")


def test_a_silent_server() -> None:
    def silent(connection: Any) -> None:
        connection.recv()
        time.sleep(0.5)

    with (
        speaking(silent) as url,
        pytest.raises(ServerError, match=r"says nothing for 0\.1 seconds"),
        Client(url, timeout=0.1).session(),
    ):
        pass


def test_a_conversation_with_our_own_server(writer: Model) -> None:
    settings = {"length": 6, "seed": 3}
    with served(writer, "secret") as url, Client(url, "secret") as client:
        with client.session(seed=3) as session:
            session.read("9")
            first = list(session.write(length=3))
            state = session.export()
        with client.session(state) as session:
            assert session.takes == "text"
            assert "".join([*first, *session.write(length=3)]) == writer.predict("9", **settings)[0]
            pieces = session.write(length=5000)
            next(pieces)
            pieces.close()
            assert len(list(session.write(length=3))) == 3
            session.read("ж")
            with pytest.raises(ServerError, match="'ж'"):
                session.export()
            session.read("ж")
            with pytest.raises(ServerError, match="'ж'"):
                session.write(length=7)
            with pytest.raises(ServerError, match="length"):
                list(session.write(length=-1))
            assert len("".join(session.write(length=3))) == 3
    refused = pytest.raises(ServerError, match="have no sessions")
    with served(fresh("classify")) as url, Client(url) as client, refused, client.session():
        pass


def test_our_own_server_hears() -> None:
    model = fresh("transcribe", bidirectional=False)
    samples = (np.sin(np.arange(20_000) / 3) * 9000).astype(np.int16)
    hearing = model.session()
    hearing.hear(samples / np.float32(32768), 8000)
    expected = hearing.finish()
    with served(model) as url, Client(url).session() as session:
        for part in np.array_split(samples, 3):
            session.hear(part, session.rate)
        said = session.finish()
        assert said.text == expected.text == " ".join(word["text"] for word in said.words)
        assert session.finish() == Said("", [])


def test_the_client_is_a_public_name() -> None:
    assert elman.Client is Client
