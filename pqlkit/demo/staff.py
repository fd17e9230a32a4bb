"""The person: who works in the accounts of the sample product, and who of them did what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.demo.company import CODES, ERA
from pqlkit.durations import DAY, MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.demo.company import Company

OWN_DOMAIN: Final = "ourcompany.com"
FIRST: Final = [
    "Ada",
    "Ben",
    "Chen",
    "Dana",
    "Eli",
    "Fatima",
    "Goran",
    "Hana",
    "Ivan",
    "Jun",
    "Kofi",
    "Lena",
    "Mia",
    "Nils",
    "Omar",
    "Priya",
    "Quinn",
    "Rosa",
    "Sami",
    "Tove",
]
LAST: Final = [
    "Adler",
    "Bauer",
    "Costa",
    "Dahl",
    "Evans",
    "Farah",
    "Garcia",
    "Hoang",
    "Ito",
    "Jansen",
    "Kaya",
    "Lopez",
    "Meyer",
    "Novak",
    "Okafor",
    "Patel",
    "Rossi",
    "Silva",
]
PLACE: Final = [
    "Amber",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Falcon",
    "Granite",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Maple",
    "Northwind",
    "Orchard",
    "Pebble",
    "Quartz",
    "River",
    "Summit",
    "Tundra",
    "Umber",
    "Vertex",
    "Willow",
    "Zephyr",
]
TRADE: Final = [
    "Analytics",
    "Bikes",
    "Books",
    "Clinics",
    "Coffee",
    "Construction",
    "Design",
    "Energy",
    "Events",
    "Farms",
    "Films",
    "Foods",
    "Games",
    "Garden",
    "Health",
    "Imports",
    "Insurance",
    "Labs",
    "Legal",
    "Logistics",
    "Media",
    "Optics",
    "Partners",
    "Press",
    "Robotics",
    "Schools",
    "Software",
    "Studio",
    "Travel",
    "Works",
]
FORM: Final = ("AG", "GmbH", "Inc", "LLC", "Ltd", "SA")
_SECOND: Final = MINUTE // 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Users, sorted by account and then by when they joined.

    Parameters
    ----------
    account
        Int64: the account's number.
    joined
        Int64 UTC microseconds.
    number
        Int64: position in the order of joining over all accounts; ids are made of it.
    first
        Int64: the position of each account's first user.
    """

    account: NDArray[np.int64]
    joined: NDArray[np.int64]
    number: NDArray[np.int64]
    first: NDArray[np.int64]


def draw_people(company: Company, rng: np.random.Generator) -> People:
    """Draw who joins: a founder, a few colleagues in the first weeks, and half of those who are invited."""
    accounts = company.anchor.size
    early = np.repeat(np.arange(accounts), np.minimum(rng.geometric(0.5, accounts) - 1, 4))
    early = np.concatenate([early, np.full(11, accounts - 1)])
    soon = company.anchor[early] + MINUTE + (rng.random(early.size) ** 2 * (21 * DAY)).astype(np.int64)
    asked = np.flatnonzero((company.code == CODES["teammate_invited"]) & (rng.random(company.code.size) < 0.5))
    invited = company.owner[asked]
    later = company.at[asked] + 5 * MINUTE + (rng.standard_exponential(asked.size) * DAY).astype(np.int64)
    account = np.concatenate([np.arange(accounts), early, invited])
    joined = np.concatenate([company.anchor, soon, later])
    kept = joined < np.minimum(company.deleted[account], ERA.end)
    kept[:accounts] = True
    kept[accounts:] &= _room(account[accounts:], kept[accounts:])
    account, joined = account[kept], joined[kept]
    order = np.lexsort((joined, account))
    account, joined = account[order], joined[order]
    number = np.empty(account.size, dtype=np.int64)
    number[np.argsort(joined, kind="stable")] = np.arange(account.size)
    return People(account=account, joined=joined, number=number, first=np.searchsorted(account, np.arange(accounts)))


def _room(account: NDArray[np.int64], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say who is among the first 60 to join an account: nobody's plan has more seats."""
    order = np.argsort(account, kind="stable")
    rank = np.arange(account.size) - np.searchsorted(account[order], account[order])
    room = np.empty_like(kept)
    room[order] = rank < 60
    return room


def who_did(company: Company, people: People, rng: np.random.Generator) -> NDArray[np.int64]:
    """Pick for each event one of the users there at the time, the earlier ones more often: positions in `people`."""
    age = (people.joined - ERA.start) // _SECOND
    span = (ERA.end - ERA.start) // _SECOND + 1
    key = people.account * span + np.maximum(age, 0)
    moment = np.clip((company.at - ERA.start) // _SECOND, 0, span - 1)
    there = np.searchsorted(key, company.owner * span + moment, side="right") - people.first[company.owner]
    chosen: NDArray[np.int64] = people.first[company.owner] + (
        np.maximum(there, 1) * rng.random(there.size) ** 1.6
    ).astype(np.int64)
    return chosen


def account_ids(accounts: int) -> pl.Series:
    """Give the accounts' ids; the company's own comes last."""
    return _numbered("org_", np.arange(1, accounts + 1), 5)


def user_ids(people: People) -> pl.Series:
    """Give the users' ids, in the order of `people`."""
    return _numbered("u_", people.number + 1, 6)


def account_names(accounts: int, rng: np.random.Generator) -> tuple[pl.Series, pl.Series]:
    """Give names and mail domains: words first, and a number in the domain so that each is only once there."""
    frame = pl.DataFrame(
        {
            "place": _pick(PLACE, accounts, rng),
            "trade": _pick(TRADE, accounts, rng),
            "form": _pick(FORM, accounts, rng),
            "number": np.arange(1, accounts + 1),
        }
    ).select(
        name=pl.format("{} {} {}", "place", "trade", "form"),
        domain=pl.format(
            "{}{}{}.example", pl.col("place").str.to_lowercase(), pl.col("trade").str.to_lowercase(), "number"
        ),
    )
    last = pl.int_range(pl.len()) == accounts - 1
    frame = frame.with_columns(
        name=pl.when(last).then(pl.lit("Our Company")).otherwise("name"),
        domain=pl.when(last).then(pl.lit(OWN_DOMAIN)).otherwise("domain"),
    )
    return frame["name"], frame["domain"]


def emails(people: People, domains: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Give mail addresses ``dana.okafor7@northwindlabs12.example``."""
    size = people.account.size
    frame = pl.DataFrame(
        {
            "given": _pick(FIRST, size, rng),
            "family": _pick(LAST, size, rng),
            "number": np.arange(size) - people.first[people.account] + 1,
            "domain": domains.gather(people.account),
        }
    )
    local = pl.format("{}.{}{}", pl.col("given").str.to_lowercase(), pl.col("family").str.to_lowercase(), "number")
    return frame.select(email=pl.format("{}@{}", local, "domain"))["email"]


def _pick(words: list[str] | tuple[str, ...], size: int, rng: np.random.Generator) -> pl.Series:
    return pl.Series(words, dtype=pl.String).gather(rng.integers(0, len(words), size))


def _numbered(prefix: str, numbers: NDArray[np.int64], digits: int) -> pl.Series:
    text = pl.col("n").cast(pl.String).str.zfill(digits)
    return pl.DataFrame({"n": numbers}).select(id=pl.concat_str(pl.lit(prefix), text))["id"]
