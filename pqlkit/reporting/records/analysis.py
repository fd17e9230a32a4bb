"""The record of an analysis: ``pqlkit/analysis/2``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.analysis.cohorts import everybody
from pqlkit.definitions.describing import describe
from pqlkit.durations import moment
from pqlkit.reporting.records.figures import adjusted, counts, modelled, relative_risk
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.among_doers import ToldKind
    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.association import Association
    from pqlkit.analysis.bend import Shape
    from pqlkit.analysis.cohorts import Cohort
    from pqlkit.analysis.fewer import Fewer
    from pqlkit.analysis.follow_up import CurveRate
    from pqlkit.analysis.hypotheses import Hypothesis
    from pqlkit.analysis.metering import Meter
    from pqlkit.analysis.tempo import Pace
    from pqlkit.analysis.value_metric import ValueMetric
    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.typing import Json


def record(analysis: Analysis) -> dict[str, Json]:
    """Write an analysis as the JSON contract spells it; adding keys is fine, renaming needs a new schema number."""
    observed = analysis.observed
    population, snapshots = observed.population, observed.snapshots
    base = {"rate": observed.base.rate, "low": observed.base.low, "high": observed.base.high}
    dormant = counts(snapshots.dormant)
    return {
        "schema": "pqlkit/analysis/2",
        "as_of": moment(population.as_of),
        "as_of_reason": population.as_of_reason,
        "entity": population.kind.value,
        "snapshots": snapshots.text,
        "snapshots_reason": snapshots.reason,
        "exposure": observed.settings.exposure.value,
        "windows": [str(window) for window in snapshots.design.windows],
        "conversion_window": str(snapshots.design.conversion_window),
        "gap": str(snapshots.design.gap),
        "design_effect": modelled(observed.design_effect),
        "tier": analysis.tier.value,
        "population": {**counts(snapshots.classes), **base, "kaplan_meier": _on_the_curve(analysis.curve)},
        "dormant": dormant,
        "conversions": counts(snapshots.places),
        "behaviours": [row(analysis, association) for association in analysis.behaviours],
        "tests": analysis.tests,
        "fewer": [fewer(row) for row in analysis.fewer],
        "kinds": [kind(row) for row in analysis.kinds],
        "meters": [meter(row) for row in analysis.meters],
        "not_monotone": [shape(row) for row in analysis.shapes],
        "pace": [pace(row) for row in analysis.paces],
        "leakage": [
            {
                "event": suspect.event,
                "reason": suspect.reason.value,
                "evidence": suspect.evidence,
                "kept": suspect.kept,
                "named": suspect.named,
            }
            for suspect in observed.leakage
        ],
        "since_start": cohort(everybody(population, snapshots, design_effect=observed.design_effect)),
        "cohorts": [cohort(association) for group in analysis.cohorts for association in group.cohorts],
        "cohort_tests": [
            {
                "by": group.by,
                "log_rank_p": modelled(group.p_value),
                "from": group.start.value,
                "clustered": group.clustered,
            }
            for group in analysis.cohorts
        ],
        "comparison": [value_metric(association) for association in analysis.comparison],
        "advice": _advice(analysis),
        "hypotheses": [
            hypothesis(association) for association in (analysis.hypotheses.tested if analysis.hypotheses else ())
        ],
        "little": _little(analysis),
        "warnings": list(analysis.warnings),
    }


def _on_the_curve(curve_rate: CurveRate) -> Json:
    """Write the Kaplan-Meier rate of the snapshots; `undefined` says why there is none."""
    return {
        "rate": curve_rate.rate.value,
        "low": curve_rate.rate.low,
        "high": curve_rate.rate.high,
        "snapshots": curve_rate.snapshots,
        "undefined": None if curve_rate.unread is None else curve_rate.unread.value,
    }


def row(analysis: Analysis, association: Association) -> dict[str, Json]:
    """Write a behaviour of an analysis, with how many of those who did it had been contacted before."""
    return {**behaviour(association), "contacted_before": _contacted(analysis, association)}


def _contacted(analysis: Analysis, association: Association) -> Json:
    """Write how many who did it, as shown, had been contacted before; null without contacts."""
    shown = association.as_shown()
    counted = None if shown is None else analysis.contacted_before(shown)
    return None if counted is None else {"contacted": counted[0], "snapshots": counted[1]}


def behaviour(association: Association) -> dict[str, Json]:
    """Write one row of the behaviours; `shown` is what people read of it, null where too few reach any threshold."""
    table, effect = association.table, association.design_effect
    risk, difference, odds = _ratios(table, effect)
    length = association.behaviour.window.length
    steps = [step.table for step in association.curve]
    with_ = _groups([(step.a, step.a + step.b) for step in steps], effect)
    without = _groups([(step.c, step.c + step.d) for step in steps], effect)
    return {
        "event": association.behaviour.event,
        "where": where(association.behaviour),
        "measure": spelled(association.behaviour),
        "window": None if length is None else str(length),
        "threshold": association.threshold,
        "with": _group(table.a, table.a + table.b, effect),
        "without": _group(table.c, table.c + table.d, effect),
        "share": table.share.rate,
        "lift": table.lift,
        **relative_risk(risk),
        "risk_difference": difference.value,
        "odds_ratio": odds.value,
        "odds_ratio_low": odds.low,
        "odds_ratio_high": odds.high,
        "phi": table.phi,
        "auc": association.auc,
        "p_value": modelled(association.p_value),
        "q_value": modelled(association.q_value),
        **adjusted(association.effect),
        "flags": [*association.flags, *(["corrected"] if odds.corrected else [])],
        "alike": list(association.alike),
        "shown": _shown(association),
        "curve": [
            {"threshold": step.threshold, "with": doing, "without": others, "phi": phi}
            for step, doing, others, phi in zip(association.curve, with_, without, _phis(steps), strict=True)
        ],
    }


def fewer(row: Fewer) -> dict[str, Json]:
    """Write one behaviour after which fewer convert; `expression` is the hypothesis for ``pqlkit try``."""
    table, length = row.table, row.behaviour.window.length
    return {
        "event": row.behaviour.event,
        "measure": spelled(row.behaviour),
        "window": None if length is None else str(length),
        "threshold": row.threshold,
        "with": _group(table.a, table.n1, table.design_effect),
        "without": _group(table.c, table.n0, table.design_effect),
        "expected": modelled(row.expected),
        **relative_risk(row.relative_risk),
        "p_value": modelled(row.p_value),
        "q_value": modelled(row.q_value),
        **adjusted(row.effect),
        "expression": row.expression,
    }


def where(behaviour: Behaviour) -> Json:
    """Write the values of properties that an event must have; null where it need have none."""
    return {condition.name: condition.values[0] for condition in behaviour.where} or None


def kind(row: ToldKind) -> dict[str, Json]:
    """Write one kind of an event, with it against the other doers of the event; the interval is FCR-adjusted."""
    test, table, length = row.test, row.test.table, row.test.behaviour.window.length
    return {
        "event": test.behaviour.event,
        "where": where(test.behaviour),
        "measure": spelled(test.behaviour),
        "window": None if length is None else str(length),
        "threshold": test.threshold,
        "with": _group(table.a, table.n1, table.design_effect),
        "without": _group(table.c, table.n0, table.design_effect),
        "event_rate": test.event_rate,
        **relative_risk(row.relative_risk),
        "tests": test.tests,
        "p_value": modelled(test.p_value),
        "q_value": modelled(test.q_value),
        "expression": test.expression,
    }


def meter(row: Meter) -> dict[str, Json]:
    """Write an event that is what is billed."""
    return {
        "event": row.event,
        "measure": spelled(row.behaviour),
        "rank_correlation": modelled(row.correlation),
        "conversions": row.conversions,
        "days_ahead": modelled(row.days_ahead),
        "declared": row.declared,
    }


def shape(shape: Shape) -> dict[str, Json]:
    """Write a behaviour that is not monotone: none of it, some, and at least `threshold`."""
    length = shape.behaviour.window.length
    parts = {"none": shape.none, "some": shape.some, "much": shape.much}
    return {
        "event": shape.behaviour.event,
        "measure": spelled(shape.behaviour),
        "window": None if length is None else str(length),
        "threshold": shape.threshold,
        **{name: part.to_json(numerator="converted", denominator="snapshots") for name, part in parts.items()},
        "as_often": shape.as_often,
        "p_value": modelled(shape.p_value),
    }


def pace(pace: Pace) -> dict[str, Json]:
    """Write an event (null: any) by its pace: the last week against the mean of the four weeks before it."""
    parts = {"faster": pace.faster, "same": pace.same, "slower": pace.slower}
    return {
        "event": pace.event,
        **{name: part.to_json(numerator="converted", denominator="snapshots") for name, part in parts.items()},
    }


def _shown(association: Association) -> Json:
    shown = association.as_shown()
    if shown is None:
        return None
    table, effect = shown.table, shown.design_effect
    risk = table.relative_risk(design_effect=effect)
    return {
        "threshold": shown.threshold,
        "with": _group(table.a, table.a + table.b, effect),
        "without": _group(table.c, table.c + table.d, effect),
        "share": table.share.rate,
        **relative_risk(risk),
        "phi": table.phi,
        **adjusted(shown.effect),
    }


def _ratios(table: Contingency, effect: float) -> tuple[Estimate, Estimate, Estimate]:
    return (
        table.relative_risk(design_effect=effect),
        table.risk_difference(design_effect=effect),
        table.odds_ratio(design_effect=effect),
    )


def spelled(behaviour: Behaviour) -> str:
    """Spell a measure as the expression language does: ``count``, ``sum(amount)``."""
    measure = behaviour.measure
    return measure.kind.value if measure.property is None else f"{measure.kind.value}({measure.property})"


def value_metric(value_metric: ValueMetric) -> dict[str, Json]:
    """Write one event of ``--compare``."""
    length = value_metric.behaviour.window.length
    return {
        "event": value_metric.behaviour.event,
        "measure": spelled(value_metric.behaviour),
        "window": None if length is None else str(length),
        "auc": value_metric.area.value,
        "auc_low": value_metric.area.low,
        "auc_high": value_metric.area.high,
        "behind_best": None if value_metric.difference is None else value_metric.difference.to_json(),
        "recall": value_metric.recall.to_json(),
        "share": value_metric.share.to_json(),
        "monotonic": value_metric.monotonic,
        "breaks_at": value_metric.breaks_at,
        "curve": [
            {"threshold": rung.threshold, **rung.rate.to_json(numerator="converted", denominator="snapshots")}
            for rung in value_metric.ladder
        ],
        "stability": [
            {"by": kind.by, "p_value": modelled(kind.p_value), "stable": kind.stable} for kind in value_metric.stability
        ],
        "parts": [
            {
                "by": part.by,
                "name": part.name,
                **part.rate.to_json(numerator="converted", denominator="snapshots"),
                "auc": part.area.value,
                "auc_low": part.area.low,
                "auc_high": part.area.high,
            }
            for part in value_metric.parts
        ],
    }


def cohort(cohort: Cohort) -> dict[str, Json]:
    """Write one cohort with its curve."""
    points: Sequence[Json] = [
        {"day": p.day, "converted_share": p.converted_share, "low": p.low, "high": p.high} for p in cohort.curve
    ]
    return {
        "by": cohort.by,
        "cohort": cohort.cohort,
        **cohort.rate.to_json(numerator="converted", denominator="snapshots"),
        "members": cohort.entities,
        "curve": list(points),
    }


def _group(converted: int, entities: int, effect: float) -> dict[str, Json]:
    return _groups([(converted, entities)], effect)[0]


def _groups(counts: Sequence[tuple[int, int]], effect: float) -> list[dict[str, Json]]:
    rates = Rate.of_each(counts, design_effect=effect)
    return [rate.to_json(numerator="converted", denominator="snapshots") for rate in rates]


def _phis(tables: Sequence[Contingency]) -> list[float | None]:
    """Give phi of each, together: one after another takes as long as everything else of a row."""
    import numpy as np

    from pqlkit.statistics import comparison

    cells = np.array([table.cells for table in tables], dtype=np.int64).reshape(-1, 4)
    return [None if np.isnan(value) else float(value) for value in comparison.phi(*cells.T)]


def table_of(table: Contingency) -> dict[str, Json]:
    """Write a 2x2 table as its two groups."""
    return {"with": _group(table.a, table.a + table.b, 1.0), "without": _group(table.c, table.c + table.d, 1.0)}


def hypothesis(hypothesis: Hypothesis) -> dict[str, Json]:
    """Write one written definition's test."""
    return {
        "definition": hypothesis.definition.name,
        "describe": describe(hypothesis.definition),
        **table_of(hypothesis.table),
        "odds_ratio": modelled(hypothesis.odds_ratio.value),
        "odds_ratio_low": modelled(hypothesis.odds_ratio.low),
        "odds_ratio_high": modelled(hypothesis.odds_ratio.high),
        **relative_risk(hypothesis.relative_risk),
        "p_value": modelled(hypothesis.p_value),
        "p_adjusted": modelled(hypothesis.p_adjusted),
        "verdict": hypothesis.verdict,
        "pqls_per_week": hypothesis.pqls_per_week.median,
    }


