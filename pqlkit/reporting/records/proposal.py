"""The record of a proposal: ``pqlkit/proposal/2``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.emitting import plain
from pqlkit.durations import moment
from pqlkit.proposal.definition_wording import in_words
from pqlkit.proposal.tonight import NEW
from pqlkit.reporting.records.figures import modelled, relative_risk

if TYPE_CHECKING:
    from pqlkit.analysis.adjustment import Effect
    from pqlkit.proposal.candidate import Candidate, Group, Promise
    from pqlkit.proposal.proposed import Halves, Proposal
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.stratified import Excess
    from pqlkit.typing import Json


def record(proposal: Proposal, files: dict[str, str] | None = None) -> dict[str, Json]:
    """Write a proposal as the JSON contract spells it.

    Parameters
    ----------
    proposal
        What was found.
    files
        Candidate name -> the file it was written to.
    """
    written = files or {}
    snapshots = proposal.observed.snapshots
    found = proposal.search
    return {
        "schema": "pqlkit/proposal/2",
        "as_of": moment(proposal.observed.population.as_of),
        "entity": proposal.observed.population.kind.value,
        "objective": proposal.wishes.objective,
        "snapshots": snapshots.text,
        "snapshots_reason": snapshots.reason,
        "windows": [str(window) for window in snapshots.design.windows],
        "conversion_window": str(snapshots.design.conversion_window),
        "tier": proposal.tier.value,
        "split": {
            "kind": None if proposal.split is None else proposal.split.kind.value,
            "fit": _half(proposal.fit),
            "holdout": {**_half(proposal.holdout), "read": proposal.read},
        },
        "base_rate": {
            "fit": proposal.fit.base.to_json(numerator="converted", denominator="snapshots"),
            "holdout": proposal.holdout.base.to_json(numerator="converted", denominator="snapshots"),
        },
        "candidates": [
            {**candidate(one, written.get(one.definition.name)), "worth_per_100": _worth(proposal, one)}
            for one in proposal.candidates
        ],
        "mechanical": [candidate(one) for one in proposal.mechanical],
        "rejected": [{"rule": words, "reasons": list(reasons)} for words, reasons in proposal.rejected],
        "pareto_front": [{"name": one.words, "rate": one.rate, "recall": one.recall} for one in proposal.front],
        "ladder": [
            {
                "criteria": step.size,
                "rule": in_words(step.rule.literals),
                "score": modelled(step.rule.score),
                "gain": modelled(step.gain),
            }
            for step in proposal.ladder
        ],
        "points": _points(proposal),
        "search": {
            "complete": found.complete if found is not None else None,
            "rules": found.considered if found is not None else 0,
            "counted": found.counted if found is not None else 0,
            "left_out": found.left_out if found is not None else 0,
        },
        "selection": _selection(proposal),
        "benchmark_model": _benchmark_model(proposal),
        "cross_fitted": _cross_fitted(proposal),
        "champion": _champion(proposal),
        "experiment": _experiment(proposal),
        "now": None
        if proposal.tonight is None
        else {
            "meet": proposal.tonight.meet,
            "fresh": proposal.tonight.fresh,
            "new": proposal.tonight.new,
            "since": str(NEW),
        },
        "excluded": [
            {"event": one.event, "reason": one.reason.value, "evidence": one.evidence}
            for one in proposal.leakage
            if one.excluded
        ],
        "warnings": list(proposal.warnings),
    }


def _worth(proposal: Proposal, one: Candidate) -> float | None:
    value, cost = proposal.wishes.value, proposal.wishes.cost
    return None if value is None or cost is None else modelled(one.worth(value, cost))


def candidate(one: Candidate, file: str | None = None) -> dict[str, Json]:
    """Write one candidate; `fit` and `holdout` are the snapshot view, `qualifications` the qualification view."""
    time_to_convert, weekly = one.promised.time_to_convert, one.promised.pqls_per_week
    stable = one.stability
    doubt = one.confounder
    return {
        "name": one.definition.name,
        "file": file,
        "title": one.definition.title,
        "definition": plain(one.definition),
        "criteria": len(one.definition.criteria),
        "mechanical": one.mechanical,
        "over_capacity": one.over_capacity,
        "precursors": [
            {
                "event": precursor.event,
                "leads_to": precursor.leads_to,
                "times": precursor.times,
                "share": precursor.share,
            }
            for precursor in one.precursors
        ],
        "fit": _snapshot(one.fit),
        "holdout": _snapshot(one.holdout),
        "gate": {
            "relative_risk": modelled(one.gate.relative_risk),
            "z": modelled(one.gate.z),
            "p_value": modelled(one.gate.p_value),
            "conditional_relative_risk": modelled(one.gate.conditional),
        },
        "compared": None
        if one.compared is None
        else {
            "active": _excess(one.compared.active),
            "adjusted": _excess(one.compared.adjusted),
            "newest": _excess(one.compared.newest),
        },
        "recall": {"qualified": one.recall[0], "conversions": one.recall[1]},
        "chosen_by": {
            "qualifications": one.read.n,
            "converted": one.read.converted,
            "pqls_per_week": modelled(one.read.a_week),
        },
        "optimism": one.optimism,
        "qualifications": {"fit": _qualifications(one.chosen), "holdout": _qualifications(one.promised)},
        "time_to_convert": {
            "median_days": time_to_convert.median_days,
            "p25_days": time_to_convert.p25_days,
            "p75_days": time_to_convert.p75_days,
            "within_a_day": time_to_convert.within_a_day,
        },
        "pqls_per_week": {"median": weekly.median, "p90": weekly.p90},
        "stability": modelled(stable.share) if stable else None,
        "stability_by_criterion": [
            {
                "behaviour": chosen.literal.name,
                "share": modelled(chosen.share),
                "thresholds": list(chosen.thresholds) if chosen.thresholds else None,
                "rival": chosen.rival,
            }
            for chosen in (stable.criteria if stable else ())
        ],
        "threshold_ranges": {name: list(ends) for name, ends in one.ranges.items()},
        "by_period": [_group(group, "period") for group in one.by_period],
        "by_age": [_group(group, "age") for group in one.by_age],
        **_effect(one.adjusted),
        "e_value": None
        if doubt is None
        else {"value": modelled(doubt.value), "limit": modelled(doubt.limit), "of": doubt.scale.value},
        "equivalents": list(one.equivalents),
        "simpler_alternative": None
        if one.simpler is None
        else {
            "rule": one.simpler[0],
            "fit": one.simpler[1].to_json(numerator="converted", denominator="qualifications"),
        },
    }


def _excess(found: Excess | None) -> Json:
    """Write leads against comparable others: `others_rate` is at the ages and times of the leads."""
    if found is None:
        return None
    return {
        "qualifications": found.n,
        "converted": found.converted,
        "others": found.others,
        "others_converted": found.others_converted,
        "others_rate": modelled(found.others_rate),
        "relative_risk": modelled(found.relative_risk),
        "low": modelled(found.low),
        "high": modelled(found.high),
    }


def _effect(effect: Effect | None) -> dict[str, Json]:
    odds, risk = (None, None) if effect is None else (effect.odds_ratio, effect.relative_risk)
    return {
        "adjusted_odds_ratio": modelled(odds.value) if odds else None,
        "adjusted_low": modelled(odds.low) if odds else None,
        "adjusted_high": modelled(odds.high) if odds else None,
        "adjusted_relative_risk": modelled(risk.value) if risk else None,
        "adjusted_relative_risk_low": modelled(risk.low) if risk else None,
        "adjusted_relative_risk_high": modelled(risk.high) if risk else None,
        "adjusted_undefined": odds.undefined.value if odds and odds.undefined else None,
        "adjusted_for_traits": list(effect.traits) if effect else [],
        "adjusted_without_traits": modelled(effect.without_traits.value) if effect and effect.without_traits else None,
        "adjusted_left_out": effect.left_out if effect else 0,
        "adjusted_penalised": effect.penalised if effect else False,
    }


def _half(half: Halves) -> dict[str, Json]:
    return {
        "from": moment(half.first),
        "through": moment(half.through),
        "snapshots": half.base.denominator,
        "converted": half.base.numerator,
    }


def _snapshot(table: Contingency) -> dict[str, Json]:
    return {
        **table.with_.to_json(numerator="converted", denominator="qualified"),
        "share": table.share.rate,
        "recall": table.recall.rate,
        "recall_low": table.recall.low,
        "recall_high": table.recall.high,
        "lift": table.lift,
        **relative_risk(table.relative_risk()),
        "f1": modelled(table.f_beta()),
        "kappa": modelled(table.kappa),
    }


def _qualifications(one: Promise) -> dict[str, Json]:
    return {"starts": one.starts, **one.rate.to_json(numerator="converted", denominator="qualified")}


def _group(group: Group, key: str) -> dict[str, Json]:
    return {
        key: group.name,
        "with": group.table.with_.to_json(numerator="converted", denominator="snapshots"),
        "without": group.table.without.to_json(numerator="converted", denominator="snapshots"),
        **relative_risk(group.table.relative_risk()),
    }


def _points(proposal: Proposal) -> dict[str, Json]:
    card = proposal.points
    if card is None:
        return {}
    return {
        "literals": [
            {"rule": in_words([literal]), "points": points}
            for literal, points in zip(card.literals, card.points, strict=True)
        ],
        "pql_at": card.pql_at,
        "preferred": proposal.prefer_points,
    }


def _selection(proposal: Proposal) -> Json:
    test = proposal.selection
    if test is None:
        return None
    return {
        "permutations": test.permutations,
        "as_good": test.as_good,
        "relative_risk": modelled(test.relative_risk),
        "best_relative_risk": modelled(test.best_relative_risk),
        "complete": test.complete,
    }


def _benchmark_model(proposal: Proposal) -> Json:
    top = proposal.benchmark_model
    if top is None:
        return None
    share = proposal.candidates[0].holdout.share.rate if proposal.candidates else None
    return {
        "model": top.model,
        "holdout_rate_at_same_share": modelled(top.rate_at(share)) if share else None,
        "holdout_auc": modelled(top.auc),
        "average_precision": modelled(top.average_precision),
        "captured": modelled(proposal.captured),
    }


def _cross_fitted(proposal: Proposal) -> Json:
    cross = proposal.cross_fitted
    if cross is None:
        return None
    return {
        "folds": cross.folds,
        "without": cross.without,
        **cross.rate.to_json(numerator="converted", denominator="qualifications"),
    }


def _champion(proposal: Proposal) -> Json:
    one = proposal.champion
    if one is None:
        return None
    same = one.at_same_share
    return {
        "name": one.definition.name,
        "holdout": _snapshot(one.holdout),
        "qualifications": _qualifications(one.promised),
        "at_same_share": None if same is None else {"converted": same[0], "snapshots": same[1]},
    }


def _experiment(proposal: Proposal) -> Json:
    plan = proposal.experiment
    if plan is None:
        return None
    return {
        "rate": plan.rate,
        "pqls_per_week": plan.pqls_per_week,
        "arms": [
            {
                "gain": arm.gain,
                "control_share": arm.control_share,
                "control": arm.control,
                "contacted": arm.contacted,
                "weeks": arm.weeks,
            }
            for arm in plan.arms
        ],
    }
