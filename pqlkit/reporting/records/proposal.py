"""The record of a proposal: ``pqlkit/proposal/2``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.emitting import plain
from pqlkit.durations import moment
from pqlkit.proposal.definition_wording import in_words
from pqlkit.proposal.tonight import NEW
from pqlkit.reporting.records.analysis import fewer, meter, shape
from pqlkit.reporting.records.figures import adjusted, modelled, relative_risk
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from pqlkit.proposal.candidate import ByTrait, Candidate, Group, Promise
    from pqlkit.proposal.decay import Change
    from pqlkit.proposal.points_definition import PointsOffer
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
    search = proposal.search
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
            {**candidate(listed, written.get(listed.definition.name)), "worth_per_100": _worth(proposal, listed)}
            for listed in proposal.candidates
        ],
        "mechanical": [candidate(listed) for listed in proposal.mechanical],
        "rejected": [{"rule": words, "reasons": list(reasons)} for words, reasons in proposal.rejected],
        "pareto_front": [{"name": point.words, "rate": point.rate, "recall": point.recall} for point in proposal.front],
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
            "complete": search.complete if search is not None else None,
            "rules": search.considered if search is not None else 0,
            "counted": search.counted if search is not None else 0,
            "left_out": search.left_out if search is not None else 0,
        },
        "selection": _selection(proposal),
        "benchmark_model": _benchmark_model(proposal),
        "cross_fitted": _cross_fitted(proposal),
        "learned_from": None if proposal.since is None else moment(proposal.since),
        "changes": [{"rule": words, **_change(change)} for words, change in proposal.changes],
        "refit": _refit(proposal),
        "champion": _champion(proposal),
        "replacement": _replacement(proposal),
        "experiment": _experiment(proposal),
        "now": None
        if proposal.tonight is None
        else {
            "meet": proposal.tonight.meet,
            "fresh": proposal.tonight.fresh,
            "new": proposal.tonight.new,
            "since": str(NEW),
        },
        "contacted_before": None
        if proposal.contacted is None
        else {"contacted": proposal.contacted[0], "qualifications": proposal.contacted[1]},
        "meters": [meter(row) for row in proposal.meters],
        "not_monotone": [shape(bend) for bend in proposal.shapes],
        "fewer": [fewer(row) for row in proposal.fewer],
        "excluded": [
            {"event": leak.event, "reason": leak.reason.value, "evidence": leak.evidence}
            for leak in proposal.leakage
            if leak.excluded
        ],
        "warnings": list(proposal.warnings),
    }


def _worth(proposal: Proposal, candidate: Candidate) -> float | None:
    value, cost = proposal.wishes.value, proposal.wishes.cost
    return None if value is None or cost is None else modelled(candidate.worth(value, cost))


def candidate(candidate: Candidate, file: str | None = None) -> dict[str, Json]:
    """Write one candidate; `fit` and `holdout` are the snapshot view, `qualifications` the qualification view."""
    time_to_convert, weekly = candidate.promised.time_to_convert, candidate.promised.pqls_per_week
    stable = candidate.stability
    doubt = candidate.confounder
    return {
        "name": candidate.definition.name,
        "file": file,
        "title": candidate.definition.title,
        "definition": plain(candidate.definition),
        "criteria": len(candidate.definition.criteria),
        "mechanical": candidate.mechanical,
        "over_capacity": candidate.over_capacity,
        "precursors": [
            {
                "event": precursor.event,
                "leads_to": precursor.leads_to,
                "times": precursor.times,
                "share": precursor.share,
            }
            for precursor in candidate.precursors
        ],
        "contacted_before": None
        if candidate.contacted is None
        else {"qualified": candidate.contacted.starts, "contacted": candidate.contacted.before.denominator},
        "fit": _snapshot(candidate.fit),
        "holdout": _snapshot(candidate.holdout),
        "gate": {
            "relative_risk": modelled(candidate.gate.relative_risk),
            "z": modelled(candidate.gate.z),
            "p_value": modelled(candidate.gate.p_value),
            "conditional_relative_risk": modelled(candidate.gate.conditional),
        },
        "compared": None
        if candidate.compared is None
        else {
            "active": _excess(candidate.compared.active),
            "adjusted": _excess(candidate.compared.adjusted),
            "newest": _excess(candidate.compared.newest),
        },
        "recall": Rate.of(*candidate.recall).to_json(numerator="qualified", denominator="conversions"),
        "chosen_by": {
            "qualifications": candidate.read.n,
            "converted": candidate.read.converted,
            "pqls_per_week": modelled(candidate.read.a_week),
        },
        "optimism": candidate.optimism,
        "qualifications": {"fit": _qualifications(candidate.chosen), "holdout": _qualifications(candidate.promised)},
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
        "threshold_ranges": {name: list(ends) for name, ends in candidate.ranges.items()},
        "by_period": [_group(group, "period") for group in candidate.by_period],
        "by_age": [_group(group, "age") for group in candidate.by_age],
        **adjusted(candidate.adjusted),
        "adjusted_left_out": candidate.adjusted.left_out if candidate.adjusted else 0,
        "adjusted_penalised": candidate.adjusted.penalised if candidate.adjusted else False,
        "by_trait": [_by_trait(trait) for trait in candidate.by_trait],
        "e_value": None
        if doubt is None
        else {"value": modelled(doubt.value), "limit": modelled(doubt.limit), "of": doubt.scale.value},
        "equivalents": list(candidate.equivalents),
        "stands_for": candidate.stands_for,
        "simpler_alternative": None
        if candidate.simpler is None
        else {
            "rule": candidate.simpler[0],
            "fit": candidate.simpler[1].to_json(numerator="converted", denominator="qualifications"),
        },
    }


def _excess(excess: Excess | None) -> Json:
    """Write leads against comparable others: `others_rate` is at the ages and times of the leads."""
    if excess is None:
        return None
    return {
        "qualifications": excess.n,
        "converted": excess.converted,
        "others": excess.others,
        "others_converted": excess.others_converted,
        "others_rate": modelled(excess.others_rate),
        "relative_risk": modelled(excess.relative_risk),
        "low": modelled(excess.low),
        "high": modelled(excess.high),
    }


def _by_trait(trait: ByTrait) -> dict[str, Json]:
    return {
        "trait": trait.name,
        "values": [_group(group, "value") for group in trait.groups],
        "p_value": modelled(trait.p_value),
        "p_adjusted": modelled(trait.p_adjusted),
        "only_for": list(trait.only_for),
        "rest_relative_risk": None if trait.rest is None else modelled(trait.rest.relative_risk),
        "rest_high": None if trait.rest is None else modelled(trait.rest.high),
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
        "without": table.without.to_json(numerator="converted", denominator="snapshots"),
        "share": table.share.rate,
        "recall": table.recall.rate,
        "recall_low": table.recall.low,
        "recall_high": table.recall.high,
        "lift": table.lift,
        **relative_risk(table.relative_risk()),
        "f1": modelled(table.f_beta()),
        "kappa": modelled(table.kappa),
    }


def _qualifications(promise: Promise) -> dict[str, Json]:
    return {
        "starts": promise.starts,
        "too_soon": promise.too_soon,
        **promise.rate.to_json(numerator="converted", denominator="qualified"),
    }


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
        "preferred": proposal.points_offer is not None,
        "definition": _offered(proposal.points_offer),
    }


def _offered(offer: PointsOffer | None) -> Json:
    if offer is None or offer.definition.score is None:
        return None
    return {
        "name": offer.definition.name,
        "pql_at": offer.definition.score.pql_at,
        "chosen": _qualifications(offer.chosen),
        "qualifications": _qualifications(offer.promised),
        "recall": {"qualified": offer.recall[0], "conversions": offer.recall[1]},
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


def _change(change: Change) -> dict[str, Json]:
    return {
        "since": moment(change.since),
        "fell": change.fell,
        "before": change.before.to_json(numerator="converted", denominator="qualifications"),
        "after": change.after.to_json(numerator="converted", denominator="qualifications"),
        "p_value": modelled(change.p_value),
        "p_adjusted": modelled(change.p_adjusted),
        "says": str(change),
    }


def _refit(proposal: Proposal) -> Json:
    refit = proposal.refit
    if refit is None:
        return None
    rate = None if refit.rate is None else refit.rate.to_json(numerator="converted", denominator="qualifications")
    return {"rule": refit.words, "cross_fitted": rate, "why_none": refit.why}


def _replacement(proposal: Proposal) -> Json:
    new = proposal.replacement
    if new is None:
        return None
    rates = {"both": new.both, "only_new": new.only_new, "only_old": new.only_old}
    return {
        "change": None if new.change is None else _change(new.change),
        **{
            name: None if rate is None else rate.to_json(numerator="converted", denominator="qualifications")
            for name, rate in rates.items()
        },
    }


def _champion(proposal: Proposal) -> Json:
    champion = proposal.champion
    if champion is None:
        return None
    same = champion.at_same_leads
    return {
        "name": champion.definition.name,
        "qualifications": _qualifications(champion.promised),
        "at_same_leads": None if same is None else {"converted": same[0], "leads": same[1]},
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
