"""The truth of the freemium world: every account's class and every conversion's place, under ``every:28d``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.analysis.design import phases
from pqlkit.columns import ACCOUNT_ID, CONVERTED_AT, TIMESTAMP
from pqlkit.demo.bursts import trailing
from pqlkit.demo.classes import NEVER
from pqlkit.demo.freemium import ERA, EXPORTED_FROM, NAMES, trailing_definition
from pqlkit.demo.simulation import STRANGERS, named
from pqlkit.demo.traps import AFTER, BEFORE
from pqlkit.demo.truth import Traps, Truth
from pqlkit.demo.weeks import weekly_bins
from pqlkit.durations import DAY, WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.demo.freemium import Demand, Lives
    from pqlkit.typing import Microseconds

HORIZON: Final = 28 * DAY
HISTORY: Final = 84 * DAY
CLASSES: Final = (
    "unobserved",
    "customer_already",
    "early",
    "deleted",
    "immature",
    "dormant",
    "converted",
    "not_converted",
)
_ORIGIN: Final = 946_857_600_000_000  # Monday 2000-01-03


def state_freemium(
    ids: NDArray[np.int64],
    chunks: Sequence[Lives],
    tables: dict[str, pl.DataFrame],
    demands: tuple[Demand, ...] | None,
    *,
    planted: tuple[Demand, ...],
) -> Truth:
    """Count what became of everybody; `demands` is None where nothing is planted."""
    anchor, converted, deleted = (
        np.concatenate([getattr(lives, name) for lives in chunks]) for name in ("anchor", "converted", "deleted")
    )
    events, conversions = tables["events"], tables["conversions"]
    as_of = _newest(events, conversions)
    active = _activity(ids, events, converted)
    looks = _Looks(ids, anchor, converted, deleted, active, as_of)
    code = looks.classes()
    rate, base = _rates(chunks, as_of)
    paid = (converted <= as_of) & (converted < NEVER)
    strangers = int((conversions[ACCOUNT_ID] > STRANGERS).sum())
    true = NAMES[planted[0].code]
    return Truth(
        rule=trailing_definition(demands) if demands else None,
        rate=rate if demands else None,
        base_rate=base,
        looks="every:28d",
        horizon=HORIZON,
        as_of=as_of,
        classes={name: int((code == position).sum()) for position, name in enumerate(CLASSES)},
        places={
            "rows": conversions.height,
            "first": int(paid.sum()),
            "repeats": conversions.height - strangers - int(paid.sum()),
            "filtered": 0,
            "unknown_entity": strangers,
            **looks.places(code, paid),
        },
        entities=pl.DataFrame(
            {"entity": ids, "class": named(CLASSES, code)},
        ).with_columns(meets=pl.lit(None, dtype=pl.Boolean), chance=pl.lit(None, dtype=pl.Float64)),
        traps=Traps(before=BEFORE, after=AFTER, more_after=true),
    )


def _newest(events: pl.DataFrame, conversions: pl.DataFrame) -> Microseconds:
    newest = [events[TIMESTAMP].dt.epoch("us").max(), conversions[CONVERTED_AT].dt.epoch("us").max()]
    return max(int(moment) for moment in newest if isinstance(moment, int))


def _activity(ids: NDArray[np.int64], events: pl.DataFrame, converted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say for each account and Monday whether the export has an event in the 28 days before, none at or after paying."""
    owner = events[ACCOUNT_ID].to_numpy() - 1
    at = events[TIMESTAMP].dt.epoch("us").to_numpy()
    free = at < converted[owner]
    return trailing(weekly_bins(ERA, owner[free], at[free], ids.size), 4) > 0


class _Looks:
    """The looks of ``every:28d``, worked out on the table of accounts x weeks."""

    def __init__(
        self,
        ids: NDArray[np.int64],
        anchor: NDArray[np.int64],
        converted: NDArray[np.int64],
        deleted: NDArray[np.int64],
        active: NDArray[np.bool_],
        as_of: Microseconds,
    ) -> None:
        monday = ERA.mondays
        weeks = (monday - _ORIGIN) // WEEK
        phase = phases(pl.Series(ids), 4).to_numpy()
        begins = np.maximum(anchor, EXPORTED_FROM + HISTORY)
        mine = (weeks % 4 == phase[:, None]) & (monday >= begins[:, None])
        week = -((_ORIGIN - begins) // WEEK)
        self.anchor, self.converted, self.deleted = anchor, converted, deleted
        self.first = _ORIGIN + (week + (phase - week) % 4) * WEEK
        self.asked = mine & (monday <= as_of) & (monday < converted[:, None])
        self.alive = self.asked & (monday < deleted[:, None])
        self.mature = self.alive & (monday + HORIZON <= as_of)
        self.seen = self.mature & active
        self.holding = self.asked & (converted[:, None] <= monday + HORIZON)

    def classes(self) -> NDArray[np.int64]:
        """Give each account's position in `CLASSES`."""
        unlooked = ~self.asked.any(axis=1)
        return np.select(
            [
                self.converted < EXPORTED_FROM + HISTORY,
                self.converted < self.anchor,
                self.converted <= self.first,
                (self.deleted <= self.first) & (unlooked | ~self.alive.any(axis=1)),
                ~self.mature.any(axis=1),
                ~self.seen.any(axis=1),
                (self.seen & self.holding).any(axis=1),
            ],
            list(range(7)),
            7,
        ).astype(np.int64)

    def places(self, code: NDArray[np.int64], paid: NDArray[np.bool_]) -> dict[str, int]:
        """Count the first conversions by place."""
        named_class = {name: paid & (code == position) for position, name in enumerate(CLASSES)}
        looked = paid & (code >= CLASSES.index("dormant"))
        used = (self.seen & self.holding).any(axis=1)
        mature = (self.mature & self.holding).any(axis=1)
        counts = {
            "used": looked & used,
            "dormant": looked & mature & ~used,
            "immature": named_class["immature"] | (looked & ~mature & self.holding.any(axis=1)),
            "later": looked & ~self.holding.any(axis=1),
            "before_history": named_class["unobserved"],
            "before_first_look": named_class["early"],
            "customer_already": named_class["customer_already"],
            "deleted": named_class["deleted"],
        }
        return {name: int(rows.sum()) for name, rows in counts.items()}


def _rates(chunks: Sequence[Lives], as_of: Microseconds) -> tuple[float | None, float]:
    """Average the chance of the next four weeks over the active Mondays at risk: where the rule holds, and everywhere."""
    total = np.zeros(4)
    for lives in chunks:
        monday = ERA.mondays
        risk = (monday >= np.maximum(lives.anchor, EXPORTED_FROM + HISTORY)[:, None]) & lives.active
        risk &= (monday < lives.converted[:, None]) & (monday < lives.deleted[:, None]) & (monday + HORIZON <= as_of)
        stays = 1 - lives.hazard
        chance = 1 - stays[:, :-3] * stays[:, 1:-2] * stays[:, 2:-1] * stays[:, 3:]
        inside, holds = risk[:, :-3], lives.holds[:, :-3]
        total += [chance[inside & holds].sum(), (inside & holds).sum(), chance[inside].sum(), inside.sum()]
    return (float(total[0] / total[1]) if total[1] else None), float(total[2] / max(total[3], 1.0))