def _little(analysis: Analysis) -> Json:
    """Write what so few upgrades can show; empty where there are enough for a search."""
    from pqlkit.statistics.power import detectable_relative_risk

    hypotheses = analysis.hypotheses
    if hypotheses is None:
        return {}
    usable = analysis.observed.base.numerator
    return {
        "usable": usable,
        "detectable_relative_risk": modelled(detectable_relative_risk(usable, 0.25)) if usable else None,
        "search_opens": moment(analysis.search_opens),
        "not_tested": [{"definition": name, "reason": reason} for name, reason in hypotheses.left_out],
    }


def _advice(analysis: Analysis) -> Json:
    advice, spike = analysis.advice, analysis.spike
    delays = () if advice is None else advice.delays
    conversion_window = analysis.observed.snapshots.design.conversion_window
    return {
        "conversion_window": str(advice.advised) if advice is not None and advice.advised is not None else None,
        "conversion_windows": [
            {
                "conversion_window": str(option.conversion_window),
                "holds": modelled(option.holds),
                "mature": modelled(option.mature),
                "held": option.held,
                "conversions": option.conversions,
                "old_enough": option.old,
                "at_risk": option.at_risk,
            }
            for option in (advice.options if advice is not None else ())
        ],
        "conversion_window_says": None if advice is None else advice.says(conversion_window),
        "window_says": analysis.early,
        "after_start": _quantiles(analysis.ages.n, analysis.ages.quantiles),
        "after_snapshot": _quantiles(0 if advice is None else advice.n, delays),
        "spike": None
        if spike is None
        else {
            "day": spike.day,
            "date": None if spike.date is None else str(spike.date),
            "covers": str(spike.covers),
            "converted": spike.converted,
            "of": spike.of,
            "says": spike.says(analysis.observed.snapshots.design.conversion_window),
        },
    }


def _quantiles(n: int, quantiles: Sequence[tuple[float, float]]) -> Json:
    """Write how many conversions, and within how many days a tenth, a quarter, half... of them came."""
    return {"n": n, **{f"p{share * 100:.0f}_days": modelled(days) for share, days in quantiles}}
