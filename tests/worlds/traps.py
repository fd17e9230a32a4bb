"""The trap: events that go with upgrading without foretelling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.demo.series import NEVER
from pqlkit.durations import DAY, MINUTE
from tests.worlds.habits import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BEFORE: Final = "upgrade_clicked"
AFTER: Final = "invoice_downloaded"
SECOND: Final = MINUTE // 60


def proxy_of(true: str) -> str:
    """Name the event that accompanies the first true event.

    Examples
    --------
    >>> proxy_of("teammate_invited")
    'teammate_invited_opened'
    """
    return f"{true}_opened"


def names_with_traps(names: Sequence[str], first: int) -> list[str]:
    """Give all event names by code: the ordinary ones, then before, after and the proxy of code `first`."""
    return [*names, BEFORE, AFTER, proxy_of(names[first])]


def draw_traps(usage: Usage, after: NDArray[np.int64], *, names: int, first: int, rng: np.random.Generator) -> Usage:
    """Add the traps to what a chunk did.

    Parameters
    ----------
    usage
        Its codes run below `names`.
    after
        Microseconds from the anchor to the conversion, `NEVER` without one.
    names
        How many ordinary names there are; the traps get the next codes: before, after, proxy.
    first
        The code of the first true event.
    """
    paid = np.flatnonzero(after < NEVER)
    parts = [
        _before(paid, after, usage.activity.size, names, rng),
        _after(paid, after, names + 1, 1 + rng.poisson(1.5, paid.size), 15 * DAY, rng),
        _proxy(usage, first, names + 2, rng),
        _after(paid, after, first, rng.poisson(4.0, paid.size), 10 * DAY, rng),
    ]
    return Usage(
        activity=usage.activity,
        owner=np.concatenate([usage.owner, *(part[0] for part in parts)]),
        code=np.concatenate([usage.code, *(np.full(part[0].size, part[2]) for part in parts)]),
        offset=np.concatenate([usage.offset, *(part[1] for part in parts)]),
    )


def _before(
    paid: NDArray[np.int64], after: NDArray[np.int64], entities: int, code: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """5 s to 30 min before 95 % of upgrades, and now and then by somebody who thinks better of it."""
    who = paid[rng.random(paid.size) < 0.95]
    lead = 5 * SECOND + (rng.random(who.size) * (30 * MINUTE - 5 * SECOND)).astype(np.int64)
    others = np.flatnonzero((after == NEVER) & (rng.random(after.size) < 0.0004))
    idle = (rng.random(others.size) * (40 * DAY)).astype(np.int64)
    return np.concatenate([who, others]), np.concatenate([np.maximum(after[who] - lead, 0), idle]), code


def _after(
    paid: NDArray[np.int64],
    after: NDArray[np.int64],
    code: int,
    times: NDArray[np.int64],
    mean: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    who = np.repeat(paid, times)
    gap = MINUTE + (rng.standard_exponential(who.size) * mean).astype(np.int64)
    return who, after[who] + gap, code


def _proxy(
    usage: Usage, first: int, code: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """5 to 60 s before 85 % of the first true event, and as often again by a fifth who then do not."""
    seen = np.flatnonzero((usage.code == first) & (rng.random(usage.code.size) < 0.85))
    lead = 5 * SECOND + (rng.random(seen.size) * 55 * SECOND).astype(np.int64)
    idle = seen[rng.random(seen.size) < 0.2]
    shift = (rng.random(idle.size) * (2 * DAY)).astype(np.int64)
    offset = np.concatenate([np.maximum(usage.offset[seen] - lead, 0), usage.offset[idle] + shift])
    return np.concatenate([usage.owner[seen], usage.owner[idle]]), offset, code
