"""The extra: a package that only one kind of place needs, imported where it is used."""

from __future__ import annotations

import importlib
from typing import Any

from pqlkit.errors import UsageError


def needed(module: str, *, extra: str, what: str) -> Any:
    """Import a module of an optional dependency.

    Raises
    ------
    UsageError
        It is not installed; the hint is the line that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"reading {what} needs the package {(error.name or module).split('.')[0]}, which is not installed",
            hint=f"pip install 'pqlkit[{extra}]'",
        ) from error
