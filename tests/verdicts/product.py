"""The product: canonical tables built a column at a time, for worlds of a second or less."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from pqlkit.columns import CONVERTED_AT, EVENT, SIGNED_UP_AT, TIMESTAMP, USER_ID
from pqlkit.durations import DAY
from tests.worlds.simulated import write_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

START: Final = 1_672_531_200_000_000  # 2023-01-01: no row may lie in the future
_INSTANT: Final = pl.Datetime("us", "UTC")


def instants(moments: NDArray[np.int64]) -> pl.Series:
    """Give int64 microseconds as UTC instants."""
    return pl.Series(moments).cast(_INSTANT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """Canonical tables and a project file: what a user of pqlkit would hold.

    Parameters
    ----------
    tables
        By the name of the export; a table that is absent is not written.
    as_of
        The end of the data; `cut` takes away what came after.
    project
        Lines of the project file besides its exports.
    """

    tables: Mapping[str, pl.DataFrame]
    as_of: str
    project: str = ""

    def write(self, folder: Path) -> Path:
        """Write the tables and the project file; gives the project file."""
        lines = [f"  {name}: {{path: {name}.parquet}}\n" for name in self.tables]
        for name, table in self.tables.items():
            write_table(folder / f"{name}.parquet", table)
        file = folder / "pqlkit.yml"
        file.write_text(f"pqlkit: 1\ntimezone: UTC\nexports:\n{''.join(lines)}{self.project}", encoding="utf-8")
        return file

    def silent(self, days: int) -> Tables:
        """Take away the last days of the events."""
        end = pl.lit(self.as_of).str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC") - pl.duration(days=days)
        events = self.tables["events"].filter(pl.col(TIMESTAMP) < end)
        return Tables(tables={**self.tables, "events": events}, as_of=self.as_of, project=self.project)

    def cut(self) -> Tables:
        """Take away every row after the end of the data: the truth knows what follows, an analyst does not."""
        moment = {"events": TIMESTAMP, "users": SIGNED_UP_AT, "accounts": SIGNED_UP_AT, "conversions": CONVERTED_AT}
        end = pl.lit(self.as_of).str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC")
        kept = {name: table.filter(pl.col(moment.get(name, "at")) < end) for name, table in self.tables.items()}
        return Tables(tables=kept, as_of=self.as_of, project=self.project)


@dataclass(kw_only=True)
class Product:
    """A product whose users sign up at even times over `days` days; the rest is added event by event.

    Parameters
    ----------
    seed
        Of everything drawn.
    users
        How many sign up.
    days
        Over how long; the data ends `ripe` days later.
    """

    seed: Sequence[int]
    users: int
    days: float = 360.0
    ripe: float = 0.0
    rng: np.random.Generator = field(init=False)
    anchor: NDArray[np.int64] = field(init=False)
    _events: list[pl.DataFrame] = field(default_factory=list)
    _conversions: list[pl.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.anchor = START + (np.sort(self.rng.random(self.users)) * self.days * DAY).astype(np.int64)

    @property
    def ids(self) -> NDArray[np.str_]:
        return np.char.add("u", np.char.zfill(np.arange(self.users).astype(str), 6))

    @property
    def as_of(self) -> str:
        return str(np.datetime64(START + int((self.days + self.ripe) * DAY), "us").astype("datetime64[D]"))

    @property
    def age(self) -> NDArray[np.float64]:
        """Days from the start of the data to each signup."""
        return np.asarray((self.anchor - START) / DAY)

    def event(
        self, name: str, times: ArrayLike, first: ArrayLike = 0.0, last: ArrayLike = 14.0, **properties: Any
    ) -> NDArray[np.int64]:
        """Let each user do `name` so many times, evenly between two ages in days; gives the owner of each row.

        `properties` are called with the owners and give a column.
        """
        owner = np.repeat(np.arange(self.users), np.broadcast_to(times, self.users))
        low, high = (np.broadcast_to(np.asarray(edge, dtype=float), self.users)[owner] for edge in (first, last))
        return self.at(name, owner, low + self.rng.random(owner.size) * (high - low), **properties)

    def at(self, name: str, owner: NDArray[np.int64], ages: ArrayLike, **properties: Any) -> NDArray[np.int64]:
        """Let users do `name` at these ages in days."""
        moment = self.anchor[owner] + (np.asarray(ages) * DAY).astype(np.int64)
        columns = {key: make(owner) for key, make in properties.items()}
        self._events.append(
            pl.DataFrame({USER_ID: self.ids[owner], EVENT: name, TIMESTAMP: instants(moment), **columns}).with_columns(
                pl.col(EVENT).cast(pl.String)
            )
        )
        return owner

    def usual(self, activity: ArrayLike = 1.0, last: ArrayLike = 20.0) -> None:
        """Let everybody use the product in six ordinary ways, the more active ones more; nobody converts for it."""
        rates = {"signed_in": 3.0, "task_created": 2.0, "search_used": 1.5, "comment_posted": 1.0, "report_viewed": 0.8}
        for name, rate in rates.items():
            self.event(name, self.rng.poisson(rate * np.asarray(activity) * np.ones(self.users)), 0.0, last)

    def convert(self, who: NDArray[np.bool_], first: ArrayLike = 14.05, last: ArrayLike = 42.0, **columns: Any) -> None:
        """Let users convert evenly between two ages in days."""
        owner = np.flatnonzero(who)
        low, high = (np.broadcast_to(np.asarray(edge, dtype=float), self.users)[owner] for edge in (first, last))
        self.convert_at(owner, low + self.rng.random(owner.size) * (high - low), **columns)

    def convert_at(self, owner: NDArray[np.int64], ages: ArrayLike, **columns: Any) -> None:
        """Let users convert at these ages in days."""
        moment = self.anchor[owner] + (np.asarray(ages) * DAY).astype(np.int64)
        more = {key: make(owner) for key, make in columns.items()}
        self._conversions.append(pl.DataFrame({USER_ID: self.ids[owner], CONVERTED_AT: instants(moment), **more}))

    def tables(self, *, project: str = "", traits: Mapping[str, Any] | None = None, **more: pl.DataFrame) -> Tables:
        """Give everything as canonical tables, uncut; `traits` are columns of the users, `more` other tables."""
        users = pl.DataFrame({USER_ID: self.ids, SIGNED_UP_AT: instants(self.anchor), **(traits or {})})
        made = {
            "events": pl.concat(self._events, how="diagonal").sort(TIMESTAMP, maintain_order=True),
            "users": users,
            "conversions": pl.concat(self._conversions, how="diagonal").sort(CONVERTED_AT, maintain_order=True),
            **more,
        }
        return self.around(made, project=project)

    def around(self, tables: Mapping[str, pl.DataFrame], *, project: str = "") -> Tables:
        """Give tables, however made, with the end of this product's data."""
        return Tables(tables=tables, as_of=self.as_of, project=project)
