"""The JSON Schema of a form, for editors: derived from the annotations that files are read by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pqlkit.definitions.shape import Form
    from pqlkit.typing import Json

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def definition_schema() -> dict[str, Json]:
    """Give the JSON Schema (draft 2020-12) of a definition file.

    It accepts what `reading` accepts; what only reading can judge (unique ids, refs, patterns, quoting) it lets pass.

    Examples
    --------
    >>> sorted(definition_schema()["required"])
    ['entity', 'name', 'pqlkit', 'qualify']
    """
    from pqlkit.definitions.form import DefinitionForm

    milestone: dict[str, Any] = {"properties": {"kind": {"const": "milestone"}}, "required": ["kind"]}
    nothing: dict[str, Any] = dict.fromkeys(("outcome", "score", "expect"), False)
    return {
        **form_schema(DefinitionForm),
        "title": "pqlkit definition",
        "if": milestone,
        "then": {"properties": nothing},
        "else": {"required": ["outcome"]},
    }


def form_schema(form: type[Form]) -> dict[str, Json]:
    """Give the JSON Schema of a form, the forms within it under ``$defs``."""
    return {"$schema": DIALECT, **_tidy(form.model_json_schema(by_alias=True, mode="validation"))}


def _tidy(schema: Any) -> Any:
    """Leave out what pydantic adds and nobody reads: titles made from names, and null as an alternative (a key is left out)."""
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {
        # A property may be called title: below these two, keys are names.
        key: {name: _tidy(part) for name, part in value.items()} if key in {"properties", "$defs"} else _tidy(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    if tidy.get("default", ...) is None:
        del tidy["default"]
    left = [part for part in tidy.get("anyOf", ()) if part != {"type": "null"}]
    if len(left) == 1:
        return {**{key: value for key, value in tidy.items() if key != "anyOf"}, **left[0]}
    return {**tidy, "anyOf": left} if left else tidy
