"""The plain world: what goes with converting because of activity, of buying itself, or of whoever sold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pqlkit.columns import USER_ID
from pqlkit.durations import DAY
from tests.verdicts.product import Product, instants
from tests.verdicts.saying import Case, Said, Verdict, World, names, nothing, only_if, worst

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANTED = "project_created"
RATE, OTHERS = 0.25, 0.03


def active(product: Product) -> NDArray[np.float64]:
    """Draw how active each user is, 1 on average, and let all use the product so much."""
    activity: NDArray[np.float64] = product.rng.gamma(2.0, 0.5, product.users)
    product.usual(activity)
    return activity


def plant(
    product: Product, *, event: str = PLANTED, share: float = 0.2, most: int = 7, last: float = 14.0
) -> NDArray[np.bool_]:
    """Let a share of the users do `event` three times or more in 14 days, the others at most twice."""
    hit = product.rng.random(product.users) < share
    often, seldom = product.rng.integers(3, most, product.users), product.rng.integers(0, 3, product.users)
    product.event(event, np.where(hit, often, seldom), 0.0, last)
    return hit


def chance(product: Product, hit: NDArray[np.bool_], rate: float = RATE, others: float = OTHERS) -> NDArray[np.bool_]:
    """Draw who converts."""
    return product.rng.random(product.users) < np.where(hit, rate, others)


def planted(seed: Any, users: int = 2_000, **options: Any) -> tuple[Product, NDArray[np.bool_]]:
    """Make a product with one rule: three times ``project_created`` in 14 days."""
    product = Product(seed=seed, users=users, **options)
    active(product)
    return product, plant(product)


# Activity.


def _confounded(seed: int) -> Case:
    """Activity that nobody sees drives everything: use of all kinds, and converting."""
    product = Product(seed=[101, seed], users=3_000)
    activity = active(product)
    product.event("wizard_used", product.rng.poisson(1.2 * activity))
    product.convert(product.rng.random(product.users) < np.minimum(0.05 * activity**1.5, 0.9))
    return Case(tables=product.tables())


def _beside_activity(words: Said) -> Verdict:
    first = words.first
    if first is None:
        return Verdict.RIGHT
    adjusted, crude = first["adjusted_relative_risk"], first["holdout"]["relative_risk"]
    if adjusted is None:
        return only_if(right="could not be allowed for" in words.screen, otherwise=Verdict.WRONG)
    told = first["adjusted_low"] > 1 or "only active ones?" in words.screen
    return only_if(right=told and adjusted < crude, otherwise=Verdict.WRONG)


def bursts(product: Product, *, daily: float = 2.0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Let users come in bursts that have no memory, and do one of five things at a time; gives owners and ages of all events."""
    rng = product.rng
    owners, ages = [], []
    for _ in range(6):
        start = rng.uniform(0.0, 300.0, product.users)
        length = rng.exponential(8.0, product.users)
        times = rng.poisson(daily * length)
        owner = np.repeat(np.arange(product.users), times)
        owners.append(owner)
        ages.append(start[owner] + rng.random(owner.size) * length[owner])
    owner, age = np.concatenate(owners), np.concatenate(ages)
    kinds = ("signed_in", "task_created", "search_used", "comment_posted", "report_viewed")
    kind = rng.choice(len(kinds), owner.size, p=(0.35, 0.25, 0.2, 0.12, 0.08))
    for number, name in enumerate(kinds):
        product.at(name, owner[kind == number], age[kind == number])
    return owner, age


def convert_after(product: Product, owner: NDArray[np.int64], age: NDArray[np.float64], per_event: float) -> None:
    """Let any event be followed by a conversion within three days, with the same chance whosever it is."""
    buys = np.flatnonzero(product.rng.random(owner.size) < per_event)
    product.convert_at(owner[buys], age[buys] + product.rng.random(buys.size) * 3.0)


def _activity_alone(seed: int) -> Case:
    product = Product(seed=[102, seed], users=700, days=200.0, ripe=120.0)
    convert_after(product, *bursts(product), per_event=0.006)
    return Case(tables=product.tables(), settings={"snapshots": "every:28d"})


# Buying.


def _hour_one(seed: int) -> Case:
    """A fifth convert in their first hour, and use the reports from then on, as customers do."""
    product, hit = planted([103, seed], users=3_000)
    hasty = product.rng.random(product.users) < 0.2
    product.event("report_shared", np.where(hasty, 8, product.rng.poisson(0.5, product.users)), 0.1, 14.0)
    product.convert(hasty, 0.005, 0.04)
    product.convert(chance(product, hit) & ~hasty)
    return Case(tables=product.tables(), truth={"hasty": int(hasty.sum())})


def _after_hour_one(words: Said) -> Verdict:
    # Who came before the first event is not seen from the start.
    places = words.analysis["conversions"]
    lost = places["before_first_snapshot"]
    counted = only_if(right=lost <= words.truth["hasty"] <= lost + places["before_history"], otherwise=Verdict.WRONG)
    return worst(counted, names(PLANTED)(words))


