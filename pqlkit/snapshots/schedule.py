"""The design: the rule that gives each entity its cutoffs (``once:14d``, ``age:1d,3d,7d``, ``every:28d``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, CUTOFF, ENTITY
from pqlkit.durations import WEEK, Duration
from pqlkit.errors import UsageError
from pqlkit.options.schedule_kind import DesignKind, spelled
from pqlkit.population.phases import monday, phases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.population.population import Population

AGES: Final = tuple(Duration(days, "d") for days in (1, 2, 3, 5, 7, 10))
"""The ages of ``age`` where none are given."""

LANDMARK: Final = Duration(14, "d")
"""The cutoff of ``once`` where none is given."""

WITHIN: Final = tuple(Duration(days, "d") for days in (3, 7, 14))
"""The windows of ``once`` and ``age`` where none are given, as far as the cutoffs reach."""

TRAILING: Final = tuple(Duration(days, "d") for days in (7, 28, 84))
"""The windows of ``every`` where none are given."""

CONVERSION_WINDOW: Final = Duration(30, "d")
"""The conversion window where nothing states one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A rule that gives each entity its cutoffs.

    Parameters
    ----------
    kind
        ``once`` at one age, ``age`` at several, ``every`` at calendar moments.
    cutoffs
        Ages for ``once`` (one) and ``age`` (ascending); empty for ``every``.
    step
        Whole weeks for ``every``, and its conversion window; None otherwise.
    windows
        Ascending; ``within`` the anchor for ``once`` and ``age``, ``trailing`` for ``every`` (whole weeks).
    conversion_window
        How long after a cutoff a conversion counts.
    gap
        Conversions up to and including this long after the cutoff do not count.
    """

    kind: DesignKind
    cutoffs: tuple[Duration, ...] = ()
    step: Duration | None = None
    windows: tuple[Duration, ...]
    conversion_window: Duration
    gap: Duration = field(default_factory=lambda: Duration(0, "d"))

    @property
    def longest(self) -> Duration:
        """The longest window."""
        return max(self.windows)

    def __str__(self) -> str:
        """Spell it as ``--snapshots`` does."""
        if self.step is not None:
            return f"{self.kind}:{self.step}"
        return f"{self.kind}:{','.join(str(cutoff) for cutoff in self.cutoffs)}"


def parse_snapshots(
    text: str,
    *,
    windows: Sequence[Duration] | None = None,
    conversion_window: Duration | None = None,
    gap: Duration | None = None,
    within: Duration = CONVERSION_WINDOW,
) -> Design:
    """Read ``--snapshots`` (not ``auto``) with ``--windows``, ``--conversion-window`` and ``--gap``, filling in each design's defaults.

    Parameters
    ----------
    text
        ``once:14d`` (``once`` alone: at the longest window, else 14 days), ``age:1d,3d`` (``age`` alone: 1, 2, 3, 5, 7 and
        10 days) or ``every:28d`` (``every`` alone: the largest whole weeks within the conversion window, at least 7 days).
    windows
        None = 3d, 7d, 14d up to the last cutoff for ``once`` and ``age``; 7d, 28d, 84d for ``every``.
    conversion_window
        As stated on the command line; None = `within` (``every``: its step).
    gap
        None = 0d.
    within
        The outcome's conversion window.

    Raises
    ------
    UsageError
        The text cannot be read; a window is longer than the last cutoff or, for ``every``, not whole weeks; the step is
        not whole weeks; ``every:28d`` with another stated conversion window; the gap reaches the conversion window.

    Examples
    --------
    >>> str(parse_snapshots("every", within=Duration(30, "d")))
    'every:28d'
    >>> [str(window) for window in parse_snapshots("once:7d").windows]
    ['3d', '7d']
    """
    kind, spans = spelled(text)
    if kind is DesignKind.EVERY:
        design = _every(spans, windows, conversion_window, within)
    else:
        design = _by_age(kind, spans, windows, conversion_window or within)
    return _with_gap(design, gap)


def shortened_in_words(population: Population, design: Design, *, stated: Duration | None) -> str | None:
    """Say where calendar snapshots count another conversion window than the project file says; None where that was asked for.

    Parameters
    ----------
    population
        Whose project file and outcome are meant.
    design
        When the snapshots are taken.
    stated
        ``--conversion-window``.
    """
    within = population.outcome.within
    same = design.conversion_window == within or stated is not None
    if design.kind is not DesignKind.EVERY or same or "within" not in population.project.outcome:
        return None
    return (
        f"the project file's outcome says within: {within}; snapshots {design} count conversions within"
        f" {design.conversion_window}, so that none counts twice (--snapshots once:{LANDMARK} counts within {within})"
    )


def first_cutoffs(population: Population, design: Design) -> pl.DataFrame:
    """Give each entity's first cutoff, whether or not it is over.

    Returns
    -------
    DataFrame
        ``entity``, ``first`` (Int64; null without an anchor): anchor + the first age or, for ``every``, the first of its
        cutoffs at or after max(anchor, the population's `history_from` + the longest window).
    """
    anchor = pl.col(ANCHOR)
    if design.step is None:
        return population.entities.select(ENTITY, first=anchor + min(design.cutoffs).microseconds)
    step = design.step.microseconds
    origin = monday(population.world.zone)
    start = pl.max_horizontal(anchor, pl.lit(population.history_from + design.longest.microseconds))
    offset = pl.lit(origin) + pl.col("phase") * WEEK
    return (
        population.entities.select(ENTITY, ANCHOR, phase=phases(population.entities["id"], step // WEEK))
        .with_columns(offset=offset, start=pl.when(anchor.is_not_null()).then(start))
        .select(ENTITY, first=pl.col("offset") - (pl.col("offset") - pl.col("start")).floordiv(step) * step)
    )


def schedule(population: Population, design: Design, *, until_conversion: bool = False) -> pl.DataFrame:
    """List every cutoff at or before `as_of` and before the entity's conversion, whoever is in the table then.

    With `until_conversion` those after the conversion are there too.

    Returns
    -------
    DataFrame
        ``entity``, ``cutoff`` (Int64); sorted. Entities without an anchor have none.
    """
    end = pl.lit(population.as_of)
    last = end if until_conversion else pl.min_horizontal(end, pl.col(CONVERTED) - 1)
    known = (
        first_cutoffs(population, design)
        .with_columns(population.entities[CONVERTED])
        .with_columns(last=last)
        .filter(pl.col("first") <= pl.col("last"))
    )
    if design.step is None:
        ages = pl.DataFrame({"age": [cutoff.microseconds for cutoff in design.cutoffs]}, schema={"age": pl.Int64})
        cutoff = pl.col("first") + pl.col("age") - min(design.cutoffs).microseconds
        frame = (
            known.join(ages, how="cross").with_columns(cutoff.alias(CUTOFF)).filter(pl.col(CUTOFF) <= pl.col("last"))
        )
        return frame.select(ENTITY, CUTOFF).sort(ENTITY, CUTOFF)
    step = design.step.microseconds
    ranges = pl.int_ranges("first", pl.col("last") + 1, step, dtype=pl.Int64)
    return known.select(ENTITY, ranges.alias(CUTOFF)).explode(CUTOFF)


def _by_age(
    kind: DesignKind, spans: tuple[Duration, ...], windows: Sequence[Duration] | None, conversion_window: Duration
) -> Design:
    default = (max(windows) if windows else LANDMARK,) if kind is DesignKind.ONCE else AGES
    cutoffs = spans or default
    if kind is DesignKind.ONCE and len(cutoffs) > 1:
        raise UsageError("once has one age", where="--snapshots", hint=f"write age:{','.join(map(str, cutoffs))}")
    last = cutoffs[-1]
    chosen = _ascending(windows) if windows else (*(window for window in WITHIN if window < last), last)
    if chosen[-1] > last:
        raise UsageError(
            f"the window {chosen[-1]} is longer than the time before the snapshot, {last}",
            where="--windows",
            hint=f"write --snapshots {kind}:{','.join(map(str, (*cutoffs[:-1], chosen[-1])))}, or shorter windows",
        )
    return Design(kind=kind, cutoffs=cutoffs, windows=chosen, conversion_window=conversion_window)


def _every(
    spans: tuple[Duration, ...],
    windows: Sequence[Duration] | None,
    conversion_window: Duration | None,
    within: Duration,
) -> Design:
    if len(spans) > 1:
        raise UsageError("every has one step", where="--snapshots", hint=f"write every:{spans[0]}")
    step = spans[0] if spans else _whole_weeks(conversion_window or within)
    if step.microseconds % WEEK:
        raise UsageError(
            f"every {step} is not whole weeks", where="--snapshots", hint=f"write every:{_whole_weeks(step)}"
        )
    if spans and conversion_window is not None and conversion_window != step:
        raise UsageError(
            f"--conversion-window {conversion_window} must equal --snapshots every:{step}",
            hint=f"leave --conversion-window out, or write --snapshots every:{_whole_weeks(conversion_window)}",
        )
    chosen = _ascending(windows) if windows else TRAILING
    odd = next((window for window in chosen if window.microseconds % WEEK), None)
    if odd is not None:
        raise UsageError(
            f"the window {odd} is not whole weeks, as every needs", where="--windows", hint=f"write {_whole_weeks(odd)}"
        )
    return Design(kind=DesignKind.EVERY, step=step, windows=chosen, conversion_window=step)


def _whole_weeks(span: Duration) -> Duration:
    return Duration(7 * max(1, span.microseconds // WEEK), "d")


def _ascending(windows: Sequence[Duration]) -> tuple[Duration, ...]:
    chosen = tuple(sorted(set(windows)))
    if chosen[0].microseconds == 0:
        raise UsageError("a window of 0 holds nothing", where="--windows", hint="write 7d,28d")
    return chosen


def _with_gap(design: Design, gap: Duration | None) -> Design:
    if design.conversion_window.microseconds == 0:
        raise UsageError("a conversion window of 0 holds nothing", where="--conversion-window", hint="write 28d")
    if gap is None:
        return design
    if gap >= design.conversion_window:
        raise UsageError(
            f"the gap {gap} leaves nothing of the conversion window {design.conversion_window}",
            where="--gap",
            hint="write a gap shorter than the conversion window",
        )
    return Design(
        kind=design.kind,
        cutoffs=design.cutoffs,
        step=design.step,
        windows=design.windows,
        conversion_window=design.conversion_window,
        gap=gap,
    )
