"""The record of a report: ``pqlkit/report/2``, and of several: ``pqlkit/reports/2``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.describing import describe, phrase
from pqlkit.durations import moment
from pqlkit.reporting.records.figures import modelled, relative_risk

if TYPE_CHECKING:
    from pqlkit.analysis.criteria import CriterionRates
    from pqlkit.rates.arm_rates import Arms
    from pqlkit.rates.funnel import Levels, Waiting
    from pqlkit.rates.periods import PeriodRates
    from pqlkit.rates.report import Report, Segment
    from pqlkit.rates.teams import Team
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.typing import Json


def record(report: Report) -> dict[str, Json]:
    """Write a report as the JSON contract spells it."""
    funnel, outcome = report.funnel, report.definition.outcome
    time_to_convert, weekly, contacted = report.time_to_convert, report.pqls_per_week, report.contacted
    return {
        "schema": "pqlkit/report/2",
        "definition": report.definition.name,
        "definition_version": report.definition.version,
        "title": report.definition.title,
        "describe": describe(report.definition),
        "entity": report.definition.entity.value,
        "conversion_window": str(outcome.within) if outcome is not None else None,
        "as_of": moment(report.population.as_of),
        "as_of_reason": report.population.as_of_reason,
        "snapshots": report.snapshots.text,
        "funnel": {
            "signups": funnel.signups,
            "pqls": funnel.pqls,
            "customers": funnel.customers,
            "to_date": levels(funnel.to_date),
            "cohort": {
                "signed_up_from": moment(funnel.cohort.first),
                "signed_up_through": moment(funnel.cohort.through),
                "pql_within": str(funnel.cohort.pql_within),
                "customer_by": str(funnel.cohort.customer_by),
                **levels(funnel.cohort.levels),
            },
            "left_out": [
                {"reason": one.reason.value, "entities": one.entities, "customers": one.customers}
                for one in funnel.left_out
            ],
            "customers_without_use": {"never": funnel.unused.never, "dormant": funnel.unused.dormant},
            "signup_to_pql": funnel.cohort.levels.pqls.to_json(),
            "pql_to_customer": {
                "view": "qualification",
                **funnel.pql_to_customer.to_json(),
                "in_progress": report.in_progress,
            },
            "signup_to_customer": funnel.cohort.levels.customers.to_json(),
            "recall": funnel.recall.to_json(),
            "qualified_first": funnel.qualified_first.to_json(),
            "snapshot": {
                **sides(funnel.snapshot),
                **relative_risk(funnel.snapshot.relative_risk()),
                "lift": funnel.snapshot.lift,
            },
        },
        "qualifications": {
            "starts": report.starts.height,
            "entities": report.starts.get_column("entity").n_unique(),
            "complete": report.starts.height - report.in_progress,
            "in_progress": report.in_progress,
            "unrated": funnel.unrated,
        },
        "time_to_pql": waiting(report.time_to_pql),
        "time_to_customer": waiting(report.time_to_customer),
        "time_to_convert": {
            "median_days": time_to_convert.median_days,
            "p25_days": time_to_convert.p25_days,
            "p75_days": time_to_convert.p75_days,
            "within_a_day": time_to_convert.within_a_day,
            "n": time_to_convert.n,
        },
        "pqls_per_week": {"median": weekly.median, "p90": weekly.p90, "weeks": weekly.weeks},
        "criteria": [criterion(one) for one in report.criteria],
        "without_mechanical": {} if report.without_mechanical is None else sides(report.without_mechanical),
        "contacted": {}
        if contacted is None
        else {
            "before": contacted.before.to_json(),
            "after": contacted.after.to_json(),
            "after_within_1h": contacted.within_1h.to_json(),
            "after_within_24h": contacted.within_24h.to_json(),
            "after_within_3d": contacted.within_3d.to_json(),
            "after_later": contacted.later.to_json(),
            "never": contacted.never.to_json(),
        },
        "arms": {} if report.arms is None else arms(report.arms),
        "retained": {} if report.retained is None else report.retained.to_json(),
        "teams": [team(one) for one in report.teams],
        "amounts": {}
        if report.amounts is None
        else {
            "customers": report.amounts.customers,
            "per_customer": report.amounts.per_customer,
            "per_pql": report.amounts.per_pql,
        },
        "cohorts": [segment(one, "cohort") for one in report.cohorts],
        "segments": [segment(one, "segment") for one in report.segments],
        "periods": [period(one) for one in report.periods],
        "warnings": list(report.warnings),
    }


def levels(one: Levels) -> dict[str, Json]:
    """Write the levels of a funnel: each is part of the one above, and the customers add up."""
    return {
        "signups": one.signups,
        "pqls": one.pqls.to_json(),
        "pql_customers": one.pql_customers.to_json(),
        "not_pqls": one.other_customers.denominator,
        "other_customers": one.other_customers.to_json(),
        "customers": one.customers.numerator,
    }


def sides(table: Contingency) -> dict[str, Json]:
    """Write a 2x2 table as its two groups."""
    return {
        "with": table.with_.to_json(numerator="converted", denominator="snapshots"),
        "without": table.without.to_json(numerator="converted", denominator="snapshots"),
    }


def waiting(one: Waiting) -> dict[str, Json]:
    """Write how long something takes."""
    return {
        "median_days": one.median_days,
        "p25_days": one.p25_days,
        "p75_days": one.p75_days,
        "within": str(one.within),
        "n": one.n,
        "reached": one.reached,
    }


def arms(one: Arms) -> dict[str, Json]:
    """Write what became of the leads of each arm, and the difference (contact less control)."""
    return {
        "contact": one.contact.to_json(),
        "control": one.control.to_json(),
        "difference": difference(one.difference),
        "in_progress": one.in_progress,
        "unmatched": one.unmatched,
    }


def difference(one: Estimate) -> dict[str, Json]:
    """Write a difference of two rates with its interval."""
    return {"value": one.value, "low": one.low, "high": one.high}


def team(one: Team) -> dict[str, Json]:
    """Write one team's pair."""
    return {
        "team": one.team,
        "quantity": one.quantity,
        "quantity_of": one.quantity_of,
        "quality": {} if one.quality is None else one.quality.to_json(),
        "quality_of": one.quality_of,
    }


