"""The population: who exists, whose conversions are whose, and where every row of the conversions went."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqlkit.definitions.model import (
    Anchor,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Limit,
    Operator,
    Outcome,
    Window,
    WindowKind,
)
from pqlkit.durations import DAY
from pqlkit.engines.factory import EngineName
from pqlkit.errors import DataError, DefinitionError, UsageError
from pqlkit.exports.mapping import Source
from pqlkit.exports.project import Project, Traits
from pqlkit.options.data import ExtentOptions
from pqlkit.population.population import population_of
from pqlkit.snapshots.classes import EntityClass, Place
from pqlkit.snapshots.snapshots import snapshots_of
from tests.analysis.canonical import dataset, days

T0 = 1_700_006_400_000_000  # 2023-11-15 00:00 UTC
MONTH = Outcome(within=days("30d"))


def act(user, day, event="login", account=None, **properties):
    return {"user_id": user, "account_id": account, "event": event, "timestamp": T0 + int(day * DAY)} | properties


def user(name, day=0.0, **traits):
    return {"user_id": name, "signed_up_at": None if day is None else T0 + int(day * DAY)} | traits


def bought(day, user=None, account=None, **more):
    row: dict[str, Any] = {"converted_at": T0 + int(day * DAY)} | more
    if user is not None:
        row["user_id"] = user
    if account is not None:
        row["account_id"] = account
    return row


LAST = act("a", 100)


def rows(found, *columns):
    return found.entities.select("id", *columns).rows()


def test_users_are_numbered_in_id_order_and_keep_their_first_conversion(tmp_path):
    data = dataset(
        tmp_path,
        events=[act("b", 1), LAST],
        users=[user("b", 1), user("a", 2)],
        conversions=[bought(9, "a", plan="pro"), bought(5, "a", plan="team"), bought(6, "zz")],
    )
    found = population_of(data, Project(), outcome=MONTH)
    assert found.kind is EntityKind.USER
    assert rows(found, "entity", "anchor", "converted", "plan") == [
        ("a", 0, T0 + 2 * DAY, T0 + 5 * DAY, "team"),
        ("b", 1, T0 + DAY, None, None),
    ]
    assert asdict(found.conversions) == {
        "rows": 3, "first": 1, "repeats": 1, "filtered": 0, "unknown_entity": 1, "excluded": 0,
    }  # fmt: skip
    assert (found.as_of, found.as_of_reason) == (T0 + 100 * DAY, "newest row of events")
    assert found.history_from == T0 + DAY
    assert found.without_events == 0


def test_integer_ids_are_sorted_as_numbers(tmp_path):
    data = dataset(tmp_path, events=[act(9, 1), act(10, 9)], users=[user(10), user(9)], conversions=[bought(5, 10)])
    assert [row[0] for row in rows(population_of(data, Project(), outcome=MONTH))] == [9, 10]


def test_rows_after_as_of_do_not_exist(tmp_path):
    data = dataset(
        tmp_path,
        events=[act("a", 1), act("b", 50), LAST],
        users=[user("a", 0, deleted_at=T0 + 60 * DAY), user("b", 50), user("c", 10)],
        conversions=[bought(20, "a", ended_at=T0 + 40 * DAY), bought(31, "c"), bought(31, "b")],
    )
    early = population_of(data, Project(), ExtentOptions(as_of="2023-12-15"), outcome=MONTH)  # through day 30
    assert rows(early, "converted", "ended_at", "deleted_at") == [
        ("a", T0 + 20 * DAY, None, None),
        ("c", None, None, None),
    ]
    assert (early.conversions.rows, early.without_events, early.as_of_reason) == (1, 1, "--as-of")
    at_b = population_of(data, Project(), ExtentOptions(as_of="2023-12-16T00:00Z"), outcome=MONTH)  # day 31, exactly
    assert (at_b.conversions.rows, at_b.conversions.unknown_entity) == (2 + 1, 1)


def test_without_users_the_first_event_or_signup_event_is_the_anchor(tmp_path):
    events = [act("a", 1, "visit"), act("a", 3, "signup"), act("b", 2, "visit"), LAST]
    data = dataset(tmp_path, events=events)
    assert rows(population_of(data, Project(), outcome=MONTH), "anchor") == [("a", T0 + DAY), ("b", T0 + 2 * DAY)]
    named = population_of(data, Project(signup_event="signup"), outcome=MONTH)
    assert rows(named, "anchor", "invalid") == [("a", T0 + 3 * DAY, False), ("b", None, True)]


@pytest.mark.parametrize(
    ("anchor", "expected"), [(Anchor(kind="first_event"), 1), (Anchor(kind="event", event="trial"), 4)]
)
def test_a_definition_may_start_the_clock_by_an_event(tmp_path, anchor, expected):
    events = [act("a", 1), act("a", 4, "trial"), act("a", 6, "trial"), act("b", 1), LAST]
    data = dataset(tmp_path, events=events, users=[user("a", 0), user("b", None), user("c", 0)])
    found = population_of(data, Project(), definition=written(anchor=anchor))
    assert rows(found, "anchor")[0] == ("a", T0 + expected * DAY)
    assert rows(found, "anchor", "invalid")[2] == ("c", None, False)
    assert snapshots_of(found, "once:14d").entity_classes["class"].to_list()[2] == "ineligible"


def written(**changes: Any) -> Definition:
    criterion = Criterion(
        id="login", events=("login",), window=Window(kind=WindowKind.EVER), at_least=changes.pop("at_least", 2)
    )
    keys: dict[str, Any] = {"name": "d", "entity": EntityKind.USER, "qualify": criterion, "outcome": MONTH} | changes
    return Definition(**keys)


def test_clock_faults_are_invalid(tmp_path):
    people = [user("a", None), user("b", 5, deleted_at=T0 + 5 * DAY - 1), user("c", 5, deleted_at=T0 + 5 * DAY)]
    data = dataset(tmp_path, events=[LAST], users=people)
    assert rows(population_of(data, Project(), outcome=MONTH), "invalid") == [("a", True), ("b", True), ("c", False)]


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_an_account_starts_with_itself_or_its_first_user(tmp_path):
    data = dataset(
        tmp_path,
        events=[act("u1", 1), act("u3", 2, account="B"), LAST],
        users=[user("u1", 3, account_id="A"), user("u2", 2, account_id="A"), user("u3", 1, account_id="B")],
        accounts=[{"account_id": "A", "signed_up_at": None}, {"account_id": "B", "signed_up_at": T0 + 7 * DAY}],
        conversions=[bought(9, account="B"), bought(8, user="u1"), bought(5, user="u2"), bought(5, account="Z")],
    )
    found = population_of(data, Project(), entity="account", outcome=MONTH)
    assert rows(found, "anchor", "converted") == [("A", T0 + 2 * DAY, T0 + 5 * DAY), ("B", T0 + 7 * DAY, T0 + 9 * DAY)]
    assert (found.conversions.repeats, found.conversions.unknown_entity) == (1, 1)
    assert found.without_events == 0


def test_a_rows_own_account_wins_over_its_users(tmp_path):
    data = dataset(
        tmp_path,
        events=[act("u1", 1, account="B"), LAST],
        users=[user("u1", 0, account_id="A"), user("u2", 0, account_id="B")],
        conversions=[bought(5, user="u1", account="B")],
    )
    found = population_of(data, Project(), entity="account", outcome=MONTH)
    assert rows(found, "converted") == [("A", None), ("B", T0 + 5 * DAY)]
    assert found.without_events == 1


def test_without_any_users_an_account_starts_with_its_first_event(tmp_path):
    data = dataset(tmp_path, events=[act("x", 1), act("x", 3, account="A"), act("y", 2, account="B"), LAST])
    found = population_of(data, Project(), entity="account", outcome=MONTH)
    assert rows(found, "anchor") == [("A", T0 + 3 * DAY), ("B", T0 + 2 * DAY)]


@pytest.mark.parametrize(
    ("events", "conversions", "kind"),
    [
        ([act("a", 1), act("a", 2), act("a", 3, account="A")], [bought(5, "a")], "user"),
        ([act("a", 1), act("a", 2, account="A"), act("a", 3, account="A")], [bought(5, "a")], "account"),
        ([act("a", 1), act("a", 2), act("a", 3, account="A")], [bought(5, account="A")], "account"),
    ],
)
def test_auto_chooses_what_the_data_carry(tmp_path, events, conversions, kind):
    people = [user("a")]
    data = dataset(tmp_path, events=events, users=people, conversions=conversions)
    assert population_of(data, Project(), outcome=MONTH).kind == kind


def test_auto_counts_events_of_users_who_belong_to_an_account(tmp_path):
    events = [{"user_id": "a", "event": "login", "timestamp": T0 + day} for day in range(3)]
    data = dataset(tmp_path, events=events, users=[user("a", account_id="A")])
    assert population_of(data, Project(), outcome=MONTH).kind == "account"
    assert population_of(data, Project(entity="user"), outcome=MONTH).kind == "user"


def test_users_that_are_all_null_name_nobody(tmp_path):
    nobody = [{"user_id": None, "account_id": "A", "converted_at": T0 + 5 * DAY}]
    data = dataset(tmp_path, events=[act("a", 1), LAST], users=[user("a", account_id="A")], conversions=nobody)
    assert population_of(data, Project(), outcome=MONTH).kind == "account"
    with pytest.raises(UsageError, match="write --entity account"):
        population_of(data, Project(), entity="user", outcome=MONTH)


def test_conversions_of_accounts_need_accounts(tmp_path):
    data = dataset(tmp_path, events=[LAST], users=[user("a", account_id="A")], conversions=[bought(5, account="A")])
    with pytest.raises(UsageError) as caught:
        population_of(data, Project(), entity="user", outcome=MONTH)
    assert str(caught.value) == "--entity user, but conversions are of accounts\n  write --entity account"


def test_accounts_need_a_name_somewhere(tmp_path):
    data = dataset(tmp_path, events=[{"user_id": "a", "event": "x", "timestamp": T0}], users=[user("a")])
    with pytest.raises(DataError, match="nothing in the data names an account"):
        population_of(data, Project(), entity="account", outcome=MONTH)


@pytest.mark.parametrize(
    ("stated", "message"), [("account", "d is about users, not accounts"), ("team", "not an entity")]
)
def test_an_entity_that_cannot_be(tmp_path, stated, message):
    data = dataset(tmp_path, events=[LAST], users=[user("a")])
    definition = written() if stated == "account" else None
    with pytest.raises(UsageError, match=message):
        population_of(data, Project(), entity=stated, definition=definition)


# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_the_filter_is_passed_row_by_row(tmp_path):
    data = dataset(
        tmp_path,
        events=[LAST],
        users=[user("a"), user("b")],
        conversions=[
            bought(1, "a", amount=1.0, kind="new", from_plan="free", plan="pro"),
            bought(2, "a", amount=9.0, kind="new", from_plan="free", plan="pro"),
            bought(3, "a", amount=9.0, kind="new", from_plan="free", plan="pro"),
            bought(4, "b", amount=9.0, kind="expansion", from_plan="pro", plan="team"),
            bought(5, "b", amount=None, kind=None, from_plan=None, plan=None),
        ],
    )
    big = Outcome(within=days("30d"), where=(Condition(name="amount", operator=Operator.AT_LEAST, values=(2,)),))
    found = population_of(data, Project(), outcome=big)
    assert rows(found, "converted", "amount") == [("a", T0 + 2 * DAY, 9.0), ("b", T0 + 4 * DAY, 9.0)]
    assert (found.conversions.filtered, found.conversions.repeats) == (2, 1)
    for outcome, first in (
        (Outcome(within=days("30d"), kind="new"), [T0 + DAY, None]),
        (Outcome(within=days("30d"), from_plan=("pro", "x")), [None, T0 + 4 * DAY]),
        (Outcome(within=days("30d"), to_plan=("pro",)), [T0 + DAY, None]),
    ):
        assert population_of(data, Project(), outcome=outcome).entities["converted"].to_list() == first


def test_a_filter_on_a_column_that_is_not_there(tmp_path):
    data = dataset(tmp_path, events=[LAST], users=[user("a")], conversions=[bought(1, "a", amount=1.0)])
    condition = Condition(name="amuont", operator=Operator.AT_LEAST, values=(2,))
    with pytest.raises(DataError, match="did you mean 'amount'"):
        population_of(data, Project(), outcome=Outcome(within=days("30d"), where=(condition,)))
    with pytest.raises(DataError, match="'from_plan'"):
        population_of(data, Project(), outcome=Outcome(within=days("30d"), from_plan=("free",)))


def test_an_event_may_be_the_outcome(tmp_path):
    events = [
        act("a", 2, "upgrade", plan="trial"), act("a", 5, "upgrade", plan="pro"), act("a", 6, "upgrade", plan="pro"),
        act("zz", 6, "upgrade", plan="pro"), act(None, 6, "upgrade", plan="pro"), act("a", 9, "login", plan=None),
    ]  # fmt: skip
    data = dataset(tmp_path, events=events, users=[user("a"), user("b")])
    pro = Condition(name="plan", operator=Operator.EQUALS, values=("pro",))
    found = population_of(data, Project(), outcome=Outcome(within=days("30d"), event="upgrade", where=(pro,)))
    assert rows(found, "converted") == [("a", T0 + 5 * DAY), ("b", None)]
    assert asdict(found.conversions) == {
        "rows": 5, "first": 1, "repeats": 1, "filtered": 1, "unknown_entity": 2, "excluded": 0,
    }  # fmt: skip


def test_the_project_file_fills_in_what_a_definition_leaves_open(tmp_path):
    data = dataset(
        tmp_path, events=[LAST], users=[user("a")], conversions=[bought(1, "a", kind="new"), bought(9, "a", kind="x")]
    )
    project = Project(outcome={"within": "14d", "kind": "x", "retained_for": "90d"})
    assert str(population_of(data, project).outcome.within) == "14d"
    found = population_of(data, project, definition=written())
    assert (str(found.outcome.within), found.outcome.kind, str(found.outcome.retained_for)) == ("30d", "x", "90d")
    assert found.entities["converted"].to_list() == [T0 + 9 * DAY]


def test_qualifying_for_another_definition_may_be_the_outcome(tmp_path):
    events = [act("a", 1), act("a", 4), act("a", 5), act("b", 2), act("c", 1), act("c", 2), LAST]
    people = [user("a", signup_plan="free"), user("b", signup_plan="free"), user("c", signup_plan="staff")]
    data = dataset(tmp_path, events=events, users=people)
    free = Condition(name="signup_plan", operator=Operator.EQUALS, values=("free",))
    twice = Outcome(within=days("30d"), definition=written(eligible=(free,)))
    found = population_of(data, Project(), outcome=twice)
    assert rows(found, "converted") == [("a", T0 + 4 * DAY), ("b", None), ("c", None)]
    assert (found.conversions.rows, found.conversions.first) == (1, 1)
    with pytest.raises(UsageError, match="the outcome d is about users, not accounts"):
        population_of(data, Project(), entity="account", outcome=twice)


def test_the_project_file_may_name_that_definition(tmp_path):
    text = "pqlkit: 1\nname: twice\nentity: user\nqualify: {event: login, at_least: 2, ever: true}\noutcome: {within: 9d}\n"
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "twice.yml").write_text(text)
    data = dataset(tmp_path, events=[act("a", 1), act("a", 4), LAST], users=[user("a")])
    project = Project(outcome={"definition": "twice"}, definitions=tmp_path / "definitions")
    assert rows(population_of(data, project), "converted") == [("a", T0 + 4 * DAY)]
    with pytest.raises(DefinitionError, match="did you mean 'twice'"):
        population_of(data, Project(outcome={"definition": "twise"}, definitions=tmp_path / "definitions"))


def test_no_conversions_at_all_is_a_population_too(tmp_path):
    data = dataset(tmp_path, events=[LAST], users=[user("a")])
    assert population_of(data, Project(), outcome=MONTH).conversions.rows == 0


def test_dates_without_times_do_not_buy_before_signing_up(tmp_path):
    from dataclasses import replace

    data = dataset(
        tmp_path, events=[LAST], users=[user("a", 5.5), user("b", 5.5)], conversions=[bought(5, "a"), bought(4, "b")]
    )
    tables = dict(data.tables) | {"conversions": replace(data.tables["conversions"], dates_only=True)}
    found = population_of(replace(data, tables=tables), Project(), outcome=MONTH)
    assert found.entities["converted"].to_list() == [T0 + int(5.5 * DAY), T0 + 4 * DAY]


def test_conversions_that_fall_silent_are_a_warning(tmp_path):
    people = [user(f"u{n:02}") for n in range(40)]
    daily = [bought(n, f"u{n:02}") for n in range(40)]
    data = dataset(tmp_path, events=[act("u00", 0), LAST], users=people, conversions=daily)
    (warning,) = population_of(data, Project(), outcome=MONTH).warnings
    assert "conversions.complete_through (2023-12-24)" in warning
    assert population_of(data, Project(), ExtentOptions(as_of="2023-12-25"), outcome=MONTH).warnings == ()


@pytest.mark.parametrize("text", ["auto", "once:14d", "age", "every:28d"])
def test_nobody_at_all_is_a_population_too(tmp_path, text):
    data = dataset(tmp_path, events=[LAST], users=[user("z", 150)], conversions=[bought(5, "q")])
    found = population_of(data, Project(), outcome=MONTH)
    seen = snapshots_of(found, text)
    assert (found.entities.height, seen.frame.height, seen.classes.entities, seen.places.unknown_entity) == (0, 0, 0, 1)
    assert seen.frame.columns == ["snapshot", "entity", "anchor", "cutoff", "y", "delay", "age_band", "block"]


# --- population filter and traits -------------------------------------------------------------------------------------

STAFF = (Condition(name="email", operator=Operator.NOT_MATCHING, values=("@us\\.com$",)),)


def test_own_staff_is_out_with_events_and_conversions(tmp_path):
    data = dataset(
        tmp_path,
        events=[act("a", 1), act("s", 1, "odd"), act("s", 3, "upgrade"), LAST],
        users=[user("a", email="a@x.com"), user("s", email="s@us.com"), user("n", email=None)],
        conversions=[bought(5, "a"), bought(5, "s")],
    )
    found = population_of(data, Project(population=STAFF), outcome=MONTH)
    assert found.entities["id"].to_list() == ["a", "n"]
    assert (found.excluded, found.conversions.rows, found.conversions.excluded) == (1, 1, 1)
    assert "odd" not in found.world.engine.collect(found.world.events)["event"].to_list()
    event = population_of(data, Project(population=STAFF), outcome=Outcome(within=days("30d"), event="upgrade"))
    assert event.conversions.rows == 0


def test_an_account_of_nobody_but_staff_is_out(tmp_path):
    data = dataset(
        tmp_path,
        events=[act("s", 1, account="A"), act("t", 1, account="B"), act("a", 1, account="B"), LAST],
        users=[
            user("s", account_id="A", email="s@us.com"), user("t", account_id="B", email="t@us.com"),
            user("a", 4, account_id="B", email="a@x.com"),
        ],
        conversions=[bought(5, account="A"), bought(6, account="B")],
    )  # fmt: skip
    found = population_of(data, Project(population=STAFF), entity="account", outcome=MONTH)
    assert rows(found, "anchor", "converted") == [("B", T0 + 4 * DAY, T0 + 6 * DAY)]
    assert (found.excluded, found.conversions.excluded) == (1, 1)


def test_a_filter_on_an_accounts_trait_takes_its_users_too(tmp_path):
    data = dataset(
        tmp_path,
        events=[act("a", 1), act("b", 1), LAST],
        users=[user("a", account_id="A"), user("b", account_id="B")],
        accounts=[{"account_id": "A", "internal": True}, {"account_id": "B", "internal": False}],
    )
    condition = Condition(name="internal", operator=Operator.EQUALS, values=(False,))
    found = population_of(data, Project(population=(condition,)), entity="user", outcome=MONTH)
    assert found.entities["id"].to_list() == ["b"]
    with pytest.raises(DataError, match="did you mean 'internal'"):
        population_of(data, Project(population=(Condition(name="internl", operator=Operator.EXISTS, values=(True,)),)))


def test_kinds_of_traits_and_their_values_in_time(tmp_path):
    history = [
        {"user_id": "a", "valid_from": T0, "plan": "free"}, {"user_id": "a", "valid_from": T0 + 9 * DAY, "plan": "pro"},
    ]  # fmt: skip
    data = dataset(
        tmp_path,
        events=[LAST],
        users=[user("a", email="e", signup_plan="s", seats=3, country="NL", plan="pro"), user("b", seats=4)],
        history__plan=history,
    )
    traits = Traits(fixed=("country",), history={"plan": Source(path=("plans.csv",))})
    found = population_of(data, Project(traits=traits), outcome=MONTH).traits
    assert found.kinds == {
        "country": "fixed",
        "email": "fixed",
        "plan": "history",
        "seats": "current",
        "signup_plan": "fixed",
    }
    asked = pl.DataFrame({"entity": [0, 0, 0, 1], "at": [T0 - 1, T0 + 9 * DAY - 1, T0 + 9 * DAY, T0 + DAY]})
    assert found.at(asked, ["plan"])["plan"].to_list() == [None, "free", "pro", None]
    assert found.at(asked, ["seats"])["seats"].to_list() == [3, 3, 3, 4]
    with pytest.raises(UsageError, match="today's value"):
        found.refuse_current(["seats"])
    found.refuse_current(["seats"], trusted=["seats"])
    found.refuse_current(["plan", "country", "email", "signup_plan"])
    with pytest.raises(DataError, match="did you mean 'seats'"):
        found.refuse_current(["seat"])


def test_users_borrow_their_accounts_traits_and_accounts_their_first_users(tmp_path):
    data = dataset(
        tmp_path,
        events=[LAST],
        users=[user("a", 1, account_id="A", country="NL"), user("b", 0, account_id="A", country="DE")],
        accounts=[{"account_id": "A", "size": 12}],
    )
    one = population_of(data, Project(), entity="user", outcome=MONTH).traits
    assert one.values.select("country", "size").rows() == [("NL", 12), ("DE", 12)]
    whole = population_of(data, Project(), entity="account", outcome=MONTH).traits
    assert whole.values.select("country", "size").rows() == [("DE", 12)]


def test_the_world_carries_the_limits_that_a_definition_reads(tmp_path):
    data = dataset(tmp_path, events=[LAST], users=[user("a", limit="40", other="x")])
    bound = Limit(percent=80, trait="limit")
    found = population_of(data, Project(), definition=written(at_least=bound))
    column = found.world.traits["limit"]
    assert found.world.entities[column].to_list() == ["40"]
    assert "other" not in found.world.traits


# --- laws -------------------------------------------------------------------------------------------------------------

ids = st.sampled_from([*"abcdef", "zz"])
moment = st.integers(-20, 130).map(lambda day: T0 + day * DAY)


@st.composite
def exports(draw):
    users = [
        {"user_id": name, "signed_up_at": draw(st.one_of(moment, moment, st.none())), "email": draw(st.sampled_from(["x", "s@us.com"])),
         "deleted_at": draw(st.one_of(st.none(), st.none(), moment))}
        for name in draw(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1))
    ]  # fmt: skip
    conversions = draw(
        st.lists(
            st.fixed_dictionaries(
                {"user_id": ids, "converted_at": moment, "amount": st.sampled_from([1.0, 5.0, None])}
            ),
            min_size=1,
            max_size=12,
        )
    )
    events = draw(
        st.lists(st.fixed_dictionaries({"user_id": ids, "event": st.just("x"), "timestamp": moment}), max_size=12)
    )
    return users, conversions, [*events, act("a", 120)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=exports(),
    text=st.sampled_from(["once:14d", "age:1d,7d", "every:28d"]),
    order=st.randoms(use_true_random=False),
)
def test_conservation(tmp_path, world, text, order):
    """Every row is counted once, every first conversion lies in exactly one place, and row order does not matter."""
    users, conversions, events = world
    paid = Outcome(within=days("30d"), where=(Condition(name="amount", operator=Operator.AT_LEAST, values=(2,)),))
    project = Project(population=STAFF)
    data = dataset(tmp_path, events=events, users=users, conversions=conversions)
    found = population_of(data, project, outcome=paid)
    by_then = [row for row in users if (row["signed_up_at"] or 0) <= found.as_of]
    staff = {row["user_id"] for row in by_then if row["email"] == "s@us.com"}
    exist = [row["user_id"] for row in by_then if row["user_id"] not in staff]
    assert found.entities["id"].to_list() == sorted(exist)
    mine = [row for row in conversions if row["user_id"] not in staff and row["converted_at"] <= found.as_of]
    known = [row for row in mine if row["user_id"] in exist]
    passing = [row for row in known if (row["amount"] or 0) >= 2]
    firsts = {
        name: min(row["converted_at"] for row in passing if row["user_id"] == name)
        for name in {row["user_id"] for row in passing}
    }
    assert asdict(found.conversions) == {
        "rows": len(mine),
        "first": len(firsts),
        "repeats": len(passing) - len(firsts),
        "filtered": len(known) - len(passing),
        "unknown_entity": len(mine) - len(known),
        "excluded": sum(row["user_id"] in staff and row["converted_at"] <= found.as_of for row in conversions),
    }
    assert dict(found.entities.select("id", "converted").drop_nulls().rows()) == firsts
    seen = snapshots_of(found, text, windows=[days("7d")])
    assert sum(asdict(seen.places)[name] for name in Place) == seen.places.first
    assert sum(asdict(seen.classes)[name] for name in EntityClass) == seen.classes.entities
    for rows_ in (users, conversions, events):
        order.shuffle(rows_)
    again = population_of(dataset(tmp_path, events=events, users=users, conversions=conversions), project, outcome=paid)
    assert again.entities.equals(found.entities)
    assert snapshots_of(again, text, windows=[days("7d")]).frame.equals(seen.frame)


@pytest.mark.parametrize("name", ["polars", "duckdb"])
def test_engines_agree(tmp_path, name):
    if name == "duckdb":
        pytest.importorskip("duckdb")
    data = dataset(
        tmp_path,
        events=[act("u1", 1, account="B"), act("u2", 60, "upgrade"), LAST, *(act("u4", 5 * n) for n in range(20))],
        users=[
            user("u4", 1, account_id="C"),
            user("u2", 0, account_id="B"),
            user("u1", 0, account_id="A"),
            user("u3", None, account_id="C"),
        ],
        conversions=[bought(5, user="u1", account="B"), bought(50, user="u1")],
    )
    for entity in ("user", "account"):
        for outcome in (MONTH, Outcome(within=days("30d"), event="upgrade")):
            found = population_of(
                data, Project(), ExtentOptions(engine=EngineName(name)), entity=entity, outcome=outcome
            )
            base = population_of(data, Project(), entity=entity, outcome=outcome)
            assert found.entities.equals(base.entities)
            assert found.without_events == base.without_events
            design = snapshots_of(found, "every:28d", windows=[days("7d")])
            assert design.frame.equals(snapshots_of(base, "every:28d", windows=[days("7d")]).frame)
            assert design.frame.height > 0
