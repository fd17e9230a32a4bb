"""Imports point one way: the table in docs/architecture.md is read and held."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pqlkit"
APART = [
    {"definitions", "engines", "statistics"},
    {"measures", "exports"},
    {"scoring", "proposal"},
    {"reporting", "demo"},
]
"""Packages of one row that do not know each other."""


def rows() -> dict[str, int]:
    """Read the layer of each package from the documented table."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = re.findall(r"^\| (\d) \| ([a-z, ]+) \|$", text, re.M)
    return {name.strip(): int(row) for row, names in table for name in names.split(",")}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "configs" not in p.relative_to(PACKAGE).parts)


def imported(path: Path) -> set[str]:
    """Names of pqlkit's modules that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("pqlkit.")}


def test_the_table_lists_every_package_and_nothing_else() -> None:
    real = {p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    real |= {p.stem for p in PACKAGE.glob("*.py") if p.stem not in {"__init__", "__main__"}}
    assert set(rows()) == real


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_below(path: Path) -> None:
    layer = rows()
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in {"__init__", "__main__"}:
        return
    for name in imported(path):
        other = name.split(".")[1]
        if other == own or other not in layer:
            continue
        assert layer[other] <= layer[own], f"{own} (row {layer[own]}) imports {name} (row {layer[other]})"
        assert not any({own, other} <= group for group in APART), f"{own} and {other} do not know each other: {name}"


def test_no_import_cycles() -> None:
    known = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in modules()}
    graph = {
        name: {other for other in top_level(path) if other in known and other != name} for name, path in known.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' -> '.join([*trail[trail.index(name) :], name])}"
        if name in done:
            return
        for other in sorted(graph[name]):
            visit(other, (*trail, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())


def top_level(path: Path) -> set[str]:
    """Modules that a file imports when it is loaded (not inside functions, not for types alone)."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_names_a_noun_and_says_it_first(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{path.name} has no docstring"
    assert docstring.splitlines()[0].rstrip().endswith((".", "?", ":")), docstring.splitlines()[0]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_talks(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    if own in {"cli", "__main__.py"}:
        return
    tree = ast.parse(path.read_text())
    names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "print" not in names
    imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imports |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(name.split(".")[0] == "typer" for name in imports)
    assert own == "engines" or not any(name.split(".")[0] == "duckdb" for name in imports)


def test_statistics_know_no_frames() -> None:
    for path in (PACKAGE / "statistics").glob("*.py"):
        tree = ast.parse(path.read_text())
        imports = {
            alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        imports |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not imports & {"polars", "narwhals", "pandas", "duckdb", "pyarrow"}, path.name
