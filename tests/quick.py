"""The tests that a change touches, and a fixed fast set: `make quick`, under a minute.

A changed module is tested by the file of its name in the folder that mirrors its own (`pqlkit/scoring/news.py` ->
`tests/scoring/test_news.py`); where there is none, by the files of that folder that name the module. A changed test is run
itself, and what is no Python file by the tests that `BESIDE` names. Changed means: not committed, or not yet in what is shared
(the branch `origin/main` if there is one, else `main`).
"""

from __future__ import annotations

import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
FIXED = (
    "tests/architecture/test_errors.py",
    "tests/architecture/test_layers.py",
    "tests/architecture/test_public_api.py",
    "tests/definitions/test_documents.py",
    "tests/definitions/test_folders.py",
    "tests/measures/test_formula.py",
    "tests/measures/test_library_cases.py",
    "tests/statistics/test_contingency.py",
    "tests/statistics/test_rate.py",
    "tests/test_durations.py",
    "tests/test_files.py",
)
BESIDE = {
    "pqlkit/cli/*.py": ("tests/cli/test_contract.py",),
    "pqlkit/options/*.py": ("tests/cli/test_contract.py", "tests/definitions/test_schema.py"),
    "pqlkit/definitions/rules/*.py": ("tests/definitions/test_rules.py",),
    "tests/rules/*.yaml": ("tests/definitions/test_rules.py",),
    "configs/exports/*": (
        "tests/exports/test_preset.py",
        "tests/exports/test_billing.py",
        "tests/docs/test_generated_pages.py",
        "tests/definitions/test_schema.py",
    ),
    "tests/exports/billing/*": ("tests/exports/test_billing.py",),
    "configs/definitions/*": ("tests/definitions/test_library.py",),
    "configs/*.json": ("tests/definitions/test_schema.py",),
    "*.md": ("tests/docs/test_glossary.py", "tests/docs/test_generated_pages.py", "tests/docs/test_paths.py"),
}
"""Tests that a change touches though their names do not say so."""
MOST = 12
"""Files of tests that still take less than a minute on two cores."""


def shared() -> str:
    """Name the branch that everybody has."""
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "-q", "origin/main"], cwd=ROOT, capture_output=True, check=False
    )
    return "main" if known.returncode else "origin/main"


def changed() -> list[Path]:
    """List the files that differ from what is shared, those that git does not know yet among them."""
    lists = (["diff", "--name-only", "--merge-base", shared()], ["ls-files", "--others", "--exclude-standard"])
    names: set[str] = set()
    for arguments in lists:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        names |= set(done.stdout.splitlines())
    return sorted(Path(name) for name in names)


def tests_of(path: Path) -> list[str]:
    """Name the test files of one changed file."""
    if path.parts[0] == "tests" and path.name.startswith("test_") and path.suffix == ".py":
        return [str(path)] if (ROOT / path).exists() else []
    beside = [name for pattern, names in BESIDE.items() if fnmatch(str(path), pattern) for name in names]
    if path.parts[0] != "pqlkit" or path.suffix != ".py":
        return beside
    folder = Path("tests", *path.parts[1:-1])
    mirrored = folder / f"test_{path.name}"
    if (ROOT / mirrored).exists():
        return [str(mirrored), *beside]
    module = ".".join(path.with_suffix("").parts)
    return [*naming(module, folder), *beside]


def naming(module: str, folder: Path) -> Iterable[str]:
    """Name the test files of a folder that import a module."""
    for test in sorted((ROOT / folder).glob("test_*.py")):
        if f"from {module} import" in test.read_text(encoding="utf-8"):
            yield str(test.relative_to(ROOT))


def main() -> int:
    """Run them, and say which they were; give pytest's exit code."""
    began = time.monotonic()
    files = changed()
    tests = {path: tests_of(path) for path in files}
    touched = list(dict.fromkeys(name for names in tests.values() for name in names))
    bare = [str(path) for path in files if path.suffix == ".py" and path.parts[0] == "pqlkit" and not tests[path]]
    chosen = touched[:MOST]
    fixed = [name for name in FIXED if name not in chosen]
    say(f"{len(files)} files differ from {shared()}; test files that they touch: {len(touched)}")
    say(*(f"  {name}" for name in chosen))
    if touched[MOST:]:
        say(f"  left to `make test`, for time: {', '.join(touched[MOST:])}")
    if bare:
        say(f"no test file is found for {', '.join(bare)}: run what you know tests it")
    say(f"and {len(fixed)} that always run")
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-q", "--no-header", *chosen, *fixed]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    left = f", {len(touched) - len(chosen)} touched files were left out" if touched[MOST:] else ""
    say(f"ran {len(chosen)} + {len(fixed)} test files in {time.monotonic() - began:.0f} s{left}; "
        f"`make test` runs all")  # fmt: skip
    return code


def say(*lines: str) -> None:
    """Write lines before pytest writes its own."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
