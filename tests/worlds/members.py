"""The member: the users of a simulated account, and who of them did what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit.columns import ACCOUNT_ID, SIGNED_UP_AT, USER_ID
from pqlkit.durations import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds


def share_among_members(
    ids: NDArray[np.int64],
    anchor: NDArray[np.int64],
    owner: NDArray[np.int64],
    at: NDArray[np.int64],
    events: pl.DataFrame,
    *,
    until: Microseconds,
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Share the accounts' events among their users: three on average, the first one there from the start.

    Parameters
    ----------
    ids, anchor
        One per account.
    owner, at
        One per event: the account's number and the moment in microseconds.
    events
        ``user_id`` (here the account's id), ``event``, ``timestamp``, in the order of `owner`.
    until
        The last moment at which somebody joins.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        Users (``user_id``, ``account_id``, ``signed_up_at``), and the events with ``user_id`` and ``account_id``.
    """
    size = np.minimum(rng.geometric(1 / 3, ids.size), 40)
    account = np.repeat(np.arange(ids.size), size)
    first = np.cumsum(size) - size
    number = np.arange(account.size) - first[account]
    joined = anchor[account] + np.where(number == 0, 0.0, rng.random(account.size) ** 2 * (10 * DAY)).astype(np.int64)
    joined = np.minimum(joined, until)
    pick = first[owner] + (rng.random(owner.size) * size[owner]).astype(np.int64)
    pick = np.where(joined[pick] <= at, pick, first[owner])
    user = ids[account] * 100 + number
    users = pl.DataFrame(
        {USER_ID: user, ACCOUNT_ID: ids[account], SIGNED_UP_AT: pl.Series(joined).cast(pl.Datetime("us", "UTC"))}
    )
    shared = events.rename({USER_ID: ACCOUNT_ID}).insert_column(0, pl.Series(USER_ID, user[pick]))
    return users, shared
