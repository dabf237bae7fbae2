"""Looking into a network from afar gives what looking into it here gives."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load

import elman
from elman.interfaces.server.limits import Limits
from elman.tasks import Model

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Model:
    folder = tmp_path_factory.mktemp("inside")
    (folder / "a.txt").write_text(rhyme)
    return elman.train(
        "generate", train=folder / "a.txt", out=folder / "run", hidden_size=6, num_layers=2, epochs=1, window=8
    )


def post(model: Model, body: Any, **limits: Any) -> Any:
    from elman.interfaces.server.app import create_app

    async def ask() -> Any:
        transport = httpx.ASGITransport(create_app(model, "rhyme", Limits.of(limits)))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/v1/inspect", json=body)

    return asyncio.run(ask())


def facts(content: bytes) -> dict[str, Any]:
    """What stands in the header, read as a browser reads it."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["facts"])


def test_gates_are_those_that_one_sees_here(model: Model) -> None:
    answer = post(model, {"input": "9 green bottles"})
    assert answer.status_code == 200
    seen, tensors = model.inspect("9 green bottles"), load(answer.content)
    assert set(tensors) == {f"{number}.{name}" for number, layer in enumerate(seen.layers) for name in layer}
    for name, values in tensors.items():
        number, _, own = name.partition(".")
        torch.testing.assert_close(values.float(), seen.layers[int(number)][own], atol=2e-3, rtol=2e-3)
    told = facts(answer.content)
    assert told["steps"] == list("9 green bottles")
    assert told["answer"] == seen.answer
    assert sorted(told["layers"][1]["lively"]) == sorted(told["layers"][1]["together"]) == list(range(6))
    assert told["saturation"] == seen.saturation


def test_the_other_parts(model: Model) -> None:
    seen = model.inspect("9 green")
    parts = {
        part: post(model, {"input": "9 green", "part": part}).json() for part in ("importance", "occlusion", "reach")
    }
    torch.testing.assert_close(torch.tensor(parts["importance"]["importance"]), seen.importance)
    torch.testing.assert_close(torch.tensor(parts["occlusion"]["occlusion"]), seen.occlusion)
    assert list(parts["reach"]["reach"]) == list(seen.reach)
    found = post(model, {"input": "9 green", "part": "following", "property": "position"}).json()
    assert found == {"units": [vars(one) for one in seen.tracking("position")]}


def test_translations_bring_their_alignment(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("".join(f"one {n}\teins {n}\n" for n in "abcdefghij" * 3))
    settings = {"hidden_size": 4, "epochs": 1, "valid": tmp_path / "pairs.tsv"}
    translator = elman.train("translate", train=tmp_path / "pairs.tsv", out=tmp_path / "run", **settings)
    content = post(translator, {"input": "one a"}).content
    told = facts(content)
    assert load(content)["alignment"].shape == (len(told["written"]), len(told["steps"]))


BAD: dict[str, tuple[Any, int, str]] = {
    "another form": ({"inputs": ["a"]}, 422, "input"),
    "another part": ({"input": "9", "part": "all"}, 422, "part"),
    "unknown letters": ({"input": "ж"}, 400, "'ж'"),
    "a number": ({"input": 3}, 400, "an input expects a text; received int"),
    "nothing": ({"input": ""}, 400, "the input"),
    "no property": ({"input": "9", "part": "following"}, 400, "following expects a property"),
    "another property": ({"input": "9", "part": "following", "property": "mood"}, 400, "there is no property 'mood'"),
    "too long": ({"input": "9" * 40}, 400, "30 steps can be looked into; received 40"),
}


@pytest.mark.parametrize(("body", "status", "words"), BAD.values(), ids=BAD)
def test_what_is_refused(model: Model, body: Any, status: int, words: str) -> None:
    answer = post(model, body, inspected=30)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert words in answer.json()["error"]


def test_models_that_cannot_be_looked_into_say_so(tmp_path: Path) -> None:
    reader = elman.train("classify", out=tmp_path / "run", network="cnn", hidden_size=4, epochs=1)
    answer = post(reader, {"input": "TATA GG"})
    assert answer.status_code == 400
    assert "no recurrent layers to look into" in answer.json()["error"]


def test_looking_inside_changes_no_answer(model: Model) -> None:
    from elman.interfaces.server.app import create_app

    async def ask() -> Any:
        transport = httpx.ASGITransport(create_app(model, "rhyme", Limits(workers=2)))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            look = {"input": "9 green bottles" * 4, "part": "occlusion"}
            looks = [client.post("/v1/inspect", json=look) for _ in range(3)]
            asked = {"inputs": ["9 green"], "settings": {"length": 40, "temperature": 0}}
            asks = [client.post("/v1/predict", json=asked) for _ in range(6)]
            return await asyncio.gather(*looks, *asks)

    found = asyncio.run(ask())
    assert [one.status_code for one in found] == [200] * 9
    expected = model.predict("9 green", length=40, temperature=0)[0]
    assert {one.json()["answers"][0]["text"] for one in found[3:]} == {expected}


def test_parts_that_nobody_asks_for_are_not_worked_out(model: Model) -> None:
    seen = model.inspect("9")
    assert seen.layers is seen.layers
    assert "occlusion" not in vars(seen)