def criterion(one: CriterionRates) -> dict[str, Json]:
    """Write one criterion's rates."""
    rest = one.without_it
    return {
        "id": one.leaf.id,
        "describe": phrase(one.part),
        "mechanical": one.mechanical,
        "alone": {**sides(one.alone), **relative_risk(one.alone.relative_risk())},
        "without_it": {} if rest is None else {**sides(rest), **relative_risk(rest.relative_risk())},
    }


def segment(one: Segment, key: str) -> dict[str, Json]:
    """Write one cohort or segment."""
    return {
        "by": one.by,
        key: one.name,
        "signups": one.signups,
        "signup_to_pql": one.signup_to_pql.to_json(),
        "pql_to_customer": one.pql_to_customer.to_json(),
        "signup_to_customer": one.signup_to_customer.to_json(),
    }


def period(one: PeriodRates) -> dict[str, Json]:
    """Write one period; `drift` has nulls for the baseline and for periods that are too recent."""
    drift = one.drift
    return {
        "period": one.period,
        "starts": one.starts,
        "mature": one.mature,
        "baseline": one.baseline,
        "basis": one.basis.value if one.basis else None,
        "pql_to_customer": {"view": "qualification", **one.rate.to_json()},
        "snapshot": sides(one.snapshot),
        "change": {} if one.change is None else {"from": one.change.since, **difference(one.change.by)},
        "share": one.snapshot.share.rate,
        "drift": {
            "p_value": modelled(drift.verdict_p_value) if drift else None,
            "rate_p_value": modelled(drift.p_value) if drift else None,
            "rate_difference": difference(drift.rate_difference) if drift else {},
            "verdict": drift.verdict.value if drift else None,
            "findings": [finding.value for finding in drift.findings] if drift else [],
            "share_ratio": modelled(drift.share_ratio) if drift else None,
            "base_ratio": modelled(drift.base_ratio) if drift else None,
            "detectable_fall": modelled(drift.detectable_fall) if drift else None,
            "moved": list(one.moved),
        },
    }
