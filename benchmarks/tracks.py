"""Where people walk, scene by scene: is a model that saw other places better than constant velocity?

    python benchmarks/tracks.py            trains recipes/tracks.toml for each scene, on all the others
    python benchmarks/tracks.py eth        some anew, the rows of the others are kept

A person's next 12 positions (4.8 s) from 8 (3.2 s), all windows of the scene. ADE is the mean distance in metres over
the 12 steps, FDE that of the last one. Needs runs/data/tracks (`prepare.py tracks`); runs are kept in runs/tracks.
"""

import shutil
from time import perf_counter
from typing import Any

import numpy as np
from prepare import SCENES
from results import ROOT, measured, write_result

import elman

Array = np.ndarray


def measure(scene: str) -> dict[str, Any]:
    """Train on other places, judge on this one."""
    data, run = ROOT / "runs" / "data" / "tracks", ROOT / "runs" / "tracks" / scene
    shutil.rmtree(run, ignore_errors=True)
    parts = {part: data / f"{scene}.{part}.parquet" for part in ("train", "valid")}
    model = elman.train("forecast", recipe=ROOT / "recipes/tracks.toml", **parts, out=run)
    windows: dict[tuple[str, int], dict[str, Any]] = {}
    for one in model.judge(data / f"{scene}.test.parquet", stride=1).windows:
        person, _, axis = one.name.rpartition(" ")
        if not np.isnan(one.known[-8:]).any() and not np.isnan(one.came).any():
            windows.setdefault((person, len(one.known)), {})[axis] = one
    both = [pair for pair in windows.values() if len(pair) == 2]
    came, said, straight = (
        np.stack([[of(pair[axis]) for axis in "xy"] for pair in both])
        for of in (lambda one: one.came, lambda one: one.said, lambda one: constant_velocity(one.known, len(one.came)))
    )
    row = {"scene": scene, "windows": len(both), **errors(said, came, "")}
    row |= errors(straight, came, " of constant velocity")
    print(row, flush=True)
    return row


def constant_velocity(known: Array, horizon: int) -> Array:
    """As fast on as in the last step, (H,)."""
    return known[-1] + (known[-1] - known[-2]) * np.arange(1, horizon + 1)


def errors(said: Array, came: Array, name: str) -> dict[str, float]:
    """ADE and FDE of positions (W, 2, H)."""
    distances = np.linalg.norm(said - came, axis=1)
    return {f"ade{name}": float(distances.mean()), f"fde{name}": float(distances[:, -1].mean())}


def main() -> None:
    """Measure, keep what is not measured anew, write."""
    begin = perf_counter()
    rows = measured("tracks", "scene", SCENES, measure)
    better = [all(row[name] < row[f"{name} of constant velocity"] for name in ("ade", "fde")) for row in rows]
    metrics = {"scenes_better": sum(better)}
    metrics |= {f"{row['scene']}_{name}": row[name] for row in rows for name in ("ade", "fde")}
    write_result("tracks", metrics, perf_counter() - begin, rows)


if __name__ == "__main__":
    main()
