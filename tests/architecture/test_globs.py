"""A path with brackets or stars is a path: Polars takes it for a pattern unless it is told."""

from __future__ import annotations

import ast
from pathlib import Path

import pqlkit

READERS = {f"{how}_{kind}" for how in ("scan", "read") for kind in ("parquet", "csv", "ipc")}


def calls(source: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "pl"
        and node.func.attr in READERS
    ]


def test_polars_never_takes_a_path_for_a_pattern() -> None:
    found = [
        (path.name, call)
        for path in Path(pqlkit.__file__).parent.rglob("*.py")
        for call in calls(path.read_text(encoding="utf-8"))
    ]
    assert len(found) > 10
    for name, call in found:
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert given.get("glob") == "False", f"{name}:{call.lineno}"
