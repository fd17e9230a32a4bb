"""Imports point one way: the table in docs/architecture.md is read and held, every import counted."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter

from tests.architecture.trees import PACKAGE
from tests.architecture.trees import trees as parsed

ROOT = PACKAGE.parent
APART = [
    {"definitions", "engines", "statistics"},
    {"measures", "exports"},
    {"scoring", "proposal", "warehouse"},
    {"reporting", "demo"},
]
"""Packages of one row that do not know each other."""

AUTHORS_WORDS = {"people", "crew", "choice", "picking", "places", "meeting", "openers", "wishes"}
"""Nouns that only the author of a module understands."""

NO_NOUNS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"} | AUTHORS_WORDS


ONE_THING = {"records", "renderers", "pages", "cli", "options"}
"""Folders that hold the same thing in another form: their modules may be called like the thing."""


def rows() -> dict[str, int]:
    """Read the row of each package from the documented table; the highest row has the highest number."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = re.findall(r"^\| \d+b? \| ([a-z, ]+) \|$", text, re.M)
    return {name.strip(): len(table) - at for at, names in enumerate(table) for name in names.split(",")}


@cache
def trees() -> dict[str, ast.Module]:
    """Give each module's tree by its dotted name."""
    return {
        ".".join(("pqlkit", *path.with_suffix("").parts)).removesuffix(".__init__"): tree
        for path, tree in parsed().items()
    }


@cache
def imports() -> dict[str, set[str]]:
    """Name the modules of pqlkit that each one imports: at the top, inside functions and for types alone."""
    known = set(trees())
    graph: dict[str, set[str]] = {}
    for name, tree in trees().items():
        named: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                named |= {module if module in known else node.module for module in inner}
        graph[name] = {module for module in named if module.startswith("pqlkit.") and module != name}
    return graph


def package(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_the_table_lists_every_package_and_nothing_else() -> None:
    real = {p.name for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    real |= {p.stem for p in PACKAGE.glob("*.py") if p.stem not in {"__init__", "__main__"}}
    assert set(rows()) == real


def test_a_module_imports_only_from_below() -> None:
    layer = rows()
    wrong = []
    for module, others in imports().items():
        own = package(module)
        if own in {"__init__", "__main__"}:
            continue
        for name in sorted(others):
            other = package(name)
            if other != own and (layer[other] > layer[own] or any({own, other} <= group for group in APART)):
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_no_import_cycles() -> None:
    """Imports inside functions and for types count: what only works in one order is read in no order."""
    graph = {name: others & set(trees()) for name, others in imports().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_a_module_names_a_noun_and_says_it_first() -> None:
    wrong = []
    for module, tree in trees().items():
        first = (ast.get_docstring(tree) or "").split("\n", 1)[0].rstrip()
        if module.rsplit(".", 1)[-1] in NO_NOUNS or not first.endswith((".", "?", ":")):
            wrong.append(f"{module}: {first!r}")
    assert wrong == []


def test_no_module_has_a_twin() -> None:
    """One name, one module: a record, screen, page, command or option of a thing may be called like the thing."""
    homes: dict[str, set[str]] = {}
    for module in trees():
        parts = module.split(".")
        if len(parts) > 2 and not ONE_THING & set(parts[1:]):
            homes.setdefault(parts[-1], set()).add(parts[-2])
    assert {name: sorted(where) for name, where in homes.items() if len(where) > 1} == {}


def test_only_the_command_line_talks() -> None:
    wrong = []
    for module, tree in trees().items():
        own = package(module)
        if own in {"cli", "__main__"}:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                wrong.append(f"{module} prints")
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            heads = {name.split(".")[0] for name in names}
            if "typer" in heads:
                wrong.append(f"{module} imports typer")
    assert wrong == []


def test_only_engines_and_exports_know_duckdb() -> None:
    """An engine is chosen at the seam; a file of DuckDB's own is an export like any other."""
    for module, tree in trees().items():
        heads = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
        assert "duckdb" not in heads or package(module) in {"engines", "exports"}, module


def test_statistics_know_no_frames() -> None:
    for module, tree in trees().items():
        if package(module) != "statistics":
            continue
        heads = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
        heads |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not heads & {"polars", "narwhals", "pandas", "duckdb", "pyarrow"}, module