def slow(product: Product, *, event: str = "invite_sent", rate: float = 0.35) -> NDArray[np.float64]:
    """Let users come for months, a third with one fortnight of `event`; gives the ages at which they convert, inf if never."""
    rng, n = product.rng, product.users
    for name, pace in {"signed_in": 14.0, "task_created": 9.0, "comment_posted": 5.0, "report_viewed": 4.0}.items():
        product.event(name, rng.poisson(pace * rng.gamma(2.0, 0.5, n)), 0.0, 280.0)
    starts = np.where(rng.random(n) < 0.35, rng.uniform(5.0, 240.0, n), np.inf)
    hot = np.flatnonzero(np.isfinite(starts))
    owner = np.repeat(hot, rng.integers(4, 8, hot.size))
    product.at(event, owner, starts[owner] + rng.random(owner.size) * 12.0)
    product.event(event, rng.poisson(1.0, n), 0.0, 280.0)
    bought = np.where(rng.random(n) < rate, starts + rng.uniform(13.0, 30.0, n), np.inf)
    return np.where(rng.random(n) < 0.06, np.minimum(bought, rng.uniform(20.0, 280.0, n)), bought)


def _bought(product: Product, ages: NDArray[np.float64]) -> NDArray[np.int64]:
    who = np.flatnonzero(np.isfinite(ages))
    product.convert_at(who, ages[who])
    return who


def _leak(seed: int) -> Case:
    product = Product(seed=[104, seed], users=1_500, days=240.0, ripe=60.0)
    ages = slow(product)
    who = _bought(product, ages)
    opened = who[product.rng.random(who.size) < 0.95]
    product.at("checkout_opened", opened, ages[opened] - product.rng.uniform(0.001, 0.02, opened.size))
    product.at("invoice_downloaded", who, ages[who] + product.rng.exponential(6.0, who.size) + 0.001)
    return Case(tables=product.tables(), settings={"snapshots": "every:28d"})


def _leaks_listed(words: Said) -> Verdict:
    found = words.leakage
    listed = found.get("checkout_opened") == "part-of-conversion" and found.get("invoice_downloaded") is not None
    ordinary = set(found) <= {"checkout_opened", "invoice_downloaded"}
    return worst(only_if(right=listed and ordinary, otherwise=Verdict.WRONG), names("invite_sent")(words))


def _soft_leak(seed: int) -> Case:
    """Half of those who convert look at the prices in the two hours before; a fifth look at some other time."""
    product = Product(seed=[105, seed], users=1_500, days=240.0, ripe=60.0)
    ages = slow(product)
    who = _bought(product, ages)
    looked = who[product.rng.random(who.size) < 0.5]
    product.at("pricing_viewed", looked, ages[looked] - product.rng.uniform(0.001, 0.08, looked.size))
    product.event("pricing_viewed", product.rng.random(product.users) < 0.2, 0.0, 280.0)
    return Case(tables=product.tables(), settings={"snapshots": "every:28d"})


def _soft_leak_told(words: Said) -> Verdict:
    """Leave it out and mark it, or do not call it associated; in a rule, say that it comes too late for a call."""
    if "pricing_viewed" in words.named:
        first = words.first
        assert first is not None
        median = first["time_to_convert"]["median_days"]
        told = "pricing_viewed" in words.leakage or (median is not None and median < 1)
        return Verdict.SHORT if told else Verdict.WRONG
    row = words.row("pricing_viewed")
    marked = "pricing_viewed" in words.leakage or row is None or (row["q_value"] or 0.0) >= 0.05
    return worst(only_if(right=marked), names("invite_sent")(words))


# Whoever sold it.


def _filled_trait(seed: int) -> Case:
    product, hit = planted([106, seed])
    buys = chance(product, hit)
    product.convert(buys)
    filled = product.rng.random(product.users) < np.where(buys, 0.95, 0.25)
    size = product.rng.choice(["1-10", "11-50", "51-200"], product.users)
    return Case(
        tables=product.tables(
            project="traits: {fixed: [company_size]}\n",
            traits={"company_size": pl.Series(np.where(filled, size, "")).replace("", None)},
        ),
        wishes={"use_traits": True},
    )


def _trait_left_out(words: Said) -> Verdict:
    listed = words.leakage.get("company_size") is not None
    used = words.definition is not None and bool(words.definition.eligible)
    return worst(
        Verdict.WRONG if used else Verdict.RIGHT,
        only_if(right=listed, otherwise=Verdict.WRONG),
        names(PLANTED)(words),
    )


