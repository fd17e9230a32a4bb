"""The company: the accounts of the sample product, what they do week by week, and when they pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import All, Criterion, Definition, EntityKind, Outcome, Window, WindowKind
from pqlkit.demo.bursts import Burst, draw_bursts, lingering, spread_bursts, trailing
from pqlkit.demo.series import NEVER
from pqlkit.demo.weeks import Era, draw_conversions, draw_events, weekly_bins
from pqlkit.durations import DAY, HOUR, MINUTE, WEEK, Duration

if TYPE_CHECKING:
    from numpy.typing import NDArray

ERA: Final = Era(start=1_730_678_400_000_000, weeks=104)
"""From Monday 2024-11-04 to Sunday 2026-11-01."""

EXPORTED_FROM: Final = ERA.start + 13 * WEEK
"""The events export begins on 2025-02-03; the product is older."""

NAMES: Final = (
    "session_started",
    "dashboard_viewed",
    "task_created",
    "task_completed",
    "comment_posted",
    "file_uploaded",
    "search_used",
    "settings_customised",
    "project_created",
    "teammate_invited",
    "integration_connected",
    "template_used",
    "file_exported",
    "automation_built",
    "workspace_opened",
    "trial_started",
    "invite_dialog_opened",
    "limit_warning",
    "checkout_opened",
    "invoice_downloaded",
    "email_delivered",
)
CODES: Final = {name: code for code, name in enumerate(NAMES)}

INVITES: Final = 4
INTEGRATIONS: Final = 2
PROJECTS: Final = 5
"""Projects that the free plan allows."""

_LIGHT: Final = (1.6, 1.1, 1.3, 1.0, 0.5, 0.3, 0.3, 0.08, 0.25, 0.2, 0.1, 0.12, 0.15, 0.06)
_HEAVY: Final = (3.0, 2.0, 3.0, 2.2, 1.4, 0.7, 0.5, 0.12, 0.5, 1.1, 0.55, 0.3, 0.4, 0.3)
_TRY_OUT: Final = Burst(apart=1.0, lasts=3.0, least=1, spread=2.0)
_AGAIN: Final = Burst(apart=16.0, lasts=3.0, least=1, spread=2.0)
_ROLL_OUT: Final = Burst(apart=75.0, lasts=8.0, least=4, spread=3.0)
_HAZARD: Final = {"holds": 0.065, "roll_out": 0.003, "active": 0.0009, "dormant": 0.0003, "trial": 0.012}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Company:
    """The accounts and their events; the last account is the product's own company.

    Parameters
    ----------
    anchor, converted, deleted
        Int64 UTC microseconds, one per account, anchors ascending (but for the last); `NEVER` without.
    trial
        Which accounts began with the 14-day trial of the paid plan.
    owner, code, at
        One per event, in no order: the account's number, the position in `NAMES`, UTC microseconds.
    holds
        Accounts x weeks: whether the planted rule held in the 28 days before the week's Monday.
    chance
        Accounts x weeks: the chance to convert in the week, for one who has not.
    """

    anchor: NDArray[np.int64]
    converted: NDArray[np.int64]
    deleted: NDArray[np.int64]
    trial: NDArray[np.bool_]
    owner: NDArray[np.int64]
    code: NDArray[np.int64]
    at: NDArray[np.int64]
    holds: NDArray[np.bool_]
    chance: NDArray[np.float64]


def draw_company(accounts: int, rng: np.random.Generator) -> Company:
    """Draw `accounts` accounts and, after them, the company itself."""
    anchor = np.append(np.sort(ERA.start + (rng.random(accounts) * (ERA.end - ERA.start)).astype(np.int64)), ERA.start)
    own = np.arange(accounts + 1) == accounts
    gone = anchor + WEEK + (rng.random(anchor.size) * (500 * DAY)).astype(np.int64)
    deleted = np.where((rng.random(anchor.size) < 0.03) & (gone < ERA.end) & ~own, gone, NEVER)
    trial = (rng.random(anchor.size) < 0.3) & ~own
    light, heavy = _levels(anchor, own, rng)
    owner, code, at = draw_events(ERA, anchor, deleted, light, heavy, np.array([_LIGHT, _HEAVY]), rng)
    holds = _count(owner, code, at, "teammate_invited", anchor.size) >= INVITES
    holds &= _count(owner, code, at, "integration_connected", anchor.size) >= INTEGRATIONS
    active = trailing(weekly_bins(ERA, owner, at, anchor.size), 4) > 0
    chance = np.select(
        [lingering(holds, 4), active & (heavy > 0), active],
        [_HAZARD["holds"], _HAZARD["roll_out"], _HAZARD["active"]],
        _HAZARD["dormant"],
    )
    fresh = (ERA.mondays >= anchor[:, None]) & (ERA.mondays < anchor[:, None] + 2 * WEEK)
    chance += np.where(fresh & trial[:, None], _HAZARD["trial"], 0.0)
    chance[(ERA.mondays < anchor[:, None]) | (ERA.mondays + WEEK > deleted[:, None]) | own[:, None]] = 0.0
    converted = _sold_before(anchor, draw_conversions(ERA, chance, rng), own, rng)
    company = Company(
        anchor=anchor,
        converted=converted,
        deleted=deleted,
        trial=trial,
        owner=owner,
        code=code,
        at=at,
        holds=holds,
        chance=chance,
    )
    return with_consequences(company, rng)


def _levels(
    anchor: NDArray[np.int64], own: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    first = (anchor - ERA.start) // WEEK
    fit = rng.standard_gamma(0.8, anchor.size) / 0.8
    light = spread_bursts(_TRY_OUT, np.arange(anchor.size), first, anchor.size, ERA.weeks, rng)
    light = np.maximum(light, draw_bursts(_AGAIN, first, ERA.weeks, fit, rng))
    heavy = draw_bursts(_ROLL_OUT, first, ERA.weeks, fit, rng)
    light[own], heavy[own] = 4.0, 8.0
    return light, heavy


def _count(
    owner: NDArray[np.int64], code: NDArray[np.int64], at: NDArray[np.int64], name: str, accounts: int
) -> NDArray[np.int64]:
    chosen = code == CODES[name]
    return trailing(weekly_bins(ERA, owner[chosen], at[chosen], accounts), 4)


def _sold_before(
    anchor: NDArray[np.int64], converted: NDArray[np.int64], own: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Let one in fifty accounts pay before it ever signs up: sales brought it."""
    sold = (rng.random(anchor.size) < 0.02) & ~own
    return np.where(sold, anchor - DAY - (rng.random(anchor.size) * (40 * DAY)).astype(np.int64), converted)


