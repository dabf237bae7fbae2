"""What a server tells a page: its files, its model, how that was trained; and no path of this machine."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import elman
from elman.interfaces.server.limits import Limits
from elman.tasks import Model

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")
pytest.importorskip("plotly")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "motifs"
    elman.train("classify", out=folder, hidden_size=4, epochs=1)
    return folder


def asked(model: Model, questions: Callable[[Any], Any], run: Path | None = None, token: str | None = None) -> Any:
    from elman.interfaces.server.app import create_app

    async def ask() -> Any:
        transport = httpx.ASGITransport(create_app(model, "motifs", Limits(), token, run))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await questions(client)

    return asyncio.run(ask())


def get(model: Model, path: str, run: Path | None = None, **more: Any) -> Any:
    return asked(model, lambda client: client.get(path, **more), run)


def test_the_page_comes_from_here_alone(run: Path) -> None:
    answer = get(elman.load(run), "/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe-inline' " not in answer.headers["content-security-policy"].split("style-src")[0]
    assert "://" not in answer.text
    again = get(elman.load(run), "/", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_file_of_it_is_there_and_no_other(run: Path) -> None:
    model = elman.load(run)
    folder = Path(elman.__file__).parent / "interfaces" / "page"
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert len(names) > 30

    async def ask(client: Any) -> list[Any]:
        paths = [*names, "plotly.min.js", "nothing.js", "../serve.py", "..%2fserve.py"]
        return [(await client.get(f"/page/{path}")).status_code for path in paths]

    assert asked(model, ask) == [200] * (len(names) + 1) + [404] * 3


@pytest.mark.parametrize("name", ["english.js", "chinese.js"])
def test_both_languages_say_everything(name: str) -> None:
    folder = Path(elman.__file__).parent / "interfaces" / "page" / "strings"

    def strings(path: Path) -> set[str]:
        return {line.split('"')[1] for line in path.read_text().splitlines() if line.startswith('  "')}

    plain = {one for one in strings(folder / "chinese.js") if not one.startswith(("setting.", "help.", "fact."))}
    assert strings(folder / name) >= plain == strings(folder / "english.js")


def test_how_it_was_trained(run: Path) -> None:
    told = get(elman.load(run), "/v1/run", run).json()
    assert told["scores"] == json.loads((run / "metrics.json").read_text())["valid"]
    assert told["settings"]["hidden_size"] == 4
    assert told["curves"]["valid_loss"]
    assert told["parameters"] > 100
    assert get(elman.load(run), "/v1/run").json()["scores"] == {}


def test_no_path_of_this_machine_is_told(run: Path, tmp_path: Path) -> None:
    model = elman.load(run)
    model.config["data"]["train"] = str(tmp_path / "secret" / "reviews.csv")
    model.config["settings"]["cell"] = str(tmp_path / "cells.py:Mine")
    told = get(model, "/v1/run", run).text + get(model, "/v1/models").text
    assert str(tmp_path) not in told
    assert str(run.parent) not in told
    assert os.sep + "secret" not in told
    assert "reviews.csv" in told
    assert get(model, "/v1/run", tmp_path / "gone").json()["scores"] == {}


def test_what_a_model_takes(run: Path) -> None:
    (told,) = get(elman.load(run), "/v1/models").json()["models"]
    assert told["name"] == "motifs"
    assert told["takes"] == "text"
    assert told["looked_into"] is True
    assert told["live"] is None
    assert set(told["labels"]) == {"none", "promoter", "terminator"}
    assert told["settings"]["threshold"]["description"].startswith("Give no label where")


def test_the_page_is_open_and_nothing_else(run: Path) -> None:
    async def ask(client: Any) -> list[int]:
        paths = ("/", "/page/main.js", "/v1/run", "/v1/models", "/page/../v1/run", "/metrics")
        return [(await client.get(path)).status_code for path in paths]

    assert asked(elman.load(run), ask, run, "secret") == [200, 200, 401, 401, 401, 401]


KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "series": ("tag", {"kind": "steps"}, {"takes": "numbers", "shape": [1]}),
    "columns": ("forecast", {}, {"takes": "table", "horizon": 12}),
    "chords": ("generate", {"kind": "chords"}, {"takes": "chords"}),
    "sounds": ("transcribe", {}, {"takes": "sound", "rate": 8000, "live": None}),
    "live sounds": ("transcribe", {"bidirectional": False}, {"takes": "sound", "live": "sound"}),
    "frames": ("tag", {"kind": "boxes"}, {"takes": "frames", "shape": [20, 20, 1], "settings": {}}),
    "images": ("generate", {"kind": "images"}, {"takes": "image", "shape": [24, 24, 1], "needs_input": False}),
}


@pytest.mark.parametrize(("task", "settings", "expected"), KINDS.values(), ids=KINDS)
def test_every_kind_says_what_it_takes(task: str, settings: Any, expected: dict[str, Any], tmp_path: Path) -> None:
    model = elman.train(task, out=tmp_path / "run", hidden_size=4, epochs=1, **settings)
    (told,) = get(model, "/v1/models").json()["models"]
    assert expected.items() <= told.items()
    assert "language_model" not in told["settings"]


def test_texts_are_never_taken_for_markup() -> None:
    folder = Path(elman.__file__).parent / "interfaces" / "page"
    for path in folder.rglob("*.js"):
        text = path.read_text()
        assert not any(
            word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write")
        )
