"""Breadth: how many different events, as a measure of a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pqlkit.definitions.describing import phrase
from pqlkit.definitions.emitting import emit
from pqlkit.definitions.expression import expression, parse_expression
from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.model import Criterion, MeasureKind
from pqlkit.errors import PqlkitError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
pqlkit: 1
name: breadth
entity: user
qualify: {event: EVENT, measure: MEASURE, at_least: 5, within: 14d}
outcome: {within: 30d}
"""


def written(folder: Path, event: str, measure: str) -> Path:
    path = folder / "breadth.yml"
    path.write_text(TEXT.replace("EVENT", event).replace("MEASURE", measure), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("any", "5 or more different events within 14 days of signup"),
        ("[invited, shared]", "5 or more different events of invited or shared within 14 days of signup"),
    ],
)
def test_a_file_may_count_different_events(tmp_path: Path, event: str, said: str) -> None:
    definition = load_definition(written(tmp_path, event, "{distinct_events: true}"))
    (criterion,) = definition.criteria
    assert criterion.measure.kind is MeasureKind.DISTINCT_EVENTS
    assert criterion.measure.property is None
    assert phrase(definition.qualify) == said
    again = tmp_path / "again.yml"
    again.write_text(emit(definition), encoding="utf-8")
    assert "distinct_events: true" in emit(definition)
    assert load_definition(again).qualify == definition.qualify


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ("distinct_events", "distinct_events is written as a mapping"),
        ("{distinct_events: false}", "distinct_events is true or left out"),
        ("{distinct_events: name}", "true or false belongs here"),
    ],
)
def test_it_is_written_in_one_way(tmp_path: Path, measure: str, message: str) -> None:
    with pytest.raises(PqlkitError, match=message):
        load_definition(written(tmp_path, "any", measure))


def test_an_expression_may_ask_for_it() -> None:
    node = parse_expression("distinct_events(any) >= 5 in 14d")
    assert isinstance(node, Criterion)
    assert node.measure.kind is MeasureKind.DISTINCT_EVENTS
    assert node.events is None
    assert node.id == "any_event_distinct_events"
    assert expression(node) == "distinct_events(any) >= 5 in 14d"
