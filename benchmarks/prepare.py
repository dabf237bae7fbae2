"""Published data in the forms that Elman reads: python benchmarks/prepare.py NAME

    mnist             the first 50,000 images and the last 10,000, as .npz
    indoor_movement   all sequences as long tables, in five parts by chance: train-0 has all that test-0 has not, and so
                      on
    m4_hourly         the wide tables as long ones
    etth1             the usual three parts, scaled by the first
    beijing_pm25      with a column of times; 2014 is the test
    tracks            where people walk, scene by scene: one left out of each training
    fsdd              a folder for each digit
    fsdd_sequences    3 to 7 digits of one person, with pauses: recordings, and tables of what is said
    minis             43 short recordings of AN4, LJ Speech and SpeechBrain, and a table of what is said
    digit_scenes      digits of MNIST strewn over pictures, with masks that say which is where
    moving_digits     videos of two digits of MNIST that move, and some in which something unusual happens
    digit_events      videos of one digit of MNIST to which nothing, or something unusual happens, and what
    tracking          videos of one digit of MNIST among pieces of others, and its box in every frame

Needs ELMAN_DATA; what is made goes to runs/data/NAME.
"""

import csv
import gzip
import io
import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path
from random import Random

import numpy as np
import polars
import torch
from results import ROOT

from elman.data import Moving, read_bytes

DATA = Path(os.environ.get("ELMAN_DATA", ""))


def mnist(out: Path) -> None:
    """Bytes (N, 28, 28) and labels."""
    from elman.data.labelled.images import read_idx

    images = read_idx(DATA / "mnist/train-images-idx3-ubyte.gz").numpy()
    labels = read_idx(DATA / "mnist/train-labels-idx1-ubyte.gz").numpy().astype(np.int64)
    for name, part in (("train", slice(0, 50_000)), ("test", slice(50_000, 60_000))):
        np.savez_compressed(out / f"{name}.npz", x=images[part], y=labels[part])


