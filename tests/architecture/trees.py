"""The package's code as trees: parsed once for all tests that look at how it is written."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "pqlkit"


@cache
def trees() -> dict[Path, ast.Module]:
    """Give each module's tree by its path within the package."""
    return {path.relative_to(PACKAGE): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    """Give every node of every module, with the module's path."""
    return ((path, node) for path, tree in trees().items() for node in ast.walk(tree))
