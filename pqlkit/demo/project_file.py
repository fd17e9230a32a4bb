"""The project file: the `pqlkit.yml` that lies beside what the demo writes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Form(StrEnum):
    """How the sample product's events are exported."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"

    @property
    def suffix(self) -> str:
        """What the files' names end in."""
        return self.value if self == Form.PARQUET else f"{self.value}.gz"


def product_project(form: Form) -> str:
    """Write the sample product's project file, with comments for a reader who is new to it."""
    columns = _MAPPED if form == Form.JSONL else _PLAIN
    return _PRODUCT.format(suffix=form.suffix, columns=columns)


_MAPPED: Final = """
    columns:                       # pqlkit's name: the export's name
      user_id: userId
      account_id: orgId
      event: event
      timestamp: timestamp         # ISO 8601 with an offset; others: {column: ts, format: epoch_ms}
      event_id: messageId          # the same message delivered twice counts once"""

_PLAIN: Final = """
    # The columns have pqlkit's names already: user_id, account_id, event, timestamp, event_id."""

_PRODUCT: Final = """\
# The sample product: where its exports are and what is known about them.
pqlkit: 1                          # format of this file
timezone: UTC                      # for dates and weeks
entity: account                    # teams upgrade, not people

exports:
  events:
    path: exports/events/*.{suffix}{columns}
  users:
    path: exports/users.csv
    columns: {{user_id: id, account_id: org_id, signed_up_at: created_at}}
  accounts:
    path: exports/accounts.csv
    columns: {{account_id: id, signed_up_at: created_at}}
  conversions:                     # from the billing system
    path: exports/upgrades.csv
    columns: {{account_id: org_id, converted_at: paid_at}}
  contacts:                        # whom sales called, and when
    path: exports/contacts.csv

traits:
  fixed: [country, channel, industry, signup_plan, name, email, role]
  current: [plan, seats]           # today's values: after an upgrade they are the customer's
  history: {{plan: exports/plan_history.csv}}

events:                            # what is known about names
  email_delivered: {{automatic: true}}    # sent by a machine: no sign of life
  limit_warning: {{mechanical: true}}     # comes before the conversion by construction

population:                        # own staff and their events stay out of every command
  - {{trait: email, not_matching: "@ourcompany\\\\.com$"}}

outcome: {{within: 28d}}             # the conversion window
definitions: definitions/
"""
