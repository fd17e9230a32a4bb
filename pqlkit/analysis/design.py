"""The design: the rule that gives each entity its cutoffs (``once:14d``, ``age:1d,3d,7d``, ``every:28d``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pqlkit.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.analysis.population import Population
    from pqlkit.typing import Microseconds

AGES: Final = tuple(Duration(days, "d") for days in (1, 2, 3, 5, 7, 10))
"""The ages of ``age`` where none are given."""

SALT: Final = "pqlkit"
"""Stands before an id when it is hashed; `--control` and `--sample` use their own."""


class DesignKind(StrEnum):
    """How often an entity is looked at."""

    ONCE = "once"
    AGE = "age"
    EVERY = "every"


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
        Whole weeks for ``every``, and its horizon; None otherwise.
    windows
        Ascending; ``within`` the anchor for ``once`` and ``age``, ``trailing`` for ``every`` (whole weeks).
    horizon
        How long after a cutoff a conversion counts.
    gap
        Conversions up to and including this long after the cutoff do not count.
    """

    kind: DesignKind
    cutoffs: tuple[Duration, ...] = ()
    step: Duration | None = None
    windows: tuple[Duration, ...]
    horizon: Duration
    gap: Duration = field(default_factory=lambda: Duration(0, "d"))

    @property
    def longest(self) -> Duration:
        """The longest window."""
        return max(self.windows)

    def __str__(self) -> str:
        """Spell it as ``--looks`` does."""
        if self.step is not None:
            return f"{self.kind}:{self.step}"
        return f"{self.kind}:{','.join(str(cutoff) for cutoff in self.cutoffs)}"


def parse_looks(
    text: str,
    *,
    windows: Sequence[Duration] | None = None,
    horizon: Duration | None = None,
    gap: Duration | None = None,
) -> Design:
    """Read ``--looks`` (not ``auto``) with ``--windows``, ``--horizon`` and ``--gap``, filling in each design's defaults.

    Parameters
    ----------
    text
        ``once:14d``, ``age:1d,3d`` (``age`` alone: 1, 2, 3, 5, 7 and 10 days) or ``every:28d`` (``every`` alone: the largest
        whole weeks within the horizon, at least 7 days).
    windows
        None = 3d, 7d, 14d up to the cutoff for ``once`` and ``age``; 7d, 28d, 84d for ``every``.
    horizon
        As stated; None = 30d (``every``: its step).

    Raises
    ------
    UsageError
        The text cannot be read; a window is longer than the ``once`` cutoff or, for ``every``, not whole weeks; the step is
        not whole weeks; ``every:28d`` with another stated horizon; the gap reaches the horizon.
    """
    raise NotImplementedError


def phases(ids: pl.Series, weeks: int, *, salt: str = SALT) -> pl.Series:
    """Give each id its week 0..weeks-1 of the tiling: ``zlib.crc32(salt + id as UTF-8 text) % weeks``, Int64."""
    raise NotImplementedError


def monday(zone: str) -> Microseconds:
    """Give Monday 2000-01-03 00:00 in `zone`, from which the weeks of ``every`` are counted, in UTC microseconds."""
    raise NotImplementedError


def schedule(population: Population, design: Design, *, history_from: Microseconds) -> pl.DataFrame:
    """List every cutoff at or before `as_of` that the design gives, whoever is in the table then.

    Returns
    -------
    DataFrame
        ``entity``, ``cutoff``; sorted; for ``every`` from max(anchor, `history_from` + longest window) on, inclusive.
    """
    raise NotImplementedError
