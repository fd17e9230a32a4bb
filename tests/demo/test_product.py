"""The sample product: believable, faulty on purpose, and the same for the same seed."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pqlkit.demo.company import ERA, EXPORTED_FROM
from pqlkit.demo.product import make_product
from pqlkit.durations import DAY
from pqlkit.errors import UsageError


@pytest.fixture(scope="module")
def product():
    return make_product(3000, 4)


@pytest.fixture(scope="module")
def clean(product):
    """Events without repeats and wrong clocks."""
    at = pl.col("timestamp").dt.epoch("us")
    return product.events.filter(at > EXPORTED_FROM - 1, at < ERA.end).unique("event_id")


@pytest.fixture(scope="module")
def firsts(product):
    return product.upgrades.group_by("account_id").agg(c=pl.col("converted_at").min())


def test_the_same_seed_gives_the_same_rows():
    one, other = make_product(200, 3), make_product(200, 3)
    for name in ("events", "users", "accounts", "upgrades", "plan_history", "contacts"):
        assert_frame_equal(getattr(one, name), getattr(other, name))
    assert not make_product(200, 4).events.equals(one.events)


def test_every_row_belongs_to_somebody(product, clean):
    assert product.users["user_id"].is_unique().all()
    assert product.users["email"].is_unique().all()
    assert product.accounts["account_id"].is_unique().all()
    assert clean.join(product.users, on=["user_id", "account_id"], how="anti").is_empty()
    assert product.users.join(product.accounts, on="account_id", how="anti").is_empty()
    assert product.contacts.join(product.accounts, on="account_id", how="anti").is_empty()


def test_accounts_have_several_users_and_one_admin(product):
    size = product.users.group_by("account_id").agg(n=pl.len(), admins=(pl.col("role") == "admin").sum())
    assert (size["admins"] == 1).all()
    assert 2 < size["n"].mean() < 12
    assert size["n"].max() <= 61


def test_people_act_after_they_joined(product, clean):
    joined = clean.join(product.users, on="user_id")
    early = joined.filter(pl.col("timestamp").dt.truncate("1s") < pl.col("signed_up_at").dt.truncate("1s"))
    assert early.height <= 0.001 * clean.height


def test_upgrades_take_months_and_are_rare(product, firsts):
    known = firsts.join(product.accounts, on="account_id").filter(pl.col("c") > pl.col("signed_up_at"))
    assert (known["c"] - known["signed_up_at"]).dt.total_days().median() > 150
    assert 0.05 < known.height / product.accounts.height < 0.2
    assert product.truth.places["used"] >= 200


def test_snapshots_that_meet_the_planted_rule_convert_several_times_as_often(product):
    assert product.truth.rate is not None
    assert product.truth.rate > 5 * product.truth.base_rate
    assert [(criterion.events, criterion.at_least) for criterion in product.truth.rule.criteria] == [
        (("teammate_invited",), 4),
        (("integration_connected",), 2),
    ]


def test_classes_and_places_sum(product):
    truth = product.truth
    assert sum(truth.classes.values()) == 3000 == product.accounts.height - 1
    places = dict(truth.places)
    assert places["rows"] == product.upgrades.height
    assert places["rows"] == places["first"] + places["repeats"] + places["unknown_entity"]
    rest = set(places) - {"rows", "first", "repeats", "filtered", "unknown_entity"}
    assert sum(places[name] for name in rest) == places["first"]
    assert places["unknown_entity"] == 3
    assert all(places[name] > 0 for name in ("before_history", "customer_already", "dormant", "in_progress"))


def test_the_planted_rule_marks_the_upgrades(product, clean, firsts):
    """Four weeks before an upgrade the rule holds far more often than four weeks before any other moment."""
    known = firsts.join(product.accounts, on="account_id").filter(pl.col("c").dt.epoch("us") > EXPORTED_FROM + 84 * DAY)

    def share(moments: pl.DataFrame) -> float:
        near = clean.join(moments, on="account_id").filter(
            pl.col("timestamp") < pl.col("m"), pl.col("timestamp") >= pl.col("m") - pl.duration(days=28)
        )
        counts = near.group_by("account_id").agg(
            (pl.col("event") == "teammate_invited").sum().alias("i"),
            (pl.col("event") == "integration_connected").sum().alias("n"),
        )
        return float(counts.filter(pl.col("i") >= 4, pl.col("n") >= 2).height / moments.height)

    before = share(known.select("account_id", m="c"))
    any_time = share(known.select("account_id", m=pl.col("c") + pl.duration(days=200)))
    assert before > 0.25
    assert before > 3 * any_time


def test_checkout_comes_just_before_and_invoices_only_after(product, clean, firsts):
    paid = firsts.join(product.accounts, on="account_id").filter(
        pl.col("c") > pl.col("signed_up_at"), pl.col("c").dt.epoch("us") > EXPORTED_FROM + DAY
    )
    checkout = clean.filter(pl.col("event") == product.truth.traps.before).join(paid, on="account_id")
    gap = (checkout["c"] - checkout["timestamp"]).dt.total_seconds()
    assert gap.min() >= 0
    assert gap.max() <= 30 * 60
    assert checkout["account_id"].n_unique() / paid.height == pytest.approx(0.95, abs=0.04)
    invoices = clean.filter(pl.col("event") == product.truth.traps.after).join(firsts, on="account_id", how="left")
    assert (invoices["timestamp"] > invoices["c"]).all()


def test_nearly_everybody_opens_the_workspace_and_invitations_have_a_dialog(product, clean):
    young = product.accounts.filter(
        pl.col("signed_up_at").dt.epoch("us") > EXPORTED_FROM, pl.col("signed_up_at").dt.epoch("us") < ERA.end - DAY
    )
    opened = clean.filter(pl.col("event") == product.truth.traps.common)["account_id"].unique()
    assert young["account_id"].is_in(opened.implode()).mean() == pytest.approx(0.97, abs=0.02)
    invited, dialog = (clean.filter(pl.col("event") == name) for name in ("teammate_invited", "invite_dialog_opened"))
    assert dialog.height == pytest.approx(1.2 * invited.height, rel=0.1)


def test_the_usual_faults_are_there(product, clean):
    events = product.events
    at = events["timestamp"].dt.epoch("us")
    wrong = events.filter((at < EXPORTED_FROM) | (at >= ERA.end))
    assert set(wrong["timestamp"].dt.year()) == {1970, 2031}
    assert 0 < wrong.height < events.height / 1000
    repeats = events.height - wrong.height - clean.height
    assert repeats / events.height == pytest.approx(0.008, abs=0.002)
    late = (clean["received"] - clean["timestamp"]).dt.total_hours() >= 1
    assert late.mean() == pytest.approx(0.015, abs=0.004)
    assert events["received"].is_sorted()
    assert events["received"].dt.epoch("us").max() < ERA.end


def test_a_robot_an_own_company_and_machine_mail_stand_out(product, clean):
    robot = clean.filter(pl.col("event") == "dashboard_viewed").group_by("account_id").len().sort("len").tail(3)
    assert (robot["len"] > 4000).sum() >= 2
    staff = product.users.filter(pl.col("email").str.ends_with("@ourcompany.com"))
    assert staff.height >= 12
    assert staff["account_id"].n_unique() == 1
    mail = clean.filter(pl.col("event") == "email_delivered")
    assert (mail["timestamp"].dt.weekday() == 1).all()
    assert (mail["timestamp"].dt.hour() == 9).all()


def test_work_is_done_in_office_hours(clean):
    own = clean.filter(~pl.col("event").is_in(["email_delivered", "dashboard_viewed"]))["timestamp"]
    assert 0.02 < (own.dt.weekday() >= 6).mean() < 0.1
    assert ((own.dt.hour() >= 7) & (own.dt.hour() < 18)).mean() > 0.75


def test_present_traits_are_the_customers_and_the_history_knows_better(product, firsts):
    paying = product.upgrades.filter(pl.col("ended_at").is_null())
    now = product.accounts.join(paying, on="account_id", how="semi")
    assert (now["plan"] != "free").all()
    assert now["seats"].mean() > 1.5 * product.accounts["seats"].mean()
    begun = product.plan_history.group_by("account_id").agg(pl.col("plan").sort_by("valid_from").first())
    assert (begun["plan"] == "free").all()
    assert {"new", "expansion"} == set(product.upgrades["kind"])
    assert product.upgrades["ended_at"].is_not_null().any()
    assert product.accounts["deleted_at"].is_not_null().any()
    assert set(product.accounts["signup_plan"]) == {"free", "trial"}


def test_some_users_join_accounts_that_pay_already(product, firsts):
    joined = product.users.join(firsts, on="account_id")
    assert (joined["signed_up_at"] > joined["c"]).sum() > 20


@pytest.mark.parametrize(("accounts", "seed"), [(9, 1), (2_000_000, 1), (100, -1)])
def test_what_cannot_be_made_is_said(accounts, seed):
    with pytest.raises(UsageError):
        make_product(accounts, seed)


def test_the_smallest_product_works():
    product = make_product(10, 1)
    assert product.accounts.height == 11
    assert sum(product.truth.classes.values()) == 10
