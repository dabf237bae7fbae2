"""A model as a service: answers, many at once, limits, and what nobody may see."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import elman
from elman.errors import DataError
from elman.interfaces.server.batcher import Batcher, Busy
from elman.interfaces.server.limits import Limits
from elman.tasks import Model

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Model:
    folder = tmp_path_factory.mktemp("served")
    (folder / "a.txt").write_text(rhyme)
    settings = {"hidden_size": 6, "epochs": 1, "window": 8, "batch_size": 4}
    return elman.train("generate", train=folder / "a.txt", out=folder / "run", **settings)


def asked(model: Model, questions: Callable[[Any], Any], token: str | None = None, **limits: Any) -> Any:
    """What comes of asking a server of the model."""

    from elman.interfaces.server.app import create_app

    async def ask() -> Any:
        app = create_app(model, "rhyme", Limits.of(limits), token)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await questions(client)

    return asyncio.run(ask())


def post(model: Model, body: Any, path: str = "/v1/predict", **more: Any) -> Any:
    return asked(model, lambda client: client.post(path, json=body), **more)


def test_answers_are_those_of_the_model(model: Model) -> None:
    settings = {"length": 12, "seed": 3}
    answer = post(model, {"inputs": ["9", "8 green"], "settings": settings})
    assert answer.status_code == 200
    assert answer.json()["model"] == "rhyme"
    assert [one["text"] for one in answer.json()["answers"]] == model.predict(["9", "8 green"], **settings)


def test_pieces_come_as_events(model: Model) -> None:
    answer = post(model, {"input": "9", "settings": {"length": 12, "seed": 3}}, "/v1/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [event.split("\n") for event in answer.text.strip().split("\n\n")]
    assert [kind for kind, _ in events] == ["event: piece"] * 12 + ["event: final"]
    pieces = [json.loads(data.removeprefix("data: "))["text"] for _, data in events[:-1]]
    assert "".join(pieces) == model.predict("9", length=12, seed=3)[0]


BAD: dict[str, tuple[Any, int, str]] = {
    "another form": ({"input": ["a"]}, 422, "inputs"),
    "nothing": ({"inputs": []}, 422, "inputs"),
    "no text": ({"inputs": [3]}, 400, "an input expects a text; received int"),
    "unknown letters": ({"inputs": ["ж"]}, 400, "'ж'"),
    "an unknown setting": ({"inputs": ["9"], "settings": {"len": 3}}, 400, "there is no setting 'len' here"),
    "a setting of ours": ({"inputs": ["9"], "settings": {"network": 3}}, 400, "there is no setting 'network' here"),
    "a strange seed": ({"inputs": ["9"], "settings": {"seed": 1.5}}, 400, "seed expects a whole number"),
    "too much to write": ({"inputs": ["9"], "settings": {"length": 99_999_999}}, 400, "100,000 steps may be written"),
    "too much together": ({"inputs": ["9"] * 201}, 400, "100,000 steps may be written"),
    "too long": ({"inputs": ["9" * 20_001]}, 400, "an input may have 20,000 characters"),
    "too many": ({"inputs": ["9"] * 257}, 400, "a request may have 256 inputs"),
}


@pytest.mark.parametrize(("body", "status", "words"), BAD.values(), ids=BAD)
def test_what_is_refused(model: Model, body: Any, status: int, words: str) -> None:
    answer = post(model, body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert words in answer.json()["error"]
    assert "/" not in answer.json()["error"].replace("and/or", "")


def test_settings_lead_to_no_file(tmp_path: Path) -> None:
    trained = elman.train("transcribe", out=tmp_path / "run", hidden_size=4, epochs=1)
    sound = {"samples": [0.0] * 4000, "rate": 8000}
    refused = post(trained, {"inputs": [sound], "settings": {"beam": 4, "language_model": str(tmp_path)}})
    assert refused.status_code == 400
    assert "there is no setting 'language_model' here" in refused.json()["error"]


def test_what_takes_too_long_is_given_up(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    go = Event()
    monkeypatch.setattr(model.task, "predict", lambda _, inputs, **__: [go.wait(5)] * len(inputs))
    answer = post(model, {"inputs": ["9"]}, seconds=0.1)
    go.set()
    assert (answer.status_code, answer.json()) == (504, {"error": "no answer within 0.1 seconds; ask for less"})


def test_other_routes_have_errors_of_the_same_form(model: Model) -> None:
    answer = asked(model, lambda client: client.get("/v1/nothing"))
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_what_ends_when_it_should_not_ends_nothing_else() -> None:
    def predict(inputs: list[int], **_: Any) -> list[int]:
        if inputs == [0]:
            return next(iter([]))
        return [] if inputs == [1] else inputs

    async def ask() -> Any:
        batcher = Batcher(predict, together=1, queue=9)
        found = await asyncio.gather(*(batcher.answer([n], {}) for n in (0, 1, 2)), return_exceptions=True)
        left = asyncio.create_task(batcher.answer([3], {}))
        await asyncio.sleep(0)
        left.cancel()
        found += [await batcher.answer([4], {})]
        batcher.close()
        return found, batcher.calls

    (first, second, third, fourth), calls = asyncio.run(ask())
    assert isinstance(first, RuntimeError)
    assert isinstance(second, RuntimeError)
    assert (third, fourth) == ([2], [4])
    assert calls == 4  # nobody waited for the one that was cancelled


def test_bytes_that_are_no_json(model: Model) -> None:
    for content in (b"", b"\xff\x00", b"{", b"[" * 5000):
        answer = asked(model, lambda client, content=content: client.post("/v1/predict", content=content))
        assert answer.status_code == 422
        assert list(answer.json()) == ["error"]


def test_long_bodies_are_refused_before_they_are_read(model: Model) -> None:
    assert post(model, {"inputs": ["9" * 500]}, body_bytes=100).status_code == 413

    async def in_parts(client: Any) -> Any:
        async def parts() -> Any:
            for _ in range(50):
                yield b"x" * 10

        return await client.post("/v1/predict", content=parts())

    assert asked(model, in_parts, body_bytes=100).status_code == 413


def test_a_token_is_wanted_where_there_is_one(model: Model) -> None:
    async def ask(client: Any) -> list[int]:
        tries: list[dict[str, str]] = [{}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer secret"}]
        found = [await client.get("/v1/models", headers=headers) for headers in tries]
        return [one.status_code for one in (*found, await client.get("/healthz"))]

    assert asked(model, ask, token="secret") == [401, 401, 200, 200]


def test_numbers_for_those_who_watch(model: Model) -> None:
    async def ask(client: Any) -> Any:
        await client.post("/v1/predict", json={"inputs": ["9", "8"], "settings": {"length": 1}})
        await client.get("/v1/nothing")
        return (await client.get("/metrics")).text, (await client.get("/readyz")).json()

    text, ready = asked(model, ask)
    assert 'elman_requests_total{route="/v1/predict",status="200"} 1.0' in text
    assert 'elman_requests_total{route="other",status="404"} 1.0' in text
    assert "elman_inputs_answered 2.0" in text
    assert ready == {"status": "ready"}


def test_mistakes_of_ours_tell_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.task, "predict", lambda *_, **__: 1 / 0)
    answer = post(model, {"inputs": ["9"]})
    assert (answer.status_code, answer.json()) == (500, {"error": "the server made a mistake; it is in its log"})


def test_those_that_wait_are_answered_together() -> None:
    go, calls = Event(), []

    def predict(inputs: list[int], **settings: Any) -> list[int]:
        go.wait()
        calls.append((len(inputs), settings))
        if 13 in inputs:
            raise DataError("13 is unlucky")
        return [one * 2 for one in inputs]

    async def ask() -> Any:
        batcher = Batcher(predict, together=8, queue=12)
        first = asyncio.create_task(batcher.answer([1], {}))
        await asyncio.sleep(0.01)  # the network works on it
        others = [asyncio.create_task(batcher.answer([n], {})) for n in (2, 3, 13, 4)]
        apart = asyncio.create_task(batcher.answer([5], {"a": 1}))
        many = asyncio.create_task(batcher.answer([6, 7, 8, 9], {}))
        await asyncio.sleep(0.01)
        with pytest.raises(Busy, match="9 inputs wait already, 12 at most"):
            await batcher.answer([0, 0, 0, 0], {})
        go.set()
        found = await asyncio.gather(first, *others, apart, many, return_exceptions=True)
        batcher.close()
        return found

    found = asyncio.run(ask())
    assert [each if isinstance(each, list) else str(each) for each in found] == [
        [2],
        [4],
        [6],
        "13 is unlucky",
        [8],
        [10],
        [12, 14, 16, 18],
    ]
    assert calls[0] == (1, {})
    assert calls[1] == (8, {})  # all but the one with other settings; then each by itself, for one is to blame
    assert sum(size for size, settings in calls[2:] if not settings) == 8


KINDS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "texts": ("classify", {}, "TATA GG"),
    "series": ("tag", {"kind": "steps"}, [[0.5], [1.0], [0.0]]),
    "columns": ("forecast", {}, ""),
    "chords": ("generate", {"kind": "chords"}, [[60, 64], []]),
    "sounds": ("transcribe", {}, {"samples": [0.0] * 4000, "rate": 8000}),
    "frames": ("tag", {"kind": "boxes"}, [[[0] * 20] * 20] * 3),
}


@pytest.mark.parametrize(("task", "settings", "given"), KINDS.values(), ids=KINDS)
def test_every_kind_of_input_but_paths(task: str, settings: Any, given: Any, tmp_path: Path) -> None:
    trained = elman.train(task, out=tmp_path / "run", hidden_size=4, epochs=1, **settings)
    (tmp_path / "secret.txt").write_text("a secret")
    sample = trained.task.sample()
    assert sample is None or len(trained.predict([sample])) == 1
    answer = post(trained, {"inputs": [given]})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["answers"]) == 1
    strange = [str(tmp_path / "secret.txt"), {"samples": str(tmp_path), "rate": 8000}, {"a": 1}, 7, None, [[1], [2, 3]]]
    for one in strange[0 if task != "classify" else 1 :]:
        refused = post(trained, {"inputs": [one]})
        assert refused.status_code == 400, refused.text
        assert str(tmp_path) not in refused.json()["error"]


def test_the_short_way_says_the_same_as_the_long_one(model: Model) -> None:
    """JSON goes past the framework where its type is written as usual."""
    bodies = [{"inputs": ["9", "8"], "settings": {"length": 5}}, {"inputs": ["ж"]}, {"inputs": []}, {"other": 1}]
    for body in bodies:
        found = [
            asked(
                model,
                lambda client, kind=kind, body=body: client.post(
                    "/v1/predict", content=json.dumps(body), headers={"content-type": kind}
                ),
            )
            for kind in ("application/json", "application/json; charset=utf-8")
        ]
        assert found[0].status_code == found[1].status_code
        assert found[0].json() == found[1].json()
    other = asked(model, lambda client: client.get("/v1/predict", headers={"content-type": "application/json"}))
    assert (other.status_code, other.headers["allow"]) == (405, "POST")


def test_a_refusal_waits_for_the_end_of_a_request(model: Model) -> None:
    """Who is still sending would not hear it."""
    passed = []

    async def in_parts(client: Any) -> Any:
        async def parts() -> Any:
            for number in range(5):
                passed.append(number)
                yield b"x" * 10

        return await client.post("/v1/predict", content=parts())

    assert asked(model, in_parts, token="secret").status_code == 401
    assert passed == [0, 1, 2, 3, 4]


def test_long_answers_of_every_task_are_bounded(tmp_path: Path) -> None:
    trained = elman.train("translate", out=tmp_path / "run", hidden_size=4, epochs=1)
    for settings in ({"max_length": 20_000, "beam_size": 6}, {"max_length": 10**9}):
        refused = post(trained, {"inputs": ["French: 7"], "settings": settings})
        assert "100,000 steps may be written" in refused.json()["error"]


def test_images_that_go_on_count_one_each(tmp_path: Path) -> None:
    trained = elman.train("generate", kind="images", out=tmp_path / "run", hidden_size=4, epochs=1)
    rows, columns = trained.task.size
    image = [[0] * columns] * rows
    limit = 3 * rows * columns
    assert post(trained, {"inputs": [image, image]}, written=limit).status_code == 200
    refused = post(trained, {"inputs": [""]}, written=limit)
    assert "steps may be written" in refused.json()["error"]


def test_heads_have_no_bodies(model: Model) -> None:
    answer = asked(model, lambda client: client.head("/healthz"))
    assert answer.status_code == 200
