"""Recipes: every file parses, every field has its sentence."""

import tomllib
from pathlib import Path

import pytest

from elman.errors import OptionError
from elman.tasks import TASKS, Writing
from elman.training import Recipe, TrainingOptions, gather

ROOT = Path(__file__).parents[2]
RECIPES = [path for path in sorted((ROOT / "recipes").glob("*.toml")) if "task" in tomllib.loads(path.read_text())]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_parses(path, monkeypatch):
    monkeypatch.setenv("ELMAN_DATA", "/data")
    values = tomllib.loads(path.read_text())
    recipe = gather(values["task"], path, {})
    assert all(recipe.settings()[name] == value for name, value in values.items() if name in recipe.settings())
    assert "$" not in str(recipe.train)


@pytest.mark.parametrize("options", [TrainingOptions, Writing, *(task.options_class for task in TASKS.values())])
def test_every_field_has_its_sentence(options):
    for name, field in options.model_fields.items():
        assert field.description, name
        assert field.description.endswith(".")


def test_what_is_given_counts_more_than_the_recipe(tmp_path):
    (tmp_path / "a.toml").write_text('task = "generate"\nepochs = 3\nwindow = 7\ntrain = "~/a.txt"')
    recipe = gather("generate", tmp_path / "a.toml", {"epochs": 5})
    assert (recipe.training.epochs, recipe.options.model_dump()["window"]) == (5, 7)
    assert recipe.train == Path.home() / "a.txt"
    assert Recipe.of("generate", recipe.settings() | recipe.data() | {"valid": "b"}).valid == Path("b")


def test_one_wrong_option_is_one_line():
    with pytest.raises(OptionError, match=r"^'generate' has no option 'epoch'; did you mean 'epochs'\?$"):
        Recipe.of("generate", {"epoch": 3})
    with pytest.raises(OptionError, match=r"^schedule cannot be 'cosin'; did you mean 'cosine'\?$"):
        Recipe.of("generate", {"schedule": "cosin"})
