"""The measured world: how much there is of what, who it is, and what is promised of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit import report
from pqlkit.columns import ACCOUNT_ID, SIGNED_UP_AT, USER_ID
from tests.verdicts.plain_worlds import PLANTED, active, chance, plant, planted
from tests.verdicts.product import Product
from tests.verdicts.saying import Case, Said, Verdict, World, names, nothing, only_if, worst

if TYPE_CHECKING:
    from collections.abc import Callable


SOON = 29.9
"""Whoever converts by this age does so within 30 days of qualifying, however early that was."""


# How many convert.


def _rare(seed: int) -> Case:
    """Three in a thousand convert, nearly all of them after three projects."""
    product = Product(seed=[301, seed], users=30_000)
    product.event("signed_in", product.rng.poisson(1.5, product.users))
    product.event("task_created", product.rng.poisson(0.7, product.users))
    hit = plant(product, share=0.1, most=5)
    product.convert(chance(product, hit, 0.025, 0.0006), last=SOON)
    return Case(tables=product.tables(), truth={"rate": 0.025})


def _common(seed: int) -> Case:
    """Three of five convert: nine of ten after three projects, half of the others."""
    product, hit = planted([302, seed], users=1_500)
    product.convert(chance(product, hit, 0.9, 0.52), last=SOON)
    return Case(tables=product.tables(), truth={"rate": 0.9})


def _few(seed: int, conversions: int) -> Case:
    """So many convert in all, eight of nine hits of a fifth of the users."""
    product, hit = planted([303, seed, conversions], users=1_500)
    weight = np.log(np.where(hit, 0.5, 0.04)) + product.rng.gumbel(size=product.users)
    product.convert(np.argsort(np.argsort(-weight)) < conversions)
    return Case(tables=product.tables())


def _thirty(seed: int) -> Case:
    return _few(seed, 30)


def _sixty(seed: int) -> Case:
    return _few(seed, 60)


def _hundred_and_fifty(seed: int) -> Case:
    return _few(seed, 150)


def _too_few_said(words: Said) -> Verdict:
    said = any("no search, it would find luck" in warning for warning in words.proposal["warnings"])
    return only_if(right=said and words.first is None, otherwise=Verdict.WRONG)


def _cross_validated(words: Said) -> Verdict:
    """No later part is set aside where there is so little, and the figures say that they are cross-validated."""
    if words.analysis["conversions"]["used"] < 50:
        return _too_few_said(words)
    labelled = "CROSS-VALIDATED" in words.screen and words.proposal["cross_fitted"] is not None
    if words.first is None:
        return Verdict.SHORT
    return worst(names(PLANTED)(words), only_if(right=labelled, otherwise=Verdict.WRONG))


def _rate_promised(planted_names: Callable[[Said], Verdict]) -> Callable[[Said], Verdict]:
    """The rule is named, and the true rate of who meets it lies not far beyond the interval that is told."""

    def judge(words: Said) -> Verdict:
        first = words.first
        if first is None:
            return Verdict.SHORT
        told = words.proposal["cross_fitted"] or first["qualifications"]["holdout"]
        reach = told["high"] - told["low"]
        near = told["low"] - reach / 4 <= words.truth["rate"] <= told["high"] + reach / 4
        return worst(planted_names(words), only_if(right=near, otherwise=Verdict.WRONG))

    return judge


# Who they are.


def _bots(seed: int) -> Case:
    """One user of fifty is a machine: hundreds of sign-ins, searches and projects, and never a purchase."""
    product, hit = planted([304, seed], users=2_500)
    machine = product.rng.random(product.users) < 0.02
    for name in ("signed_in", "search_used"):
        product.event(name, np.where(machine, product.rng.integers(300, 600, product.users), 0))
    product.event(PLANTED, np.where(machine, product.rng.integers(100, 300, product.users), 0))
    product.convert(chance(product, hit) & ~machine)
    return Case(tables=product.tables())


def _huge_account(seed: int) -> Case:
    """One account of 150 users signs them up over the year, gives all of them single sign-on, and buys for half of them."""
    product = Product(seed=[305, seed], users=2_500)
    active(product)
    member = product.rng.permutation(product.users) < 150
    product.event("sso_used", np.where(member, product.rng.integers(2, 6, product.users), 0))
    product.convert(product.rng.random(product.users) < np.where(member, 0.5, 0.04))
    number = np.where(member, 0, 1 + product.rng.integers(0, 900, product.users))
    account = np.char.add("a", number.astype(str))
    return Case(tables=product.tables(traits={ACCOUNT_ID: account}), population={"entity": "user"})


def _two_accounts(seed: int) -> Case:
    """Forty users stand in two accounts each; accounts convert after three projects."""
    product, hit = planted([306, seed], users=2_000)
    product.convert(chance(product, hit))
    tables = dict(product.tables().tables)
    account = pl.Series(np.char.add("a", product.ids.astype(str)))
    users = tables["users"].with_columns(account.alias(ACCOUNT_ID))
    twice = users.sample(40, seed=seed).with_columns(account.sample(40, seed=seed + 1).alias(ACCOUNT_ID))
    converted = tables["conversions"].join(users, on=USER_ID).select(ACCOUNT_ID, "converted_at")
    accounts = users.select(ACCOUNT_ID, SIGNED_UP_AT)
    made = {**tables, "users": pl.concat([users, twice]), "accounts": accounts, "conversions": converted}
    return Case(
        tables=product.around(made), truth={"twice": twice.join(users, on=[USER_ID, ACCOUNT_ID], how="anti").height}
    )


def _membership_told(words: Said) -> Verdict:
    told = any(f"users in several accounts: {words.truth['twice']}," in warning for warning in words.loaded.warnings)
    return worst(only_if(right=told, otherwise=Verdict.WRONG), names(PLANTED)(words))


# What is promised.


def _capacity(seed: int) -> Case:
    """Twelve users a week meet the rule, and six can be called; one in three of those invites too, and converts most."""
    product = Product(seed=[307, seed], users=3_000)
    active(product)
    hit = plant(product)
    best = hit & (product.rng.random(product.users) < 0.35)
    product.event("teammate_invited", np.where(best, 3, product.rng.random(product.users) < 0.2))
    product.convert(product.rng.random(product.users) < np.select([best, hit], [0.5, 0.2], 0.03))
    return Case(tables=product.tables(), wishes={"capacity": 6.0}, truth={"capacity": 6.0})


def _capacity_kept(words: Said) -> Verdict:
    first = words.first
    if first is None:
        return Verdict.SHORT
    kept = first["pqls_per_week"]["median"] <= 1.15 * words.truth["capacity"]
    return worst(
        only_if(right=kept, otherwise=Verdict.WRONG), names("teammate_invited", also=frozenset({PLANTED}))(words)
    )


def _dear_calls(seed: int) -> Case:
    """A lead pays for itself from 40 % on; the best rule there is converts a quarter."""
    product, hit = planted([308, seed])
    product.convert(chance(product, hit))
    return Case(tables=product.tables(), wishes={"value": 500.0, "cost": 200.0})


def _worth_calling(seed: int) -> Case:
    """A lead pays for itself from 30 % on; the rule converts more than half."""
    product, hit = planted([309, seed])
    product.convert(chance(product, hit, 0.55, 0.04))
    return Case(tables=product.tables(), wishes={"value": 500.0, "cost": 150.0}, truth={"rate": 0.55, "least": 0.3})


def _pays_later(words: Said) -> Verdict:
    """Those who meet the rule after all that was known convert often enough, too."""
    definition = words.definition
    if definition is None:
        return Verdict.SHORT
    later = report(words.later, definition).funnel.pql_to_customer
    pays = later.rate is not None and later.rate > words.truth["least"]
    return worst(only_if(right=pays, otherwise=Verdict.WRONG), names(PLANTED)(words))


WORLDS = (
    World(
        name="base 0.3 %",
        conclusion="Three projects, with a rate of a few in a hundred.",
        make=_rare,
        judge=_rate_promised(names(PLANTED)),
    ),
    World(
        name="base 60 %",
        conclusion="Three projects: few who do them fail to convert, though half of the others convert too.",
        make=_common,
        judge=_rate_promised(names(PLANTED)),
    ),
    World(name="30 conversions", conclusion="Too few to search.", make=_thirty, judge=_too_few_said),
    World(
        name="60 conversions",
        conclusion="Three projects, cross-validated: too few to set some aside.",
        make=_sixty,
        judge=_cross_validated,
    ),
    World(
        name="150 conversions",
        conclusion="Three projects, cross-validated: too few to set some aside.",
        make=_hundred_and_fifty,
        judge=_cross_validated,
    ),
    World(name="bots", conclusion="Three projects, whatever machines do.", make=_bots, judge=names(PLANTED)),
    World(
        name="one huge account",
        conclusion="One company bought for its people: that is one decision, and no rule.",
        make=_huge_account,
        judge=nothing,
    ),
    World(
        name="users in two accounts",
        conclusion="Three projects; who stands in two accounts is counted and said.",
        make=_two_accounts,
        judge=_membership_told,
    ),
    World(
        name="promise under capacity",
        conclusion="No more leads than can be called: those who project and invite.",
        make=_capacity,
        judge=_capacity_kept,
    ),
    World(name="calls too dear", conclusion="No rule pays for its calls.", make=_dear_calls, judge=nothing),
    World(
        name="calls worth their cost",
        conclusion="Three projects: the leads pay, and go on to do so.",
        make=_worth_calling,
        judge=_pays_later,
    ),
)
