"""The canonical file: staged rows judged, stitched, typed, sorted and written, each kept or counted.

The bytes depend on the rows alone: files are cut at UTC days by counts of rows, columns stand in a fixed order, rows are
sorted by all their columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, AMOUNT, ANONYMOUS_ID, EVENT, EVENT_ID, TIMESTAMP, USER_ID
from pqlkit.durations import DAY
from pqlkit.exports.column_types import POLARS, ColumnType, as_type, of_text
from pqlkit.exports.identities import stitched
from pqlkit.exports.instants import UTC
from pqlkit.exports.numerals import as_written_by_programs, notation_of
from pqlkit.exports.plausible_times import BEYOND
from pqlkit.exports.quarantine import row_text
from pqlkit.exports.tables import DOMAIN, EMAIL, FILE, LINE
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pqlkit.exports.identities import Identities
    from pqlkit.exports.plausible_times import Plausible
    from pqlkit.exports.quarantine import Quarantine
    from pqlkit.exports.staging import Part, Stage

FILE_ROWS: Final = 1_000_000
_KEY: Final = "pqlkit:key"


@dataclass(slots=True, eq=False)
class Written:
    """One table's canonical files. `first` and `last` are the extremes of its time in UTC microseconds.

    `memberships` counts rows that say a further account of a user.
    """

    columns: dict[str, ColumnType]
    paths: list[Path] = field(default_factory=list)
    rows: int = 0
    duplicate: int = 0
    memberships: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, frame: pl.DataFrame, path: Path, time: str | None, *, draft: bool = False) -> None:
        """Write one file; a draft is read once more and then gone."""
        frame.write_parquet(
            path, compression="lz4" if draft else "zstd", row_group_size=FILE_ROWS // 4, statistics=not draft
        )
        self.paths.append(path)
        self.rows += frame.height
        if time is not None and time in frame.columns:
            stamps = frame[time].dt.timestamp("us").drop_nulls()
            if len(stamps):
                low, high = int(stamps.min()), int(stamps.max())  # type: ignore[arg-type]
                self.first = low if self.first is None else min(self.first, low)
                self.last = high if self.last is None else max(self.last, high)


def final_columns(stage: Stage, ids: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """Order and type a table's columns: the canonical ones as the layout has them, then the others by name."""
    layout = stage.layout
    there = set(stage.types) | set(layout.required) | ({USER_ID} if layout.name == "events" else set())
    canonical = [name for name in layout.columns if name in there]
    others = sorted(there - set(canonical))
    return {
        name: ids[name] if name in layout.ids and name in ids else _type(stage, name) for name in (*canonical, *others)
    }


def _type(stage: Stage, name: str) -> ColumnType:
    if name in stage.layout.times:
        return ColumnType.INSTANT
    return stage.types.get(name) or ColumnType.TEXT


def write_events(
    stage: Stage,
    folder: Path,
    *,
    identities: Identities,
    ids: Mapping[str, ColumnType],
    plausible: Plausible,
    quarantine: Quarantine,
    prefix: str = "part",
    draft: bool = False,
) -> Written:
    """Write staged events into Parquet files of whole days.

    Duplicates (the same ``event_id`` and ``event``) keep the first row in the sorted order.

    Parameters
    ----------
    stage
        The staged parts.
    folder, prefix
        Where the files go, and what their names begin with.
    identities
        Who an anonymous id belongs to.
    ids
        The types of the id columns.
    plausible
        The moments that can be; rows outside go to quarantine.
    quarantine
        Takes the rows that are not kept, with the reason.
    draft
        Leave the rows in the order in which they came, where no row is a duplicate of another.
    """
    written = Written(columns=final_columns(stage, ids))
    for low, high in _spans(stage.days):
        frame = _rows_between(stage.parts, low, high)
        if frame.is_empty():
            continue
        frame = _judged(frame, stage, plausible, quarantine)
        if ANONYMOUS_ID in frame.columns or not identities.known.is_empty():
            frame = stitched(_with_user(frame), identities)
        frame = _typed(frame, written.columns)
        if not draft or EVENT_ID in written.columns:
            frame = frame.sort(_order(written.columns), nulls_last=False)
        unique = _once(frame)
        written.duplicate += frame.height - unique.height
        if not unique.is_empty():
            path = folder / f"{prefix}-{len(written.paths):05}.parquet"
            written.add(unique, path, TIMESTAMP, draft=draft)
    if EVENT_ID in written.columns:
        _drop_distant_duplicates(written)
    if not written.paths:
        written.add(empty(written.columns), folder / f"{prefix}-00000.parquet", None)
    return written


