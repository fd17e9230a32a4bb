from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqlkit.definitions.codes import FORM
from pqlkit.definitions.documents import check_definition
from pqlkit.definitions.emitting import plain
from pqlkit.definitions.form import DefinitionForm
from pqlkit.definitions.formula_form import CriterionForm, OperatorsForm
from pqlkit.definitions.model import Definition, MeasureKind, Operator
from pqlkit.definitions.schema import definition_schema
from pqlkit.definitions.shape import FormError
from pqlkit.definitions.values import FORMAT
from pqlkit.definitions.yaml_source import parse
from tests.definitions.strategies import definitions

VALIDATOR = jsonschema.Draft202012Validator(definition_schema())
WORDS: tuple[object, ...] = (
    "x",
    "yes",
    "",
    0,
    5,
    -1,
    1.5,
    True,
    None,
    [],
    {},
    ["a"],
    {"a": 1},
    "7d",
    "15%",
    {"event": "a"},
    "user",
)


def test_a_form_keeps_what_was_written() -> None:
    form = CriterionForm.read({"event": "a", "measure": {"sum": "b"}, "at_least": 5, "within": "2w"})
    assert form.given == {"event", "measure", "at_least", "within"}
    assert (form.event, str(form.within)) == ("a", "2w")


def test_operators_are_listed_in_one_order() -> None:
    form = OperatorsForm.read({"exists": True, "in": [1], "at_least": 2})
    assert form.tests == [(Operator.IN, (1,)), (Operator.AT_LEAST, (2,)), (Operator.EXISTS, (True,))]


def test_the_keys_of_conditions_are_the_operators() -> None:
    assert set(OperatorsForm.keys()) == {str(operator) for operator in Operator}


def test_what_evidence_may_leave_open_the_schema_allows() -> None:
    parts = ("search", "chosen_by", "data", "fit", "holdout")
    written = {
        "pqlkit": 1,
        "name": "a",
        "entity": "user",
        "qualify": {"event": "e", "within": "7d"},
        "outcome": {"within": "30d"},
    }
    for part in parts:
        changed = {**written, "evidence": {part: None}}
        try:
            DefinitionForm.read(changed)
        except FormError:
            continue
        assert list(VALIDATOR.iter_errors(changed)) == [], part


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions(), st.data())
def test_a_changed_form_fails_with_known_codes_or_obeys_the_schema(definition: Definition, data: st.DataObject) -> None:
    """Whatever stands wherever: a check answers with a rule code, or the form with one of five kinds."""
    mapping = plain(definition)
    place: object = mapping
    for _ in range(data.draw(st.integers(0, 4))):
        inner = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        inner = [key for key in inner if isinstance(place[key], dict | list) and place[key]]  # type: ignore[index]
        if not inner:
            break
        place = place[data.draw(st.sampled_from(inner))]  # type: ignore[index]
    if isinstance(place, dict):
        place[data.draw(st.sampled_from([*place, "stray"]))] = data.draw(st.sampled_from(WORDS))
    elif isinstance(place, list) and place:
        place[data.draw(st.integers(0, len(place) - 1))] = data.draw(st.sampled_from(WORDS))
    try:
        DefinitionForm.read(mapping)
        assert [error.message for error in VALIDATOR.iter_errors(json.loads(json.dumps(mapping)))] == []
    except FormError as error:
        kinds = {slip.kind for slip in error.slips}
        assert kinds <= {*FORM, "missing", "unknown", "empty", "no list", "no mapping"}


@pytest.mark.parametrize("value", [True, "1", 2, 1.5, None])
def test_only_one_format_is_read(value: object) -> None:
    with pytest.raises(FormError) as caught:
        DefinitionForm.read({"pqlkit": value})
    assert next(slip for slip in caught.value.slips if slip.place == ("pqlkit",)).kind == "PQL109"
    assert FORMAT == 1


@pytest.mark.parametrize("kind", MeasureKind)
def test_every_measure_can_be_written(kind: MeasureKind) -> None:
    measure = f"{{{kind}: amount}}" if kind.needs_property else kind.value
    if kind is MeasureKind.DISTINCT_EVENTS:
        measure = "{distinct_events: true}"
    text = f"pqlkit: 1\nname: a\nentity: user\nqualify: {{event: e, measure: {measure}, at_least: 1, within: 7d}}\n"
    definition, faults = check_definition(parse(f"{text}outcome: {{within: 30d}}\n", "a.yml"))
    assert faults == []
    assert definition is not None
    assert [(leaf.measure.kind, leaf.measure.property) for leaf in definition.criteria] == [
        (kind, "amount" if kind.needs_property else None)
    ]
    assert kind.scaled <= kind.numeric <= kind.needs_property
