"""The task `generate`: what it reads, and that each of its options reaches the network."""

import pytest
import torch

from elman.errors import DataError, OptionError
from elman.layers import CELLS
from elman.tasks import GenerateOptions, make_task

OWN_CELL = """
import torch, elman

class Plain(elman.Cell):
    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.linear = torch.nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, state):
        h = torch.tanh(self.linear(torch.cat([x, state[0]], dim=-1)))
        return h, (h,)
"""


def one_step(model, path) -> float:
    """How much a step of training changes the loss of its batch."""
    batch = model.task.read(path, None).train.batch(0)
    optimiser = torch.optim.SGD(model.network.parameters(), 0.01)
    before = model.task.loss(model.network, batch, None)
    before.mean.backward()
    assert all(parameter.grad is not None for parameter in model.network.parameters())
    optimiser.step()
    return float((model.task.loss(model.network, batch, None).mean - before.mean).detach())


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_learns_a_step(cell, make, path):
    assert one_step(make(cell=cell), path) < 0


def test_an_own_cell_learns_a_step(make, path, tmp_path):
    (tmp_path / "cells.py").write_text(OWN_CELL)
    assert one_step(make(cell=f"{tmp_path / 'cells.py'}:Plain"), path) < 0


def test_rows_notes_and_facts(path):
    examples = make_task("generate", GenerateOptions.of({"batch_size": 2, "window": 9})).read(path, None)
    assert examples.rows[0] == "99 green "
    assert len(examples.rows) == 2
    assert examples.facts["training units"] + examples.facts["validation units"] == len(path.read_text())


@pytest.mark.parametrize("units", ["character", "word"])
def test_validation_units_that_training_lacks_are_named(units, path, tmp_path):
    (tmp_path / "valid.txt").write_text("99 green Ж green")
    with pytest.raises(DataError, match=f"the validation text has 1 {units}s that the training text lacks: 'Ж'"):
        make_task("generate", GenerateOptions.of({"units": units, "window": 5})).read(path, tmp_path / "valid.txt")
    task = make_task("generate", GenerateOptions.of({"units": units, "window": 5, "min_count": 2}))  # the way out
    assert task.read(path, tmp_path / "valid.txt").facts["validation units"] > 1


@pytest.mark.parametrize(
    ("content", "message"),
    [("x", "is too short to split"), ("x" * 60, "the training text is shorter than one window: .*; received 54; ")],
)
def test_short_texts_are_refused(content, message, tmp_path):
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(DataError, match=message):
        make_task("generate", GenerateOptions.of({"batch_size": 2, "window": 50})).read(tmp_path / "a.txt", None)


@pytest.mark.parametrize(("units", "valid"), [("character", "b"), ("word", "word"), ("word", "  ")])
def test_a_validation_text_of_one_unit_is_refused(units, valid, tmp_path):
    (tmp_path / "a.txt").write_text("b word  " * 99)
    (tmp_path / "b.txt").write_text(valid)
    with pytest.raises(DataError, match="the validation text expects 2 units or more"):
        make_task("generate", GenerateOptions.of({"units": units, "window": 2})).read(
            tmp_path / "a.txt", tmp_path / "b.txt"
        )


@pytest.mark.parametrize("number", [0, 2**40])
def test_options_are_strict(number):
    for name in ("hidden_size", "tied", "dropout"):
        with pytest.raises(OptionError, match=f"{name} expects"):
            GenerateOptions.of({name: str(number)})
    with pytest.raises(OptionError, match="units cannot be 'charakter'; did you mean 'character'"):
        GenerateOptions.of({"units": "charakter"})
    with pytest.raises(OptionError, match="there is no option 'hiden_size'; did you mean 'hidden_size'"):
        GenerateOptions.of({"hiden_size": number})
