"""The overlap: who several definitions find in common, and who only one of them does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.rates.report import Report
    from pqlkit.typing import Json


def overlaps(reports: Sequence[Report]) -> list[dict[str, Json]]:
    """Count entities with a counted start for every combination of definitions: in exactly these, and in no other.

    Parameters
    ----------
    reports
        Of one kind of entity; combinations across kinds are left out.

    Returns
    -------
    list of dict
        ``definitions`` (names, told apart), ``entities``, ``converted`` (by a start of any of them); larger combinations later. Empty
        combinations are left out; every entity is in exactly one row.
    """
    import polars as pl

    from pqlkit.rates.names import told_apart

    names = told_apart([report.definition for report in reports])
    rows: list[dict[str, Json]] = []
    for kind in sorted({report.population.kind for report in reports}):
        members = [i for i, report in enumerate(reports) if report.population.kind is kind]
        joined = _found(reports[members[0]], members[0])
        for i in members[1:]:
            joined = joined.join(_found(reports[i], i), on="id", how="full", coalesce=True)
        inside = [pl.col(f"in{i}").fill_null(value=False) for i in members]
        converted = pl.any_horizontal(pl.col(f"y{i}").fill_null(value=False) for i in members)
        counted = joined.group_by(inside).agg(pl.len().alias("n"), converted.sum().alias("y"))
        shared = sorted(
            ([i for i, held in zip(members, row, strict=False) if held], row[-2], row[-1])
            for row in counted.iter_rows()
        )
        rows += [
            {
                "definitions": [names[i] for i in chosen],
                "entities": int(entities),
                "converted": int(paid),
            }
            for chosen, entities, paid in sorted(shared, key=lambda report: len(report[0]))
        ]
    return rows


def _found(report: Report, index: int) -> pl.DataFrame:
    import polars as pl

    ids = report.population.entities.select("entity", pl.col("id").cast(pl.String))
    # With an expansion outcome an id has several stays: it is found if any of them is.
    first = report.starts.join(ids, on="entity").group_by("id").agg(pl.col("y").any().alias(f"y{index}"))
    return first.with_columns(pl.lit(value=True).alias(f"in{index}"))
