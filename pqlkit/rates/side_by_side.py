"""The comparison: several definitions on the same snapshots, as they are and at the same number of leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.options.schedule_kind import DesignKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.definitions.model import EntityKind
    from pqlkit.rates.report import Report
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One definition of a comparison.

    Parameters
    ----------
    name
        The definition's, told apart from the others'.
    table
        Snapshots that meet it, and the others; the same snapshots for all sides.
    promised, recall
        The PQL-to-customer rate, and of the customers those with a qualification in the window before, from its own report.
    expected, leads
        Conversions expected had it given as many leads as the first side: its snapshots taken at random, or others added at
        random.
    first_against_it
        How many times as often snapshots that meet the first side's definition converted; None for the first side itself.
    """

    name: str
    table: Contingency
    promised: Rate
    recall: Rate
    expected: float
    leads: int
    first_against_it: Estimate | None = None

    @property
    def rate(self) -> float | None:
        """Expected conversions per lead at the common number of leads."""
        return self.expected / self.leads if self.leads else None

    @property
    def lift(self) -> float | None:
        """The same over the base rate of all snapshots."""
        base = self.table.base.rate
        return None if self.rate is None or not base else self.rate / base


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Definitions of one kind of entity on the snapshots of one of them.

    Parameters
    ----------
    kind
        What an entity is.
    snapshots
        Where all were read: those of the first ``every`` definition if there is one, else of the longest ``once``, whatever any
        definition says about who is eligible.
    sides
        In the order given.
    """

    kind: EntityKind
    snapshots: Snapshots
    sides: tuple[Side, ...]


def shared_signups(reports: Sequence[Report]) -> tuple[pl.Series | None, ...]:
    """Say of each report to whom it must be narrowed, so that all of one kind of entity count the same: ids as text, or None.

    Definitions of what customers do (expansion) are left as they are: their entities are stays.
    """
    import polars as pl

    from pqlkit.population.stays import is_expansion

    ids = [report.population.entities["id"].cast(pl.String).gather(report.signups["entity"]) for report in reports]
    shared: dict[EntityKind, pl.Series] = {}
    plain = [not is_expansion(report.population.outcome) for report in reports]
    for report, own, counts in zip(reports, ids, plain, strict=True):
        if counts:
            kind = report.population.kind
            known = shared.get(kind, own)
            shared[kind] = known.filter(known.is_in(own.implode()))
    return tuple(
        common if counts and len(common := shared[report.population.kind]) < len(own) else None
        for report, own, counts in zip(reports, ids, plain, strict=True)
    )


def side_by_side(reports: Sequence[Report]) -> tuple[Comparison, ...]:
    """Compare definitions fairly: the same snapshots, the same outcome (that of the definition whose snapshots they are).

    Parameters
    ----------
    reports
        Those of one kind of entity are compared with one another. Definitions of what customers do (expansion) are left out:
        their stays differ.

    Returns
    -------
    tuple of Comparison
        One per kind with at least two definitions.
    """
    from pqlkit.population.stays import is_expansion
    from pqlkit.rates.names import told_apart

    comparisons = []
    names = told_apart([report.definition for report in reports])
    plain = [
        (report, name)
        for report, name in zip(reports, names, strict=True)
        if not is_expansion(report.population.outcome)
    ]
    for kind in sorted({report.population.kind for report, _ in plain}):
        members = [(report, name) for report, name in plain if report.population.kind is kind]
        if len(members) > 1:
            comparisons.append(_compared(members, kind))
    return tuple(comparisons)


def _compared(named: Sequence[tuple[Report, str]], kind: EntityKind) -> Comparison:
    from pqlkit.snapshots.clusters import clusters
    from pqlkit.snapshots.snapshots import snapshots_of
    from pqlkit.statistics.predictive_value import relative_predictive_value

    members = [report for report, _ in named]
    owner = max(members, key=_breadth)
    seen = snapshots_of(owner.population, owner.snapshots.design)
    met = [_met(member, owner, seen) for member in members]
    tables = [seen.table(member) for member in met]
    y = seen.frame.get_column("y").to_numpy()
    labels = clusters(owner.population, seen.frame.get_column("entity").to_numpy())
    leads = tables[0].n1
    sides = tuple(
        Side(
            name=name,
            table=table,
            promised=member.funnel.pql_to_customer,
            recall=member.funnel.recall,
            expected=expected(table, leads),
            leads=leads,
            first_against_it=relative_predictive_value(met[0], held, y, labels) if held is not met[0] else None,
        )
        for (member, name), table, held in zip(named, tables, met, strict=True)
    )
    return Comparison(kind=kind, snapshots=seen, sides=sides)


def _breadth(report: Report) -> tuple[bool, int]:
    design = report.snapshots.design
    every = design.kind is DesignKind.EVERY
    return every, 0 if every else design.longest.microseconds


def _met(compared: Report, owner: Report, seen: Snapshots) -> NDArray[np.bool_]:
    """Say at which of the owner's snapshots a definition holds."""
    from pqlkit.snapshots.matches import meets, seen_spells

    theirs, ours = (report.population.entities.select("entity", "id") for report in (compared, owner))
    index = theirs.join(ours, on="id", suffix="_ours").select("entity", "entity_ours")
    spells = seen_spells(compared.population, compared.definition, compared.spells)
    spells = spells.join(index, on="entity").select("on", "off", entity="entity_ours")
    return meets(spells, seen.frame)


def expected(table: Contingency, leads: int) -> float:
    """Expect the conversions of so many snapshots, taken from those that meet it first, from the others at random after.

    Examples
    --------
    >>> from pqlkit.statistics.contingency import Contingency
    >>> table = Contingency(30, 70, 20, 880)
    >>> expected(table, 50), expected(table, 100), expected(table, 550)
    (15.0, 30.0, 40.0)
    """
    inside = min(leads, table.n1)
    outside = leads - inside
    return float(
        table.a * (inside / table.n1 if table.n1 else 0.0) + table.c * (outside / table.n0 if table.n0 else 0.0)
    )


def record(comparison: Comparison) -> dict[str, Json]:
    """Write a comparison as the JSON contract spells counts and rates."""
    return {
        "entity": comparison.kind.value,
        "snapshots": comparison.snapshots.text,
        "conversion_window": str(comparison.snapshots.design.conversion_window),
        "leads": comparison.sides[0].leads,
        "base_rate": comparison.sides[0].table.base.to_json(numerator="converted", denominator="snapshots"),
        "definitions": [
            {
                "definition": side.name,
                "with": side.table.with_.to_json(numerator="converted", denominator="snapshots"),
                "without": side.table.without.to_json(numerator="converted", denominator="snapshots"),
                "share": side.table.share.rate,
                "snapshot_recall": side.table.recall.rate,
                "lift": side.table.lift,
                "relative_risk": side.table.relative_risk().value,
                "pql_to_customer": {"view": "qualification", **side.promised.to_json()},
                "recall": side.recall.to_json(),
                "first_against_it": {}
                if (against := side.first_against_it) is None
                else {"ratio": against.value, "low": against.low, "high": against.high},
                "at_equal_leads": {"converted": side.expected, "rate": side.rate, "lift": side.lift},
            }
            for side in comparison.sides
        ],
    }
