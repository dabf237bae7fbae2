"""Files that are sent: read as those on a disk, written to none, and leading to none."""

import asyncio
import gzip
import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.interfaces.test_server import asked

from elman.data import Upload, made_videos, read_text, write_midi
from elman.data.arrays import read_arrays
from elman.errors import DataError
from elman.interfaces.server.form import read_form
from elman.tasks import TASKS, Model, make_task

pytest.importorskip("httpx")
pytest.importorskip("fastapi")
Image = pytest.importorskip("PIL.Image")
soundfile = pytest.importorskip("soundfile")

TEXTS = ["TATA GG", "GATTACA"]
FRAMES = np.zeros((1, 5, 20, 20), np.uint8)
SHAPES = np.random.default_rng(0).integers(0, 255, (12, 8, 6), np.uint8)


def fresh(task: str, train: Path | None = None, **settings: Any) -> Model:
    """A model that has read its data and learned nothing of it."""
    made = make_task(task, TASKS[task].options_class.of({"hidden_size": 4} | settings))
    facts = made.read(train, None).facts
    return Model(made, made.network().eval(), {"facts": facts})


def send(model: Model, *files: tuple[str, bytes], settings: Any = None, **limits: Any) -> Any:
    form = {} if settings is None else {"settings": settings if isinstance(settings, str) else json.dumps(settings)}
    parts = [("file", file) for file in files]
    return asked(model, lambda client: client.post("/v1/predict", files=parts, data=form), **limits)


def refusal(answer: Any, status: int = 400) -> str:
    assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
    words = answer.json()["error"]
    assert "\n" not in words
    assert "/" not in words.replace(".gz/", "")
    return words


def tone(path: Path, rate: int = 8000, count: int = 4000) -> None:
    soundfile.write(path, np.sin(np.arange(count) / 3) / 2, rate)


def film(path: Path) -> None:
    frames = [Image.fromarray(one.squeeze(-1)) for one in made_videos(1).frames[0][:5].numpy()]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def classes(folder: Path) -> Path:
    """Images in folders of their classes."""
    for number, shape in enumerate(SHAPES):
        path = folder / "train" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(shape).save(path)
    return folder / "train"


def pictures(path: Path) -> Path:
    np.savez(path / "train.npz", x=SHAPES, y=np.arange(12) % 2)
    return path / "train.npz"


def scenes(path: Path) -> Path:
    np.savez(path / "train.npz", x=SHAPES, y=SHAPES % 2)
    return path / "train.npz"


def moving(path: Path) -> Path:
    np.savez(path / "train.npz", x=np.stack([one.numpy() for one in made_videos(8).frames]), y=np.arange(8) % 2)
    return path / "train.npz"


def days(path: Path) -> Path:
    rows = "".join(f"2024-{1 + n // 28:02}-{1 + n % 28:02},{n % 7}\n" for n in range(280))
    (path / "days.csv").write_text("ds,y\n" + rows)
    return path / "days.csv"


KINDS: dict[str, tuple[str, dict[str, Any], Any, str, Callable[[Path], Any]]] = {
    "lines": ("generate", {}, None, "a.txt", lambda path: path.write_text("if\nfor\n")),
    "texts": ("classify", {}, None, "a.TXT", lambda path: path.write_text("\n".join(TEXTS))),
    "packed lines": ("classify", {}, None, "a.txt.gz", lambda path: path.write_bytes(gzip.compress(b"TATA\nGG"))),
    "a table of texts": ("classify", {}, None, "a.csv", lambda path: path.write_text("text\nTATA\nGG\n")),
    "objects": ("classify", {}, None, "a.jsonl", lambda path: path.write_text('{"text": "TATA"}\n{"text": "GG"}\n')),
    "a table of numbers": ("tag", {"kind": "steps"}, None, "a.csv", lambda path: path.write_text("x\n0.5\n1\n0\n")),
    "rows": ("tag", {"kind": "steps"}, None, "a.npy", lambda path: np.save(path, np.zeros((2, 5), np.float32))),
    "a series": ("forecast", {"horizon": 7}, days, "a.csv", lambda path: days(path.parent).replace(path)),
    "a recording": ("transcribe", {}, None, "a.wav", tone),
    "another rate": ("transcribe", {}, None, "a.flac", lambda path: tone(path, 22_050)),
    "a sound that goes on": ("generate", {"kind": "sound"}, None, "a.ogg", tone),
    "an image": ("classify", {}, classes, "a.png", lambda path: Image.fromarray(SHAPES[0]).save(path)),
    "images": ("classify", {}, classes, "a.npz", lambda path: np.savez_compressed(path, x=SHAPES)),
    "a picture": ("tag", {"kind": "scenes"}, scenes, "a.png", lambda path: Image.fromarray(SHAPES[0]).save(path)),
    "half an image": ("generate", {"kind": "images"}, pictures, "a.bmp", lambda p: Image.fromarray(SHAPES[0]).save(p)),
    "a video": ("tag", {"kind": "boxes"}, None, "a.gif", film),
    "frames": (
        "generate",
        {"kind": "video"},
        None,
        "a.npy",
        lambda path: np.save(path, FRAMES),
    ),
    "music": ("generate", {"kind": "chords"}, None, "a.mid", lambda path: write_midi(path, [[60], [62, 65]])),
    "chords": ("generate", {"kind": "chords"}, None, "a.json", lambda path: path.write_text("[[[60], [62]]]")),
}


