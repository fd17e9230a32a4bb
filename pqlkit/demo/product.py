"""The sample product: a believable freemium project-management service, with what was planted in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import (
    ACCOUNT_ID,
    AT,
    CONVERTED_AT,
    DELETED_AT,
    EVENT,
    EVENT_ID,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.demo.billing import bill_rows, draw_bills, moment, plan_history
from pqlkit.demo.company import CODES, ERA, NAMES, PROJECTS, Company, draw_company
from pqlkit.demo.dirt import draw_robots, with_faults
from pqlkit.demo.product_truth import state_product
from pqlkit.demo.randomness import stream
from pqlkit.demo.series import INSTANT, NEVER, named
from pqlkit.demo.staff import People, account_ids, account_names, draw_people, emails, user_ids, who_did
from pqlkit.durations import DAY, HOUR
from pqlkit.errors import UsageError

if TYPE_CHECKING:
    from pqlkit.demo.truth import Truth

COUNTRIES: Final = ("BR", "DE", "ES", "FR", "GB", "IN", "JP", "US")
CHANNELS: Final = ("ads", "organic", "partner", "referral")
INDUSTRIES: Final = ("agency", "education", "healthcare", "manufacturing", "retail", "software")
DEVICES: Final = ("web", "mac", "windows", "ios", "android")
FORMATS: Final = ("pdf", "csv", "png")
INTEGRATIONS: Final = ("slack", "github", "google-drive", "zapier", "jira")
TEMPLATES: Final = ("sprint", "roadmap", "launch", "hiring", "blank")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """The exports of the sample product as they left its systems, faults included.

    Parameters
    ----------
    events
        In the order of arrival: ``event_id``, ``user_id``, ``account_id``, ``event``, ``timestamp`` (UTC microseconds),
        ``received`` (UTC microseconds: decides the nightly file), and the properties ``device``, ``format``, ``integration``,
        ``template``, ``invitee``, ``megabytes``, ``used`` and ``allowed`` (null where an event has none).
    users
        ``user_id``, ``email``, ``account_id``, ``role``, ``signed_up_at``.
    accounts
        ``account_id``, ``name``, ``signed_up_at``, ``plan``, ``seats``, ``industry``, ``country``, ``channel``,
        ``signup_plan``, ``deleted_at``; plan and seats are today's.
    upgrades
        ``account_id``, ``converted_at``, ``kind``, ``from_plan``, ``plan``, ``amount``, ``ended_at``.
    plan_history
        ``account_id``, ``valid_from``, ``plan``.
    contacts
        ``account_id``, ``at``, ``by``: whom sales called and when. Calls change nothing here.
    truth
        What was planted; its classes count the accounts without the company's own.
    """

    events: pl.DataFrame
    users: pl.DataFrame
    accounts: pl.DataFrame
    upgrades: pl.DataFrame
    plan_history: pl.DataFrame
    contacts: pl.DataFrame
    truth: Truth


def make_product(accounts: int = 5000, seed: int = 1) -> Product:
    """Make the sample product; the same arguments give the same rows.

    104 weeks to 2026-11-01; the events export begins on 2025-02-03. Planted (`pqlkit.demo.company.team_rollout`): a Monday on
    which an account had 4 invitations and 2 integrations in the 28 days before raises the chance of an upgrade to 6.5 % in
    each of the next four weeks; other weeks have 0.03 % (dormant) to 0.3 % (rolling out).

    Parameters
    ----------
    accounts
        How many accounts, at least 10; the company's own comes on top.

    Raises
    ------
    UsageError
        Fewer than 10 accounts, more than a million, or a negative seed.

    Examples
    --------
    >>> product = make_product(300, seed=2)
    >>> product.accounts.height
    301
    """
    _check(accounts, seed)
    rng = stream(seed, "product", accounts)
    company = _with_robots(draw_company(accounts, rng), rng)
    people = draw_people(company, rng)
    ids, user = account_ids(accounts + 1), user_ids(people)
    clean = _events(company, people, ids, user, rng)
    names, domains = account_names(accounts + 1, rng)
    upgrades = _upgrades(company, ids, rng)
    return Product(
        events=with_faults(clean, rng),
        users=_users(people, ids, user, emails(people, domains, rng)),
        accounts=_accounts(company, people, ids, names, upgrades, rng),
        upgrades=upgrades,
        plan_history=plan_history(
            ids, company.anchor, company.converted, upgrades.filter(pl.col(ACCOUNT_ID).is_in(ids.implode()))
        ),
        contacts=_contacts(company, ids, rng),
        truth=state_product(company, ids, clean, upgrades),
    )


def _check(accounts: int, seed: int) -> None:
    if not 10 <= accounts <= 1_000_000:
        raise UsageError(
            f"{accounts} accounts cannot be made", where="--accounts", hint="write a number from 10 to 1000000"
        )
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative", where="--seed", hint="write a whole number from 0 on")


def _with_robots(company: Company, rng: np.random.Generator) -> Company:
    owner, code, at = draw_robots(company, rng)
    return replace(
        company,
        owner=np.concatenate([company.owner, owner]),
        code=np.concatenate([company.code, code]),
        at=np.concatenate([company.at, at]),
    )


def _events(
    company: Company, people: People, ids: pl.Series, user: pl.Series, rng: np.random.Generator
) -> pl.DataFrame:
    """Write the events by time, each with an id of its own and its properties."""
    order = np.lexsort((company.code, company.owner, company.at))
    company = replace(company, owner=company.owner[order], code=company.code[order], at=company.at[order])
    number = pl.int_range(1, order.size + 1, eager=True).cast(pl.String).str.zfill(9)
    return pl.DataFrame(
        {
            EVENT_ID: pl.select(pl.concat_str(pl.lit("evt_"), number)).to_series(),
            USER_ID: user.gather(who_did(company, people, rng)),
            ACCOUNT_ID: ids.gather(company.owner),
            EVENT: named(NAMES, company.code),
            TIMESTAMP: pl.Series(company.at).cast(INSTANT),
            **_properties(company, rng),
        }
    )


def _properties(company: Company, rng: np.random.Generator) -> dict[str, pl.Series]:
    size = company.code.size

    def choice(event: str, words: tuple[str, ...]) -> pl.Series:
        code = np.minimum((rng.random(size) ** 1.5 * len(words)).astype(np.int64), len(words) - 1)
        return _only(named(words, code), company, event)

    megabytes = pl.Series(np.round(np.exp(rng.normal(0.5, 1.2, size)), 2))
    made = np.flatnonzero(company.code == CODES["limit_warning"])
    used = np.zeros(size, dtype=np.int64)
    used[made] = PROJECTS - (rng.random(made.size) < 0.4)
    invitee = pl.DataFrame({"n": rng.integers(1, 40, size), "o": company.owner}).select(
        pl.format("guest{}@partner{}.example", "n", "o")
    )
    return {
        "device": choice("session_started", DEVICES),
        "format": choice("file_exported", FORMATS),
        "integration": choice("integration_connected", INTEGRATIONS),
        "template": choice("template_used", TEMPLATES),
        "invitee": _only(invitee.to_series(), company, "teammate_invited"),
        "megabytes": _only(megabytes, company, "file_uploaded"),
        "used": _only(pl.Series(used), company, "limit_warning"),
        "allowed": _only(pl.Series(np.full(size, PROJECTS)), company, "limit_warning"),
    }


def _only(values: pl.Series, company: Company, event: str) -> pl.Series:
    return pl.select(pl.when(pl.Series(company.code == CODES[event])).then(values)).to_series()


def _users(people: People, ids: pl.Series, user: pl.Series, email: pl.Series) -> pl.DataFrame:
    founder = np.arange(people.account.size) == people.first[people.account]
    return pl.DataFrame(
        {
            USER_ID: user,
            "email": email,
            ACCOUNT_ID: ids.gather(people.account),
            "role": named(["member", "admin"], founder.astype(np.int64)),
            SIGNED_UP_AT: pl.Series(people.joined).cast(INSTANT),
        }
    ).sort(USER_ID)


def _accounts(
    company: Company,
    people: People,
    ids: pl.Series,
    names: pl.Series,
    upgrades: pl.DataFrame,
    rng: np.random.Generator,
) -> pl.DataFrame:
    size = len(ids)
    members = np.bincount(people.account, minlength=size)
    paid = company.converted < NEVER
    today = upgrades.filter(pl.col("ended_at").is_null()).group_by(ACCOUNT_ID).agg(pl.col(PLAN).last())
    frame = pl.DataFrame(
        {
            ACCOUNT_ID: ids,
            "name": names,
            SIGNED_UP_AT: pl.Series(company.anchor).cast(INSTANT),
            "seats": np.where(paid, members + rng.integers(2, 12, size), np.minimum(members, 10)),
            "industry": named(INDUSTRIES, rng.integers(0, len(INDUSTRIES), size)),
            "country": named(COUNTRIES, rng.integers(0, len(COUNTRIES), size)),
            "channel": named(CHANNELS, rng.integers(0, len(CHANNELS), size)),
            "signup_plan": named(["free", "trial"], company.trial.astype(np.int64)),
            DELETED_AT: moment(company.deleted),
        }
    ).join(today, on=ACCOUNT_ID, how="left", maintain_order="left")
    return frame.with_columns(pl.col(PLAN).fill_null("free"))


def _upgrades(company: Company, ids: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Write the billing system's rows: those of the accounts, and three of accounts that nobody knows."""
    known = draw_bills(ids, company.converted, company.deleted, end=ERA.end, rng=rng)
    strange = pl.Series([f"org_9999{number}" for number in range(3)])
    when = ERA.start + (rng.random(3) * (ERA.end - ERA.start)).astype(np.int64)
    rows = bill_rows(strange, when, "new", "free", "team", np.full(3, 60.0), np.full(3, NEVER))
    return pl.concat([known, rows]).sort(CONVERTED_AT, ACCOUNT_ID)


def _contacts(company: Company, ids: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Write whom sales called: every third account, within three days of the first Monday on which the rule held."""
    held = np.flatnonzero(company.holds[:-1].any(axis=1))
    called = held[rng.random(held.size) < 0.35]
    first = company.holds[called].argmax(axis=1)
    at = ERA.mondays[first] + 8 * HOUR + (rng.random(called.size) * (3 * DAY)).astype(np.int64)
    frame = pl.DataFrame(
        {
            ACCOUNT_ID: ids.gather(called),
            AT: pl.Series(at).cast(INSTANT),
            "by": named(["ana", "ben", "chen"], rng.integers(0, 3, called.size)),
        }
    )
    return frame.filter(pl.Series(at < ERA.end)).sort(AT, ACCOUNT_ID)
