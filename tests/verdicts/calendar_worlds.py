"""The calendar world: what the time of year, of life or of the product does to a conclusion."""

from __future__ import annotations

import re

import numpy as np

from pqlkit import Definition
from pqlkit.definitions.expression import parse_expression
from pqlkit.definitions.model import EntityKind, Outcome
from pqlkit.durations import Duration
from tests.verdicts.plain_worlds import OTHERS, PLANTED, RATE, active, chance, plant, planted, slow
from tests.verdicts.product import Product
from tests.verdicts.saying import Case, Said, Verdict, World, names, nothing, only_if, worst

STEADY = {"no-change-found", "too-few-to-tell", "in-progress"}


def rule(text: str, days: int = 30) -> Definition:
    """Write a definition of users."""
    return Definition(
        name="asked",
        title="asked",
        entity=EntityKind.USER,
        qualify=parse_expression(text),
        outcome=Outcome(within=Duration(days, "d")),
    )


def _verdicts(words: Said, definition: Definition | None = None) -> list[str]:
    """Give what the report says of each complete period, in time order."""
    periods = words.reported(definition)["periods"]
    drifts = [period["drift"] for period in periods if period["drift"]]
    return [drift["verdict"] for drift in drifts if drift["verdict"] is not None]


# Seasons.


def _season(seed: int) -> Case:
    """In November and December everybody converts three times as often, and two of five wrap gifts; two years of it."""
    product = Product(seed=[201, seed], users=3_500, days=715.0, ripe=10.0)
    active(product)
    season = product.age % 365 >= 304
    product.event("gift_wrapped", product.rng.random(product.users) < np.where(season, 0.4, 0.02))
    product.convert(chance(product, season, 0.18, 0.06))
    return Case(tables=product.tables())


def _sale(seed: int) -> Case:
    """In the fourth month everybody converts two and a half times as often, and three of five open a coupon."""
    product, hit = planted([202, seed], users=3_000)
    month = (product.age >= 90) & (product.age < 120)
    product.event("coupon_opened", product.rng.random(product.users) < np.where(month, 0.6, 0.02))
    product.convert(product.rng.random(product.users) < np.where(hit, RATE, OTHERS) * np.where(month, 2.5, 1.0))
    return Case(tables=product.tables())


def _sale_is_over(words: Said) -> Verdict:
    fell = "rate-fell" in _verdicts(words, rule(f"{PLANTED} >= 3 in 14d"))
    return worst(names(PLANTED)(words), only_if(right=not fell, otherwise=Verdict.WRONG))


# Nobody converts in one stretch.


def _empty_month(seed: int) -> Case:
    """For those whose fortnight ended in September the shop was shut: the last week of a quarter, and of the later snapshots."""
    product, hit = planted([203, seed], users=3_000)
    shut = (product.age + 14 >= 243) & (product.age + 14 < 273)
    product.convert(chance(product, hit) & ~shut)
    return Case(tables=product.tables(), truth={"odds": RATE / (1 - RATE) / (OTHERS / (1 - OTHERS))})


def _adjusted_stands(words: Said) -> Verdict:
    """The adjusted figures are there, and near the truth: a third beyond their interval is chance."""
    first, row = words.first, words.row(PLANTED)
    if first is None or row is None:
        return Verdict.SHORT
    figures = [first, row]
    truth = words.truth["odds"]
    there = all(figure["adjusted_low"] is not None and figure["adjusted_high"] is not None for figure in figures)
    near = there and all(figure["adjusted_low"] / 1.5 <= truth <= 1.5 * figure["adjusted_high"] for figure in figures)
    return worst(names(PLANTED)(words), only_if(right=near, otherwise=Verdict.WRONG))


def _empty_age(seed: int) -> Case:
    """Nobody needs to pay in the first eight weeks."""
    product = Product(seed=[204, seed], users=2_200, days=330.0, ripe=60.0)
    ages = slow(product)
    who = np.flatnonzero(np.isfinite(ages) & (ages > 56))
    product.convert_at(who, ages[who])
    return Case(tables=product.tables(), settings={"snapshots": "every:28d"})


def _adjusted_there(words: Said) -> Verdict:
    first = words.first
    if first is None:
        return Verdict.SHORT
    there = first["adjusted_low"] is not None and first["adjusted_low"] > 1
    # What takes weeks to do stands for being old enough.
    older = frozenset({"signed_in", "task_created", "comment_posted", "report_viewed"})
    return worst(names("invite_sent", also=older)(words), only_if(right=there))


# The population itself moves.


def _ageing(seed: int) -> Case:
    """Everybody does the same at the same age, and converts with the same chance; only the users grow older."""
    product = Product(seed=[205, seed], users=3_000, days=540.0)
    rng = product.rng
    times = rng.geometric(0.2, product.users) - 1
    owner = np.repeat(np.arange(product.users), times)
    ages = rng.exponential(60.0, owner.size)
    product.at("report_viewed", owner, ages)
    early = np.bincount(owner[ages < 14], minlength=product.users)
    product.convert(rng.random(product.users) < np.where(early >= 3, 0.2, 0.08), 14.0, 60.0)
    return Case(tables=product.tables())


def _nothing_moves(words: Said) -> Verdict:
    return only_if(right=set(_verdicts(words, rule("report_viewed >= 2 in 28d"))) <= STEADY, otherwise=Verdict.WRONG)