def _order(columns: Mapping[str, ColumnType]) -> list[str]:
    first = [name for name in (TIMESTAMP, USER_ID, ACCOUNT_ID, EVENT, EVENT_ID) if name in columns]
    return [*first, *(name for name in columns if name not in first)]


def _with_user(frame: pl.DataFrame) -> pl.DataFrame:
    return frame if USER_ID in frame.columns else frame.with_columns(pl.lit(None, dtype=pl.String).alias(USER_ID))


def empty(columns: Mapping[str, ColumnType]) -> pl.DataFrame:
    """Make a table without rows."""
    return pl.DataFrame(schema={name: POLARS[kind] for name, kind in columns.items()})


def _spans(days: Mapping[int, int]) -> list[tuple[int, int]]:
    """Cut the days into spans [first, last] of about `FILE_ROWS` rows."""
    spans: list[tuple[int, int]] = []
    start, rows = None, 0
    for day in sorted(days):
        start = day if start is None else start
        rows += days[day]
        if rows >= FILE_ROWS:
            spans.append((start, day))
            start, rows = None, 0
    return spans if start is None else [*spans, (start, max(days))]


def _rows_between(parts: Sequence[Part], low: int, high: int) -> pl.DataFrame:
    first, last = low * DAY, high * DAY + DAY - 1
    frames = [
        _span_of(part, first, last)
        for part in parts
        if part.first is not None and part.last is not None and part.first <= last and part.last >= first
    ]
    return _stacked([frame for frame in frames if not frame.is_empty()])


def _span_of(part: Part, first: int, last: int) -> pl.DataFrame:
    if first <= (part.first or 0) and (part.last or 0) <= last:
        return pl.read_parquet(part.path, glob=False)
    low, high = (pl.Series([bound]).cast(UTC)[0] for bound in (first, last))
    inside = (pl.col(TIMESTAMP) >= low) & (pl.col(TIMESTAMP) <= high)
    return pl.scan_parquet(part.path, glob=False).filter(inside).collect()