def indoor_movement(out: Path) -> None:
    """Columns sequence, four signal strengths, label."""
    with zipfile.ZipFile(DATA / "indoor_movement/IndoorMovement.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".csv")}
    lines = _named(texts, "MovementAAL_target.csv").splitlines()[1:]
    targets = dict(line.replace(" ", "").split(",") for line in lines if line)
    order = Random(0).sample(sorted(targets), len(targets))
    for fold in range(5):
        parts: dict[str, list[str]] = {"train": [], "test": []}
        for place, number in enumerate(order):
            steps = _named(texts, f"MovementAAL_RSS_{number}.csv").splitlines()[1:]
            rows = [f"{number},{line.replace(' ', '')},{targets[number]}" for line in steps if line]
            parts["test" if place % 5 == fold else "train"] += rows
        for name, rows in parts.items():
            (out / f"{name}-{fold}.csv").write_text("\n".join(["sequence,a1,a2,a3,a4,label", *rows]) + "\n")


def _named(texts: dict[str, str], end: str) -> str:
    return next(text for name, text in texts.items() if name.endswith("/" + end))


def m4_hourly(out: Path) -> None:
    """Columns unique_id, ds (a number), y."""
    lengths: dict[str, int] = {}
    for name in ("train", "test"):
        table = polars.read_csv(io.BytesIO(read_bytes(DATA / f"m4/Hourly-{name}.csv.gz")), infer_schema_length=None)
        rows = []
        for series, *values in table.iter_rows():
            known = [float(value) for value in values if value not in (None, "")]
            first = lengths.get(series, 0)
            rows += [(series, first + step, value) for step, value in enumerate(known)]
            lengths[series] = first + len(known)
        polars.DataFrame(rows, schema=["unique_id", "ds", "y"], orient="row").write_parquet(out / f"{name}.parquet")


def etth1(out: Path) -> None:
    """Scaled by mean and deviation of the first 8,640 hours, as the papers do."""
    table = polars.read_csv(io.BytesIO(gzip.decompress((DATA / "ett/ETTh1.csv.gz").read_bytes()))).rename(
        {"date": "ds"}
    )
    names = [name for name in table.columns if name != "ds"]
    train = table[:8640]
    scaled = table.with_columns((polars.col(n) - train[n].mean()) / train[n].std(ddof=0) for n in names)
    for name, part in (("train", scaled[:8640]), ("valid", scaled[8640:11520]), ("test", scaled[11520:14400])):
        part.write_csv(out / f"{name}.csv")


def beijing_pm25(out: Path) -> None:
    """Columns ds, pm2.5 and the weather."""
    data = io.BytesIO(read_bytes(DATA / "beijing_pm25/pollution.csv.gz"))
    table = polars.read_csv(data, null_values=["NA"], infer_schema_length=None)
    table = table.with_columns(ds=polars.datetime("year", "month", "day", "hour")).drop(
        "No", "year", "month", "day", "hour"
    )
    for name, chosen in (("train", polars.col("ds").dt.year() < 2014), ("test", polars.col("ds").dt.year() == 2014)):
        table.filter(chosen).write_parquet(out / f"{name}.parquet")


SCENES = {
    "eth": ["biwi_eth"],
    "hotel": ["biwi_hotel"],
    "zara1": ["crowds_zara01"],
    "univ": ["students001", "students003", "uni_examples"],
}
"""Files of the places that are left out, one after the other."""


def tracks(out: Path) -> None:
    """Columns unique_id (a person), ds (a frame), x, y, for each scene; and of all other files."""
    files = {}
    for path in sorted((DATA / "eth_ucy_trajectories").glob("*.txt.gz")):
        name = path.name.removesuffix(".txt.gz")
        rows = [line.split() for line in read_bytes(path).decode().splitlines() if line.strip()]
        cells = [(f"{name} {int(float(who))}", int(float(frame)), float(x), float(y)) for frame, who, x, y in rows]
        files[name] = polars.DataFrame(cells, schema=["unique_id", "ds", "x", "y"], orient="row")
    for scene, names in SCENES.items():
        polars.concat([files[name] for name in names]).write_parquet(out / f"{scene}.test.parquet")
        rest = polars.concat([table for name, table in files.items() if name not in names])
        tenth = polars.col("unique_id").is_in(rest["unique_id"].unique().sort().gather_every(10).to_list())
        rest.filter(~tenth).write_parquet(out / f"{scene}.train.parquet")
        rest.filter(tenth).write_parquet(out / f"{scene}.valid.parquet")


def fsdd(out: Path) -> None:
    """Recordings of single digits."""
    for name in ("train", "test"):
        with tarfile.open(DATA / f"fsdd/{name}.tar.gz") as archive:
            for member in archive.getmembers():
                recording = Path(member.name).name
                if recording.endswith(".wav"):
                    folder = out / name / recording[0]
                    folder.mkdir(parents=True, exist_ok=True)
                    content = archive.extractfile(member)
                    assert content is not None
                    (folder / recording).write_bytes(content.read())


def mnist_generate(out: Path) -> None:
    """The first 55,000 images to train, of which 1,000 validate, and the last 5,000 to test."""
    from elman.data.labelled.images import read_idx

    images = read_idx(DATA / "mnist/train-images-idx3-ubyte.gz").numpy()
    for name, first, last in (("train", 0, 54_000), ("valid", 54_000, 55_000), ("test", 55_000, 60_000)):
        np.savez_compressed(out / f"{name}.npz", x=images[first:last])


def jsb_chorales(out: Path) -> None:
    """Chords of the chorales, a quarter each."""
    parts = json.loads(read_bytes(DATA / "jsb_chorales/jsb-chorales-quarter.json.gz"))
    for name, pieces in parts.items():
        (out / f"{name}.json").write_text(json.dumps(pieces))


DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def fsdd_sequences(out: Path) -> None:
    """4,000 to train and 200 to validate from the training recordings, 500 to test from the test recordings.

    Recordings of one person, drawn by chance; a tenth to half a second of silence lies between them, and around them.
    Those that train and those that validate do not share recordings.
    """
    import soundfile

    recordings = {"train": {}, "valid": {}, "test": {}}
    for path in sorted((ROOT / "runs/data/fsdd").glob("*/*/*.wav")):
        digit, person, number = path.stem.split("_")
        part = "test" if path.parts[-3] == "test" else "valid" if int(number) % 10 == 9 else "train"
        recordings[part].setdefault(person, []).append((DIGITS[int(digit)], soundfile.read(path, dtype="int16")[0]))
    for seed, (part, count) in enumerate((("train", 4000), ("valid", 200), ("test", 500))):
        random, rows = Random(seed), ["path,text"]
        (out / part).mkdir(exist_ok=True)
        for number in range(count):
            person = random.choice(sorted(recordings[part]))
            chosen = random.choices(recordings[part][person], k=random.randint(3, 7))
            pieces = [_pause(random)]
            for _, samples in chosen:
                pieces += [samples, _pause(random)]
            soundfile.write(out / part / f"{number}.wav", np.concatenate(pieces), 8000)
            rows.append(f"{part}/{number}.wav,{' '.join(word for word, _ in chosen)}")
        (out / f"{part}.csv").write_text("\n".join(rows) + "\n")


def _pause(random: Random) -> np.ndarray:
    return np.zeros(random.randint(800, 4000), np.int16)


MINIS = {
    "an4_mini": ("train", "train"),
    "ljspeech_mini": ("wavs", "transcripts"),
    "speechbrain_mini": ("train", "train"),
}
"""Of each set the archive of recordings, and the table."""


def minis(out: Path) -> None:
    """Columns path and text; letters are small ones, as two of the sets have no others."""
    with (out / "train.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", "text"])
        for name, (archive, transcripts) in MINIS.items():
            (out / name).mkdir(exist_ok=True)
            with tarfile.open(DATA / name / f"{archive}.tar.gz") as recordings:
                recordings.extractall(out / name, filter="data")
            rows = [line.split("\t") for line in (DATA / name / f"{transcripts}.tsv").read_text().splitlines()]
            # name, then seconds, then text; SpeechBrain has a header, a column of speakers, and one of phones behind
            texts = [(row[0], row[3] if name == "speechbrain_mini" else row[2]) for row in rows if row[0] != "wav"]
            table.writerows((f"{name}/{recording}", text.lower()) for recording, text in texts)


