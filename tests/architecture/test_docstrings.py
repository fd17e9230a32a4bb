"""Docstrings: what takes many parameters says what each of them is, by its name."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.architecture.trees import nodes, trees

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 5
SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=\n\n\w[^\n]*\n--|\Z)", re.MULTILINE | re.DOTALL)


def public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Functions and methods without an underscore."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node


def test_public_functions_of_many_parameters_describe_them() -> None:
    bare = []
    for path, tree in trees().items():
        for function in public_functions(tree.body):
            given = function.args
            names = {argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)} - {
                "self",
                "cls",
            }
            if len(names) >= MANY and "Parameters\n----------" not in (ast.get_docstring(function) or ""):
                bare.append(f"{path}:{function.lineno} {function.name}")
    assert bare == []


def described(docstring: str) -> set[str]:
    """Give the names that the section of parameters speaks of."""
    section = SECTION.search(docstring)
    lines = section[1].splitlines() if section else []
    return {name.strip().lstrip("*") for line in lines if line[:1].strip() for name in line.split(":")[0].split(",")}


def taken(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """Give what a function takes, or what a class is made of: its fields, or what its ``__init__`` takes."""
    if isinstance(node, ast.FunctionDef):
        return {argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)}
    made = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    fields = {
        part.target.id for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }
    return fields.union(*map(taken, made))


def test_described_parameters_exist() -> None:
    gone = [
        f"{path}:{node.lineno} {node.name}: {', '.join(sorted(missing))}"
        for path, node in nodes()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        if (missing := described(ast.get_docstring(node) or "") - taken(node))
    ]
    assert gone == []
