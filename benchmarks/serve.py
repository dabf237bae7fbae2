"""How a server bears load: ELMAN_DATA=../shared/data python benchmarks/serve.py [PART ...]

    speech      people who speak at once, and the same server when it answers them one by one; memory of idle sessions
    reviews     a classifier of texts beside the same network behind plain FastAPI and torch.nn
    text        the time to the first piece of a text
    restart     ten minutes of load, with a stop and a start in the middle
    malformed   ten thousand requests that make no sense

All parts by default; those that are left out keep the numbers of the run before. Load comes from another process on the
same machine. Models are trained once, into runs/serve.
"""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket
from statistics import median
from time import perf_counter, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from results import FOLDER, write_result

import elman
from elman.data import made_calls

HERE = Path(__file__).parent / "serving"
RUNS = Path("runs/serve")
ELMAN = str(Path(sys.executable).with_name("elman"))
ROUNDS, SECONDS = 3, 10
PEOPLE = (50, 100, 200, 250, 300, 350, 400, 500)
MOST_MS = 150
"""A session is live if 99 of 100 messages are answered within this."""
EPOCHS = 12
"""Of the model that hears; with fewer it writes nothing, and nothing could be compared."""
CLIENTS, STRANGE, MINUTES = 64, 10_000, 10


class Running:
    """A server, as a process.

    Args:
        command: Starts it; its port is added.
        ready: A path that answers once it is there.
    """

    def __init__(self, command: list[str], ready: str, port: int) -> None:
        begin = perf_counter()
        self.port = port
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not _answers(f"http://127.0.0.1:{port}{ready}"):
            sleep(0.02)
        self.seconds = perf_counter() - begin

    @property
    def kilobytes(self) -> int:
        """Memory of its own."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    @property
    def files(self) -> int:
        """Files and sockets that are open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def stop(self) -> int:
        """End it as a machine does that is shut down."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()


@contextmanager
def served(run: str, *options: str) -> Iterator[Running]:
    """`elman serve` of a run."""
    port = free_port()
    running = Running([ELMAN, "serve", str(RUNS / run), "--port", str(port), *options], "/readyz", port)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def plainly(waits: bool) -> Iterator[Running]:
    """What people write by themselves."""
    port = free_port()
    settings = {"port": port, "run": str(RUNS / "reviews"), "width": 128, "hidden": 256, "waits": waits}
    running = Running([sys.executable, str(HERE / "plain.py"), json.dumps(settings)], "/docs", port)
    try:
        yield running
    finally:
        running.stop()


def free_port() -> int:
    """A port where nobody listens."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        with urlopen(url) as answer:
            return answer.status == 200
    except (URLError, ConnectionError):
        return False


