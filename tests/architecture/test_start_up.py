"""Heavy libraries load only where they are used: help and a check of YAML files feel instant."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ["polars", "narwhals", "numpy", "scipy", "sklearn", "altair", "duckdb", "pyarrow", "pyspark"]


def loaded(*arguments: str, cwd: Path) -> set[str]:
    """Run one command line in a fresh interpreter and give the heavy modules it loaded."""
    code = (
        "import sys\nfrom pqlkit.cli import app\n"
        f"from pqlkit.cli.app import run\nrun({list(arguments)!r})\n"
        f"sys.stderr.write('LOADED ' + ' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, timeout=60, check=False
    )
    assert "LOADED" in done.stderr, done.stderr
    return set(done.stderr.rsplit("LOADED", 1)[1].split())


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded("--help", cwd=tmp_path) == set()


def test_version_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded("--version", cwd=tmp_path) == set()
