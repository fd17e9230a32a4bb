"""Tonight: as many as `pqlkit score` finds, and as many new ones as its ``--since 7d``."""

from __future__ import annotations

import random
from dataclasses import replace

import polars as pl
import pytest

from pqlkit.definitions.model import Lead, WindowKind
from pqlkit.durations import DAY, Duration
from pqlkit.proposal.tonight import Tonight, tonight
from pqlkit.scoring.scoring import score
from tests.analysis.canonical import in_memory
from tests.analysis.hand_made import definition, part

START = 20_000 * DAY
END = START + 100 * DAY
WEEK_AGO = END - 7 * DAY


@pytest.mark.parametrize(("at", "new"), [(WEEK_AGO - 1, 0), (WEEK_AGO, 0), (WEEK_AGO + 1, 1), (END, 1)])
def test_a_start_is_new_for_seven_days(at, new):
    people = in_memory([{"id": "a", "anchor": END - 10 * DAY}], [("a", "e", at)], as_of=END)
    assert tonight(people, definition(part("e"))) == Tonight(meet=1, fresh=1, new=new)


@pytest.mark.parametrize(
    "changed",
    [{"converted": END - 1}, {"deleted_at": END}, {"invalid": True}, {"at_risk": False}, {"anchor": None}],
    ids=lambda changed: next(iter(changed)),
)
def test_customers_and_those_who_are_gone_are_no_leads(changed):
    row = {"id": "a", "anchor": END - 10 * DAY, **changed}
    people = in_memory([row], [("a", "e", END - 5 * DAY)], as_of=END)
    assert tonight(people, definition(part("e"))) == Tonight(meet=0, fresh=0, new=0)


@pytest.mark.parametrize(("shift", "fresh"), [(-1, 0), (0, 1), (1, 1)])
def test_a_lead_is_fresh_as_long_as_score_says(shift, fresh):
    people = in_memory([{"id": "a", "anchor": END - 31 * DAY}], [("a", "e", END - 30 * DAY + shift)], as_of=END)
    wanted = replace(definition(part("e")), lead=Lead(fresh_for=Duration(30, "d")))
    assert tonight(people, wanted) == Tonight(meet=1, fresh=fresh, new=0)
    assert score(people, wanted).frame.get_column("status").to_list() == ["pql" if fresh else "expired"]


@pytest.mark.parametrize("kind", [WindowKind.WITHIN, WindowKind.TRAILING, WindowKind.ROLLING])
def test_it_is_what_score_finds(kind):
    dice = random.Random(5)
    users, events = [], []
    for number in range(300):
        name, anchor = f"u{number:03}", START + dice.randrange(99 * DAY)
        at = dice.randrange(anchor, END + 1)
        users.append(
            {
                "id": name,
                "anchor": anchor,
                "converted": at if dice.random() < 0.2 else None,
                "deleted_at": at if dice.random() < 0.1 else None,
            }
        )
        events += [(name, "e", dice.randrange(anchor, END + 1)) for _ in range(dice.randrange(6))]
    people = in_memory(users, events, as_of=END, history_from=START)
    wanted = replace(definition(part("e", 2, days=28, kind=kind)), lead=Lead(fresh_for=Duration(10, "d")))
    leads = score(people, wanted)
    holding = leads.frame.filter(pl.col("status").is_in(["pql", "expired"]))
    newest = leads.starts.group_by("id").agg(pl.col("on").max())
    new = holding.join(newest, left_on="user_id", right_on="id").filter(
        pl.col("on") > END - Duration(7, "d").microseconds
    )
    found = tonight(people, wanted)
    fresh = holding.filter(pl.col("status") == "pql").height
    assert found == Tonight(meet=holding.height, fresh=fresh, new=new.height)
    assert found.meet > found.fresh > found.new > 5
