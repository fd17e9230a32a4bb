"""The funnel: who had used the product before converting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pqlkit.exports.project import EventNote
from pqlkit.rates.funnel import _last_use
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START, at


@pytest.mark.parametrize("automatic", [False, True])
def test_the_last_use_is_the_last_event_before_the_conversion(automatic):
    converted = dict.fromkeys(("after", "at", "before", "never", "only after"), at(10))
    entities = [{"id": name, "anchor": START, "converted": moment} for name, moment in converted.items()]
    entities.append({"id": "open", "anchor": START})
    days = {"after": (5, 9, 12, 20), "at": (3, 10), "before": (1, 9.5), "only after": (11,), "open": (2, 30)}
    events = [(who, "visit", at(day)) for who, some in days.items() for day in some]
    people = in_memory(entities, [*events, *[(name, "sent", at(9.9)) for name in days if automatic]], as_of=at(40))
    if automatic:
        project = replace(people.project, events={"sent": EventNote(automatic=True)})
        people = replace(people, project=project)
    signups = people.entities.select("entity").filter(people.entities["id"] != "never")
    last = _last_use(people, signups).sort("entity")
    names = people.entities["id"].gather(last["entity"]).to_list()
    assert dict(zip(names, last["at"].to_list(), strict=True)) == {
        "after": at(9), "at": at(3), "before": at(9.5), "open": at(30)
    }  # fmt: skip
