"""The truth of the sample product: its rule, its traps, and every account's class under ``every:28d``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit.columns import ACCOUNT_ID, CONVERTED_AT, EVENT, TIMESTAMP
from pqlkit.demo.company import ERA, EXPORTED_FROM, team_rollout
from pqlkit.demo.series import NEVER, named
from pqlkit.demo.tiling import CLASSES, CONVERSION_WINDOW, HISTORY, TiledSnapshots, weekly_activity
from pqlkit.demo.truth import Traps, Truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.demo.company import Company

AUTOMATIC = "email_delivered"


def state_product(company: Company, ids: pl.Series, events: pl.DataFrame, upgrades: pl.DataFrame) -> Truth:
    """Count what became of every account, the company's own (the last) left out.

    Parameters
    ----------
    events
        The product's events without repeats and wrong clocks.
    """
    outside = slice(0, len(ids) - 1)
    clients = ids.slice(0, len(ids) - 1)
    anchor, converted, deleted = company.anchor[outside], company.converted[outside], company.deleted[outside]
    own = events.filter(pl.col(ACCOUNT_ID) != ids[-1], pl.col(EVENT) != AUTOMATIC)
    owner = own[ACCOUNT_ID].replace_strict(clients, np.arange(len(clients)), return_dtype=pl.Int64).to_numpy()
    active = weekly_activity(ERA, owner, own[TIMESTAMP].dt.epoch("us").to_numpy(), converted)
    newest = [events[TIMESTAMP].dt.epoch("us").max(), upgrades[CONVERTED_AT].dt.epoch("us").max()]
    as_of = max(int(moment) for moment in newest if isinstance(moment, int))
    snapshots = TiledSnapshots(clients, ERA, EXPORTED_FROM, anchor, converted, deleted, active, as_of)
    code = snapshots.classes()
    paid = converted <= as_of
    strangers = int((~upgrades[ACCOUNT_ID].is_in(ids.implode())).sum())
    rate, base = _rates(company, active, as_of)
    return Truth(
        rule=team_rollout(),
        rate=rate,
        base_rate=base,
        snapshots="every:28d",
        conversion_window=CONVERSION_WINDOW,
        as_of=as_of,
        classes={name: int((code == position).sum()) for position, name in enumerate(CLASSES)},
        places={
            "rows": upgrades.height,
            "first": int(paid.sum()),
            "repeats": upgrades.height - strangers - int(paid.sum()),
            "filtered": 0,
            "unknown_entity": strangers,
            **snapshots.places(code, paid & (converted < NEVER)),
        },
        entities=pl.DataFrame({"entity": clients, "class": named(CLASSES, code)}).with_columns(
            meets=pl.lit(None, dtype=pl.Boolean), chance=pl.lit(None, dtype=pl.Float64)
        ),
        traps=Traps(
            before="checkout_opened",
            after="invoice_downloaded",
            common="workspace_opened",
            proxy="invite_dialog_opened",
            more_after="teammate_invited",
        ),
    )


def _rates(company: Company, active: NDArray[np.bool_], as_of: int) -> tuple[float | None, float]:
    """Average the chance of the next four weeks over the active Mondays at risk: where the rule holds, and everywhere."""
    anchor, converted, deleted = company.anchor[:-1], company.converted[:-1], company.deleted[:-1]
    risk = active & (np.maximum(anchor, EXPORTED_FROM + HISTORY)[:, None] <= ERA.mondays)
    risk &= (
        (ERA.mondays < converted[:, None])
        & (ERA.mondays < deleted[:, None])
        & (ERA.mondays + CONVERSION_WINDOW <= as_of)
    )
    stays = 1 - company.chance[:-1]
    chance = 1 - stays[:, :-3] * stays[:, 1:-2] * stays[:, 2:-1] * stays[:, 3:]
    inside = risk[:, :-3]
    holds = inside & company.holds[:-1, :-3]
    rate = float(chance[holds].mean()) if holds.any() else None
    return rate, float(chance[inside].mean()) if inside.any() else 0.0
