"""The notebook of the examples runs from its first cell to its last."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cli.sample import write_sample

if TYPE_CHECKING:
    import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.ipynb"


def executed(cells: list[str]) -> list[Any]:
    """Run the cells in one session, as a kernel does; give the value of the expression that each ends with."""
    session: dict[str, Any] = {}
    values = []
    for cell in cells:
        tree = ast.parse(cell)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(NOTEBOOK), "exec"), session)
        if isinstance(last, ast.Expr):
            values.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), session))
    return values


def test_every_cell_runs_and_what_it_shows_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code)
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    shown = [value for value in executed(["".join(cell["source"]) for cell in code]) if value is not None]
    assert [type(value).__name__ for value in shown] == ["Population", "Analysis", "DataFrame", "Proposal"]
    assert all(len(repr(value)) < 2_000 for value in shown)
    assert "invite" in capsys.readouterr().out
