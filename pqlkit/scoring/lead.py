"""The lead: the words for an entity's standing, and the columns of a lead list."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


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
