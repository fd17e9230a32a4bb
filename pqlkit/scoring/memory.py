"""The memory: what the runs before this one knew about each entity, from a ledger or from the last list of leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pqlkit.scoring.lead_file import Shape
    from pqlkit.typing import Microseconds

KNOWN: Final = pl.Schema(
    {
        "id": pl.String(),
        "status": pl.String(),
        "on": pl.Int64(),
        "until": pl.Int64(),
        "known_at": pl.Int64(),
        "arm": pl.String(),
        "hash": pl.String(),
    }
)
"""Columns of `Memory.known`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory:
    """What is remembered of one definition.

    Parameters
    ----------
    known
        One row per entity of the last run: ``id`` (text), ``status`` (its last one), and where it ever was a lead ``on`` (the
        start that was new then, UTC microseconds), ``until`` (the last `as_of` at which it was seen to hold), ``known_at``
        (the `as_of` of the run that first saw it), ``arm``, ``hash`` (of the definition that it qualified under).
    as_of
        Of the last run; None = there was none: this run is the baseline.
    definition_hash, definition_version
        Of the last run whose definition was accepted.
    first_runs
        Hash of each definition of this name -> the number of the run that scored it first.
    queued
        Ids whose alert an unfinished run has already put into the outbox.
    lasting
        Whether it comes from a ledger, and so knows everybody.
    """

    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=KNOWN))
    as_of: Microseconds | None = None
    definition_hash: str | None = None
    definition_version: int | None = None
    queued: frozenset[str] = frozenset()
    lasting: bool = True
    first_runs: Mapping[str, int] = field(default_factory=dict)

    def taken_back(self, definition_hash: str) -> frozenset[str]:
        """Give the hashes that came after a definition which is back tonight.

        Examples
        --------
        >>> Memory(first_runs={"a": 1, "b": 2}).taken_back("a")
        frozenset({'b'})
        """
        first = self.first_runs.get(definition_hash)
        return frozenset(other for other, run in self.first_runs.items() if first is not None and run > first)


def memory_of_file(path: Path, key: str, definition: str, shape: Shape | None = None) -> Memory:
    """Read the memory from the last list of leads (``--previous``).

    Parameters
    ----------
    path
        The list.
    key
        ``user_id`` or ``account_id``.
    definition
        Rows of other definitions are left out.
    shape
        As it was written with.

    Raises
    ------
    DataError
        It cannot be read, lacks a column, or is of another kind of entity.
    """
    from pqlkit.scoring.lead_file import read_leads

    table = read_leads(path, shape)
    needed = (key, "status", "qualified_at", "requalified_at", "as_of", "definition", "definition_hash")
    lacking = [name for name in needed if name not in table.columns]
    if lacking:
        raise DataError(
            f"{path} has no column {lacking[0]}, so it cannot say who was known",
            hint="write the list without --columns, and read it back with the --rename or --preset it was written with",
        )
    rows = table.filter(pl.col("definition") == definition)
    if rows.is_empty():
        return Memory(lasting=False)
    as_of = _instant(rows, "as_of").max()
    on = pl.coalesce(_expr("requalified_at"), _expr("qualified_at"))
    holds = pl.col("status").is_in(["pql", "expired"])
    absent = pl.lit(None, pl.String)
    known = rows.select(
        pl.col(key).alias("id"),
        "status",
        on.alias("on"),
        pl.when(on.is_not_null()).then(pl.when(holds).then(_expr("as_of")).otherwise(on)).alias("until"),
        (_expr("known_at") if "known_at" in rows.columns else pl.lit(None, pl.Int64)).alias("known_at"),
        (pl.col("arm") if "arm" in rows.columns else absent).alias("arm"),
        pl.col("definition_hash").alias("hash"),
    )
    first = rows.row(0, named=True)
    version = first.get("definition_version")
    return Memory(
        known=known.unique("id", keep="first", maintain_order=True).cast(KNOWN),
        as_of=int(as_of) if as_of is not None else None,  # type: ignore[arg-type]
        definition_hash=first["definition_hash"],
        definition_version=int(version) if version is not None else None,
        lasting=False,
    )


def _expr(name: str) -> pl.Expr:
    return pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC", strict=False).dt.timestamp("us")


def _instant(frame: pl.DataFrame, name: str) -> pl.Series:
    return frame.select(_expr(name)).to_series()
