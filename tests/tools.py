"""Tools: programs beside Python that some tests need, and what is missing of them on this machine.

A test asks `needs("chromium")`. Locally a missing tool skips the test and is named in the last line of `make test`; in
continuous integration (``CI`` set) its absence is a failure.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

TOOLS = {
    "dbt": ("dbt",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "initdb": ("initdb",),
    "pg_ctl": ("pg_ctl",),
}
ASIDE = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of PostgreSQL, off the path."""


def found(tool: str) -> str | None:
    """Give the path of a tool, or None."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, sorted(ASIDE.glob("*/bin"), reverse=True))])
    return next((path for name in TOOLS[tool] if (path := shutil.which(name, path=places))), None)


def needs(tool: str) -> str:
    """Give the path of a tool; without it skip the test, or fail it in continuous integration."""
    import pytest

    path = found(tool)
    if path is None:
        if os.environ.get("CI"):
            raise AssertionError(f"{tool} is not on this machine; .ci/run installs it")
        pytest.skip(f"{tool} is not on this machine")
    return path


if __name__ == "__main__":
    missing = [tool for tool in TOOLS if found(tool) is None]
    if missing:
        print(f"Not found on this machine, so not tested: {', '.join(missing)}")
    else:
        print(f"Every tool was found: {', '.join(TOOLS)}")
    sys.exit(1 if missing and os.environ.get("CI") else 0)
