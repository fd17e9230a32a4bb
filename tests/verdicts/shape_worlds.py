"""The shape world: a behaviour that counts for some only, less than none at all, or only of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tests.verdicts.plain_worlds import PLANTED, active, chance, planted
from tests.verdicts.product import Product
from tests.verdicts.saying import Case, Said, Verdict, World, names, only_if, worst

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CHANNEL = "traits: {fixed: [channel]}\n"
WIZARD = "wizard_used"


# For some.


def _simpson(seed: int) -> Case:
    """Partners bring users who convert, and walk them through the wizard, which helps nobody."""
    product = Product(seed=[501, seed], users=3_500)
    active(product)
    partner = product.rng.random(product.users) < 0.3
    product.event(WIZARD, product.rng.poisson(np.where(partner, 3.0, 0.4)))
    product.convert(chance(product, partner, 0.24, 0.04))
    channel = np.where(partner, "partner", "direct")
    return Case(tables=product.tables(project=CHANNEL, traits={"channel": channel}))


def _explained_by_channel(words: Said) -> Verdict:
    """A rule that stands for the channel says so; nothing at all says nothing false."""
    first = words.first
    if first is None:
        return Verdict.RIGHT
    beside = "channel" in first["adjusted_for_traits"] and (first["adjusted_low"] or 0.0) <= 1
    told = "explained by channel" in words.screen or "not told apart from channel" in words.screen
    return only_if(right=beside and told, otherwise=Verdict.WRONG)


def _segment(seed: int) -> Case:
    """The wizard foretells 55 % among partners' users, and nothing among others."""
    product = Product(seed=[502, seed], users=4_500)
    active(product)
    partner = product.rng.random(product.users) < 0.4
    times = product.rng.poisson(2.0, product.users)
    product.event(WIZARD, times)
    product.convert(chance(product, partner & (times >= 3), 0.55, 0.1))
    channel = np.where(partner, "partner", "direct")
    return Case(tables=product.tables(project=CHANNEL, traits={"channel": channel}))


def _only_for_partners(words: Said) -> Verdict:
    if words.first is None:
        return Verdict.SHORT
    if WIZARD not in words.named:
        return Verdict.WRONG
    both = "by channel" in words.screen and "too few to tell whether it holds for the others" in words.screen
    return only_if(right=both or "only for partner" in words.screen)


# Fewer, neither, and more of what is paid for.


def _negative(seed: int) -> Case:
    """Whoever writes no support ticket converts at 20 %, others at 8 %."""
    product = Product(seed=[503, seed], users=3_500)
    active(product)
    asks = product.rng.random(product.users) < 0.55
    product.event("support_ticket", np.where(asks, product.rng.integers(1, 4, product.users), 0))
    product.convert(chance(product, asks, 0.08, 0.2))
    return Case(tables=product.tables())


def _fewer_said(words: Said) -> Verdict:
    """The tickets are told as a behaviour of those who convert less, or stand in the rule as at most; never the other way round."""
    row = words.row("support_ticket")
    less = row is not None and (row["relative_risk_high"] or 0.0) < 1
    listed = "support_ticket" in str(words.analysis.get("fewer", ""))
    idle = words.named - {"support_ticket"}
    return worst(Verdict.WRONG if idle else Verdict.RIGHT, only_if(right=less or listed))


def _u_shape(seed: int) -> Case:
    """One to three reports convert at 3 %; none, or four and more, at 13 %."""
    product = Product(seed=[504, seed], users=4_000)
    active(product)
    kind = product.rng.random(product.users)
    some, many = kind < 0.45, kind >= 0.85
    times = np.select(
        [some, many], [product.rng.integers(1, 4, product.users), product.rng.integers(4, 8, product.users)]
    )
    product.event("dashboard_built", times)
    product.convert(chance(product, some, 0.03, 0.13))
    return Case(tables=product.tables())


def _zero_told(words: Said) -> Verdict:
    """Whoever names the event beside a rate says that those without any convert as often."""
    idle = words.named - {"dashboard_built"}
    if idle:
        return Verdict.WRONG
    said = "convert as often" in words.screen
    if words.named:
        return only_if(right=said, otherwise=Verdict.WRONG)
    return Verdict.RIGHT


