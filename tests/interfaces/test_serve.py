"""The command that serves: it starts, says why it cannot, writes a log of JSON, and ends in order."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from socket import create_server
from time import monotonic, sleep

import pytest
from tests.interfaces.serving import free_port

import elman
from elman.errors import OptionError
from elman.interfaces.serve import serve

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, rhyme: str) -> Path:
    folder = tmp_path_factory.mktemp("served")
    (folder / "a.txt").write_text(rhyme)
    settings = {"hidden_size": 4, "epochs": 1, "window": 8, "batch_size": 4}
    elman.train("generate", train=folder / "a.txt", out=folder / "run", **settings)
    return folder / "run"


def test_it_serves_until_it_is_told_to_stop(run: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "elman", "serve", str(run), "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    end = monotonic() + 60
    while monotonic() < end:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                break
        except httpx.TransportError:
            sleep(0.05)
    body = {"inputs": ["98 green secrets"[:8]], "settings": {"length": 3}}
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/predict", json=body)
    server.send_signal(signal.SIGTERM)
    _, told = server.communicate(timeout=30)
    assert server.returncode == 0
    assert answer.status_code == 200
    first, *lines = told.strip().split("\n")
    assert first == f"{run} answers at http://127.0.0.1:{port}"
    logged = [json.loads(line) for line in lines]
    assert {"route": "/v1/predict", "status": 200}.items() <= logged[-1].items()
    assert "green" not in told.partition("\n")[2]


def test_a_port_that_is_taken(run: Path) -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OptionError, match=f"nobody can listen at 127.0.0.1:{port}: Address already in use; choose"):
            serve(run, port=port)


def test_a_server_for_others_wants_a_token(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ELMAN_TOKEN", raising=False)
    with pytest.raises(OptionError, match="lets others in; expected a token in ELMAN_TOKEN"):
        serve(run, host="0.0.0.0")
    monkeypatch.setenv("ELMAN_TOKEN", "")  # which everybody knows
    with pytest.raises(OptionError, match="lets others in; expected a token in ELMAN_TOKEN"):
        serve(run, host="0.0.0.0")