def with_consequences(company: Company, rng: np.random.Generator) -> Company:
    """Add the events that follow from others, from the clock, or from the upgrade."""
    parts = [
        _openings(company, rng),
        _trials(company),
        _dialogs(company, rng),
        *_limits(company, rng),
        *_around_upgrades(company, rng),
        _digests(company),
    ]
    owner = np.concatenate([company.owner, *(part[1] for part in parts)])
    code = np.concatenate([company.code, *(np.full(part[1].size, CODES[part[0]]) for part in parts)])
    at = np.concatenate([company.at, *(part[2] for part in parts)])
    kept = (at >= EXPORTED_FROM) & (at < np.minimum(company.deleted[owner], ERA.end))
    return Company(
        anchor=company.anchor,
        converted=company.converted,
        deleted=company.deleted,
        trial=company.trial,
        owner=owner[kept],
        code=code[kept],
        at=at[kept],
        holds=company.holds,
        chance=company.chance,
    )


_Part = tuple[str, "NDArray[np.int64]", "NDArray[np.int64]"]


def _openings(company: Company, rng: np.random.Generator) -> _Part:
    """97 % open their workspace, minutes after they signed up."""
    who = np.flatnonzero(rng.random(company.anchor.size) < 0.97)
    return "workspace_opened", who, company.anchor[who] + (rng.random(who.size) * (20 * MINUTE)).astype(np.int64)


def _trials(company: Company) -> _Part:
    who = np.flatnonzero(company.trial)
    return "trial_started", who, company.anchor[who] + MINUTE