def _meter(seed: int) -> Case:
    """A call of the interface is metered, and an invoice is written from a thousand calls a month on: the amount is the calls."""
    product, hit = planted([505, seed], users=3_000)
    rng = product.rng
    buys = chance(product, hit)
    calls = np.where(buys, rng.integers(4, 20, product.users), rng.poisson(2.5, product.users))
    calls += np.where(buys, rng.poisson(30, product.users), 0)
    product.event(
        "api_call", calls, 0.0, np.where(buys, 30.0, 20.0), calls=lambda owner: rng.integers(50, 150, owner.size)
    )
    product.convert(buys, 25.0, 35.0, amount=lambda owner: calls[owner] * 0.5 + rng.normal(0, 0.05, owner.size))
    return Case(tables=product.tables(project="outcome: {within: 30d}\n"))


def _meter_apart(words: Said) -> Verdict:
    if "api_call" in words.named:
        return Verdict.WRONG
    apart = "api_call" in str([one["title"] for one in words.proposal["mechanical"]]) or "api_call" in words.screen
    return worst(names(PLANTED)(words), only_if(right=apart))


# Only of one kind.


def _property(seed: int) -> Case:
    """Sharing with a collaborator foretells 30 %, with a viewer nothing."""
    product = Product(seed=[506, seed], users=3_500)
    active(product)
    rng = product.rng
    keen = rng.random(product.users) < 0.15
    product.event("design_shared", np.where(keen, rng.integers(2, 5, product.users), 0), role=_constant("collaborator"))
    product.event("design_shared", rng.poisson(1.6, product.users), role=_constant("viewer"))
    product.convert(chance(product, keen, 0.3, 0.05))
    return Case(tables=product.tables())


def _kind_told(event: str, value: str) -> Callable[[Said], Verdict]:
    """Judge by the value of a property: the rule asks for it, and the analysis tells it from the other values."""

    def judge(words: Said) -> Verdict:
        if words.named - {event, "any event"}:
            return Verdict.WRONG
        told = any(row["event"] == event and value in row["where"].values() for row in words.analysis["kinds"])
        ruled = words.first is not None and value in str(words.first["definition"])
        return only_if(right=told and ruled)

    return judge


def _generic(seed: int) -> Case:
    """Every feature sends one event; its property says which, and one of six foretells 30 %."""
    product = Product(seed=[507, seed], users=3_500)
    rng = product.rng
    keen = rng.random(product.users) < 0.15
    for name, pace in {"search": 3.0, "filter": 2.0, "comment": 1.5, "upload": 1.0, "print": 0.5}.items():
        product.event("feature_used", rng.poisson(pace, product.users), feature=_constant(name))
    product.event("feature_used", np.where(keen, rng.integers(2, 5, product.users), 0), feature=_constant("forecast"))
    product.event("signed_in", rng.poisson(3.0, product.users))
    product.convert(chance(product, keen, 0.3, 0.05))
    return Case(tables=product.tables())


def _constant(value: str) -> Callable[[NDArray[np.int64]], pl.Series]:
    return lambda owner: pl.Series([value], dtype=pl.String).new_from_index(0, owner.size)


WORLDS = (
    World(
        name="Simpson by a trait",
        conclusion="The channel converts, not the wizard: explained by channel.",
        make=_simpson,
        judge=_explained_by_channel,
    ),
    World(
        name="effect in one segment",
        conclusion="The wizard foretells conversion for partners; for the others it does not, or too few tell.",
        make=_segment,
        judge=_only_for_partners,
    ),
    World(
        name="negative only",
        conclusion="Support tickets go with fewer conversions; nothing goes with more.",
        make=_negative,
        judge=_fewer_said,
    ),
    World(
        name="U-shaped",
        conclusion="Those who build no dashboard convert as often as those who build many.",
        make=_u_shape,
        judge=_zero_told,
    ),
    World(
        name="the meter",
        conclusion="Calls are what is paid for: listed apart; projects foretell.",
        make=_meter,
        judge=_meter_apart,
    ),
    World(
        name="property decides",
        conclusion="Sharing with a collaborator, not with a viewer.",
        make=_property,
        judge=_kind_told("design_shared", "collaborator"),
    ),
    World(
        name="generic event",
        conclusion="The forecast, of all features that send one event.",
        make=_generic,
        judge=_kind_told("feature_used", "forecast"),
    ),
)
