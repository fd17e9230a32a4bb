from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from pqlkit.definitions.documents import check_definition
from pqlkit.definitions.form import DefinitionForm
from pqlkit.definitions.schema import definition_schema
from pqlkit.definitions.shape import Form
from pqlkit.definitions.yaml_source import parse
from pqlkit.shipped import shipped

SCHEMA = definition_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
FILES = [Path(__file__).parent / "example.yml", *sorted(shipped("definitions").glob("*.yml"))]
HEAD = "pqlkit: 1\nname: x\nentity: user\nwithin: 14d\noutcome: {within: 30d}\n"


def as_json(data: object) -> object:
    return json.loads(json.dumps(data, default=lambda value: value.isoformat() if isinstance(value, date) else value))


def complaints(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(as_json(parse(text, "x.yml").data))]


def test_it_is_a_schema_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_good_files_obey_it(path: Path) -> None:
    assert complaints(path.read_text()) == []


BAD = [
    "",
    "- a",
    "pqlkit: 2",
    f"{HEAD}onwer: x\nqualify: {{event: a}}",
    f"{HEAD}owner:\nqualify: {{event: a}}",
    f"{HEAD}version: 0\nqualify: {{event: a}}",
    f"{HEAD}status: gone\nqualify: {{event: a}}",
    f"{HEAD}qualify: {{event: []}}",
    f"{HEAD}qualify: {{event: 5}}",
    f"{HEAD}qualify: {{event: a, all: [{{event: b}}]}}",
    f"{HEAD}qualify: {{all: []}}",
    f"{HEAD}qualify: {{event: a, measure: sum}}",
    f"{HEAD}qualify: {{event: a, measure: {{sum: b, max: c}}, at_least: 1}}",
    f"{HEAD}qualify: {{event: a, at_least: '5'}}",
    f"{HEAD}qualify: {{event: a, at_least: {{percent: 0, of: 5}}}}",
    f"{HEAD}qualify: {{event: a, within: 7}}",
    f"{HEAD}qualify: {{event: a, within: 7 days}}",
    f"{HEAD}qualify: {{event: a, id: Big}}",
    f"{HEAD}qualify: {{event: a, where: {{p: null}}}}",
    f"{HEAD}qualify: {{event: a, where: {{p: {{like: x}}}}}}",
    f"{HEAD}qualify: {{ref: a b}}",
    f"{HEAD}qualify: {{n_of: {{n: 0, of: [{{event: a}}]}}}}",
    f"{HEAD}qualify: {{event: a}}\nexpect: {{rate: {{at_least: 15}}}}",
    f"{HEAD}qualify: {{event: a}}\nscore: {{points: {{}}}}",
    f"{HEAD}qualify: {{event: a}}\nkind: milestone",
    "pqlkit: 1\nname: x\nentity: user\nqualify: {event: a, ever: true}",
]


@pytest.mark.parametrize("text", BAD)
def test_bad_files_do_not(text: str) -> None:
    assert complaints(text)
    definition, _ = check_definition(parse(text, "x.yml"))
    assert definition is None


def test_a_milestone_needs_no_outcome() -> None:
    assert complaints("pqlkit: 1\nname: x\nentity: user\nkind: milestone\nqualify: {event: a, ever: true}") == []


def every_form() -> list[type[Form]]:
    found, queue = [], [Form]
    while queue:
        form = queue.pop()
        found.append(form)
        queue += form.__subclasses__()
    # The project file's forms, loaded by other tests of this process, are theirs.
    mine = {"pqlkit.definitions.form", "pqlkit.definitions.formula_form"}
    return sorted((form for form in found[1:] if form.__module__ in mine), key=lambda form: form.__name__)


@pytest.mark.parametrize("form", every_form(), ids=lambda form: form.__name__)
def test_every_key_is_described(form: type[Form]) -> None:
    assert form.__doc__
    for name, field in form.fields().items():
        assert field.description, name
        assert field.description[0].isupper() or field.description[0].isdigit() or ":" in field.description


def test_every_key_of_the_documentation_is_known() -> None:
    assert set(DefinitionForm.keys()) == {
        "pqlkit",
        "name",
        "kind",
        "version",
        "title",
        "owner",
        "rationale",
        "status",
        "review_by",
        "entity",
        "anchor",
        "within",
        "eligible",
        "qualify",
        "score",
        "outcome",
        "lead",
        "expect",
        "evidence",
    }


def test_nothing_of_pydantic_shows() -> None:
    text = json.dumps(SCHEMA)
    assert '"null"' not in text
    assert "(?:" not in text  # some editors' regular expressions know no such group
    assert SCHEMA["title"] == "pqlkit definition"


@pytest.mark.parametrize("name", ["definition", "project"])
def test_the_schemas_that_are_shipped_are_those_of_the_forms(name: str) -> None:
    """After a change: `make docs`."""
    from pqlkit.exports.project import project_schema
    from pqlkit.shipped import shipped

    written = (shipped("definitions").parent / f"pqlkit-{name}.schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == (definition_schema() if name == "definition" else project_schema())
