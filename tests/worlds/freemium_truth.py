"""The truth of the freemium world: every account's class and every conversion's place, under ``every:28d``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit.columns import ACCOUNT_ID, CONVERTED_AT, TIMESTAMP
from pqlkit.demo.series import NEVER, named
from pqlkit.demo.tiling import CLASSES, CONVERSION_WINDOW, HISTORY, TiledSnapshots, weekly_activity
from pqlkit.demo.truth import Traps, Truth
from tests.worlds.freemium import ERA, EXPORTED_FROM, NAMES, trailing_definition
from tests.worlds.simulation import STRANGERS
from tests.worlds.traps import AFTER, BEFORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds
    from tests.worlds.freemium import Demand, Lives


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
    owner, at = events[ACCOUNT_ID].to_numpy() - 1, events[TIMESTAMP].dt.epoch("us").to_numpy()
    active = weekly_activity(ERA, owner, at, converted)
    snapshots = TiledSnapshots(pl.Series(ids), ERA, EXPORTED_FROM, anchor, converted, deleted, active, as_of)
    code = snapshots.classes()
    rate, base = _rates(chunks, as_of)
    paid = (converted <= as_of) & (converted < NEVER)
    strangers = int((conversions[ACCOUNT_ID] > STRANGERS).sum())
    true = NAMES[planted[0].code]
    return Truth(
        rule=trailing_definition(demands) if demands else None,
        rate=rate if demands else None,
        base_rate=base,
        snapshots="every:28d",
        conversion_window=CONVERSION_WINDOW,
        as_of=as_of,
        classes={name: int((code == position).sum()) for position, name in enumerate(CLASSES)},
        places={
            "rows": conversions.height,
            "first": int(paid.sum()),
            "repeats": conversions.height - strangers - int(paid.sum()),
            "filtered": 0,
            "unknown_entity": strangers,
            **snapshots.places(code, paid),
        },
        entities=pl.DataFrame(
            {"entity": ids, "class": named(CLASSES, code)},
        ).with_columns(meets=pl.lit(None, dtype=pl.Boolean), chance=pl.lit(None, dtype=pl.Float64)),
        traps=Traps(before=BEFORE, after=AFTER, more_after=true),
    )


def _newest(events: pl.DataFrame, conversions: pl.DataFrame) -> Microseconds:
    newest = [events[TIMESTAMP].dt.epoch("us").max(), conversions[CONVERTED_AT].dt.epoch("us").max()]
    return max(int(moment) for moment in newest if isinstance(moment, int))


def _rates(chunks: Sequence[Lives], as_of: Microseconds) -> tuple[float | None, float]:
    """Average the chance of the next four weeks over the active Mondays at risk: where the rule holds, and everywhere."""
    total = np.zeros(4)
    for lives in chunks:
        monday = ERA.mondays
        risk = (monday >= np.maximum(lives.anchor, EXPORTED_FROM + HISTORY)[:, None]) & lives.active
        risk &= (
            (monday < lives.converted[:, None])
            & (monday < lives.deleted[:, None])
            & (monday + CONVERSION_WINDOW <= as_of)
        )
        stays = 1 - lives.hazard
        chance = 1 - stays[:, :-3] * stays[:, 1:-2] * stays[:, 2:-1] * stays[:, 3:]
        inside, holds = risk[:, :-3], lives.holds[:, :-3]
        total += [chance[inside & holds].sum(), (inside & holds).sum(), chance[inside].sum(), inside.sum()]
    return (float(total[0] / total[1]) if total[1] else None), float(total[2] / max(total[3], 1.0))
