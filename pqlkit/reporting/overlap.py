"""The overlap: who several definitions find in common, and who only one of them does."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.reporting.report import Report
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
        ``definitions`` (names), ``entities``, ``converted``; the largest combination of each kind last. Empty
        combinations are left out.
    """
    import polars as pl

    tables = [_found(one, index) for index, one in enumerate(reports)]
    kinds = {one.population.kind for one in reports}
    rows: list[dict[str, Json]] = []
    for kind in sorted(kinds):
        members = [i for i, one in enumerate(reports) if one.population.kind is kind]
        joined = tables[members[0]]
        for i in members[1:]:
            joined = joined.join(tables[i], on="id", how="full", coalesce=True)
        joined = joined.with_columns(pl.col(f"in{i}").fill_null(value=False) for i in members)
        converted = pl.any_horizontal(pl.col(f"y{i}").fill_null(value=False) for i in members)
        counted = joined.group_by([f"in{i}" for i in members]).agg(pl.len().alias("n"), converted.sum().alias("y"))
        seen = {tuple(row[: len(members)]): (row[-2], row[-1]) for row in counted.iter_rows()}
        for size in range(1, len(members) + 1):
            for chosen in combinations(members, size):
                entities, paid = seen.get(tuple(i in chosen for i in members), (0, 0))
                if entities:
                    names = [reports[i].definition.name for i in chosen]
                    rows.append({"definitions": list(names), "entities": int(entities), "converted": int(paid)})
    return rows


def _found(one: Report, index: int) -> pl.DataFrame:
    import polars as pl

    ids = one.population.entities.select("entity", "id")
    first = one.starts.group_by("entity").agg(pl.col("y").any().alias(f"y{index}"))
    return first.join(ids, on="entity").select("id", pl.lit(value=True).alias(f"in{index}"), f"y{index}")
