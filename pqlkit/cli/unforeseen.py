"""Unforeseen errors: an error that nobody raised on purpose becomes one line and exit code 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.cli.step import current
from pqlkit.errors import PqlkitError
from pqlkit.shipped import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["detailed", "explained"]


def detailed(arguments: Sequence[str]) -> bool:
    """Tell whether details are asked for; the command line says so before any option is read."""
    return current().verbose or "--verbose" in arguments


def explained(error: BaseException, arguments: Sequence[str]) -> PqlkitError:
    """Say what went wrong, where, and what to do about it.

    Parameters
    ----------
    error
        Anything but pqlkit's own errors, interrupts, and those of the system.
    arguments
        Of the command line.

    Returns
    -------
    PqlkitError
        A `DataError` that names a file of the dataset which is not what was written, where there is one. A library that is
        missing is named. Otherwise the step, the files and the error, to be reported.
    """
    step = current()
    if step.dataset is not None:
        from pqlkit.exports.manifest import altered, damaged

        file = altered(step.dataset)
        if file is not None:
            return damaged(step.dataset, file)
    if isinstance(error, ModuleNotFoundError) and error.name is not None and not error.name.startswith("pqlkit"):
        return PqlkitError(
            f"{' '.join(arguments[:1])} needs the library {error.name}, which is not installed",
            hint=f"{LIGHT} checks definition files alone; for every command, in an environment of its own: pip install pqlkit",
        )
    said = " ".join(str(error).split())[:500]
    doing = " ".join([" ".join(arguments[:1]), f"({step.name})" if step.name else ""]).strip() or "pqlkit"
    more = "" if detailed(arguments) else "; --verbose shows where in the program it happened"
    return PqlkitError(
        f"{doing} ended in an error that pqlkit did not foresee: {type(error).__name__}{': ' if said else ''}{said}",
        where=", ".join(step.files) or None,
        hint=f"please report it, with this line and the command{more}",
    )
