"""Traits: values as of a moment, conditions over them, and what a definition needs."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.definitions.model import (
    All,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Limit,
    Operator,
    Ref,
    Window,
    WindowKind,
)
from pqlkit.errors import DataError
from pqlkit.exports.mapping import Source
from pqlkit.exports.project import Project
from pqlkit.exports.project import Traits as Declared
from pqlkit.population.traits import TraitKind, Traits, required_traits, trait_kinds

HISTORY = pl.DataFrame({"entity": [0, 0, 2], "valid_from": [10, 20, 15], "value": ["free", "pro", "free"]})
TRAITS = Traits(
    kinds={"country": TraitKind.FIXED, "plan": TraitKind.HISTORY, "seats": TraitKind.CURRENT},
    values=pl.DataFrame({"entity": [0, 1, 2], "country": ["NL", None, "DE"], "seats": [1, 2, 3]}),
    histories={"plan": HISTORY},
)


def equal(name, *values):
    return Condition(name=name, operator=Operator.IN, values=values)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=20))
def test_history_gives_the_newest_row_not_after_the_moment(asked):
    moments = pl.DataFrame(asked, schema={"entity": pl.Int64, "at": pl.Int64}, orient="row")
    found = TRAITS.at(moments.with_columns(other=pl.lit("x")), ["plan"])
    expected = []
    for entity, at in asked:
        past = [row for row in HISTORY.rows() if row[0] == entity and row[1] <= at]
        expected.append(past[-1][2] if past else None)
    assert found["plan"].to_list() == expected
    assert found.select("entity", "at").rows() == asked
    assert found.columns == ["entity", "at", "other", "plan"]


def test_conditions_are_true_or_false_and_never_null():
    moments = pl.DataFrame({"entity": [0, 0, 1, 2], "at": [9, 20, 20, 20]})
    assert TRAITS.holds([equal("plan", "free", "pro")], moments).to_list() == [False, True, False, True]
    both = [equal("plan", "pro"), equal("country", "NL")]
    assert TRAITS.holds(both, moments).to_list() == [False, True, False, False]
    negated = Condition(name="country", operator=Operator.NOT_IN, values=("NL",))
    assert TRAITS.holds([negated], moments).to_list() == [False, False, True, True]
    assert TRAITS.holds([], moments).to_list() == [True] * 4


def test_a_trait_that_is_not_there_is_named_with_its_neighbours():
    moments = pl.DataFrame({"entity": [0], "at": [9]})
    with pytest.raises(DataError, match=r"no trait 'county'.*\n.*did you mean 'country'"):
        TRAITS.at(moments, ["county"])
    with pytest.raises(DataError, match="write one of country, plan, seats"):
        TRAITS.holds([equal("zzz", 1)], moments)
    assert TRAITS.names == ("country", "plan", "seats")


def test_undeclared_email_and_signup_traits_are_fixed():
    declared = Declared(fixed=("plan",), current=("signup_team", "email"), history={"tier": Source(path=("t.csv",))})
    kinds = trait_kinds(["tier", "plan", "signup_team", "email", "signup_at_booth", "size"], Project(traits=declared))
    assert {name: str(kind) for name, kind in kinds.items()} == {
        "email": "current", "plan": "fixed", "signup_at_booth": "fixed", "signup_team": "current", "size": "current",
        "tier": "history",
    }  # fmt: skip


def test_what_a_definition_needs():
    def definition(*parts, eligible=()):
        return Definition(name="d", entity=EntityKind.USER, qualify=All(parts=parts), outcome=None, eligible=eligible)

    ever = Window(kind=WindowKind.EVER)
    limited = Criterion(id="a", events=None, window=ever, at_least=Limit(percent=80, trait="limit"))
    capped = Criterion(id="b", events=None, window=ever, at_most=Limit(percent=80, trait="cap"))
    inner = definition(capped, eligible=(equal("country", "NL"),))
    outer = definition(limited, Ref(id="r", name="d", target=inner), eligible=(equal("plan", "free"),))
    assert required_traits(outer) == ("cap", "country", "limit", "plan")
    assert required_traits(definition(Criterion(id="c", events=None, window=ever, at_least=3))) == ()
