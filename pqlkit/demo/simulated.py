"""The simulated world: canonical tables of a product that never was, with the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from pqlkit.definitions.model import EntityKind
    from pqlkit.demo.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedWorld:
    """Canonical tables and their truth.

    Parameters
    ----------
    kind
        What an entity of the truth is.
    events
        ``user_id`` (Int64), ``account_id`` (Int64, worlds of accounts only), ``event``, ``timestamp``; sorted by time.
    users
        ``user_id``, ``signed_up_at``, and in worlds of accounts ``account_id``; traits.
    conversions
        ``user_id`` or ``account_id``, ``converted_at``, and where it has them ``plan``, ``ended_at``...
    truth
        What was planted.
    accounts
        ``account_id``, ``signed_up_at``, ``deleted_at``, traits; None where there are none.
    plan_history
        ``account_id``, ``valid_from``, ``plan``; None where there is none.
    weeks
        Weekly hazards of the freemium world: ``account_id``, ``week`` (its Monday), ``holds``, ``active``, ``hazard``; else None.
    """

    kind: EntityKind
    events: pl.DataFrame
    users: pl.DataFrame
    conversions: pl.DataFrame
    truth: Truth
    accounts: pl.DataFrame | None = None
    plan_history: pl.DataFrame | None = None
    weeks: pl.DataFrame | None = None

    def write(self, folder: Path | str) -> Path:
        """Write the tables as canonical Parquet with a `pqlkit.yml` beside them; gives the folder.

        ``events/part-0000.parquet`` ..., ``users.parquet``, ``accounts.parquet``, ``conversions.parquet``,
        ``plan_history.parquet``.
        """
        raise NotImplementedError
