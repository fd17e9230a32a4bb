"""The lead: the words for an entity's standing, and the columns of a lead list."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final, assert_never

import polars as pl


class LeadStatus(StrEnum):
    """Where an entity stands; the first that fits, in this order."""

    CUSTOMER = "customer"
    INELIGIBLE = "ineligible"
    PQL = "pql"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    NEAR = "near"
    MISSED = "missed"
    STARTED = "started"
    INACTIVE = "inactive"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """Say it to people: on screens and in a CRM."""
        match self:
            case LeadStatus.PQL:
                return "PQL"
            case LeadStatus.EXPIRED:
                return "stale PQL"
            case LeadStatus.MISSED:
                return "window over"
            case LeadStatus.INELIGIBLE:
                return "not eligible"
            case (
                LeadStatus.CUSTOMER
                | LeadStatus.LAPSED
                | LeadStatus.NEAR
                | LeadStatus.STARTED
                | LeadStatus.INACTIVE
                | LeadStatus.WITHDRAWN
            ):
                return self.value
            case _:
                assert_never(self)


ORDER: Final = (
    LeadStatus.PQL,
    LeadStatus.NEAR,
    LeadStatus.EXPIRED,
    LeadStatus.LAPSED,
    LeadStatus.STARTED,
    LeadStatus.MISSED,
    LeadStatus.INACTIVE,
    LeadStatus.WITHDRAWN,
    LeadStatus.CUSTOMER,
    LeadStatus.INELIGIBLE,
)
"""How a lead list is sorted: who can be worked first."""

HOLDING: Final = (LeadStatus.PQL.value, LeadStatus.EXPIRED.value)
"""Who meets the definition now."""

READ: Final = (LeadStatus.PQL, LeadStatus.NEAR, LeadStatus.EXPIRED)
"""Whose reasons a rep reads in a list."""


def lead_ids(definition: str, kind: str, ids: pl.Series, starts: pl.Series) -> pl.Series:
    """Name leads: 16 hexadecimal digits of the SHA-256 of the definition's name, who it is, and the start.

    Parameters
    ----------
    definition, kind
        The definition's name, and ``user`` or ``account``.
    ids, starts
        Of each row; starts in UTC microseconds. Without a start there is no lead and no id.

    Examples
    --------
    >>> import polars as pl
    >>> lead_ids("team", "user", pl.Series(["a", "a", "b"]), pl.Series([1, 1, None])).to_list()
    ['c9bf4811ebfe58ce', 'c9bf4811ebfe58ce', None]
    """
    # A warehouse makes the same of the same text (see `pqlkit.warehouse`); what an id holds comes last, so that it can be anything.
    started = starts.is_not_null().arg_true()
    named = [
        hashlib.sha256(f"{definition}/{kind}/{start}/{name}".encode()).hexdigest()[:16]
        for name, start in zip(ids.gather(started).to_list(), starts.gather(started).to_list(), strict=True)
    ]
    return pl.repeat(None, len(starts), dtype=pl.String, eager=True).scatter(started, named).alias("lead_id")
