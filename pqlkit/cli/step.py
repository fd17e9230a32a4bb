"""The step: what a run is doing, and on which files, to be told with an error that nobody foresaw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Step", "begin", "current", "in_detail", "started", "using"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a run stands.

    Parameters
    ----------
    name
        The step, as progress shows it; empty before the first.
    files
        The files, folders or globs that are read.
    dataset
        The dataset among them, or None.
    verbose
        Details are asked for.
    """

    name: str = ""
    files: tuple[str, ...] = ()
    dataset: Path | None = None
    verbose: bool = False


_steps: list[Step] = [Step()]


def current() -> Step:
    """Give the step of the run that goes on in this process."""
    return _steps[-1]


def started() -> None:
    """Forget an earlier run of this process."""
    _steps[:] = [Step()]


def begin(name: str) -> None:
    """Go on to a step."""
    _steps[-1] = replace(current(), name=name)


def using(*files: str, dataset: Path | None = None) -> None:
    """Say what is read from now on."""
    _steps[-1] = replace(current(), files=files, dataset=dataset)


def in_detail() -> None:
    """Say that details are asked for, on the command line or by the project file."""
    _steps[-1] = replace(current(), verbose=True)