SCENE = 56
"""Pixels along the side of a scene of digits."""


def digit_scenes(out: Path) -> None:
    """Scenes of 2 to 4 digits of MNIST, close to each other; masks say which digit, plus 1, is where.

    20,000 to train and 500 to validate from the first 50,000 digits, 1,000 to test from the last 10,000; the ground has
    noise, and a pixel belongs to the digit that is brighter than half. No stroke lies on another one, as nobody could
    see which came last.
    """
    from elman.data.labelled.images import read_idx

    images = read_idx(DATA / "mnist/train-images-idx3-ubyte.gz").numpy()
    labels = read_idx(DATA / "mnist/train-labels-idx1-ubyte.gz").numpy()
    parts = (("train", 20_000, 0, 50_000), ("valid", 500, 0, 50_000), ("test", 1000, 50_000, 60_000))
    for seed, (name, count, first, last) in enumerate(parts):
        random = np.random.default_rng(seed)
        x, y = np.zeros((count, SCENE, SCENE), np.uint8), np.zeros((count, SCENE, SCENE), np.uint8)
        for scene, mask in zip(x, y, strict=True):
            scene[:] = random.integers(0, 60, scene.shape)
            for number in random.integers(first, last, random.integers(2, 5)):
                place = _free(mask, images[number] > 0, random)
                if place is not None:
                    scene[place] = np.maximum(scene[place], images[number])
                    mask[place][images[number] > 127] = labels[number] + 1
        np.savez_compressed(out / f"{name}.npz", x=x, y=y)


def _free(mask: np.ndarray, digit: np.ndarray, random: np.random.Generator) -> tuple[slice, slice] | None:
    """Where a digit lies on no other one; None if a hundred places do not do."""
    for _ in range(100):
        top, left = random.integers(0, SCENE - 28 + 1, 2)
        place = slice(top, top + 28), slice(left, left + 28)
        if not (digit & (mask[place] > 0)).any():
            return place
    return None


VIDEOS = {"train": (range(9500), 0, 55_000), "valid": (range(9500, 10_000), 0, 55_000)}
VIDEOS |= {"test": (range(10_000, 11_000), 55_000, 60_000)}
"""The numbers of videos, and from which digits they are made."""


def _digits(first: int, last: int) -> torch.Tensor:
    from elman.data.labelled.images import read_idx

    return read_idx(DATA / "mnist/train-images-idx3-ubyte.gz")[first:last]


def moving_digits(out: Path) -> None:
    """Two digits in 64 x 64 pixels, 20 frames; in those of events.npz one jumps, changes or vanishes."""
    for name, (numbers, first, last) in VIDEOS.items():
        moving = Moving(_digits(first, last))
        np.savez_compressed(out / f"{name}.npz", x=np.stack([moving.video(n).frames.numpy() for n in numbers]))
    moving, events = Moving(_digits(55_000, 60_000)), ("jump", "change", "vanish")
    found = [moving.video(number, events[number % 3], earliest=10) for number in range(10_000, 11_000)]
    x, unusual = (np.stack([getattr(one, name).numpy() for one in found]) for name in ("frames", "unusual"))
    np.savez_compressed(out / "events.npz", x=x, unusual=unusual)


def digit_events(out: Path) -> None:
    """A digit in 64 x 64 pixels, 20 frames: nothing unusual, or it jumps, becomes another one, or vanishes."""
    events = None, "jump", "change", "vanish"
    for name, (numbers, first, last) in VIDEOS.items():
        moving = Moving(_digits(first, last), together=1)
        x = np.stack([moving.video(number, events[number % 4], earliest=5).frames.numpy() for number in numbers])
        np.savez_compressed(out / f"{name}.npz", x=x, y=np.array([events[n % 4] or "nothing" for n in numbers]))


def tracking(out: Path) -> None:
    """One digit in 64 x 64 pixels of noise, 20 frames, among six pieces of others that move too."""
    for name, (numbers, first, last) in VIDEOS.items():
        moving = Moving(_digits(first, last), together=1, clutter=6, noise=60)
        found = [moving.video(number) for number in numbers]
        x, boxes = np.stack([one.frames.numpy() for one in found]), np.stack([one.boxes[0].numpy() for one in found])
        np.savez_compressed(out / f"{name}.npz", x=x, boxes=boxes)


MAKERS = mnist, indoor_movement, m4_hourly, etth1, beijing_pm25, tracks, fsdd, fsdd_sequences, minis, digit_scenes
MAKERS += jsb_chorales, mnist_generate
MAKERS += moving_digits, digit_events, tracking
SETS = {each.__name__: each for each in MAKERS}


def main(name: str) -> None:
    """Make one set."""
    out = ROOT / "runs" / "data" / name
    out.mkdir(parents=True, exist_ok=True)
    SETS[name](out)
    print(f"{name} is in {out.relative_to(ROOT)}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in SETS:
        sys.exit(f"expected one of: {', '.join(SETS)}")
    main(sys.argv[1])