def _stacked(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put frames one below another; columns of unlike types become text first."""
    if not frames:
        return pl.DataFrame()
    types: dict[str, set[pl.DataType]] = {}
    for frame in frames:
        for name, dtype in frame.schema.items():
            types.setdefault(name, set()).add(dtype)
    unlike = {name for name, data_types in types.items() if len(data_types) > 1}
    even = [_evened(frame, unlike) for frame in frames] if unlike else frames
    return pl.concat(even, how="diagonal", rechunk=True)


def _evened(frame: pl.DataFrame, unlike: set[str]) -> pl.DataFrame:
    from pqlkit.exports.column_types import as_text

    return frame.with_columns(
        as_text(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items() if name in unlike
    )


def _judged(frame: pl.DataFrame, stage: Stage, plausible: Plausible, quarantine: Quarantine) -> pl.DataFrame:
    """Quarantine rows with implausible clocks."""
    time = stage.layout.time
    if time is None or time not in frame.columns:
        return frame
    at = pl.col(time).dt.timestamp("us")
    reason = (
        pl.when(at < plausible.outer_first)
        .then(pl.lit(plausible.early))
        .when(at > plausible.outer_last)
        .then(pl.lit(plausible.late))
        .when((at < plausible.first) | (at > plausible.last))
        .then(pl.lit(BEYOND))
    )
    judged = frame.with_columns(reason.alias("pqlkit:reason"))
    bad = judged.filter(pl.col("pqlkit:reason").is_not_null())
    if not bad.is_empty():
        _quarantined(bad, stage, time, quarantine)
    return judged.filter(pl.col("pqlkit:reason").is_null()).drop("pqlkit:reason")


def _quarantined(bad: pl.DataFrame, stage: Stage, time: str, quarantine: Quarantine) -> None:
    rows = bad.select(
        pl.col(LINE).alias("line"),
        pl.lit(time).alias("column"),
        pl.col(time).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").alias("value"),
        pl.col("pqlkit:reason").alias("reason"),
        row_text(bad.drop(FILE, LINE, "pqlkit:reason")),
        pl.col(FILE),
    ).sort(FILE, "line")
    for (place,), some in rows.group_by(FILE, maintain_order=True):
        quarantine.add(stage.layout.name, int(place), stage.files[int(place)], some.drop(FILE))


def _typed(frame: pl.DataFrame, columns: Mapping[str, ColumnType]) -> pl.DataFrame:
    schema = frame.schema  # made anew each time it is asked for
    return frame.select(
        as_type(pl.col(name), schema[name], kind).alias(name)
        if name in schema
        else pl.lit(None, dtype=POLARS[kind]).alias(name)
        for name, kind in columns.items()
    )


def _once(frame: pl.DataFrame) -> pl.DataFrame:
    if EVENT_ID not in frame.columns or frame[EVENT_ID].null_count() == frame.height:
        return frame
    first = pl.struct(EVENT_ID, EVENT).is_first_distinct() | pl.col(EVENT_ID).is_null()
    return frame.filter(first)


def _drop_distant_duplicates(written: Written) -> None:
    """Drop rows whose event id and event stand in an earlier file, too."""
    if len(written.paths) < 2:
        return
    repeated = repeats(written.paths)
    if repeated.is_empty():
        return
    seen = repeated.clear()
    paths, written.paths, written.rows, written.first, written.last = written.paths, [], 0, None, None
    for path in paths:
        frame = pl.read_parquet(path, glob=False)
        here = frame.join(repeated, on=[EVENT_ID, EVENT], how="semi").select(EVENT_ID, EVENT)
        kept = frame.join(seen, on=[EVENT_ID, EVENT], how="anti", maintain_order="left")
        written.duplicate += frame.height - kept.height
        written.add(kept, path, TIMESTAMP)
        seen = pl.concat([seen, here]).unique()


def repeats(paths: Sequence[Path | str]) -> pl.DataFrame:
    """Find the pairs of `event_id` and `event` that stand in more than one row of Parquet files.

    Hashes first: only pairs whose hash repeats are looked at themselves.
    """
    keys = (
        pl.scan_parquet([str(path) for path in paths], glob=False)
        .select(EVENT_ID, EVENT)
        .filter(pl.col(EVENT_ID).is_not_null())
    )
    hashed = pl.struct(EVENT_ID, EVENT).hash(seed=1).alias(_KEY)
    hashes = keys.select(hashed).collect(engine="streaming")[_KEY].sort()
    leakage = hashes.filter(hashes == hashes.shift(1)).unique()
    if leakage.is_empty():
        return pl.DataFrame(schema=keys.collect_schema())
    plan = keys.with_columns(hashed).filter(pl.col(_KEY).is_in(leakage.implode())).drop(_KEY)
    return plan.group_by(EVENT_ID, EVENT).len().filter(pl.col("len") > 1).drop("len").collect(engine="streaming")


def write_table(
    stage: Stage,
    path: Path,
    *,
    ids: Mapping[str, ColumnType],
    plausible: Plausible,
    quarantine: Quarantine,
    earlier: pl.DataFrame | None = None,
    emails: pl.DataFrame | None = None,
    domains: pl.DataFrame | None = None,
) -> Written:
    """Write a table other than events into one file.

    A key (user, account) that stands in several rows keeps the row with the earliest ``signed_up_at``, then the first in
    sorted order; the others are duplicates, but for users of other accounts, which are `memberships`. Identities keep each pair once. Other tables keep every row.

    Parameters
    ----------
    stage, path, ids, plausible, quarantine
        The rows, where they go, and how they are judged.
    earlier
        Rows of an earlier load, for ``--append``. Of a keyed table the newer load's row wins; of others a row that stands
        in them already is a duplicate.
    emails
        `email` (lower case) and `user_id` (text): rows without a user take that of their e-mail address.
    domains
        `domain` and `account_id` (text): rows without an account take that of their domain.
    """
    frame = _stacked([pl.read_parquet(part.path, glob=False) for part in stage.parts])
    if frame.width:
        frame = _with_amounts(_judged(frame, stage, plausible, quarantine), stage)
    if emails is not None:
        stage.types.setdefault(USER_ID, None)
        frame = _matched(frame, emails, EMAIL, USER_ID)
    if domains is not None:
        stage.types.setdefault(ACCOUNT_ID, None)
        frame = _matched(frame, domains, DOMAIN, ACCOUNT_ID)
    written = Written(columns=final_columns(stage, ids))
    frame = _typed(frame, written.columns) if frame.width else empty(written.columns)
    order = _table_order(stage, written)
    frame = frame.sort(order, nulls_last=True)
    unique = _keyed(frame, stage)
    written.memberships = _memberships(frame, unique, stage)
    written.duplicate = frame.height - unique.height - written.memberships
    if earlier is not None:
        new = unique.height
        unique, added = _added(unique, _typed(earlier, written.columns), stage)
        unique = unique.sort(order, nulls_last=True)
        written.duplicate += new - added
    written.duplicate += stage.repeats
    written.add(unique, path, stage.layout.time)
    return written


def _with_amounts(frame: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    """Read amounts in text in the notation that all of them have; where there is none they stay text, and are counted in use."""
    if AMOUNT not in stage.layout.columns or frame.schema.get(AMOUNT) != pl.String:
        return frame
    nulls = stage.source.null_values
    notation = notation_of(frame[AMOUNT], nulls)
    if notation is None:
        return frame
    read = as_written_by_programs(frame[AMOUNT], notation)
    stage.types[AMOUNT] = of_text(read, nulls)
    return frame.with_columns(read)


def _matched(frame: pl.DataFrame, known: pl.DataFrame, by: str, owner: str) -> pl.DataFrame:
    """Give rows without an owner the one that their address or domain has."""
    if by not in frame.columns:
        return frame
    folded = pl.col(by).str.strip_chars().str.to_lowercase().alias(_KEY)
    other = known.rename({owner: "pqlkit:owner", by: _KEY})
    joined = frame.with_columns(folded).join(other, on=_KEY, how="left", maintain_order="left")
    expression = pl.coalesce(owner, "pqlkit:owner") if owner in frame.columns else pl.col("pqlkit:owner")
    return joined.with_columns(expression.alias(owner)).drop(_KEY, "pqlkit:owner")


def _table_order(stage: Stage, written: Written) -> list[str]:
    time = stage.layout.time
    first = [stage.layout.key] if stage.layout.key else []
    if time is not None and time in written.columns:
        first.append(time)
    return [*first, *(name for name in written.columns if name not in first)]


def _keyed(frame: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    if stage.layout.key is not None:
        return frame.unique(subset=[stage.layout.key], keep="first", maintain_order=True)
    return frame.unique(maintain_order=True) if stage.layout.name == "identities" else frame


def _memberships(frame: pl.DataFrame, kept: pl.DataFrame, stage: Stage) -> int:
    """Count the further accounts of users who stand in several, which no row can say here, and name some."""
    if stage.layout.key != USER_ID or ACCOUNT_ID not in frame.columns:
        return 0
    pairs = frame.select(USER_ID, ACCOUNT_ID).drop_nulls(ACCOUNT_ID).unique(maintain_order=True)
    own = kept.select(USER_ID, ACCOUNT_ID)
    others = pairs.join(own, on=[USER_ID, ACCOUNT_ID], how="anti", maintain_order="left")
    if others.is_empty():
        return 0
    user, other = others.row(0)
    account = own.filter(pl.col(USER_ID) == user)[ACCOUNT_ID][0]
    of = "of none" if account is None else f"of {visible(str(account), 60)!r}"
    stage.remarks.append(
        f"{stage.layout.name}: users in several accounts: {others[USER_ID].n_unique():,}, like {visible(str(user), 60)!r}"
        f" ({of}, and of {visible(str(other), 60)!r}): the one of their first signup counts, and their conversions and events"
        " without an account id are that account's alone; export an account id with these"
    )
    return others.height


def _added(new: pl.DataFrame, earlier: pl.DataFrame, stage: Stage) -> tuple[pl.DataFrame, int]:
    """Join new rows to earlier ones; give all rows, and how many of the new ones say something new."""
    fresh = new.join(earlier, on=new.columns, how="anti", nulls_equal=True)
    if stage.layout.key is not None:
        earlier = earlier.join(new, on=stage.layout.key, how="anti")
        return pl.concat([earlier, new]), fresh.height
    return pl.concat([earlier, fresh]), fresh.height
