"""The simulated world: canonical tables of a product that never was, with the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.files import whole, write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from pqlkit.definitions.model import EntityKind
    from pqlkit.demo.truth import Truth

PART: Final = 1_000_000
"""Rows of one part of the events."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedWorld:
    """Canonical tables and their truth.

    Parameters
    ----------
    kind
        What an entity of the truth is.
    events
        ``user_id`` (Int64), ``account_id`` (Int64, worlds of accounts only), ``event``, ``timestamp`` (UTC microseconds).
    users
        ``user_id``, ``signed_up_at``, in worlds of accounts ``account_id``; fixed traits ``country`` and ``channel``.
    conversions
        ``user_id`` or ``account_id``, ``converted_at``, ``plan``, ``amount``; in time order.
    truth
        What was planted.
    accounts
        ``account_id``, ``signed_up_at``, traits, in the freemium world ``deleted_at``; None in worlds of users.
    plan_history
        ``account_id``, ``valid_from``, ``plan``; None where there is none.
    weeks
        The freemium world's account-weeks before conversion: ``account_id``, ``monday``, ``holds``, ``active``, ``hazard``.
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

        ``events/part-0000.parquet`` and so on, ``users.parquet``, ``conversions.parquet``, and if there are any
        ``accounts.parquet`` and ``plan_history.parquet``. An older world in the folder is replaced table by table.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        folder = Path(folder)
        write_parts(folder, (self.events.slice(start, PART) for start in range(0, max(self.events.height, 1), PART)))
        tables = {"users": self.users, "accounts": self.accounts, "conversions": self.conversions}
        write_tables(folder, {**tables, "plan_history": self.plan_history}, entity=self.kind)
        return folder


def write_parts(folder: Path, parts: Iterator[pl.DataFrame]) -> None:
    """Write the events part by part, and take away parts of an older, longer world."""
    written = set()
    for number, part in enumerate(parts):
        target = folder / "events" / f"part-{number:04}.parquet"
        write_table(target, part)
        written.add(target)
    for old in sorted((folder / "events").glob("part-*.parquet")):
        if old not in written:
            old.unlink()


def write_tables(folder: Path, tables: dict[str, pl.DataFrame | None], *, entity: str) -> None:
    """Write all tables but the events, and the project file."""
    present = {name: frame for name, frame in tables.items() if frame is not None}
    for name, frame in present.items():
        write_table(folder / f"{name}.parquet", frame)
    paths = {"events": "events/*.parquet"} | {n: f"{n}.parquet" for n in present if n != "plan_history"}
    write_text(folder / "pqlkit.yml", canonical_project(paths, entity=entity, history="plan_history" in present))


def write_table(target: Path, frame: pl.DataFrame) -> None:
    """Write one table as Parquet, whole or not at all."""
    with whole(target) as path:
        frame.write_parquet(path, compression="zstd")


def canonical_project(tables: Mapping[str, str], *, entity: str, history: bool) -> str:
    """Write a project file for canonical Parquet: `tables` maps an export's name to its path."""
    exports = "".join(f"  {name}: {{path: {path}}}\n" for name, path in tables.items())
    traits = "traits: {fixed: [country, channel]"
    traits += ", history: {plan: plan_history.parquet}}\n" if history else "}\n"
    return f"pqlkit: 1\ntimezone: UTC\nentity: {entity}\nexports:\n{exports}{traits}outcome: {{within: 30d}}\n"
