"""Public names: what a package lists is what it imports, and the front door opens without PyTorch."""

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import elman

SOURCE = Path(elman.__file__).parent
PACKAGES = [path.parent for path in sorted(SOURCE.rglob("__init__.py")) if path.parent != SOURCE]


def imported_names(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.relative_to(SOURCE).as_posix())
def test_a_package_lists_what_it_imports(folder: Path) -> None:
    package = import_module(".".join(("elman", *folder.relative_to(SOURCE).parts)))
    listed = getattr(package, "__all__", [])
    assert sorted(listed) == sorted(imported_names(folder / "__init__.py"))
    assert len(set(listed)) == len(listed)
    assert all(hasattr(package, name) for name in listed)


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.relative_to(SOURCE).as_posix())
def test_a_package_does_nothing_else(folder: Path) -> None:
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    docstring, *rest = tree.body
    assert isinstance(docstring, ast.Expr)
    assert all(
        isinstance(node, ast.ImportFrom) or ast.unparse(getattr(node, "targets", [node])[0]) == "__all__"
        for node in rest
    )


@pytest.mark.parametrize("name", elman.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(elman, name) is not None
    assert name in dir(elman)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    names = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(names) == sorted(elman.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'LTSM'"):
        elman.LTSM  # noqa: B018


def after(statement: str) -> set[str]:
    """The top-level modules that are loaded after a statement, in a fresh process."""
    code = f"import json, sys; {statement}; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_import_is_light() -> None:
    assert not after("import elman; dir(elman); elman.errors") & {"torch", "lightning", "numpy", "matplotlib"}


def test_layers_do_without_lightning() -> None:
    loaded = after("import elman; elman.LSTM, elman.scan")
    assert "torch" in loaded
    assert not loaded & {"lightning", "matplotlib", "tokenizers"}
