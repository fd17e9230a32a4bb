"""Names with ids in them: seen as one family, refused by the thousand, and left out by a glob."""

from __future__ import annotations

import uuid
from fnmatch import fnmatchcase

import pytest

from pqlkit.analysis.observation import observe
from pqlkit.definitions.model import MeasureKind
from pqlkit.durations import DAY
from pqlkit.errors import DataError
from pqlkit.options.settings import Settings
from pqlkit.population.name_families import MOST, families, looked_at
from tests.analysis.canonical import in_memory


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("/users/{}", "/users/*"),
        ("user_{}", "user_*"),
        ("{}", "*"),
        ("order {} paid", "order * paid"),
        ("a[{}]?", "a?*]?"),
    ],
)
def test_ids_in_names_are_a_family(name: str, pattern: str) -> None:
    for ids in (
        range(100, 140),
        [uuid.UUID(int=7 * number + 2**100) for number in range(40)],
        [f"{n:08x}9" for n in range(40)],
    ):
        names = [name.format(one) for one in ids]
        assert families([*names, "login", "plan_2_chosen"]) == [(pattern, 40)]
        assert all(fnmatchcase(one, pattern) for one in names)


def test_a_few_numbered_names_are_none() -> None:
    assert families(f"step_{number}" for number in range(1, 13)) == []


def test_more_names_than_can_be_looked_at_are_refused_with_the_way_out() -> None:
    names = ["login", *(f"/users/{number}" for number in range(MOST)), *(f"tab {number} open" for number in range(50))]
    with pytest.raises(DataError) as caught:
        looked_at(names, [])
    assert str(caught.value) == (
        "the events have 5,051 different names, more than the 5,000 that can be looked at; as if they held ids: /users/* (5,000 names),"
        " tab * open (50 names)\n  leave them out: --exclude-event '/users/*' --exclude-event 'tab * open'\n"
        "  or take the ids out of the names in the export"
    )
    assert looked_at(names, ["/users/*", "tab * open"]) == ["login"]
    assert len(looked_at(names, ["tab * open", "login"])) == MOST


def test_names_without_digits_have_a_way_out_too() -> None:
    letters = "abcdefghijklmnopqrst"
    with pytest.raises(DataError, match=r"--exclude-event 'page \*' \(a glob; repeatable\)"):
        looked_at([a + b + c for a in letters for b in letters for c in letters], [])


def test_what_is_left_out_is_not_measured_and_still_activity() -> None:
    users: list[dict[str, str | int | None]] = [
        {"id": f"{number:03}", "anchor": number, "converted": 20 * DAY if number % 3 == 0 else None}
        for number in range(60)
    ]
    events = [
        (str(one["id"]), f"page {one['id']}" if turn else "login", (1 + turn) * DAY) for one in users for turn in (0, 1)
    ]
    people = in_memory(users, events, as_of=90 * DAY)
    found = observe(people, Settings(snapshots="once:14d", exclude_event=("page *",)))
    assert {behaviour.event for behaviour in found.cube.behaviours} == {None, "login"}
    whole = observe(people, Settings(snapshots="once:14d"))
    # How many different events is not asked where some are left out.
    anything = [
        index
        for index, behaviour in enumerate(whole.cube.behaviours)
        if behaviour.event is None and behaviour.measure.kind is not MeasureKind.DISTINCT_EVENTS
    ]
    assert [whole.cube.behaviours[index] for index in anything] == [
        one for one in found.cube.behaviours if one.event is None
    ]
    for index in anything:
        (rows, levels), (same_rows, same_levels) = whole.cube.column(index), found.cube.column(index)
        assert rows.tolist() == same_rows.tolist()
        assert levels.tolist() == same_levels.tolist()
