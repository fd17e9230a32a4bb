"""The plain check: ``pqlkit validate FILE...`` without options, done before the command line's library is loaded.

Hooks and editors run this on every save. typer alone takes longer to read two arguments than the check of a file does; so
where there is nothing for it to read, it is not asked. Whatever is not plain, or goes wrong, is left to the command itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pqlkit.cli.exit import ExitCode
from pqlkit.cli.streams import abandon, usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.validation import Report
    from pqlkit.definitions.yaml_source import Document

PROJECT = "pqlkit.yml"


def plain_check(arguments: Sequence[str]) -> int | None:
    """Check files and print the report, if that is all that is asked.

    Parameters
    ----------
    arguments
        The command line without the program's name.

    Returns
    -------
    int or None
        The exit code; None, and nothing printed, if there are options, no files, a project file that may hold options, or
        an error: the command then does all of it.
    """
    if not _is_plain(arguments):
        return None
    from datetime import datetime

    from pqlkit.definitions.validation import validate
    from pqlkit.errors import PqlkitError

    try:
        today = datetime.now().astimezone().date()
        report = validate([Path(path) for path in arguments[1:]], today=today, project_checker=check_project_file)
    except (PqlkitError, OSError, ValueError):
        return None
    usable()
    try:
        sys.stdout.write(report_text(report))
        sys.stdout.flush()
    except BrokenPipeError:
        abandon()  # the reader left (`| head`): what it wanted it has
        return ExitCode.DONE
    except OSError:
        return None  # a full disk, for one: the command says so
    return ExitCode.FINDINGS if report.failed() else ExitCode.DONE


def _is_plain(arguments: Sequence[str]) -> bool:
    files = arguments[1:]
    if list(arguments[:1]) != ["validate"] or not files or any(not file or file.startswith("-") for file in files):
        return False
    # The shell's completion asks through the environment; a project file may hold options.
    return "_PQLKIT_COMPLETE" not in os.environ and not Path(PROJECT).exists()


def check_project_file(document: Document) -> Sequence[Diagnostic]:
    """Give the faults of a project file."""
    from pqlkit.exports.project import check_project

    return check_project(document)[1]


def report_text(report: Report, *, to_file: bool = False) -> str:
    """Write a report for people: in colour on a terminal that wants it."""
    from pqlkit.definitions.renderers.text import render_text

    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return render_text(report, colour=wanted and not to_file and sys.stdout.isatty())
