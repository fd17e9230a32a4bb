"""The simulation: chunks of entities turned into canonical tables, with the truth kept aside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import polars as pl

from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    CONVERTED_AT,
    EVENT,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.definitions.model import EntityKind
from pqlkit.demo.randomness import stream
from pqlkit.demo.series import INSTANT, NEVER, named
from pqlkit.durations import DAY
from tests.worlds.habits import CHUNK, WINDOW, Habits, Usage, draw_offsets, draw_usage
from tests.worlds.members import share_among_members
from tests.worlds.traps import draw_traps, names_with_traps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds
    from tests.worlds import planting

Planted: TypeAlias = Literal["rule", "thin", "additive", "none"]
"""What a world's conversions obey."""

Drift: TypeAlias = Literal["effect", "volume"]
"""What changes halfway."""

START: Final = 1_735_689_600_000_000  # 2025-01-01
SPAN: Final = 360 * DAY
DRIFT_FROM: Final = START + 181 * DAY  # 2025-07-01, so that whole quarters lie on either side
STRANGERS: Final = 9_000_000_000
"""Ids above this are of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """Who converts, and when.

    Parameters
    ----------
    after
        Int64 microseconds from the anchor to the first conversion, `NEVER` without one.
    chance
        The chance to convert within the conversion window of the landmark, for an entity at risk there.
    """

    after: NDArray[np.int64]
    chance: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation:
    """Everything that a chunk needs to be made on its own.

    Parameters
    ----------
    decide
        Gives the conversions of a chunk from its usage and anchors.
    literals
        What is planted; the first one carries the proxy, the extra use after paying, and the drift of volume.
    cutoffs
        The ages of the snapshots that the truth's classes refer to.
    planted
        What the literals are: with ``additive`` the truth has a rule but no rate, with ``none`` neither.
    faults
        Repeated conversion rows and conversions of unknown entities.
    """

    name: str
    entities: int
    seed: int
    kind: EntityKind
    habits: Habits
    literals: tuple[planting.Literal, ...]
    decide: Callable[[Usage, NDArray[np.int64], np.random.Generator], Decision]
    cutoffs: tuple[Microseconds, ...] = (WINDOW,)
    planted: Planted = "rule"
    traps: bool = True
    faults: bool = True
    more_volume: bool = False
    points: Mapping[str, float] = field(default_factory=dict)
    drift_from: Microseconds | None = None

    @property
    def chunks(self) -> int:
        """How many chunks the world has."""
        return -(-self.entities // CHUNK)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """One chunk's rows; `entities` holds ``entity``, ``anchor``, ``converted``, ``held`` and ``chance``."""

    events: pl.DataFrame
    users: pl.DataFrame
    accounts: pl.DataFrame | None
    conversions: pl.DataFrame
    entities: pl.DataFrame


def make_chunk(simulation: Simulation, index: int) -> Chunk:
    """Make chunk `index`; depends on the seed and the index alone."""
    rng = stream(simulation.seed, "chunk", index)
    size = min(CHUNK, simulation.entities - index * CHUNK)
    ids = index * CHUNK + 1 + np.arange(size)
    anchor = START + (rng.random(size) * SPAN).astype(np.int64)
    usage = draw_usage(simulation.habits, size, rng)
    if simulation.more_volume:
        usage = _triple(simulation, usage, anchor, rng)
    decision = simulation.decide(usage, anchor, rng)
    after = np.where(anchor + decision.after <= START + SPAN, decision.after, NEVER)
    held = np.logical_and.reduce([literal.met(usage, after) for literal in simulation.literals])
    whole = usage
    if simulation.traps:
        names = len(simulation.habits.names)
        whole = draw_traps(usage, after, names=names, first=simulation.literals[0].code, rng=rng)
    keep = anchor[whole.owner] + whole.offset <= START + SPAN
    owner, code, at = whole.owner[keep], whole.code[keep], (anchor[whole.owner] + whole.offset)[keep]
    order = np.argsort(at, kind="stable")
    owner, code, at = owner[order], code[order], at[order]
    events = _events(simulation, ids, owner, code, at)
    users = _people(ids, anchor, rng)
    accounts = None
    if simulation.kind == EntityKind.ACCOUNT:
        accounts = users.rename({USER_ID: ACCOUNT_ID})
        users, events = share_among_members(ids, anchor, owner, at, events, until=START + SPAN, rng=rng)
    return Chunk(
        events=events,
        users=users,
        accounts=accounts,
        conversions=_conversions(simulation, ids, anchor, after, rng),
        entities=pl.DataFrame(
            {
                "entity": ids,
                "anchor": anchor,
                "converted": _plus(anchor, after),
                "held": held,
                "chance": decision.chance,
            }
        ),
    )


