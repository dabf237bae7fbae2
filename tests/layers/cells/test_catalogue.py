import pickle
from pathlib import Path

import pytest
import torch

from elman.engine import Cell, recording, scan
from elman.errors import CellError, OptionError
from elman.layers.cells import CELLS, GRUCell, find_cell

OWN = """
from torch import nn

from elman.engine import Cell

class Echo(Cell):
    def forward(self, x, state):
        return x, state

number = 3
"""


@pytest.mark.parametrize("name", sorted(CELLS))
def test_every_name_gives_a_cell_of_the_asked_sizes(name: str) -> None:
    cell = find_cell(name)(3, 4)
    assert isinstance(cell, Cell)
    assert cell.input_size == 3
    assert cell.output_size == (2 if name == "projected-lstm" else 4)


def test_a_module_and_a_class() -> None:
    assert type(find_cell("elman.layers.cells:GRUCell")(3, 4)) is GRUCell


def test_a_file_and_a_class(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    factory = find_cell(f"{path}:Echo")
    assert type(factory(3, 3)) is type(find_cell(f"{path}:Echo")(3, 3))
    assert pickle.loads(pickle.dumps(factory(3, 3))).input_size == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lsmt", "no cell is called 'lsmt'; did you mean"),
        ("no_such_module:Cell", "no_such_module cannot be imported: ModuleNotFoundError"),
        ("elman.layers.cells:GRU_Cell", "has no 'GRU_Cell'; did you mean 'GRUCell'"),
        ("nowhere/own.py:Echo", "nowhere/own.py cannot be imported: FileNotFoundError"),
        (":Echo", "a module without a name cannot be imported"),
        ("math:pi", "'math:pi' is no class or function; received float"),
        ("math:Pie", "math has no 'Pie'; it defines no cell"),
    ],
)
def test_what_cannot_be_found_is_said_in_one_line(name: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        find_cell(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_file_may_be_mended_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("class Echo(:")
    with pytest.raises(OptionError, match="SyntaxError"):
        find_cell(f"{path}:Echo")
    path.write_text(OWN)
    assert find_cell(f"{path}:Echo")(3, 3).output_size == 3


def test_the_example_is_a_cell() -> None:
    path = Path(__file__).parents[3] / "examples" / "own_cell.py"
    cell = find_cell(f"{path}:MinimalGatedCell")(3, 4)
    with recording() as heard:
        outputs, _ = scan(cell, torch.randn(5, 2, 3))
    assert outputs.shape == (5, 2, 4)
    assert heard[0]["forget_gate"].shape == (5, 2, 4)


def test_a_cell_that_cannot_be_made_says_so_in_one_line() -> None:
    with pytest.raises(CellError, match=r"cell 'os:getcwd' cannot be made from \(3, 4\).*TypeError") as error:
        find_cell("os:getcwd")(3, 4)
    assert "\n" not in str(error.value)
