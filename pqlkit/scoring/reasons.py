"""The reasons: what was done, what is missing, and what to say, in words, for every entity."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from pqlkit.columns import CRITERION, ENTITY
from pqlkit.definitions.describing import evidence, missing
from pqlkit.definitions.model import Criterion, MeasureKind, Ref, WindowKind
from pqlkit.definitions.wording import figure
from pqlkit.measures.stretches import stretches
from pqlkit.scoring.timeline import only

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition
    from pqlkit.measures.world import World
    from pqlkit.scoring.nearness import Standing
    from pqlkit.typing import Number

JOIN: Final = "; "

LONG: Final = 60
"""Days: a longer stretch is told by its dates."""

_FEW: Final = 1 << 16


def evidence_columns(
    world: World, standing: Standing, told: Sequence[int], known: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Say what each entity did, and when: ``4 teammates invited in 9 days``, ``active on 6 of 8 days``.

    Parameters
    ----------
    world
        Of the standing.
    standing
        How everybody stands.
    told
        Entities whose reasons name their time, too: those that somebody reads about.
    known
        The stretches of the evaluation that `standing` is of, of all entities; None = all are looked for.

    Returns
    -------
    DataFrame
        One column per leaf, under its id; a criterion at 0 or undefined says nothing.
    """
    today = _date(world.as_of, world.zone)
    plain = [(i, leaf) for i, leaf in enumerate(standing.parts) if isinstance(leaf, Criterion)]
    dates = stretches(only(world, told), [leaf for _, leaf in plain], _own(known, told, [i for i, _ in plain]))
    texts = pl.DataFrame({leaf.id: _amounts(world, leaf, standing, i) for i, leaf in enumerate(standing.parts)})
    for place, (i, leaf) in enumerate(plain):
        own = dates.filter(pl.col(CRITERION) == place)
        rows = own.get_column(ENTITY)
        frame = own.with_columns(texts[leaf.id].gather(rows).alias("text"), value=standing.values[rows.to_numpy(), i])
        framed = _by_days if leaf.measure.kind is MeasureKind.DAYS else _framed
        texts = texts.with_columns(texts[leaf.id].scatter(rows, frame.select(framed(today)).to_series()))
    return texts


def _own(known: pl.DataFrame | None, told: Sequence[int], places: Sequence[int]) -> pl.DataFrame | None:
    """Keep the stretches of some entities, the criteria numbered without the other leaves."""
    if known is None:
        return None
    numbers = pl.DataFrame({CRITERION: places, "place": range(len(places))}, schema_overrides={CRITERION: pl.Int32})
    own = known.filter(pl.col(ENTITY).is_in(pl.Series(told, dtype=pl.Int64).implode())).join(numbers, on=CRITERION)
    return own.with_columns(pl.col("place").cast(pl.Int32).alias(CRITERION)).drop("place")


def _date(at: int, zone: str) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).date()


def _when(today: date) -> pl.Expr:
    """Say when what lies between the dates ``first`` and ``newest`` happened, as seen from today."""
    first, newest = pl.col("first"), pl.col("newest")
    span = (newest - first).dt.total_days() + 1
    lately = newest > today - timedelta(days=28)
    return (
        pl.when(first == today)
        .then(pl.lit("today"))
        .when(first >= today - timedelta(days=today.weekday()))
        .then(pl.lit("this week"))
        .when(span == 1)
        .then(pl.format("on {}", _spelled(newest, today)))
        .when((span <= LONG) & lately)
        .then(pl.format("in {} days", span))
        .when(span <= LONG)
        .then(pl.format("in {} days to {}", span, _spelled(newest, today)))
        .when(lately)
        .then(pl.format("since {}", _spelled(first, today)))
        .otherwise(pl.format("from {} to {}", _spelled(first, today), _spelled(newest, today)))
    )


def _spelled(day: pl.Expr, today: date) -> pl.Expr:
    year = pl.when(day.dt.year() != today.year).then(day.dt.strftime(" %Y")).otherwise(pl.lit(""))
    return pl.concat_str(day.dt.strftime("%-d %b"), year)


def _framed(today: date) -> pl.Expr:
    """Add the time frame to an amount: ``3 projects this week``."""
    known = pl.col("first").is_not_null() & pl.col("text").is_not_null()
    return pl.when(known).then(pl.format("{} {}", pl.col("text"), _when(today))).otherwise("text")


def _by_days(today: date) -> pl.Expr:
    """Say on how many of how many days: ``active on 6 of 9 days``, ``active on 3 days in a row``, ``active on 12 Oct``."""
    text, value = pl.col("text"), pl.col("value")
    span = (pl.col("newest") - pl.col("first")).dt.total_days() + 1
    week = pl.col("first") >= today - timedelta(days=today.weekday())
    alone = text.str.strip_suffix(" on 1 day")
    return (
        pl.when(pl.col("first").is_null() | text.is_null())
        .then(text)
        .when(span == 1)
        .then(pl.format("{} {}", alone, _when(today).str.replace("^this week$", "once this week")))
        .when(week | (span > LONG))
        .then(pl.format("{} {}", text, _when(today)))
        .when(value == span)
        .then(pl.format("{} in a row", text))
        .otherwise(pl.format("{} of {}", text.str.strip_suffix(" days"), _when(today).str.strip_prefix("in ")))
    )


