"""The JSON Schema of a definition file, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pqlkit.typing import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def definition_schema() -> dict[str, Json]:
    """Give the JSON Schema (draft 2020-12) of a definition file.

    It accepts what `reading` accepts; what only reading can judge (unique ids, refs, patterns, quoting) it lets pass.

    Examples
    --------
    >>> sorted(definition_schema()["required"])
    ['entity', 'name', 'pqlkit', 'qualify']
    """
    from pqlkit.definitions.form import DefinitionForm

    schema = DefinitionForm.model_json_schema(by_alias=True, mode="validation")
    milestone = {"properties": {"kind": {"const": "milestone"}}, "required": ["kind"]}
    nothing: dict[str, Any] = dict.fromkeys(("outcome", "score", "expect"), False)
    return {
        "$schema": DIALECT,
        **_tidy(schema),
        "title": "pqlkit definition",
        "if": milestone,
        "then": {"properties": nothing},
        "else": {"required": ["outcome"]},
    }


def _tidy(schema: Any) -> Any:
    """Leave out what pydantic adds and nobody reads: titles made from names, and null as an alternative (a key is left out)."""
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _named(value) if key in {"properties", "$defs"} else _tidy(value) for key, value in schema.items()}
    tidy = {key: value for key, value in tidy.items() if not (key == "title" and isinstance(value, str))}
    if tidy.get("default", ...) is None:
        del tidy["default"]
    alternatives = tidy.get("anyOf")
    if isinstance(alternatives, list) and {"type": "null"} in alternatives:
        left = [part for part in alternatives if part != {"type": "null"}]
        tidy = {key: value for key, value in tidy.items() if key != "anyOf"}
        tidy = {**tidy, **(left[0] if len(left) == 1 else {"anyOf": left})}
    return tidy


def _named(members: dict[str, Any]) -> dict[str, Any]:
    """Tidy the values of a mapping whose keys are names, not keywords: a property may be called title."""
    return {name: _tidy(value) for name, value in members.items()}
