"""The qualification: spells that begin while the entity is eligible, by what was known then."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pqlkit.definitions.model import Condition, Operator
from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.population.traits import TraitKind
from pqlkit.snapshots.spells import qualifications
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition, part

FREE = Condition(name="plan", operator=Operator.EQUALS, values=("free",))


def people(*, changed_at: int = 5 * DAY):
    history = pl.DataFrame(
        [(0, 0, "free"), (0, changed_at, "pro"), (1, 0, "pro")],
        schema={"entity": pl.Int64, "valid_from": pl.Int64, "value": pl.String},
        orient="row",
    )
    return in_memory(
        [{"id": "a", "anchor": 0}, {"id": "b", "anchor": 0}],
        [("a", "e", 5 * DAY), ("b", "e", DAY)],
        as_of=90 * DAY,
        histories={"plan": history},
    )


@pytest.mark.parametrize(("changed_at", "counts"), [(5 * DAY, False), (5 * DAY + 1, True)])
def test_traits_are_those_of_the_moment_of_the_start(changed_at, counts):
    found = qualifications(people(changed_at=changed_at), definition(part("e"), eligible=(FREE,)))
    assert found.rows() == ([(0, 5 * DAY, None)] if counts else [])


def test_tonights_leads_are_judged_by_whoever_asks():
    found = qualifications(people(), definition(part("e"), eligible=(FREE,)), now=True)
    assert found["entity"].to_list() == [0, 1]


def test_known_spells_are_taken_as_they_are():
    known = pl.DataFrame({"entity": [1, 0], "on": [7, 3], "off": [9, 4]})
    assert qualifications(people(), definition(part("e")), spells=known).rows() == [(0, 3, 4), (1, 7, 9)]


def test_todays_traits_are_refused():
    made = in_memory([{"id": "a", "anchor": 0}], [("a", "e", 1)], as_of=DAY, fixed={"plan": ["free"]})
    kinds: Any = made.traits.kinds
    kinds["plan"] = TraitKind.CURRENT
    with pytest.raises(UsageError, match="today's value"):
        qualifications(made, definition(part("e"), eligible=(FREE,)))
