"""The sample product: a believable freemium project-management service, with what was planted in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from pqlkit.demo.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """The exports of the sample product as they left its systems, faults included.

    Parameters
    ----------
    events
        In the order of arrival: ``event_id``, ``user_id``, ``account_id``, ``event``, ``timestamp`` (UTC microseconds),
        ``received`` (UTC microseconds: decides the nightly file), and properties (null where an event has none).
    users
        ``user_id``, ``email``, ``account_id``, ``signed_up_at``, ``country``, ``channel``, ``signup_plan``, ``role``, ``deleted_at``.
    accounts
        ``account_id``, ``name``, ``signed_up_at``, ``plan``, ``seats``, ``industry``, ``deleted_at``.
    upgrades
        ``account_id``, ``converted_at``, ``kind``, ``from_plan``, ``plan``, ``amount``, ``ended_at``.
    plan_history
        ``account_id``, ``valid_from``, ``plan``.
    contacts
        ``account_id``, ``at``, ``by``: whom sales called and when.
    truth
        What was planted.
    """

    events: pl.DataFrame
    users: pl.DataFrame
    accounts: pl.DataFrame
    upgrades: pl.DataFrame
    plan_history: pl.DataFrame
    contacts: pl.DataFrame
    truth: Truth


def make_product(accounts: int = 5000, seed: int = 1) -> Product:
    """Make the sample product; the same arguments give the same rows."""
    raise NotImplementedError


def write_exports(product: Product, folder: Path | str, *, form: str = "jsonl") -> list[Path]:
    """Write the exports and a commented ``pqlkit.yml`` into `folder`; gives the files written.

    `form` of the events: ``jsonl`` (nightly ``exports/events/2026-01-31.jsonl.gz``), ``csv`` or ``parquet``.
    """
    raise NotImplementedError
