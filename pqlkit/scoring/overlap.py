"""The overlap: whom several definitions find tonight in common, and whom only one of them does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pqlkit.scoring.lead import LeadStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.scoring.news import News
    from pqlkit.typing import Json


def overlap(newses: Sequence[News]) -> list[dict[str, Json]]:
    """Count who is a `pql` of exactly these definitions, for every combination that has somebody.

    Parameters
    ----------
    newses
        One per definition. Users and accounts are counted apart.

    Returns
    -------
    list of dict
        ``entity``, ``definitions`` (names, in the given order), ``leads``, ``new``; fewer definitions first, then by name.
    """
    rows: list[dict[str, Json]] = []
    for kind in sorted({news.leads.definition.entity.value for news in newses}):
        members = [news for news in newses if news.leads.definition.entity.value == kind]
        rows += _combinations(kind, members)
    return rows


def _combinations(kind: str, members: Sequence[News]) -> list[dict[str, Json]]:
    tables = [
        member.frame.filter(pl.col("status") == LeadStatus.PQL.value).select(
            pl.col(member.leads.key).cast(pl.String).alias("id"),
            pl.lit(place).alias("place"),
            pl.col("newly_qualified").fill_null(value=False).alias("new"),
        )
        for place, member in enumerate(members)
    ]
    places_of_lead = pl.concat(tables).sort("place").group_by("id").agg(pl.col("place"), pl.col("new").any())
    counted = places_of_lead.group_by("place").agg(pl.len().alias("leads"), pl.col("new").sum())
    names = [member.leads.definition.name for member in members]
    rows: list[dict[str, Json]] = [
        {"entity": kind, "definitions": [names[i] for i in places], "leads": leads, "new": new}
        for places, leads, new in counted.iter_rows()
    ]
    return sorted(rows, key=lambda row: (len(row["definitions"]), str(row["definitions"])))  # type: ignore[arg-type]
