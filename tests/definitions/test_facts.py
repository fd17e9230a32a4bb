"""Facts: rules against data say no more than the counts allow, and a catalogue file stands in for the data's names."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pqlkit.definitions.catalogue_facts import read_catalogue
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import (
    CriterionFacts,
    DefinitionFacts,
    EligibilityFacts,
    EventFacts,
    Facts,
    LeakFacts,
    NameFacts,
    PropertyFacts,
    Proportion,
    TraitFacts,
    TraitSource,
    ValueKind,
)
from pqlkit.definitions.rules.lint_rule import framed
from pqlkit.definitions.validation import validate_documents
from pqlkit.definitions.yaml_source import parse
from pqlkit.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 23)


def told(text: str, *, names: NameFacts | None = None, as_of: str | None = None, **figures: Any) -> list[str]:
    """Validate one definition against facts; give ``line:column CODE severity message``."""
    known = {"example": DefinitionFacts(**figures)} if figures else {}
    facts = Facts(source="data/", names=names or NameFacts(), as_of=as_of, definitions=known)
    report = validate_documents([parse(framed(text), "example.yml")], today=TODAY, facts=facts)
    return [f"{d.line}:{d.column} {d.code} {d.severity} {d.message}" for d in report.diagnostics]


def test_without_facts_nothing_is_said_about_data() -> None:
    assert told("qualify: {event: no_such_thing, within: 14d}\n") == []


def test_each_unknown_event_is_told_at_its_own_place() -> None:
    text = "anchor: {event: trial_start}\nqualify: {event: [login, logn], within: 14d}\noutcome: {within: 30d, event: upgrad}\n"
    names = NameFacts(events={"login": EventFacts(), "trial_started": EventFacts(), "upgrade": EventFacts()})
    assert told(text, names=names) == [
        "1:17 PQL301 error data/ has no event 'trial_start'",
        "2:26 PQL301 error data/ has no event 'logn'",
        "3:31 PQL301 error data/ has no event 'upgrad'",
    ]


NUMBERS = NameFacts(
    events={
        "a": EventFacts(properties={"rows": PropertyFacts(kind=ValueKind.INTEGER)}),
        "b": EventFacts(properties={"text": PropertyFacts(kind=ValueKind.TEXT, numeric_share=0.98)}),
        "c": EventFacts(),
    }
)


@pytest.mark.parametrize(
    ("qualify", "expected"),
    [
        ("{event: a, measure: {sum: rows}, at_least: 5, within: 7d}", []),
        ("{event: [a, b], measure: {sum: rows}, at_least: 5, within: 7d}", []),
        (
            "{event: b, measure: {sum: rows}, at_least: 5, within: 7d}",
            ["1:36 PQL302 error 'b' in data/ has no property 'rows'"],
        ),
        (
            "{event: a, where: {row: {at_least: 2}}, within: 7d}",
            ["1:29 PQL302 error 'a' in data/ has no property 'row'"],
        ),
        (
            "{event: a, measure: {last: rows}, at_least: {percent: 80, of: {property: limit}}, ever: true}",
            ["1:83 PQL302 error 'a' in data/ has no property 'limit'"],
        ),
        (
            "{event: b, measure: {max: text}, at_least: 5, within: 7d}",
            ["1:36 PQL304 warning only 98.0% of the values of 'text' read as a number"],
        ),
        ("{event: b, measure: {distinct: text}, at_least: 5, within: 7d}", []),
        ("{event: c, measure: {sum: anything}, at_least: 5, within: 7d}", []),
    ],
)
def test_properties_belong_to_events(qualify: str, expected: list[str]) -> None:
    assert told(f"qualify: {qualify}\n", names=NUMBERS) == expected


def test_the_columns_of_the_conversions_are_checked_too() -> None:
    names = NameFacts(conversions={"amount": PropertyFacts(kind=ValueKind.NUMBER)})
    text = "outcome: {within: 30d, where: {ammount: {at_least: 2}}}\n"
    assert told(text, names=names) == ["1:32 PQL302 error the conversions export has no property 'ammount'"]


def test_traits_belong_to_a_kind_of_entity() -> None:
    names = NameFacts(traits={"user": {"plan": TraitFacts(kind=ValueKind.TEXT)}})
    text = "eligible: [{trait: country, in: [DE]}, {trait: plan, equals: free, exists: true}]\n"
    assert told(text, names=names) == ["1:20 PQL303 error users in data/ have no trait 'country'"]
    assert told("entity: account\n" + text, names=names) == []


def test_a_trusted_or_unjudged_trait_may_be_todays() -> None:
    def names(source: TraitSource | None, *, trusted: bool = False) -> NameFacts:
        return NameFacts(traits={"user": {"plan": TraitFacts(kind=ValueKind.TEXT, source=source, trusted=trusted)}})

    text = "eligible: [{trait: plan, equals: free}]\n"
    assert [line.split()[1] for line in told(text, names=names(TraitSource.CURRENT))] == ["PQL312"]
    for quiet in (names(TraitSource.CURRENT, trusted=True), names(TraitSource.FIXED), names(None)):
        assert told(text, names=quiet) == []


def rate(numerator: int, denominator: int, low: float | None, high: float | None) -> Proportion:
    return Proportion(numerator=numerator, denominator=denominator, low=low, high=high)


@pytest.mark.parametrize(
    ("bound", "found", "expected"),
    [
        ("at_least: 15%", rate(90, 500, 0.149, 0.216), None),
        ("at_least: 15%", rate(70, 500, 0.112, 0.173), "warning"),
        ("at_least: 15%", rate(40, 500, 0.059, 0.107), "error"),
        ("at_least: 15%", rate(75, 500, 0.12, 0.18), None),
        ("at_most: 15%", rate(90, 500, 0.149, 0.216), "warning"),
        ("at_most: 15%", rate(120, 500, 0.205, 0.279), "error"),
        ("at_most: 15%", rate(70, 500, 0.112, 0.173), None),
        ("at_least: 15%", rate(0, 0, None, None), "warning"),
    ],
)
def test_an_expectation_is_missed_for_sure_only_with_the_whole_interval(
    bound: str, found: Proportion, expected: str | None
) -> None:
    for name, lines in (
        ("rate", told(f"expect: {{rate: {{{bound}}}}}\n", qualifications=found)),
        ("share", told(f"expect: {{share: {{{bound}}}}}\n", share=found)),
    ):
        wanted = [] if expected is None else [["PQL308", expected]]
        assert [line.split()[1:3] for line in lines] == wanted, name


def test_an_expectation_that_was_not_measured_is_not_judged() -> None:
    assert told("expect: {rate: {at_least: 15%}}\n", entities=10) == []


def test_evidence_is_compared_like_with_like() -> None:
    evidence = "evidence: {chosen_by: hand, fit: {view: %s, qualified: 480, converted: 127, rate: 0.265, low: 0.227, high: 0.306}}\n"
    low = rate(60, 500, 0.0944, 0.1514)
    assert [line.split()[1] for line in told(evidence % "qualification", qualifications=low)] == ["PQL309"]
    assert told(evidence % "snapshot", qualifications=low) == []
    assert told(evidence % "qualification", qualifications=rate(100, 500, 0.167, 0.237)) == []


def test_a_rate_near_the_base_cannot_be_told_apart() -> None:
    base = rate(200, 4000, 0.0437, 0.0572)
    text = "qualify: {event: tour, within: 14d}\n"
    assert "not above it" in told(text, snapshot_with=rate(20, 600, 0.02, 0.05), snapshot_base=base)[0]
    assert "cannot be told apart" in told(text, snapshot_with=rate(36, 600, 0.044, 0.082), snapshot_base=base)[0]
    assert told(text, snapshot_with=rate(96, 600, 0.133, 0.192), snapshot_base=base) == []
    assert told(text, snapshot_with=rate(0, 0, None, None), snapshot_base=base) == []


def test_mechanical_criteria_may_be_near_deterministic() -> None:
    near = LeakFacts(event="limit", reason="near-deterministic", evidence="9 of 10 convert")
    part = LeakFacts(event="limit", reason="part-of-conversion", evidence="same minute")
    text = "qualify: {event: limit, within: 14d%s}\n"
    assert [line.split()[1] for line in told(text % "", leaks=(near,))] == ["PQL310"]
    assert told(text % ", mechanical: true", leaks=(near,)) == []
    assert [line.split()[1] for line in told(text % ", mechanical: true", leaks=(part,))] == ["PQL310"]


def test_eligibility_that_removes_everybody_alike_is_fine() -> None:
    def found(removed: int, others: int) -> tuple[EligibilityFacts, ...]:
        facts = EligibilityFacts(
            condition=1, trait="plan", converters=100, converters_removed=removed, others=1000, others_removed=others
        )
        return (facts,)

    text = "eligible:\n  - {trait: email, exists: true}\n  - {trait: plan, equals: free}\n"
    assert told(text, eligibility=found(90, 20)) == [
        "3:5 PQL311 warning removes 90 of 100 converters, but 20 of 1,000 others"
    ]
    assert told(text, eligibility=found(40, 380)) == []
    assert told(text, eligibility=found(4, 0)) == []
    assert told(text, eligibility=found(3, 997)) == [
        "3:5 PQL311 warning keeps 97 of 100 converters, but 3 of 1,000 others"
    ]
    assert told(text, eligibility=found(3, 970)) == []
    assert told(text, eligibility=found(71, 1000)) == []
    assert told(text, eligibility=found(70, 1000))[0].endswith("keeps 30 of 100 converters, but 0 of 1,000 others")


def test_nobody_names_the_criterion_that_nobody_meets() -> None:
    text = "within: 14d\nqualify: {all: [{id: one, event: a}, {id: two, event: b}]}\n"
    criteria = {"one": CriterionFacts(met=90, entities=100), "two": CriterionFacts(met=0, entities=100)}
    facts = Facts(
        source="data/",
        names=NameFacts(),
        definitions={"example": DefinitionFacts(entities=100, qualified=0, criteria=criteria)},
    )
    (found,) = validate_documents([parse(framed(text), "a.yml")], today=TODAY, facts=facts).diagnostics
    assert (found.code, found.hint, found.severity) == ("PQL305", "nobody ever meets two", Severity.ERROR)


def test_a_milestone_may_be_met_by_nearly_everybody() -> None:
    text = "kind: milestone\nname: example\nqualify: {event: project, within: 7d}\n"
    assert told(text, entities=100, qualified=97) == []


def test_a_silence_is_odd_only_against_the_usual_pace() -> None:
    def said(last: str, rows: int) -> list[str]:
        event = EventFacts(rows=rows, first="2026-01-01", last=last)
        return told(
            "qualify: {event: login, at_least: 3, within: 14d}\n",
            names=NameFacts(events={"login": event}),
            as_of="2026-10-31T23:59:59Z",
        )

    assert [line.split()[1] for line in said("2026-09-01", 5000)] == ["PQL313"]
    assert said("2026-09-01", 12) == []
    assert said("2026-10-25", 50_000) == []


# The catalogue

CATALOGUE = {
    "pqlkit_catalogue": 1,
    "events": {
        "on": {
            "count": 12,
            "first": "2026-01-01T00:00:00Z",
            "last": "2026-02-01T00:00:00Z",
            "properties": {"rows": "integer"},
        },
        "2026-01-01": {"count": 3, "first": "2026-01-02T00:00:00Z", "last": "2026-03-01T00:00:00Z", "properties": {}},
    },
    "traits": {"users": {"plan": "text"}},
}


@pytest.mark.parametrize("suffix", [".yml", ".json"])
def test_a_catalogue_is_yaml_or_json(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"catalogue{suffix}"
    path.write_text(json.dumps(CATALOGUE) if suffix == ".json" else yaml.safe_dump(CATALOGUE))
    facts = read_catalogue(path)
    assert facts.source == str(path)
    assert facts.as_of == "2026-03-01T00:00:00Z"
    assert facts.names.events["on"] == EventFacts(
        rows=12,
        first="2026-01-01T00:00:00Z",
        last="2026-02-01T00:00:00Z",
        properties={"rows": PropertyFacts(kind=ValueKind.INTEGER)},
    )
    assert facts.names.events["2026-01-01"].properties == {}
    assert facts.names.traits == {"user": {"plan": TraitFacts(kind=ValueKind.TEXT)}}
    assert facts.definitions == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a mapping"),
        (b"events: {}\n", "not a catalogue of format 1"),
        (b"pqlkit_catalogue: 2\n", "not a catalogue of format 1"),
        (b"pqlkit_catalogue: 1\nevents: [a]\n", "events is not a mapping"),
        (b"pqlkit_catalogue: 1\nevents: {a: {properties: {b: blob}}}\n", r"events.a.properties.b is no kind of value"),
        (b"a: &a [1]\nb: *a\n", "aliases are not read"),
        (b"[" * 100_000, "nested more than 10 levels"),
        (b"a: [\n", "cannot be read"),
        ("caf\xe9: 1\n".encode("latin-1"), "cannot be read"),
        (b"a: !!python/object/apply:os.system [id]\n", "not a catalogue"),
    ],
)
def test_what_is_no_catalogue_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_catalogue(path)


def test_deep_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text("[" * 200_000)
    with pytest.raises(DataError, match="cannot be read"):
        read_catalogue(path)


def test_a_catalogue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the catalogue: No such file"):
        read_catalogue(tmp_path / "catalogue.yml")


def test_a_huge_catalogue_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yml"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    with pytest.raises(DataError, match="larger than"):
        read_catalogue(path)
