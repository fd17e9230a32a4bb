from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.columns import LEAD_COLUMNS
from pqlkit.definitions.ids import of_behaviour, unique
from pqlkit.definitions.model import Measure, MeasureKind
from tests.definitions.strategies import measures, names


@pytest.mark.parametrize(
    ("events", "measure", "expected"),
    [
        (("login",), Measure(), "login"),
        (("Trial Started",), Measure(), "trial_started"),
        (("projectCreated",), Measure(), "project_created"),
        (("login",), Measure(kind=MeasureKind.DAYS), "login_days"),
        (None, Measure(kind=MeasureKind.DAYS), "any_event_days"),
        (("a", "b", "c", "d"), Measure(), "a_or_b_or_c"),
        (("a",), Measure(kind=MeasureKind.SUM, property="Total Amount"), "a_sum_total_amount"),
        (("404",), Measure(), "event_404"),
        (("🙂",), Measure(), "event"),
        (("score",), Measure(), "score_event"),
    ],
)
def test_ids_are_made_from_event_and_measure(events, measure, expected) -> None:
    assert of_behaviour(events, measure) == expected


@given(st.none() | st.lists(names, min_size=1, max_size=3).map(tuple), measures())
def test_any_name_gives_an_id_that_a_file_may_hold(events: tuple[str, ...] | None, measure: Measure) -> None:
    name = of_behaviour(events, measure)
    assert re.fullmatch("[a-z][a-z0-9_]{0,99}", name)
    assert name not in LEAD_COLUMNS


@given(st.lists(st.sampled_from(["a", "a_2", "b"])), st.sets(st.sampled_from(["a", "a_2", "a_3"])))
def test_equal_ids_are_told_apart(wanted: list[str], taken: set[str]) -> None:
    given_ = unique(wanted, taken)
    assert len({*given_, *taken}) == len(given_) + len(taken)
    assert [re.sub("(_[0-9]+)+$", "", name) for name in given_] == [re.sub("(_[0-9]+)+$", "", name) for name in wanted]
