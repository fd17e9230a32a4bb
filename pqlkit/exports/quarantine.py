"""The quarantine: every row that cannot be used, with file, line, column, value and reason, in one JSON Lines file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.errors import OutputError
from pqlkit.exports.batch import SHOWN_ROW, Rejected
from pqlkit.exports.intake import SHOWN, Offender

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LONGEST_VALUE: Final = 1000
SCHEMA: Final = {"line": pl.Int64, "column": pl.String, "value": pl.String, "reason": pl.String, "row": pl.String}


def rejected_frame(rejected: Sequence[Rejected]) -> pl.DataFrame:
    """Make a frame of `SCHEMA` from rows that a reader rejected."""
    rows = [(bad.line, bad.column, bad.value, bad.reason, bad.row) for bad in rejected]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def row_text(frame: pl.DataFrame) -> pl.Series:
    """Write rows as JSON text, cut at `SHOWN_ROW`."""
    if not frame.width:
        return pl.Series("row", ["{}"] * frame.height, dtype=pl.String)
    return frame.select(pl.struct(pl.all()).struct.json_encode().str.slice(0, SHOWN_ROW).alias("row")).to_series()


@dataclass(slots=True, eq=False)
class Quarantine:
    """Collects bad rows: all of them in the file at `path`, their counts and the first offenders by table in memory."""

    path: Path
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    offenders: dict[str, list[tuple[int, int, Offender]]] = field(default_factory=dict)

    def add(self, table: str, place: int, file: str, bad: pl.DataFrame) -> None:
        """Add rows of `SCHEMA`; `place` is the file's position among the table's inputs.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        if bad.is_empty():
            return
        bad = bad.select(
            pl.lit(table).alias("table"),
            pl.lit(file).alias("file"),
            pl.col("line", "column"),
            pl.col("value").str.slice(0, LONGEST_VALUE),
            pl.col("reason", "row"),
        )
        counts = bad.group_by("reason").len()
        self.reasons.setdefault(table, Counter()).update(dict(counts.iter_rows()))
        try:
            with self.path.open("ab") as stream:
                bad.write_ndjson(stream)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
        first = bad.bottom_k(SHOWN, by="line").select("line", "column", "value", "reason").rows()
        shown = self.offenders.setdefault(table, [])
        shown.extend(
            (place, line, Offender(file=file, line=line, column=column, value=value, reason=reason))
            for line, column, value, reason in first
        )
        shown.sort(key=lambda entry: entry[:2])
        del shown[SHOWN:]

    def count(self, table: str) -> int:
        """Count the bad rows of a table."""
        return self.reasons.get(table, Counter()).total()

    def commonest(self, table: str) -> dict[str, int]:
        """Give the counts by reason, the largest first, ties by name."""
        reasons = self.reasons.get(table, Counter())
        return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))

    def first(self, table: str) -> tuple[Offender, ...]:
        """Give the first offending rows in file and line order."""
        return tuple(offender for _, _, offender in self.offenders.get(table, []))
