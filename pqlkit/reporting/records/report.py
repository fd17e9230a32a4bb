"""The record of a report: ``pqlkit/report/2``, and of several: ``pqlkit/reports/2``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.describing import describe, phrase
from pqlkit.durations import moment
from pqlkit.rates.customer_value import Quantity
from pqlkit.reporting.records.figures import modelled, relative_risk

if TYPE_CHECKING:
    from pqlkit.analysis.criteria import CriterionRates
    from pqlkit.rates.arm_rates import Arms
    from pqlkit.rates.customer_value import CustomerValue
    from pqlkit.rates.funnel import Levels, Waiting
    from pqlkit.rates.near_misses import NearMisses
    from pqlkit.rates.periods import PeriodRates
    from pqlkit.rates.report import Report, Segment
    from pqlkit.rates.teams import Team
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Json


def record(report: Report) -> dict[str, Json]:
    """Write a report as the JSON contract spells it."""
    funnel, outcome = report.funnel, report.definition.outcome
    # An outcome that is asked of each qualification makes nobody a customer.
    purchase = report.population.outcome.after is None
    time_to_convert, weekly, contacted = report.times.to_convert, report.pqls_per_week, report.parts.contacted
    return {
        "schema": "pqlkit/report/2",
        "definition": report.definition.name,
        "definition_version": report.definition.version,
        "title": report.definition.title,
        "describe": describe(report.definition),
        "entity": report.definition.entity.value,
        "words": {
            name: getattr(report.nouns, name)
            for name in ("lead", "leads", "meaning", "success", "outcome", "outcomes", "who")
        },
        "conversion_window": str(outcome.within) if outcome is not None else None,
        "after": str(outcome.after) if outcome is not None and outcome.after is not None else None,
        "as_of": moment(report.population.as_of),
        "as_of_reason": report.population.as_of_reason,
        "snapshots": report.snapshots.text,
        "funnel": {
            "signups": funnel.signups,
            "pqls": funnel.pqls,
            "customers": funnel.customers,
            "to_date": levels(funnel.to_date, customers=purchase),
            "cohort": {
                "signed_up_from": moment(funnel.cohort.first),
                "signed_up_through": moment(funnel.cohort.through),
                "pql_within": str(funnel.cohort.pql_within),
                "customer_by": str(funnel.cohort.customer_by),
                **levels(funnel.cohort.levels, customers=purchase),
            },
            "left_out": [
                {
                    "reason": criterion_rates.reason.value if criterion_rates.reason else "other-definition",
                    "entities": criterion_rates.entities,
                    "customers": criterion_rates.customers,
                }
                for criterion_rates in funnel.left_out
            ],
            "unknown_conversions": report.population.conversions.unknown_entity,
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
                "conversion_window": str(report.snapshots.design.conversion_window),
                **sides(funnel.snapshot),
                **relative_risk(funnel.snapshot.relative_risk()),
                "lift": funnel.snapshot.lift,
            },
        },
        "qualifications": {
            "starts": report.starts.height,
            "entities": report.starts.get_column("entity").n_unique(),
            "complete": int(report.starts["mature"].sum()),
            "in_progress": report.in_progress,
            "too_soon": int(report.starts["too_soon"].sum()),
            "unrated": funnel.unrated,
        },
        "time_to_pql": waiting(report.times.to_pql),
        "time_to_customer": waiting(report.times.to_customer),
        "time_to_convert": {
            "median_days": time_to_convert.median_days,
            "p25_days": time_to_convert.p25_days,
            "p75_days": time_to_convert.p75_days,
            "within_a_day": time_to_convert.within_a_day,
            "n": time_to_convert.n,
        },
        "pqls_per_week": {"median": weekly.median, "p90": weekly.p90, "weeks": weekly.weeks},
        "criteria": [criterion(criterion_rates) for criterion_rates in report.criteria],
        "without_mechanical": {} if report.without_mechanical is None else sides(report.without_mechanical),
        "chosen_on": {}
        if report.chosen_on is None
        else {
            "from": report.chosen_on.start.isoformat(),
            "through": report.chosen_on.through.isoformat(),
            "leads": report.chosen_on.leads,
            "later_from": report.chosen_on.later_from.isoformat(),
            "later": report.chosen_on.later.to_json(),
        },
        "near_misses": near_misses(report.near_misses),
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
        "arms": {} if report.parts.arms is None else arms(report.parts.arms),
        "retained": {} if report.customers.retained is None else report.customers.retained.to_json(),
        "customers": {} if report.customers.value is None else customers(report.customers.value),
        "teams": [team(criterion_rates) for criterion_rates in report.teams],
        "amounts": {}
        if report.customers.amounts is None
        else {
            "customers": report.customers.amounts.customers,
            "per_customer": report.customers.amounts.per_customer,
            "per_pql": report.customers.amounts.per_pql,
        },
        "cohorts": [segment(criterion_rates, "cohort") for criterion_rates in report.parts.cohorts],
        "segments": [segment(criterion_rates, "segment") for criterion_rates in report.parts.segments],
        "periods": [period(criterion_rates) for criterion_rates in report.periods],
        "warnings": list(report.warnings),
    }


def near_misses(misses: NearMisses) -> dict[str, Json]:
    """Write what became of those who had nearly qualified, and who is near now."""
    return {
        "at_least": misses.near.at_least,
        "active_within": str(misses.near.active_within),
        "dates": [moment(date) for date in misses.dates],
        "qualified": misses.qualified.to_json(),
        "customers": misses.customers.to_json(),
        "now": misses.now,
        "in_reach": misses.in_reach,
    }


def levels(levels: Levels, *, customers: bool) -> dict[str, Json]:
    """Write the levels of a funnel: each is part of the one above, and the customers add up; without `customers` nobody is one."""
    return {
        "signups": levels.signups,
        "pqls": levels.pqls.to_json(),
        "pql_customers": levels.pql_customers.to_json() if customers else {},
        "not_pqls": levels.other_customers.denominator,
        "other_customers": levels.other_customers.to_json() if customers else {},
        "customers": levels.customers.numerator if customers else None,
    }


def sides(table: Contingency) -> dict[str, Json]:
    """Write a 2x2 table as its two groups."""
    return {
        "with": table.with_.to_json(numerator="converted", denominator="snapshots"),
        "without": table.without.to_json(numerator="converted", denominator="snapshots"),
    }


def waiting(waiting: Waiting) -> dict[str, Json]:
    """Write how long something takes."""
    return {
        "median_days": waiting.median_days,
        "p25_days": waiting.p25_days,
        "p75_days": waiting.p75_days,
        "within": str(waiting.within),
        "n": waiting.n,
        "reached": waiting.reached,
    }


def arms(arms: Arms) -> dict[str, Json]:
    """Write what became of the leads of each arm, and the difference (contact less control)."""
    return {
        "contact": arms.contact.to_json(),
        "control": arms.control.to_json(),
        "difference": difference(arms.difference),
        "in_progress": arms.in_progress,
        "unmatched": arms.unmatched,
    }


def difference(estimate: Estimate) -> dict[str, Json]:
    """Write a difference of two rates with its interval."""
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def customers(value: CustomerValue) -> dict[str, Json]:
    """Write what kind of customers those who were PQLs first are, against the others."""
    return {
        "pql_born": value.pql_born,
        "others": value.others,
        "window": None if value.window is None else str(value.window),
        "followed": {"pql_born": value.followed[0], "others": value.followed[1]},
        "figures": [
            {
                "what": line.what,
                "window": None if line.window is None else str(line.window),
                "pql_born": figure(line.pql_born),
                "others": figure(line.others),
                "difference": difference(line.difference),
            }
            for line in value.lines
        ],
    }


def figure(value: Rate | Quantity | int) -> dict[str, Json]:
    """Write a share, a mean or a count."""
    match value:
        case int():
            return {"count": value}
        case Quantity():
            return {"n": value.n, "mean": value.mean.value, "low": value.mean.low, "high": value.mean.high}
        case _:
            return value.to_json()


def team(team: Team) -> dict[str, Json]:
    """Write what one team is measured by."""
    return {"team": team.team, "figures": [{"what": what, **figure(value)} for what, value in team.figures]}


def criterion(criterion_rates: CriterionRates) -> dict[str, Json]:
    """Write one criterion's rates."""
    rest = criterion_rates.without_it
    return {
        "id": criterion_rates.leaf.id,
        "describe": phrase(criterion_rates.part),
        "mechanical": criterion_rates.mechanical,
        "alone": {**sides(criterion_rates.alone), **relative_risk(criterion_rates.alone.relative_risk())},
        "without_it": {} if rest is None else {**sides(rest), **relative_risk(rest.relative_risk())},
    }


