"""The seam: whoever needs rows of a table asks an engine, so that they may lie anywhere."""

from __future__ import annotations

import ast

from tests.architecture.trees import nodes

READERS = {"scan_parquet", "read_parquet", "scan_csv", "read_csv", "scan_ndjson", "read_ndjson", "read_ipc"}
OWN = {"scoring/ledger.py", "scoring/lead_file.py", "reporting/faces.py"}
"""Modules that read what pqlkit has written before: a ledger, a list, the CSV of a result."""


def test_only_engines_and_exports_read_tables() -> None:
    reading = {
        str(path)
        for path, node in nodes()
        if path.parts[0] not in {"engines", "exports", "demo"}
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        # `Table.scan()` takes nothing; `Engine.scan` is the seam's.
        and (node.func.attr in READERS or (node.func.attr == "scan" and not node.args))
    }
    assert reading == OWN
