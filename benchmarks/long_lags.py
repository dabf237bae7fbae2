"""The longest lag that each network learns to bridge: python benchmarks/long_lags.py [TASK or NETWORK]...

Settings stand in recipes/long_lags.toml. Lags are tried in rising order until one is not solved. Every attempt is kept
at once; those already in the results are not made again, so remove the file to start over.
"""

import sys
import tomllib
from itertools import product
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


def keep(row: dict[str, Any], seconds: float) -> None:
    """Add an attempt to the results."""
    rows = [*known(), row]
    metrics = {f"{one['task']}_{one['network']}": 0 for one in rows}
    for one in rows:
        if one["solved"]:
            metrics[f"{one['task']}_{one['network']}"] = one["lag"]
    write_result("long_lags", metrics, seconds, rows)


def known() -> list[dict[str, Any]]:
    """The attempts in the results."""
    path = FOLDER / "long_lags.json"
    return read_json(path)["rows"] if path.exists() else []


def main(chosen: list[str]) -> None:
    """Every network on every task, or those chosen."""
    start = perf_counter()
    for task, (name, settings) in product(RECIPE["solved"], RECIPE["networks"].items()):
        if chosen and not {task, name} & {*chosen}:
            continue
        for lag in RECIPE["lags"]:
            done = [row for row in known() if (row["task"], row["network"], row["lag"]) == (task, name, lag)]
            row = done[0] if done else {"task": task, "network": name} | attempt(task, settings, lag)
            if not done:
                keep(row, perf_counter() - start)
            if not row["solved"]:
                break


if __name__ == "__main__":
    main(sys.argv[1:])