@pytest.mark.parametrize(("task", "settings", "data", "name", "make"), KINDS.values(), ids=KINDS)
def test_files_are_read_as_on_a_disk(
    task: str, settings: Any, data: Any, name: str, make: Callable[[Path], Any], tmp_path: Path
) -> None:
    model = fresh(task, data and data(tmp_path), **settings)
    make(tmp_path / name)
    written = {"settings": {"length": 3}} if task == "generate" and settings.get("kind") != "images" else {}
    content = (tmp_path / name).read_bytes()
    answer = send(model, (f"../../{name}", content), **written)
    assert answer.status_code == 200, answer.text
    read = model.task.read_inputs(tmp_path / name)
    expected = [model.task.as_json(one) for one in model.predict(list(read), **written.get("settings", {}))]
    if not model.task.answers_in_rows:
        assert answer.json()["answers"] == json.loads(json.dumps(expected))
    refusal(send(model, (name, content[: len(content) // 2] if name.endswith((".npz", ".npy")) else b"\xff\x00?")))
    refusal(send(model, (name, b"")))


def test_several_files_and_settings(tmp_path: Path) -> None:
    model = fresh("classify")
    answer = send(model, ("a.txt", b"TATA\nGG"), ("b.csv", b"text\nGATTACA\n"), settings={"probabilities": True})
    assert answer.status_code == 200
    one_by_one = model.predict(["TATA", "GG", "GATTACA"], probabilities=True)
    assert answer.json()["answers"] == json.loads(json.dumps([model.task.as_json(one) for one in one_by_one]))


def test_what_is_refused() -> None:
    model = fresh("classify")
    assert "a.exe cannot be read by this model; expected a name with .txt" in refusal(send(model, ("a.exe", b"GG")))
    assert "passwd.wav cannot be read" in refusal(send(model, ("../../etc/passwd.wav", b"GG")))
    assert "there is no setting 'path'" in refusal(send(model, ("a.txt", b"GG"), settings={"path": "x"}))
    assert "20,000 characters" in refusal(send(model, ("a.txt", b"G" * 20_001)))
    assert "256 inputs" in refusal(send(model, ("a.txt", b"GG\n" * 300)))
    assert "3 files" in refusal(send(model, *[("a.txt", b"GG")] * 5, inputs=3))
    assert "settings as JSON" in refusal(send(model, ("a.txt", b"GG"), settings="{"), 422)
    assert "a JSON object" in refusal(send(model, ("a.txt", b"GG"), settings="[]"), 422)
    assert "1,000 bytes" in refusal(send(model, ("a.txt", b"G" * 2000), body_bytes=1000), 413)


def test_forms_of_another_form() -> None:
    model = fresh("classify")
    kind = "multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nGG\r\n'
    for body in (b"", b"x", b"--x--\r\n", part, part.replace(b"file", b"fill") + b"--x--", b"--x\r\n" * 9):
        headers = {"content-type": kind}
        answer = asked(model, lambda client, b=body, h=headers: client.post("/v1/predict", content=b, headers=h))
        refusal(answer, 422)
    headers = {"content-type": "multipart/form-data"}
    refusal(asked(model, lambda client: client.post("/v1/predict", content=part, headers=headers)), 422)
    assert read_form(kind, part + b"--x--\r\n", 1) == ([("a.txt", b"GG")], {})


def test_a_table_leads_to_no_file_of_the_server(tmp_path: Path) -> None:
    for n in range(12):
        tone(tmp_path / f"{n}.wav", count=3000 + 100 * n)
    table = "path,label\n" + "".join(f"{n}.wav,{'ab'[n % 2]}\n" for n in range(12))
    (tmp_path / "train.csv").write_text(table)
    model = fresh("classify", tmp_path / "train.csv", path="path")
    assert "cannot be read by this model" in refusal(send(model, ("a.csv", f"path\n{tmp_path}/1.wav\n".encode())))
    assert send(model, ("a.wav", (tmp_path / "1.wav").read_bytes())).status_code == 200


def zeros(name: str = "x.npy", count: int = 30_000_000) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (1, count // 9, 9)}
        )
        file.write(bytes(count))
    return packed.getvalue()


def endless() -> bytes:
    """An array that says that it is larger than any memory."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 45, 9)})
    return file.getvalue() + bytes(100)


def test_little_that_becomes_much(tmp_path: Path) -> None:
    words = "is too large once it is unpacked; expected 1,000,000 bytes at most of all files"
    images = fresh("classify", classes(tmp_path))
    assert words in refusal(send(images, ("a.npz", zeros()), unpacked_bytes=1_000_000))
    assert refusal(send(images, ("a.npz", zeros()), unpacked_bytes=1_000_000)).startswith("a.npz is too large")
    assert "cannot be read as .npz" in refusal(send(images, ("a.npy", endless())))
    Image.new("1", (9000, 9000)).save(tmp_path / "a.png")
    assert words in refusal(send(images, ("a.png", (tmp_path / "a.png").read_bytes()), unpacked_bytes=1_000_000))
    texts = fresh("classify")
    assert words in refusal(send(texts, ("a.txt.gz", gzip.compress(bytes(9_000_000))), unpacked_bytes=1_000_000))
    pair = [("a.txt.gz", gzip.compress(b"TATA " * 3000))] * 80
    assert words in refusal(send(texts, *pair, unpacked_bytes=1_000_000))
    sounds = fresh("transcribe")
    soundfile.write(tmp_path / "a.flac", np.zeros(900_000), 8000)
    assert words in refusal(send(sounds, ("a.flac", (tmp_path / "a.flac").read_bytes()), unpacked_bytes=1_000_000))
    header = b"RIFF" + struct.pack("<I", 136) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 1, 2, 2, 16)
    slow = header + b"data" + struct.pack("<I", 100) + bytes(100)
    assert "expected 1,000 to 768,000" in refusal(send(sounds, ("a.wav", slow)))


def test_videos_open_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("av")
    model = fresh("tag", kind="boxes")
    film(tmp_path / "secret.gif")
    leads = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{tmp_path}/secret.gif\n#EXT-X-ENDLIST\n"
    for name in ("a.gif", "a.mp4", "a.mkv", "a.avi", "a.mov", "a.webm"):
        assert "broken video" in refusal(send(model, (name, leads.encode())))


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = fresh("transcribe")
    tone(tmp_path / "a.wav", 96_000, 1_600_000)
    content = (tmp_path / "a.wav").read_bytes()
    assert len(content) > 3_000_000

    def fail(*_: Any, **__: Any) -> Any:
        raise AssertionError("something is written")

    for name in (
        "TemporaryFile",
        "NamedTemporaryFile",
        "SpooledTemporaryFile",
        "mkstemp",
        "mkdtemp",
        "_get_candidate_names",
    ):
        monkeypatch.setattr(tempfile, name, fail)
    assert send(model, ("a.wav", content)).status_code == 200


def test_both_kinds_are_described() -> None:
    described = asked(fresh("classify"), lambda client: client.get("/openapi.json")).json()
    body = described["paths"]["/v1/predict"]["post"]["requestBody"]
    assert set(body["content"]) == {"application/json", "multipart/form-data"}
    assert body["required"]
    assert body["content"]["multipart/form-data"]["schema"]["required"] == ["file"]


def test_others_are_answered_while_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fresh("classify")

    async def both(client: Any) -> Any:
        sent = asyncio.create_task(client.post("/v1/predict", files={"file": ("a.txt", b"GG")}))
        return await asyncio.gather(sent, client.post("/v1/predict", json={"inputs": ["GG"]}))

    first, second = asked(model, both)
    assert first.json() == second.json()


def test_what_holds_much_without_bytes_is_refused() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((300_000, 0, 3)))
    with pytest.raises(DataError, match="too large once it is unpacked"):
        read_arrays(Upload.of("a.npy", buffer.getvalue()))
    with pytest.raises(DataError, match="too large once it is unpacked"):
        read_text(Upload.of("a.txt.gz", gzip.compress(b"a\n" * 300_000)))
