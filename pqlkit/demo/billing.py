"""The bill: conversion rows and the plans over time that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pqlkit.columns import ACCOUNT_ID, AMOUNT, CONVERTED_AT, ENDED_AT, FROM_PLAN, KIND, PLAN, VALID_FROM
from pqlkit.demo.series import INSTANT, NEVER
from pqlkit.durations import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.typing import Microseconds


def draw_bills(
    ids: pl.Series,
    converted: NDArray[np.int64],
    deleted: NDArray[np.int64],
    *,
    end: Microseconds,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Draw the conversion rows of accounts: the upgrade, for some an expansion later, and for some the end.

    Parameters
    ----------
    ids
        One per account.
    converted, deleted
        When it upgrades and when it is deleted, in microseconds; `NEVER` where it does not.
    end
        The end of the data.
    rng
        The source of randomness.
    """
    paid = np.flatnonzero(converted < NEVER)
    when = converted[paid]
    ended = when + DAY + (rng.standard_exponential(paid.size) * (900 * DAY)).astype(np.int64)
    grown = when + 30 * DAY + (rng.standard_exponential(paid.size) * (200 * DAY)).astype(np.int64)
    grows = (rng.random(paid.size) < 0.15) & (grown < np.minimum(np.minimum(ended, deleted[paid]), end))
    amount = rng.integers(3, 30, paid.size) * 12.0
    new = bill_rows(ids.gather(paid), when, "new", "free", "team", amount, np.where(ended < end, ended, NEVER))
    more = paid[grows]
    none = np.full(more.size, NEVER)
    return pl.concat(
        [new, bill_rows(ids.gather(more), grown[grows], "expansion", "team", "business", 2 * amount[grows], none)]
    )


def bill_rows(
    ids: pl.Series,
    when: NDArray[np.int64],
    kind: str,
    from_plan: str,
    plan: str,
    amount: NDArray[np.floating[Any]],
    ended: NDArray[np.int64],
) -> pl.DataFrame:
    """Write conversion rows; `ended` is `NEVER` where it goes on.

    Parameters
    ----------
    ids, when
        The accounts, and when each pays.
    kind
        ``new`` or ``expansion``.
    from_plan, plan, amount
        What they had, and what they buy.
    ended
        When the subscription ends; `NEVER` where it goes on.
    """
    return pl.DataFrame(
        {
            ACCOUNT_ID: ids,
            CONVERTED_AT: pl.Series(when).cast(INSTANT),
            KIND: pl.repeat(kind, len(ids), eager=True, dtype=pl.String),
            FROM_PLAN: pl.repeat(from_plan, len(ids), eager=True, dtype=pl.String),
            PLAN: pl.repeat(plan, len(ids), eager=True, dtype=pl.String),
            AMOUNT: amount,
            ENDED_AT: moment(ended),
        }
    )


def plan_history(
    ids: pl.Series, anchor: NDArray[np.int64], converted: NDArray[np.int64], conversions: pl.DataFrame
) -> pl.DataFrame:
    """Write the plans over time: free at first, then what each row bought, free again when it ended."""
    begin = pl.DataFrame(
        {
            ACCOUNT_ID: ids,
            VALID_FROM: pl.Series(np.minimum(anchor, converted - DAY)).cast(INSTANT),
            PLAN: pl.repeat("free", len(ids), eager=True, dtype=pl.String),
        }
    )
    paid = conversions.select(ACCOUNT_ID, pl.col(CONVERTED_AT).alias(VALID_FROM), PLAN)
    over = conversions.filter(pl.col(ENDED_AT).is_not_null())
    back = over.select(ACCOUNT_ID, pl.col(ENDED_AT).alias(VALID_FROM), pl.lit("free").alias(PLAN))
    return pl.concat([begin, paid, back]).sort(ACCOUNT_ID, VALID_FROM)


def moment(values: NDArray[np.int64]) -> pl.Series:
    """Turn microseconds into instants, `NEVER` into null."""
    moments = pl.Series(values)
    return pl.select(pl.when(moments < NEVER).then(moments)).to_series().cast(INSTANT)
