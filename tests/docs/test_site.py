"""The docs build as a site without a warning: every link leads somewhere, every page has its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def test_every_page_has_its_place() -> None:
    """What the strict build asks, without building."""
    navigation = yaml.safe_load((ROOT / ".mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    listed = {entry for value in navigation for part in value.values() for entry in files(part)}
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").glob("**/*.md")}
    assert {page for page in pages - listed if not page.startswith("decisions/")} == set()
    assert listed <= pages


def files(part: object) -> list[str]:
    if isinstance(part, str):
        return [part]
    return [name for entry in part for value in entry.values() for name in files(value)]  # type: ignore[attr-defined]


@pytest.mark.slow
def test_it_builds_strictly(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-q",
        "-f",
        ".mkdocs.yml",
        "-d",
        str(tmp_path / "site"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "site" / "quickstart.html").is_file()