def _silence(seed: int) -> Case:
    """The events export stops 25 days before the conversions do."""
    product, hit = planted([206, seed], users=2_500, days=360.0)
    product.convert(chance(product, hit))
    return Case(
        tables=product.tables().silent(25),
        population={"as_of": None},  # as most would run it: the newest row of all
        truth={"end": str(np.datetime64(product.as_of) - 25)},
    )


def _ends_where_events_do(words: Said) -> Verdict:
    told = any("the last event is" in warning for warning in words.proposal["warnings"])
    end = told or words.proposal["as_of"][:10] <= words.truth["end"]
    steady = set(_verdicts(words, rule(f"{PLANTED} >= 3 in 14d"))) <= STEADY
    return worst(only_if(right=end and steady, otherwise=Verdict.WRONG), names(PLANTED)(words))


# Conversions at a time of their own.


def _fixed_age(seed: int) -> Case:
    """A course: it is passed on day 56, by 60 % of those who did their exercises and by 15 % of the others."""
    product = Product(seed=[207, seed], users=2_000, days=360.0)
    rng = product.rng
    keen = rng.random(product.users) < 0.35
    stays = np.where(keen, rng.uniform(15.0, 50.0, product.users), rng.uniform(10.0, 56.0, product.users))
    for name, pace in {"lesson_opened": 8.0, "video_watched": 5.0, "forum_read": 2.0}.items():
        product.event(name, rng.poisson(pace, product.users), 0.0, stays)
    product.event("exercise_done", np.where(keen, rng.integers(4, 9, product.users), rng.integers(0, 3, product.users)))
    passed = np.flatnonzero(chance(product, keen, 0.6, 0.15))
    product.convert_at(passed, 56.0 + rng.uniform(0.0, 0.3, passed.size))
    return Case(tables=product.tables())


def _fixed_date(seed: int) -> Case:
    """Whoever renews does so on one day for all: 2026-01-15."""
    product = Product(seed=[208, seed], users=2_000, days=330.0, ripe=60.0)
    active(product)
    hit = plant(product)
    who = np.flatnonzero(chance(product, hit, 0.5, 0.06))
    product.convert_at(who, 379.0 - product.age[who] + product.rng.uniform(0.0, 0.3, who.size))
    return Case(tables=product.tables())


def _at_its_time(words: Said) -> Verdict:
    """Exercises go with more passes, never with fewer; a rule names them, and its later leads passed."""
    row, first = words.row("exercise_done"), words.first
    reversed_ = row is not None and row["relative_risk"] is not None and row["relative_risk"] < 1
    if reversed_ or (first is not None and first["qualifications"]["holdout"]["converted"] == 0):
        return Verdict.WRONG
    return names("exercise_done")(words)


def _date_told(words: Said) -> Verdict:
    """The date is said, and which window takes it in: so far ahead only the first users are old enough for a rule."""
    told = re.search(r"fall on 2024-01-15.*--conversion-window \d+d covers it", str(words.proposal["warnings"]))
    if words.first is not None:
        return names(PLANTED)(words)
    return only_if(right=told is not None)


# The product moves.


def _decayed(seed: int) -> Case:
    """Projects foretell a quarter for nine months and 9 % since; since then an assistant foretells 30 %."""
    product = Product(seed=[209, seed], users=4_500, days=560.0)
    active(product)
    hit = plant(product)
    late = product.age > 270
    new = late & (product.rng.random(product.users) < 0.2)
    product.event("assistant_asked", np.where(new, product.rng.integers(2, 5, product.users), 0))
    rate = np.where(hit, np.where(late, 0.09, 0.25), 0.04)
    product.convert(product.rng.random(product.users) < np.where(new, 0.3, rate))
    return Case(tables=product.tables())


def _what_works_now(words: Said) -> Verdict:
    found = words.named
    if "assistant_asked" in found:
        return only_if(right=found <= {"assistant_asked", PLANTED})
    if found:
        return Verdict.WRONG
    return Verdict.WRONG if "nothing here predicts" in words.screen else Verdict.SHORT


WORLDS = (
    World(
        name="season",
        conclusion="Gifts are wrapped when everybody buys: within the season they say nothing.",
        make=_season,
        judge=nothing,
    ),
    World(
        name="sale month",
        conclusion="All convert more in the sale; projects foretell as before, and nothing of them fell after it.",
        make=_sale,
        judge=_sale_is_over,
    ),
    World(
        name="empty quarter",
        conclusion="Where nobody converts nothing is learnt; the rest gives the adjusted figure.",
        make=_empty_month,
        judge=_adjusted_stands,
    ),
    World(
        name="empty age band",
        conclusion="Where nobody converts nothing is learnt; the rest gives the adjusted figure.",
        make=_empty_age,
        judge=_adjusted_there,
    ),
    World(
        name="ageing population",
        conclusion="Nothing moves but the age of the users: no period is said to have changed.",
        make=_ageing,
        judge=_nothing_moves,
    ),
    World(
        name="silence at the export's end",
        conclusion="What is known ends with the events; nothing fell.",
        make=_silence,
        judge=_ends_where_events_do,
    ),
    World(
        name="conversions at a fixed age",
        conclusion="Exercises foretell the pass, weeks ahead; nobody fails before the day on which all pass.",
        make=_fixed_age,
        judge=_at_its_time,
    ),
    World(
        name="conversions at a fixed date",
        conclusion="All renew on one day: only a window that takes it in shows what foretells it.",
        make=_fixed_date,
        judge=_date_told,
    ),
    World(
        name="decayed and replaced",
        conclusion="Projects no longer foretell, the assistant does.",
        make=_decayed,
        judge=_what_works_now,
    ),
)