def segment(segment: Segment, key: str) -> dict[str, Json]:
    """Write one cohort or segment."""
    return {
        "by": segment.by,
        key: segment.name,
        "signups": segment.signups,
        "signup_to_pql": segment.signup_to_pql.to_json(),
        "pql_to_customer": segment.pql_to_customer.to_json(),
        "signup_to_customer": segment.signup_to_customer.to_json(),
    }


def period(period_rates: PeriodRates) -> dict[str, Json]:
    """Write one period; `drift` has nulls for the baseline and for what came before it."""
    drift = period_rates.drift
    return {
        "period": period_rates.period,
        "starts": period_rates.starts,
        "per_week": period_rates.per_week,
        "mature": period_rates.mature,
        "baseline": period_rates.baseline,
        "basis": period_rates.basis.value if period_rates.basis else None,
        "pql_to_customer": {"view": "qualification", **period_rates.rate.to_json()},
        "snapshot": sides(period_rates.snapshot),
        "change": {}
        if period_rates.change is None
        else {"from": period_rates.change.since, **difference(period_rates.change.by)},
        "share": period_rates.snapshot.share.rate,
        "judged": period_rates.judged,
        "drift": {
            "p_value": modelled(drift.verdict_p_value) if drift else None,
            "rate_p_value": modelled(drift.p_value) if drift else None,
            "rate_difference": difference(drift.rate_difference) if drift else {},
            "verdict": drift.verdict.value if drift else None,
            "findings": [finding.value for finding in drift.findings] if drift else [],
            "share_ratio": modelled(drift.share_ratio) if drift else None,
            "base_ratio": modelled(drift.base_ratio) if drift else None,
            "detectable_fall": modelled(drift.detectable_fall) if drift else None,
            "missed_fall": modelled(drift.missed_fall) if drift else None,
            "level": modelled(drift.level) if drift else None,
            "comparable": modelled(drift.comparable) if drift else None,
            "moved": list(period_rates.moved),
        },
    }
