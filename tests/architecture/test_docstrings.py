"""Docstrings: what takes many parameters says what each of them is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "pqlkit"
MANY = 5


def public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Functions and methods without an underscore."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_public_functions_of_many_parameters_describe_them() -> None:
    bare = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for function in public_functions(ast.parse(path.read_text()).body):
            given = function.args
            names = {one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)} - {"self", "cls"}
            if len(names) >= MANY and "Parameters\n----------" not in (ast.get_docstring(function) or ""):
                bare.append(f"{path.relative_to(PACKAGE)}:{function.lineno} {function.name}")
    assert bare == []