def load(script: str, *words: str, **settings: Any) -> dict[str, Any]:
    """What a process of load has measured."""
    command = [sys.executable, str(HERE / script), *words]
    done = subprocess.run(command, input=json.dumps(settings), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    print(
        script, *words, {name: value for name, value in settings.items() if isinstance(value, int)}, found, flush=True
    )
    return found


def trained(name: str, task: str, **settings: Any) -> None:
    """A model, unless there is one."""
    if not (RUNS / name / "config.json").exists():
        elman.train(task, out=RUNS / name, **{"epochs": 1} | settings)


def reviews() -> list[str]:
    """Sentences about films, of 19 words in the mean."""
    path = Path(os.environ["ELMAN_DATA"]) / "sst" / "stsa.binary.test.gz"
    return [line[2:] for line in gzip.open(path, "rt").read().splitlines()]


def spoken() -> bytes:
    """Calls that were made up, one after the other, as samples of 16 bits."""
    calls = made_calls(20).inputs
    return b"".join((call.samples * 32767).short().numpy().tobytes() for call in calls)


def measure_speech() -> tuple[dict[str, float], list[dict[str, Any]]]:
    """As many as can speak at once; the same one by one; what an idle session costs."""
    rows, metrics = [], {}
    sound = spoken().hex()
    for name, options in (("together", ()), ("one by one", ("--advanced", "1"))):
        with served("speech", *options) as server:
            if name == "together":
                metrics["ready_seconds"] = server.seconds
            load("load.py", "sessions", port=server.port, count=50, seconds=3, sound=sound)
            for count in PEOPLE:
                row = load("load.py", "sessions", port=server.port, count=count, seconds=SECONDS, sound=sound)
                rows.append({"what": f"sessions {name}"} | row)
                if row["lost"] or row["p99_ms"] > MOST_MS:
                    break
                best = "sessions" if name == "together" else "sessions_one_by_one"
                metrics[best] = count
                if name == "together" and count == 200:
                    metrics["sessions_p99_ms"] = row["p99_ms"]
    with served("speech") as server:
        idle = load("load.py", "idle", port=server.port, count=500, pid=server.process.pid, sound=sound)
        metrics["idle_session_kb"] = idle["kilobytes"]
    return metrics, rows


def measure_reviews() -> tuple[dict[str, float], list[dict[str, Any]]]:
    """In turn, the better one of two plain servers."""
    rates: dict[str, list[dict[str, Any]]] = {"elman": [], "plain, async def": [], "plain, def": []}
    rest = {"clients": CLIENTS, "seconds": SECONDS, "path": "/v1/predict"}
    bodies = [{"inputs": [text]} for text in reviews()[:300]]
    for _ in range(ROUNDS):
        for name, found in rates.items():
            with served("reviews") if name == "elman" else plainly(name == "plain, async def") as server:
                load("load.py", "requests", port=server.port, bodies=bodies, **rest | {"seconds": 2})
                found.append(load("load.py", "requests", port=server.port, bodies=bodies, **rest))
    speeds = {name: median(one["per_second"] for one in found) for name, found in rates.items()}
    best = max(speed for name, speed in speeds.items() if name != "elman")
    metrics = {
        "requests_per_second": speeds["elman"],
        "requests_vs_plain": speeds["elman"] / best,
        "requests_p99_ms": median(one["p99_ms"] for one in rates["elman"]),
    }
    return metrics, [{"what": name} | one for name, found in rates.items() for one in found]


def measure_text() -> tuple[dict[str, float], list[dict[str, Any]]]:
    """One request after the other."""
    with served("text") as server:
        found = load(
            "load.py", "first", port=server.port, rounds=50, body={"input": "ROMEO:", "settings": {"length": 20}}
        )
    return {"first_token_ms": found["first_ms"]}, [{"what": "first piece"} | found]


def measure_restart() -> tuple[dict[str, float], list[dict[str, Any]]]:
    """A stop in the middle, and a start at the same port."""
    sound = spoken()
    pieces = [sound[place : place + 1600].hex() for place in range(0, len(sound) - 1600, 1600)][:400]
    samples = [round(one / 32768, 4) for one in memoryview(sound[:8000]).cast("h")]
    body = {"inputs": [{"samples": samples, "rate": 8000}]}
    port, seconds = free_port(), 60 * MINUTES
    command = [ELMAN, "serve", str(RUNS / "speech"), "--port", str(port)]
    server = Running(command, "/readyz", port)
    settings = {"port": port, "seconds": seconds, "people": 50, "clients": 8, "body": body, "pieces": pieces}
    asking = subprocess.Popen(
        [sys.executable, str(HERE / "endurance.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert asking.stdin is not None
    asking.stdin.write(json.dumps(settings))
    asking.stdin.close()
    sleep(seconds / 2)
    begin = perf_counter()
    status = server.stop()
    stopped = perf_counter() - begin
    server = Running(command, "/readyz", port)
    asking.wait()
    server.stop()
    assert asking.stdout is not None
    found = json.loads(asking.stdout.read()) | {"exit_status": status, "stopping_seconds": stopped}
    print(found, flush=True)
    wrong = found["lost"] + found["differences"] + found["other_texts"]
    return {"lost_requests": wrong, "moved_sessions": found["moves"]}, [{"what": "restart"} | found]


def measure_malformed() -> tuple[dict[str, float], list[dict[str, Any]]]:
    """What comes of nonsense, and what it leaves behind."""
    body = {"inputs": [{"samples": [0, 0.1, 0.2], "rate": 8000}]}
    with served("speech") as server:
        load("malformed.py", port=server.port, count=500, body=body)
        sleep(2)
        before = server.kilobytes, server.files
        found = load("malformed.py", port=server.port, count=STRANGE, body=body)
        sleep(2)
        found |= {"kilobytes_more": server.kilobytes - before[0], "files_more": server.files - before[1]}
        create_connection(("127.0.0.1", server.port)).close()
    wrong = sum(count for status, count in found["statuses"].items() if int(status) >= 500)
    metrics = {"malformed_500s": wrong, "malformed_longest_wait_ms": found["longest_wait_ms"]}
    return metrics, [{"what": "malformed"} | found]


PARTS = {
    "speech": measure_speech,
    "reviews": measure_reviews,
    "text": measure_text,
    "restart": measure_restart,
    "malformed": measure_malformed,
}
KEYS = {
    "speech": ("sessions", "sessions_one_by_one", "sessions_p99_ms", "idle_session_kb", "ready_seconds"),
    "reviews": ("requests_per_second", "requests_vs_plain", "requests_p99_ms"),
    "text": ("first_token_ms",),
    "restart": ("lost_requests", "moved_sessions"),
    "malformed": ("malformed_500s", "malformed_longest_wait_ms"),
}
"""What each part measures: numbers of an older run must not stay where it fails."""


def main(wanted: list[str]) -> None:
    """Measure, write."""
    begin = perf_counter()
    sentences = Path(os.environ["ELMAN_DATA"]) / "sst"
    trained("speech", "transcribe", cell="lstm", hidden_size=256, num_layers=2, bidirectional=False, epochs=EPOCHS)
    shape = {"cell": "lstm", "embedding_size": 128, "hidden_size": 256, "units": "word", "batch_size": 50}
    files = {"train": sentences / "stsa.binary.train.gz", "valid": sentences / "stsa.binary.dev.gz"}
    trained("reviews", "classify", **files, **shape)
    trained("text", "generate", hidden_size=256)
    path = FOLDER / "serve.json"
    known = json.loads(path.read_text()) if path.exists() else {"metrics": {}, "rows": []}
    metrics, rows = known["metrics"], known["rows"]
    for part in wanted or PARTS:
        metrics = {name: value for name, value in metrics.items() if name not in KEYS[part]}
        found, new = PARTS[part]()
        metrics |= found
        rows = [row for row in rows if row.get("part") != part] + [{"part": part} | row for row in new]
    write_result("serve", metrics, perf_counter() - begin, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
