"""The frame: exports that are frames in memory, of Polars or any other library, taken through the same checks as files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pqlkit.exports.disk import writing_to
from pqlkit.exports.tables import ACCOUNTS, CONTACTS, CONVERSIONS, EVENTS, USERS
from pqlkit.scratch import lasting_scratch

if TYPE_CHECKING:
    import polars as pl
    from narwhals.typing import IntoFrame

    from pqlkit.exports.dataset import Dataset, Progress
    from pqlkit.exports.project import Project


def dataset_of(
    *,
    events: IntoFrame,
    users: IntoFrame | None = None,
    accounts: IntoFrame | None = None,
    conversions: IntoFrame | None = None,
    contacts: IntoFrame | None = None,
    project: Project | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make a dataset of frames.

    Parameters
    ----------
    events
        ``user_id``, ``event``, ``timestamp``, and any properties. Any frame that Narwhals knows: Polars (a lazy one is streamed to
        disk), pandas, PyArrow, a DuckDB relation.
    users
        ``user_id``, ``signed_up_at``, optional ``account_id`` and ``deleted_at``; the rest are traits. None: the first
        event is the anchor.
    accounts, conversions, contacts
        The other canonical tables. Conversions: ``user_id`` or ``account_id``, and ``converted_at``.
    project
        Its time zone, traits and other declarations count; its exports do not, except for their column mappings.
    progress
        Told a sentence at the start of each long step.

    Returns
    -------
    Dataset
        Its files are temporary: they live as long as the process.

    Raises
    ------
    DataError
        A column is missing or a table is empty, as for files.
    UsageError
        Something given is no frame.
    OutputError
        There is no room for temporary files.

    Examples
    --------
    >>> import polars as pl
    >>> events = pl.DataFrame({"user_id": ["u1"], "event": ["login"], "timestamp": ["2026-01-02T10:00:00Z"]})
    >>> sorted(dataset_of(events=events).tables)
    ['events']
    """
    from pqlkit.exports.dataset import open_dataset
    from pqlkit.exports.project import Project

    project = project if project is not None else Project()
    named = {EVENTS: events, USERS: users, ACCOUNTS: accounts, CONVERSIONS: conversions, CONTACTS: contacts}
    folder = lasting_scratch()
    sources = {}
    with writing_to(folder, hint="name another folder for temporary files: TMPDIR=/path"):
        for name, frame in named.items():
            if frame is not None:
                path = folder / f"{name}.parquet"
                _polars(frame, name).sink_parquet(path)
                sources[name] = replace(project.exports.get(name) or project.direct(str(path)), path=(str(path),))
    return open_dataset(replace(project, exports=sources), progress=progress)


def _polars(frame: IntoFrame, name: str) -> pl.LazyFrame:
    """Take a frame of any library as one of Polars.

    Raises
    ------
    UsageError
        It is no frame.
    """
    import narwhals as nw
    import polars as pl

    from pqlkit.errors import UsageError

    if isinstance(frame, pl.LazyFrame):
        return frame
    try:
        known = nw.from_native(frame)
    except TypeError:
        raise UsageError(
            f"{name}: {type(frame).__name__} is no frame",
            hint="give a frame of Polars, pandas or PyArrow, or a DuckDB relation; files are read by open_dataset",
        ) from None
    if isinstance(known, nw.LazyFrame):
        known = known.collect(backend="polars")
    return known.to_polars().lazy()
