"""A cell's name on disk: the same in every process, another one for whatever takes another step."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from elman.engine import Cell
from elman.engine.identity import identity
from elman.layers import GRUCell, LSTMCell, Recurrent

SOURCE = """
import torch
from elman.engine import Cell

RATE = 0.5

def helper(x):
    return torch.tanh(x) * RATE

def outer(scale):
    return lambda x: x * scale

class Mine(Cell):
    gate = staticmethod(torch.sigmoid)

    def __init__(self, size, rate=0.1):
        super().__init__(size, size)
        self.rate, self.bend = rate, outer(2.0)
        self.weight = torch.nn.Parameter(torch.zeros(size, size))

    def forward(self, x, state):
        h = self.bend(helper(x) + self.gate(state[0] @ self.weight) * self.rate)
        return h, (h,)
"""


def name_of(source: str = SOURCE, make: str = "Mine(3)") -> str | None:
    """Of a cell from some source."""
    space: dict[str, Any] = {"__name__": "of_a_user"}
    exec(source, space)
    return identity(eval(make, space))


def test_two_of_a_kind_have_one_name() -> None:
    assert name_of() == name_of() is not None
    assert identity(LSTMCell(3, 4)) == identity(LSTMCell(3, 4)) is not None


CHANGES: dict[str, tuple[str, str]] = {
    "the step": ("+ self.gate", "- self.gate"),
    "a number in the step": ("state[0]", "state[-1]"),
    "what it calls": ("torch.tanh(x)", "torch.relu(x)"),
    "a number of its module": ("RATE = 0.5", "RATE = 0.6"),
    "what an attribute closes over": ("outer(2.0)", "outer(3.0)"),
    "a function inside a function": ("lambda x: x * scale", "lambda x: x + scale"),
    "an attribute of its class": ("staticmethod(torch.sigmoid)", "staticmethod(torch.tanh)"),
    "a default": ("rate=0.1", "rate=0.2"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_code_is_another_name(change: str) -> None:
    before, after = CHANGES[change]
    assert before in SOURCE
    assert name_of(SOURCE.replace(before, after)) not in (None, name_of())


@pytest.mark.parametrize("make", ["Mine(4)", "Mine(3, 0.2)", "Mine(3).eval()", "Mine(3).double()"])
def test_a_change_of_the_cell_is_another_name(make: str) -> None:
    assert name_of(make=make) not in (None, name_of())


def test_wrappers_are_looked_through() -> None:
    names = {identity(Recurrent(GRUCell, 3, 4, zoneout=rate).cells[0]) for rate in (0.1, 0.2)}
    assert len(names) == 2
    assert None not in names


class Holding(Cell):
    def __init__(self, held: Any) -> None:
        super().__init__(3, 3)
        self.held = held


NAMELESS: dict[str, Callable[[], Any]] = {
    "a tensor": lambda: torch.ones(2),
    "a module in a list": lambda: [nn.Linear(2, 2)],
    "a generator": torch.Generator,
    "any object": object,
    "a method of an object": lambda: [].append,
}


@pytest.mark.parametrize("what", NAMELESS)
def test_what_no_words_describe_has_no_name(what: str) -> None:
    assert identity(Holding(NAMELESS[what]())) is None


@pytest.mark.parametrize(
    "held", [None, 1.5, ("a", [1]), {"a": 1}, torch.float32, torch.tanh, int, frozenset({"a"}).__or__]
)
def test_what_words_describe(held: Any) -> None:
    name = identity(Holding(held))
    assert name == identity(Holding(held))


def test_it_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "of_a_user.py").write_text(SOURCE)
    program = "from of_a_user import Mine; from elman.engine.identity import identity; print(identity(Mine(3)))"
    names = set()
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
        )
        names.add(done.stdout.strip())
    assert names == {name_of()}