def _plus(anchor: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(after < NEVER, anchor + np.minimum(after, 10 * SPAN), NEVER)


def _triple(simulation: Simulation, usage: Usage, anchor: NDArray[np.int64], rng: np.random.Generator) -> Usage:
    """Let newer cohorts do the first true event three times as often."""
    again = (usage.code == simulation.literals[0].code) & (anchor[usage.owner] >= DRIFT_FROM)
    owner, code = np.tile(usage.owner[again], 2), np.tile(usage.code[again], 2)
    return Usage(
        activity=usage.activity,
        owner=np.concatenate([usage.owner, owner]),
        code=np.concatenate([usage.code, code]),
        offset=np.concatenate([usage.offset, draw_offsets(simulation.habits, code, rng)]),
    )


def _events(
    simulation: Simulation,
    ids: NDArray[np.int64],
    owner: NDArray[np.int64],
    code: NDArray[np.int64],
    at: NDArray[np.int64],
) -> pl.DataFrame:
    names = names_with_traps(simulation.habits.names, simulation.literals[0].code)
    return pl.DataFrame(
        {
            USER_ID: ids[owner],
            EVENT: named(names, code),
            TIMESTAMP: pl.Series(at).cast(INSTANT),
        }
    )


def _people(ids: NDArray[np.int64], anchor: NDArray[np.int64], rng: np.random.Generator) -> pl.DataFrame:
    countries = ["BR", "DE", "FR", "GB", "IN", "US"]
    channels = ["ads", "organic", "partner", "referral"]
    return pl.DataFrame(
        {
            USER_ID: ids,
            SIGNED_UP_AT: pl.Series(anchor).cast(INSTANT),
            "country": named(countries, rng.integers(0, 6, ids.size)),
            "channel": named(channels, rng.integers(0, 4, ids.size)),
        }
    )


def _conversions(
    simulation: Simulation,
    ids: NDArray[np.int64],
    anchor: NDArray[np.int64],
    after: NDArray[np.int64],
    rng: np.random.Generator,
) -> pl.DataFrame:
    paid = np.flatnonzero(after < NEVER)
    who, when = ids[paid], anchor[paid] + after[paid]
    if simulation.faults:
        again = rng.random(paid.size) < 0.03
        second = when[again] + DAY + (rng.standard_exponential(int(again.sum())) * (40 * DAY)).astype(np.int64)
        seen = second <= START + SPAN
        stray = START + (rng.random(1 + ids.size // 4000) * SPAN).astype(np.int64)
        who = np.concatenate([who, who[again][seen], STRANGERS + ids[: stray.size]])
        when = np.concatenate([when, second[seen], stray])
    order = np.lexsort((who, when))
    key = ACCOUNT_ID if simulation.kind == EntityKind.ACCOUNT else USER_ID
    return pl.DataFrame(
        {
            key: who[order],
            CONVERTED_AT: pl.Series(when[order]).cast(INSTANT),
            PLAN: pl.repeat("team", who.size, eager=True),
            AMOUNT: rng.integers(1, 8, who.size) * 12.0,
        }
    )
