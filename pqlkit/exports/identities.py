"""The identity: whose events an anonymous id's are.

An id that stands as `anonymous_id` in the identities is anonymous by that declaration, also where an export writes it into
its user column. Chains (a was b, b was c) lead to their end. An anonymous id of two users at once (a shared device) is
nobody's: it is counted and stitched to none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ANONYMOUS_ID, USER_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_CHAIN: Final = 16
_NEXT: Final = "next"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identities:
    """Anonymous ids and their users.

    `known` has `anonymous_id` (unique, text) and `user_id` (text), sorted. `ambiguous` counts anonymous ids of several
    users; `circular` those whose chain never ends.
    """

    known: pl.DataFrame
    ambiguous: int = 0
    circular: int = 0


def resolve(pairs: Sequence[pl.DataFrame]) -> Identities:
    """Resolve pairs of `anonymous_id` and `user_id` (text) from all sources.

    Examples
    --------
    >>> pairs = pl.DataFrame({"anonymous_id": ["a", "b", "x", "x"], "user_id": ["b", "c", "u", "v"]})
    >>> resolve([pairs]).known.rows(), resolve([pairs]).ambiguous
    ([('a', 'c'), ('b', 'c')], 1)
    """
    if not pairs:
        return Identities(known=pl.DataFrame(schema={ANONYMOUS_ID: pl.String, USER_ID: pl.String}))
    links = pl.concat([pair.select(ANONYMOUS_ID, USER_ID) for pair in pairs]).unique()
    links = links.filter(pl.col(ANONYMOUS_ID) != pl.col(USER_ID))
    ends = links
    for _ in range(LONGEST_CHAIN):
        further = ends.join(links.rename({ANONYMOUS_ID: USER_ID, USER_ID: _NEXT}), on=USER_ID, how="left")
        if further[_NEXT].null_count() == further.height:
            break
        ends = further.select(ANONYMOUS_ID, pl.coalesce(_NEXT, USER_ID).alias(USER_ID)).unique()
    looped = pl.col(USER_ID).is_in(links[ANONYMOUS_ID].implode()) | (pl.col(ANONYMOUS_ID) == pl.col(USER_ID))
    circular = ends.filter(looped)[ANONYMOUS_ID].unique()
    ends = ends.filter(~pl.col(ANONYMOUS_ID).is_in(circular.implode()))
    several = ends.filter(pl.len().over(ANONYMOUS_ID) > 1)[ANONYMOUS_ID].n_unique()
    known = ends.filter(pl.len().over(ANONYMOUS_ID) == 1).sort(ANONYMOUS_ID)
    return Identities(known=known, ambiguous=several, circular=len(circular))


def stitched(events: pl.DataFrame, identities: Identities) -> pl.DataFrame:
    """Give events their users: the row order stays.

    Parameters
    ----------
    events
        With `user_id` and maybe `anonymous_id`, both text.
    identities
        Who is who.
    """
    if identities.known.is_empty():
        return events
    events = _looked_up(events, USER_ID, identities, "pqlkit:user").with_columns(
        pl.coalesce("pqlkit:user", USER_ID).alias(USER_ID)
    )
    if ANONYMOUS_ID in events.columns:
        events = _looked_up(events, ANONYMOUS_ID, identities, "pqlkit:anonymous").with_columns(
            pl.coalesce(USER_ID, "pqlkit:anonymous").alias(USER_ID)
        )
    return events.drop("pqlkit:user", "pqlkit:anonymous", strict=False)


def _looked_up(events: pl.DataFrame, column: str, identities: Identities, name: str) -> pl.DataFrame:
    known = identities.known.rename({ANONYMOUS_ID: column, USER_ID: name})
    return events.join(known, on=column, how="left", maintain_order="left")
