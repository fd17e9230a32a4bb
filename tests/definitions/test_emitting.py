from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from pqlkit.definitions.documents import check_definition
from pqlkit.definitions.emitting import emit, plain
from pqlkit.definitions.folders import load_definitions
from pqlkit.definitions.model import Condition, Evidence, EvidenceData, Operator
from pqlkit.definitions.schema import definition_schema
from pqlkit.definitions.yaml_source import parse
from pqlkit.definitions.yaml_text import write
from pqlkit.durations import Duration
from pqlkit.shipped import shipped
from tests.definitions.strategies import definitions

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition

LIBRARY = {
    loaded.definition.name: loaded.definition
    for loaded in load_definitions([shipped("definitions")])
    if loaded.definition is not None
}
EXAMPLE = Path(__file__).parent / "example.yml"


def read_back(text: str) -> Definition:
    definition, found = check_definition(parse(text, "emitted.yml"), LIBRARY.__getitem__)
    assert definition is not None, (found, text)
    return replace(definition, path=None)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_what_is_emitted_reads_back_as_the_same(definition: Definition) -> None:
    text = emit(definition)
    again = read_back(text)
    assert again == definition
    assert repr(plain(again)) == repr(plain(definition))  # also 1 is not 1.0 and not true
    assert emit(again) == text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_every_yaml_reader_reads_the_same_text(definition: Definition) -> None:
    mine = parse(emit(definition), "emitted.yml")
    theirs = yaml.safe_load(emit(definition))
    assert json.dumps(mine.data, default=str) == json.dumps(theirs, default=str)


@pytest.mark.parametrize("data", [None, EvidenceData(start=date(2026, 1, 1), through=date(2026, 1, 31))])
def test_text_that_looks_like_a_date_is_quoted_beside_dates(data: EvidenceData | None) -> None:
    written = replace(LIBRARY["activated-team"], evidence=Evidence(search="2026-01-31", data=data), path=None)
    assert read_back(emit(written)).evidence == written.evidence
    assert 'search: "2026-01-31"' in emit(written)


@pytest.mark.parametrize("event", ["0?", "a?b", "a, b?", "why? because"])
def test_a_question_mark_within_braces_is_quoted(event: str) -> None:
    text = write({"anchor": {"event": event}, "title": event})
    assert yaml.safe_load(text) == parse(text, "emitted.yml").data == {"anchor": {"event": event}, "title": event}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_nothing_invisible_is_emitted(definition: Definition) -> None:
    assert all(character.isprintable() or character == "\n" for character in emit(definition))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_what_is_emitted_obeys_the_schema(definition: Definition) -> None:
    validator = jsonschema.Draft202012Validator(definition_schema())
    assert [error.message for error in validator.iter_errors(json.loads(json.dumps(plain(definition))))] == []


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_library_reads_back_as_the_same(name: str) -> None:
    definition = replace(LIBRARY[name], path=None)
    assert read_back(emit(definition)) == definition


def test_it_reads_as_the_example_of_the_documentation() -> None:
    """The example, without its comments and what is the default, is what emitting makes of it."""
    definition, _ = check_definition(parse(EXAMPLE.read_bytes(), "example.yml"))
    assert definition is not None
    assert emit(definition) == EXAMPLE.with_suffix(".emitted.yml").read_text()


def test_durations_are_emitted_in_days_where_whole() -> None:
    definition = LIBRARY["minimum-viable"]
    text = emit(replace(definition, within=Duration.parse("36h"), lead=None))
    assert "within: 36h" in text
    text = emit(replace(definition, within=Duration.parse("48h")))
    assert "within: 2d" in text


def test_rates_are_emitted_in_percent_exactly() -> None:
    text = EXAMPLE.read_text().replace("15%", "0.1234567").replace("2%", "0.07")
    definition, _ = check_definition(parse(text, "x.yml"))
    assert definition is not None
    assert "rate: {at_least: 12.34567%}" in emit(definition)
    assert "share: {at_least: 7%, at_most: 30%}" in emit(definition)


def test_an_id_is_written_only_where_it_says_something() -> None:
    text = """pqlkit: 1
name: ids
entity: user
within: 7d
qualify:
  all: [{event: login}, {event: login, at_least: 5}, {id: ended, event: trial_ended}, {event: project_created}]
outcome: {within: 30d}
"""
    definition, _ = check_definition(parse(text, "x.yml"))
    assert definition is not None
    assert [criterion.id for criterion in definition.criteria] == ["login", "login_2", "ended", "project_created"]
    assert emit(definition).split("qualify:\n")[1].split("\n\n")[0].splitlines()[1:] == [
        "    - {id: login, event: login}",
        "    - {id: login_2, event: login, at_least: 5}",
        "    - {id: ended, event: trial_ended}",
        "    - event: project_created",
    ]


def test_a_key_too_long_for_a_simple_key_still_reads_back() -> None:
    where = (Condition(name="x" * 2000, operator=Operator.EQUALS, values=(1,)),)
    (criterion,) = LIBRARY["minimum-viable"].criteria
    definition = replace(LIBRARY["minimum-viable"], qualify=replace(criterion, where=where), path=None)
    assert read_back(emit(definition)) == definition
