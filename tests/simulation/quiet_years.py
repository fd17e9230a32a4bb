"""Nightly gates: years in which nothing changes, read every week, and years in which the effect of a definition ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pqlkit.definitions.model import (
    Criterion,
    Definition,
    EntityKind,
    Measure,
    MeasureKind,
    Outcome,
    Window,
    WindowKind,
)
from pqlkit.durations import DAY, Duration
from pqlkit.exports.project import Project
from pqlkit.options.data import ExtentOptions
from pqlkit.population.population import population_of
from pqlkit.rates.periods import newest_judged
from pqlkit.rates.report import report
from tests.analysis.canonical import dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.exports.dataset import Dataset
    from pqlkit.rates.report import Report

FIRST: Final = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
DAYS: Final = 546
END: Final = 365
"""The day from which on an effect has ended: the first of a quarter."""
BEFORE: Final = 300
"""Days of signups from before the export, in a product that is not young."""


def rule(*, trailing: bool) -> Definition:
    """Give the definition whose rate is followed."""
    window = (
        Window(kind=WindowKind.TRAILING, length=Duration(28, "d"))
        if trailing
        else Window(kind=WindowKind.WITHIN, length=Duration(14, "d"))
    )
    acts = Criterion(id="acts", events=("act",), measure=Measure(kind=MeasureKind.COUNT), at_least=3, window=window)
    return Definition(name="acts", entity=EntityKind.USER, qualify=acts, outcome=Outcome(within=Duration(30, "d")))


def product(folder: Path, seed: int, *, users: int, young: bool, fades: bool = False) -> Dataset:
    """Make a product whose users act often or seldom, for a while; leads convert at 28 %, others at 8 %."""
    generator = np.random.default_rng(seed)
    signup = np.sort(generator.uniform(0 if young else -BEFORE, DAYS, users))
    acts = generator.poisson(generator.exponential(4, users))
    user = np.repeat(np.arange(users), acts)
    when = signup[user] + np.where(
        generator.random(len(user)) < 0.5, generator.uniform(0, 14, len(user)), generator.exponential(60, len(user))
    )
    early = np.bincount(user[when < signup[user] + 14], minlength=users) >= 3
    rate = np.where(early & ~(fades & (signup + 14 > END)), 0.28, 0.08)
    bought = np.flatnonzero(generator.random(users) < rate)
    moment = signup[bought] + generator.uniform(14, 44, len(bought))
    names = np.char.add("u", np.arange(users).astype(str))
    seen = (when >= 0) & (when < DAYS)
    order = np.flatnonzero(seen)[np.argsort(when[seen], kind="stable")]
    return dataset(
        folder,
        users=_rows(user_id=names, signed_up_at=_moment(signup)),
        events=_rows(user_id=names[user[order]], event=["act"] * len(order), timestamp=_moment(when[order])),
        conversions=_rows(user_id=names[bought], converted_at=_moment(moment)),
    )


def nights(dataset: Dataset, definition: Definition, days: range) -> Iterator[Report]:
    """Report on each of some nights, told by their day."""
    for day in days:
        night = datetime.fromtimestamp((FIRST + day * DAY) / 1_000_000, tz=UTC).isoformat()
        people = population_of(dataset, Project(), ExtentOptions(as_of=night), definition=definition)
        yield report(people, definition)


def quiet(number: int, *, users: int = 4_000, step: int = 7) -> dict[str, Any]:
    """Read a gate for the 52 weeks of a year in which nothing changes; every other export begins with its product."""
    definition, young = rule(trailing=number % 4 >= 2), number % 2 == 0
    with TemporaryDirectory(prefix="pqlkit-simulation-") as folder:
        made = product(Path(folder), 8000 + number, users=users, young=young)
        alarms = [
            newest.drift.verdict.value
            for night in nights(made, definition, range(DAYS - 364, DAYS, step))
            if night.drifted and (newest := newest_judged(night.periods)) is not None and newest.drift is not None
        ]
    return {"alarm": bool(alarms), "said": sorted(set(alarms)), "young": young}


def fading(number: int, *, users: int = 8_000) -> dict[str, Any]:
    """Report on the night on which half of the first quarter without an effect is complete."""
    definition = rule(trailing=False)
    with TemporaryDirectory(prefix="pqlkit-simulation-") as folder:
        made = product(Path(folder), 9000 + number, users=users, young=number % 2 == 0, fades=True)
        day = END + 45 + 30
        (night,) = nights(made, definition, range(day, day + 1))
        newest = newest_judged(night.periods)
    verdict = None if newest is None or newest.drift is None else newest.drift.verdict.value
    return {"verdict": verdict, "caught": verdict == "rate-fell" and newest is not None and not newest.mature}


def _moment(days: np.ndarray) -> np.ndarray:
    return FIRST + (days * DAY).astype(np.int64)


def _rows(**columns: Any) -> Any:
    import polars as pl

    return pl.DataFrame(columns)
