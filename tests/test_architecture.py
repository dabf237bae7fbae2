"""The folders form a line, and imports point one way along it."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
LINE = ("errors", "engine", "layers", "data", "pictures", "models", "tasks", "training", "interfaces", "__main__")
FRONT_DOOR = "elman"  # loads everything, lazily


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def folder(module: str) -> str:
    return module.split(".")[1]


def for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def statements(tree: ast.AST, package: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import, also inside functions; a package's own for type checkers aside."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not (package and for_type_checkers(node)):
            yield from statements(node, package)


@cache
def public_names(package: str) -> frozenset[str]:
    tree = ast.parse(MODULES[package].read_text(encoding="utf-8"))
    return frozenset(alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names)


def named(node: ast.ImportFrom) -> Iterator[str]:
    """What one line imports: the package for its public names, else the file (`scan` is a name and a file)."""
    source = node.module or ""
    for alias in node.names:
        full = f"{source}.{alias.name}"
        yield full if full in MODULES and alias.name not in public_names(source) else source


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of Elman that a module imports, each by its full name."""
    path = MODULES[module]
    found: set[str] = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8")), package=path.name == "__init__.py"):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
            continue
        assert node.level == 0, f"{module}, line {node.lineno}: write the import from elman on"
        found.update(named(node))
    return frozenset(name for name in found if name.split(".")[0] == FRONT_DOOR)


def edges() -> list[tuple[str, str]]:
    return [(module, other) for module in MODULES if module != FRONT_DOOR for other in sorted(imports(module))]


def test_every_folder_stands_in_the_line() -> None:
    assert {folder(module) for module in MODULES if module != FRONT_DOOR} == set(LINE)


def test_imports_point_left() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in edges()
        if other != FRONT_DOOR and LINE.index(folder(other)) > LINE.index(folder(module))
    ]
    assert not wrong


def test_no_circle_between_modules() -> None:
    graph = {module: imports(module) - {module} for module in MODULES if module != FRONT_DOOR}
    TopologicalSorter(graph).prepare()  # raises CycleError, with the circle in its message


def test_another_folder_is_imported_whole() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, other in edges()
        if other != FRONT_DOOR and folder(other) != folder(module) and other.count(".") > 1
    ]
    assert not wrong


def test_nobody_imports_from_the_root() -> None:
    assert not [module for module, other in edges() if other == FRONT_DOOR]


@pytest.mark.parametrize(
    ("text", "package", "found"),
    [
        ("import a", False, 1),
        ("def f():\n    import a", False, 1),
        ("if TYPE_CHECKING:\n    import a", False, 1),
        ("if TYPE_CHECKING:\n    import a", True, 0),
        ("import typing\nif typing.TYPE_CHECKING:\n    import a\nelse:\n    import b", True, 1),
        ("class C:\n    def f(self):\n        try:\n            from a import b\n        except E: pass", True, 1),
    ],
)
def test_hidden_imports_are_seen(text: str, package: bool, found: int) -> None:
    assert len(list(statements(ast.parse(text), package))) == found
