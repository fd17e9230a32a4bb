"""The tests that a change touches, and a fixed fast set: `make quick`, under a minute.

A changed module is tested by the file of its name in the folder that mirrors its own (`pqlkit/scoring/news.py` ->
`tests/scoring/test_news.py`), a changed test by itself. Changed means: not committed, or not yet on the branch `main`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FIXED = (
    "tests/architecture/test_errors.py",
    "tests/architecture/test_layers.py",
    "tests/architecture/test_public_api.py",
    "tests/definitions/test_loading.py",
    "tests/definitions/test_reading.py",
    "tests/measures/test_formula.py",
    "tests/measures/test_library_cases.py",
    "tests/statistics/test_contingency.py",
    "tests/statistics/test_rate.py",
    "tests/test_durations.py",
    "tests/test_files.py",
)
MOST = 12
"""Files of tests that still take less than a minute on two cores."""


def changed() -> list[Path]:
    """List the files that differ from the branch `main`, those that git does not know yet among them."""
    lists = (["diff", "--name-only", "--merge-base", "main"], ["ls-files", "--others", "--exclude-standard"])
    names: set[str] = set()
    for arguments in lists:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        names |= set(done.stdout.split())
    return sorted(Path(name) for name in names)


def tests_of(path: Path) -> list[str]:
    """Name the test files of one changed file."""
    if path.parts[0] == "tests" and path.name.startswith("test_") and path.suffix == ".py":
        return [str(path)] if (ROOT / path).exists() else []
    if path.parts[0] != "pqlkit" or path.suffix != ".py":
        return []
    mirrored = Path("tests", *path.parts[1:-1], f"test_{path.name}")
    return [str(mirrored)] if (ROOT / mirrored).exists() else []


def main() -> int:
    """Run them; give pytest's exit code."""
    touched = list(dict.fromkeys(name for path in changed() for name in tests_of(path)))
    if len(touched) > MOST:
        sys.stdout.write(f"{len(touched)} test files are touched; the first {MOST} run here, `make test` runs all\n")
    chosen = [*touched[:MOST], *(name for name in FIXED if name not in touched)]
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-q", "--no-header", *chosen]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
