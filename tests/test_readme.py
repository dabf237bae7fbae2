"""The READMEs: their generated parts are true, both say the same, and their commands exist."""

import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from elman.interfaces import app
from elman.layers import CELLS

ROOT = Path(__file__).parent.parent
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))


def blocks(text: str) -> list[str]:
    """Fenced blocks without comments and docstrings, which are translated."""
    found = re.findall(r"```\w+\n(.*?)```", text, flags=re.S)
    return [re.sub(r'\s*#.*|""".*?"""', "", block) for block in found]


def test_results_and_file_map_are_up_to_date():
    check = subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stderr


def test_both_languages_show_the_same_code_tables_and_files():
    assert blocks(ENGLISH) == blocks(CHINESE)
    assert [len(re.findall(rule, ENGLISH, flags=re.M)) for rule in (r"^## ", r"^\|", r"^ *- `")] == [
        len(re.findall(rule, CHINESE, flags=re.M)) for rule in (r"^## ", r"^\|", r"^ *- `")
    ]


def test_every_command_of_the_readme_exists():
    commands = set(re.findall(r"elman (train generate|evaluate|predict|cells|doctor)\b", ENGLISH))
    assert {"train generate", "predict", "cells"} <= commands
    for command in commands:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0


def test_every_cell_is_listed_by_the_command():
    shown = CliRunner().invoke(app, ["cells", "--json"]).stdout
    assert all(f'"{name}"' in shown for name in CELLS)
