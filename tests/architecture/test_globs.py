"""A path with brackets or stars is a path: Polars takes it for a pattern unless it is told."""

from __future__ import annotations

import ast

from tests.architecture.trees import nodes

READERS = {f"{how}_{kind}" for how in ("scan", "read") for kind in ("parquet", "csv", "ipc")}


def calls() -> list[tuple[str, ast.Call]]:
    return [
        (path.name, node)
        for path, node in nodes()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "pl"
        and node.func.attr in READERS
    ]


def test_polars_never_takes_a_path_for_a_pattern() -> None:
    readings = calls()
    assert len(readings) > 10
    for name, call in readings:
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert given.get("glob") == "False", f"{name}:{call.lineno}"