def _dialogs(company: Company, rng: np.random.Generator) -> _Part:
    """Open the invitation dialog seconds before most invitations, and as often as not for nothing."""
    sent = np.flatnonzero((company.code == CODES["teammate_invited"]) & (rng.random(company.code.size) < 0.75))
    idle = sent[rng.random(sent.size) < 0.6]
    lead = MINUTE // 12 + (rng.random(sent.size) * MINUTE).astype(np.int64)
    later = (rng.random(idle.size) * (20 * DAY)).astype(np.int64)
    owner = np.concatenate([company.owner[sent], company.owner[idle]])
    at = np.maximum(np.concatenate([company.at[sent] - lead, company.at[idle] + later]), company.anchor[owner])
    return "invite_dialog_opened", owner, at


def _limits(company: Company, rng: np.random.Generator) -> tuple[_Part, _Part]:
    """Warn of the free plan's limit: from the fourth project on, and often in the week before an upgrade."""
    made = np.flatnonzero(company.code == CODES["project_created"])
    made = made[np.lexsort((company.at[made], company.owner[made]))]
    owner = company.owner[made]
    rank = np.arange(owner.size) - np.searchsorted(owner, owner) + 1
    free = company.at[made] < company.converted[owner]
    full = made[(rank >= PROJECTS - 1) & free & (rng.random(owner.size) < 0.4)]
    paid = _upgraded(company)
    soon = paid[rng.random(paid.size) < 0.35]
    lead = HOUR + (rng.random(soon.size) * (6 * DAY)).astype(np.int64)
    second = MINUTE // 60
    at = np.maximum(company.converted[soon] - lead, company.anchor[soon] + second)
    return ("limit_warning", company.owner[full], company.at[full] + second), ("limit_warning", soon, at)


def _around_upgrades(company: Company, rng: np.random.Generator) -> tuple[_Part, ...]:
    """Checkout 5 s to 30 min before 95 % of upgrades, invoices after all, and more invitations by those who have paid."""
    paid = _upgraded(company)
    second = MINUTE // 60
    hasty = paid[rng.random(paid.size) < 0.95]
    lead = 5 * second + (rng.random(hasty.size) * (30 * MINUTE - 5 * second)).astype(np.int64)
    begun = np.maximum(company.converted[hasty] - lead, company.anchor[hasty])
    customers = np.flatnonzero(company.converted < NEVER)
    billed = np.repeat(customers, 1 + rng.poisson(3.0, customers.size))
    invoice = company.converted[billed] + MINUTE + (rng.standard_exponential(billed.size) * (60 * DAY)).astype(np.int64)
    invoice = np.maximum(invoice, company.anchor[billed] + HOUR)
    growing = np.repeat(paid, rng.poisson(4.0, paid.size))
    more = company.converted[growing] + MINUTE + (rng.standard_exponential(growing.size) * (20 * DAY)).astype(np.int64)
    return (
        ("checkout_opened", hasty, begun),
        ("invoice_downloaded", billed, invoice),
        ("teammate_invited", growing, more),
    )


def _upgraded(company: Company) -> NDArray[np.int64]:
    return np.flatnonzero((company.converted < NEVER) & (company.converted > company.anchor))


def _digests(company: Company) -> _Part:
    """Every fourth Monday at 09:00 the product writes to everybody."""
    sent = ERA.mondays[::4] + 9 * HOUR
    owner, number = np.nonzero(sent > company.anchor[:, None])
    return "email_delivered", owner, sent[number]


def team_rollout() -> Definition:
    """Give the planted rule: 4 invitations and 2 integrations in the last 28 days."""
    return Definition(
        name="team-rollout",
        title="Teams that roll the product out: 4 invitations and 2 integrations in 28 days",
        entity=EntityKind.ACCOUNT,
        qualify=All(
            parts=(
                _criterion("invited", "teammate_invited", INVITES),
                _criterion("integrated", "integration_connected", INTEGRATIONS),
            )
        ),
        outcome=Outcome(within=Duration(28, "d")),
    )


def _criterion(name: str, event: str, at_least: int) -> Criterion:
    return Criterion(
        id=name,
        events=(event,),
        window=Window(kind=WindowKind.TRAILING, length=Duration(28, "d")),
        at_least=at_least,
    )
