"""The longest lag that each network learns to bridge: python benchmarks/long_lags.py [adding] [copy]

Settings stand in recipes/long_lags.toml. Lags are tried in rising order until one is not solved.
"""

import sys
import tomllib
from time import perf_counter
from typing import Any

import torch
from results import FOLDER, ROOT, write_result
from torch import Tensor, nn
from torch.nn import functional as F

from elman.data import SYMBOLS, adding, copy_memory, read_json
from elman.layers import Recurrent, find_cell

RECIPE = tomllib.loads((ROOT / "recipes/long_lags.toml").read_text())


def network(task: str, settings: dict[str, Any]) -> Recurrent:
    """A network with the output layer of its task."""
    settings = dict(settings)
    size = {"adding": (2, 1), "copy": (SYMBOLS + 2, SYMBOLS)}[task]
    return Recurrent(
        find_cell(settings.pop("cell")),
        size[0],
        RECIPE["hidden_size"],
        output_size=size[1],
        output_at="last step" if task == "adding" else "every step",
        **settings,
    )


def loss_and_measure(task: str, model: Recurrent, lag: int, generator: torch.Generator) -> tuple[Tensor, float]:
    """On a fresh batch: what is minimised, and what says whether the lag is solved."""
    if task == "adding":
        x, y = adding(lag, RECIPE["batch_size"], generator)
        error = F.mse_loss(model(x)[0].squeeze(-1), y)
        return error, float(error.detach())
    x, letters = copy_memory(lag, RECIPE["batch_size"], generator=generator)
    scores = model(x)[0][-len(letters) :]
    right = (scores.detach().argmax(-1) == letters).float().mean()
    return F.cross_entropy(scores.flatten(0, 1), letters.flatten()), float(right)


def attempt(task: str, settings: dict[str, Any], lag: int) -> dict[str, Any]:
    """Train until the lag is solved or the steps are spent."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    model = network(task, settings)
    optimiser = torch.optim.Adam(model.parameters(), RECIPE["learning_rate"])
    start, recent, best = perf_counter(), [], None
    for step in range(1, RECIPE["steps"] + 1):
        loss, measure = loss_and_measure(task, model, lag, generator)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), RECIPE["clip_norm"])
        optimiser.step()
        recent.append(measure)
        if step % RECIPE["check_every"] == 0:
            mean = sum(recent) / len(recent)
            best = mean if best is None else (min if task == "adding" else max)(best, mean)
            recent = []
            if solved(task, mean):
                break
    return {
        "lag": lag,
        "solved": solved(task, best or 0.0),
        "measure": best,
        "steps": step,
        "seconds": round(perf_counter() - start),
    }


def solved(task: str, measure: float) -> bool:
    """Is the mean over `check_every` fresh batches good enough?"""
    limit = RECIPE["solved"][task]
    return measure <= limit if task == "adding" else measure >= limit


def main(tasks: list[str]) -> None:
    """Every network on every task; results of tasks not asked for stay."""
    start = perf_counter()
    rows: list[dict[str, Any]] = []
    for task in tasks:
        for name, settings in RECIPE["networks"].items():
            for lag in RECIPE["lags"]:
                rows.append({"task": task, "network": name} | attempt(task, settings, lag))
                print(rows[-1], flush=True)
                if not rows[-1]["solved"]:
                    break
    path = FOLDER / "long_lags.json"
    rows += [row for row in read_json(path)["rows"] if row["task"] not in tasks] if path.exists() else []
    metrics = {f"{row['task']}_{row['network']}": 0 for row in rows}
    for row in rows:
        if row["solved"]:
            metrics[f"{row['task']}_{row['network']}"] = row["lag"]
    write_result("long_lags", metrics, perf_counter() - start, rows)


if __name__ == "__main__":
    main(sys.argv[1:] or ["adding", "copy"])
