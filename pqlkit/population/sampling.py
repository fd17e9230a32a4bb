"""The sample: a share of the entities, the same on every run, drawn before anything is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.population.phases import phases

if TYPE_CHECKING:
    from pqlkit.population.roster import Roster

SALT: Final = "pqlkit-sample"
"""Stands before an id when it is hashed, so that a sample does not follow the weeks of the snapshots or an arm."""

PARTS: Final = 10_000
"""A share is counted in these."""

MOST: Final = 5_000_000
"""Entities of which all are looked at where nobody says which share: more of them hardly make an interval narrower."""


def share_of(entities: int) -> float | None:
    """Say which share of so many entities is looked at where nobody does; None = all.

    Examples
    --------
    >>> share_of(5_000_000), share_of(50_000_000)
    (None, 0.1)
    """
    return None if entities <= MOST else MOST * PARTS // entities / PARTS


def drawn(roster: Roster, kind: EntityKind, share: float) -> Roster:
    """Leave out everybody but a share of the entities, with their events and conversions.

    Parameters
    ----------
    roster
        Who exists.
    kind
        What an entity is: accounts are drawn with all their users.
    share
        0..1. A larger share keeps everybody who was in a smaller one.

    Notes
    -----
    ``zlib.crc32(SALT + id as UTF-8 text) % 10000 < share x 10000`` is in.
    """
    key, listed = (USER_ID, roster.users) if kind is EntityKind.USER else (ACCOUNT_ID, roster.accounts)
    out = listed.filter(phases(listed[key], PARTS, salt=SALT) >= round(share * PARTS)).select(key)
    if kind is EntityKind.USER:
        return replace(
            roster,
            users=roster.users.join(out, on=USER_ID, how="anti", maintain_order="left"),
            members=roster.members.join(out, on=USER_ID, how="anti", maintain_order="left"),
            out_users=pl.concat([roster.out_users, out[USER_ID]]).unique().sort(),
        )
    theirs = roster.members.join(out, on=ACCOUNT_ID, how="semi").select(USER_ID)
    members = roster.members.join(out, on=ACCOUNT_ID, how="anti", maintain_order="left")
    # A user of several accounts stays while one of them does.
    gone = theirs.join(members, on=USER_ID, how="anti").unique()
    return replace(
        roster,
        users=roster.users.join(gone, on=USER_ID, how="anti", maintain_order="left"),
        accounts=roster.accounts.join(out, on=ACCOUNT_ID, how="anti", maintain_order="left"),
        members=members,
        out_users=pl.concat([roster.out_users, gone[USER_ID]]).unique().sort(),
        out_accounts=pl.concat([roster.out_accounts, out[ACCOUNT_ID]]).unique().sort(),
    )
