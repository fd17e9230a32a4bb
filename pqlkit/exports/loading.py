"""The load: exports read, checked and written as one canonical Parquet dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.exports.dataset import Progress
    from pqlkit.exports.intake import Intake
    from pqlkit.exports.project import Project


def load(
    project: Project,
    out: Path | str,
    *,
    append: bool = False,
    max_bad: float | None = None,
    plausible: tuple[str, str] | None = None,
    progress: Progress | None = None,
) -> Intake:
    """Read the project's exports and write them as a canonical dataset.

    Parameters
    ----------
    project
        Names the exports; for direct options use ``with_sources(project, events=...)`` of `pqlkit.exports.dataset`.
    out
        The folder to write. A dataset that is there is replaced in one step (or added to, with `append`).
    append
        Keep what is there. Files whose content was read before are skipped; rows that repeat an ``event_id`` and
        ``event`` are duplicates.
    max_bad
        Largest tolerated share of quarantined rows of any one table, as a fraction; None = any.
    plausible
        First and last date that exist (ISO dates, both included), instead of the built-in rule about clocks.

    Raises
    ------
    DataError
        An export cannot be read, or more than `max_bad` of a table is bad: nothing was replaced.
    OutputError
        The folder cannot be written.
    """
    raise NotImplementedError