def _sales_call(seed: int) -> Case:
    """Sales calls a quarter of the users, drawn by lot; the call brings the demo, and the sale."""
    product = Product(seed=[107, seed], users=2_500)
    active(product)
    called = np.flatnonzero(product.rng.random(product.users) < 0.25)
    ages = product.rng.uniform(4.0, 9.0, called.size)
    came = product.rng.random(called.size) < 0.8
    product.at("demo_attended", called[came], ages[came] + product.rng.uniform(0.5, 3.0, int(came.sum())))
    product.event("demo_attended", product.rng.random(product.users) < 0.02)
    was = np.isin(np.arange(product.users), called)
    product.convert(chance(product, was, 0.3, 0.04))
    contacts = pl.DataFrame(
        {USER_ID: product.ids[called], "at": instants(product.anchor[called] + (ages * DAY).astype(np.int64))}
    )
    return Case(tables=product.tables(contacts=contacts))


def _called_before(words: Said) -> Verdict:
    if "demo_attended" not in words.named:
        return nothing(words)
    return only_if(right="had been contacted before" in words.screen, otherwise=Verdict.WRONG)


# Which of several events.


def _doers(product: Product) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Draw who does a thing often (3 to 6 times; the others at most twice), and whose each time is."""
    hit = product.rng.random(product.users) < 0.2
    often, seldom = product.rng.integers(3, 7, product.users), product.rng.integers(0, 3, product.users)
    return hit, np.repeat(np.arange(product.users), np.where(hit, often, seldom))


def _precursor(seed: int) -> Case:
    """A dialog opens 5 to 60 seconds before 85 % of the invitations, and a fifth as often for nothing."""
    product = Product(seed=[108, seed], users=2_500)
    active(product)
    rng = product.rng
    hit, owner = _doers(product)
    ages = 0.01 + rng.random(owner.size) * 13.9
    product.at("teammate_invited", owner, ages)
    seen = rng.random(owner.size) < 0.85
    product.at("dialog_opened", owner[seen], ages[seen] - rng.uniform(5, 55, int(seen.sum())) / 86_400)
    idle = np.flatnonzero(rng.random(owner.size) < 0.2)
    product.at("dialog_opened", rng.permutation(owner)[idle], 14.0 * rng.random(idle.size))
    product.convert(chance(product, hit))
    return Case(tables=product.tables())


def _invitation_not_dialog(words: Said) -> Verdict:
    first = words.first
    told = first is not None and [one["event"] for one in first["precursors"]] == ["dialog_opened"]
    return worst(names("teammate_invited")(words), only_if(right=told))


def _equal(seed: int) -> Case:
    """Exporting and sharing are two halves of one thing: whoever does one three times does the other, a day apart."""
    product = Product(seed=[109, seed], users=2_500)
    active(product)
    rng = product.rng
    hit, owner = _doers(product)
    ages = 1.0 + rng.random(owner.size) * 12.0
    product.at("file_exported", owner, ages)
    product.at("file_shared", owner, ages + rng.uniform(-0.9, 0.9, owner.size))
    product.convert(chance(product, hit))
    return Case(tables=product.tables())


def _one_of_two_told(words: Said) -> Verdict:
    either = {"file_exported", "file_shared"}
    found = words.named
    if not found:
        return Verdict.SHORT
    if not found <= either:
        return Verdict.WRONG
    other = (either - found).pop() if len(found) == 1 else ""
    told = bool(other) and other in words.screen
    return only_if(right=told)


WORLDS = (
    World(
        name="confounded by activity",
        conclusion="Active users convert; what a behaviour adds is adjusted for activity, or said not to be.",
        make=_confounded,
        judge=_beside_activity,
    ),
    World(
        name="activity drives conversion and rules nothing",
        conclusion="Any moment of activity is as good as any other: nothing is to be proposed.",
        make=_activity_alone,
        judge=nothing,
    ),
    World(
        name="many convert in hour one",
        conclusion="Those conversions say nothing and are counted apart; projects foretell the others.",
        make=_hour_one,
        judge=_after_hour_one,
    ),
    World(
        name="leak",
        conclusion="The checkout is part of the purchase and the invoice follows it; invitations foretell it.",
        make=_leak,
        judge=_leaks_listed,
    ),
    World(
        name="soft leak",
        conclusion="Prices are looked at while buying: too late for a call, and marked.",
        make=_soft_leak,
        judge=_soft_leak_told,
    ),
    World(
        name="trait filled by the sale",
        conclusion="The size of a company is known because it bought: no ground for eligibility.",
        make=_filled_trait,
        judge=_trait_left_out,
    ),
    World(
        name="consequence of a sales call",
        conclusion="Whoever attended a demo had been called before: the call comes first.",
        make=_sales_call,
        judge=_called_before,
    ),
    World(
        name="proxy and precursor",
        conclusion="The invitation counts, the dialog only comes before it.",
        make=_precursor,
        judge=_invitation_not_dialog,
    ),
    World(
        name="two equal rules",
        conclusion="One of the two stands for both, and the other is named.",
        make=_equal,
        judge=_one_of_two_told,
    ),
)
