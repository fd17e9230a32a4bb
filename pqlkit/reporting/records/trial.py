"""The record of a trial: ``pqlkit/trial/2``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.emitting import plain
from pqlkit.durations import moment
from pqlkit.reporting.records.analysis import behaviour
from pqlkit.reporting.records.figures import modelled, relative_risk
from pqlkit.reporting.records.report import criterion, sides

if TYPE_CHECKING:
    from pqlkit.proposal.trying import Trial
    from pqlkit.typing import Json


def record(trial: Trial, file: str | None = None) -> dict[str, Json]:
    """Write a trial as JSON values."""
    snapshots = trial.observed.snapshots
    time_to_convert, weekly = trial.promised.time_to_convert, trial.promised.pqls_per_week
    return {
        "schema": "pqlkit/trial/2",
        "as_of": moment(trial.observed.population.as_of),
        "entity": trial.observed.population.kind.value,
        "hypothesis": trial.text,
        "completed": trial.completed,
        "file": file,
        "snapshots": snapshots.text,
        "conversion_window": str(snapshots.design.conversion_window),
        **sides(trial.table),
        "share": trial.table.share.rate,
        "recall": trial.table.recall.rate,
        **relative_risk(trial.table.relative_risk()),
        "exact_odds_ratio": modelled(trial.exact.value),
        "exact_low": modelled(trial.exact.low),
        "exact_high": modelled(trial.exact.high),
        "p_value": modelled(trial.table.p_value),
        "qualifications": trial.promised.rate.to_json(numerator="converted", denominator="qualified"),
        "time_to_convert": {"median_days": time_to_convert.median_days, "within_a_day": time_to_convert.within_a_day},
        "pqls_per_week": {"median": weekly.median, "p90": weekly.p90},
        "criteria": [criterion(part) for part in trial.parts],
        "ladders": [
            {
                "id": ladder.id,
                "rungs": [
                    {"threshold": rung.threshold, "written": rung.written, **sides(rung.table)} for rung in ladder.rungs
                ],
            }
            for ladder in trial.ladders
        ],
        "then": [behaviour(part) for part in trial.then],
        "definition": plain(trial.definition),
        "warnings": list(trial.warnings),
    }