def _amounts(world: World, leaf: Criterion | Ref, standing: Standing, position: int) -> pl.Series:
    """Word what each entity did of one criterion; where the bound is a share of a limit, of its own limit."""
    values, limits = standing.values[:, position], standing.limits[:, position]
    if isinstance(leaf, Ref) or np.isnan(limits).all():
        return _worded(values, partial(_evidence, leaf))
    from pqlkit.scoring.pace import days_until_full, eta

    days = days_until_full(world, leaf, values, limits)

    def say(value: Number | None, limit: Number | None, until: Number | None) -> str | None:
        text = _evidence(leaf, value)
        if text is None or value is None or limit is None:
            return text
        # An amount that begins with its figure is told as a part: "8,600 of 10,000 contacts".
        number = figure(value)
        rest = text.removeprefix(number)
        text = f"{number} of {figure(limit)}{rest}" if rest != text else f"{text} of {figure(limit)}"
        return text if until is None else f"{text}, {eta(until)}"

    # What is told is rough: so are the days, so that there are few texts to make.
    return _worded_each([values, limits, np.round(days, 1)], say)


def missing_column(definition: Definition, standing: Standing, lead: pl.Series) -> pl.Series:
    """Say what each entity lacks, in natural units: ``2 more teammate invites; 1 login``, or ``... or ...`` where one will do.

    Parameters
    ----------
    definition, standing
        The formula, and how everybody stands towards it.
    lead
        Whom nothing is lacking: who qualifies or has converted.

    Returns
    -------
    Series
        Null for these, where only time is lacking, and where nothing helps any more.
    """
    from pqlkit.scoring.nearness import lacking

    if not len(lead):
        return pl.Series("missing", [], dtype=pl.String)
    texts = [pl.lit(_missing(leaf, standing, i)) for i, leaf in enumerate(standing.parts)]
    words, _, _ = lacking(definition.qualify, texts, standing)
    hopeless = pl.Series(np.isinf(standing.need))
    text = pl.select(pl.when(~(lead | hopeless)).then(words).alias("missing")).to_series()
    # Parentheses keep alternatives apart from what else is lacking; alone they say nothing.
    alone = text.str.contains(r"^\([^()]*\)$")
    text = pl.select(pl.when(alone).then(text.str.slice(1, text.str.len_chars() - 2)).otherwise(text)).to_series()
    return text.alias("missing").replace("", None)


def say_column(parts: Sequence[Criterion | Ref], held: NDArray[np.bool_]) -> pl.Series:
    """Give the rep's sentence of the first criterion that is met and has one."""
    chain = pl.lit(None, pl.String)
    for i, leaf in reversed(list(enumerate(parts))):
        if leaf.say is not None:
            chain = pl.when(pl.Series(held[:, i])).then(pl.lit(leaf.say)).otherwise(chain)
    values = pl.select(chain.alias("say")).to_series()
    return values if len(values) == len(held) else pl.Series("say", [None] * len(held), dtype=pl.String)


def _missing(leaf: Criterion | Ref, standing: Standing, position: int) -> pl.Series:
    """Word what each entity lacks of one criterion; where the bound is a share of a limit, of its own limit."""
    values, limits = standing.values[:, position], standing.limits[:, position]
    if np.isnan(limits).all():
        return _worded(values, partial(missing, leaf))
    return _worded_each([values, limits], lambda value, limit: missing(leaf, value, limit=limit))


def _worded_each(columns: Sequence[NDArray[np.float64]], say: Callable[..., str | None]) -> pl.Series:
    """Word each distinct combination of numbers once; NaN is told as None."""
    frame = pl.DataFrame(columns, schema=[str(i) for i in range(len(columns))]).fill_nan(None)
    distinct = frame.unique(maintain_order=True)
    texts = [say(*(_plain(value) for value in row)) for row in distinct.iter_rows()]
    worded = distinct.with_columns(pl.Series("text", texts, dtype=pl.String))
    joined = frame.join(worded, on=frame.columns, how="left", nulls_equal=True, maintain_order="left")
    return joined.get_column("text")


def _evidence(leaf: Criterion | Ref, value: int | float | None) -> str | None:
    if not value:
        return None
    text = evidence(leaf, value)
    if not isinstance(leaf, Criterion) or leaf.window.kind is not WindowKind.ROLLING or leaf.window.length is None:
        return text
    length = leaf.window.length
    if leaf.measure.kind is MeasureKind.DAYS and 1 < value <= length.days:
        return f"{text.removesuffix(' days')} of {length.in_words}"
    return f"{text} within {length.in_words}"


def _worded(values: NDArray[np.float64], say: Callable[[int | float | None], str | None]) -> pl.Series:
    """Word each distinct value once."""
    distinct, place = _distinct(values)
    texts = [say(_plain(value)) for value in distinct.tolist()]
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(place, dtype=pl.UInt32))


def _distinct(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
    """Give the distinct values, NaN last, and the place of each among them."""
    few = np.where(np.isnan(values), _FEW - 1, values)
    if ((values < 0) | (values >= _FEW - 1)).any() or (few != np.floor(few)).any():
        distinct, place = np.unique(values, return_inverse=True)
        return distinct, place.ravel()
    # Counts are small whole numbers: a table of them takes a tenth of what sorting takes.
    number = few.astype(np.int64)
    there = np.bincount(number, minlength=_FEW) > 0
    counts = np.flatnonzero(there)
    return np.where(counts == _FEW - 1, np.nan, counts), (np.cumsum(there) - 1)[number]


def _plain(value: float | None) -> int | float | None:
    if value is None or np.isnan(value):
        return None
    return int(value) if value == int(value) else value


def joined(columns: pl.DataFrame) -> pl.Series:
    """Join the reasons of each entity to one text, ``evidence``; null where there is none."""
    if not columns.height:
        return pl.Series("evidence", [], dtype=pl.String)
    text = columns.select(pl.concat_str(pl.all(), separator=JOIN, ignore_nulls=True).alias("evidence")).to_series()
    return text.replace("", None)
