"""The JSON Schema of a form, for editors: derived from the annotations that files are read by."""

from __future__ import annotations

import types
import typing
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin

from pqlkit.definitions.shape import Choice, Form, members, one, parts
from pqlkit.definitions.values import Check, Limits

if TYPE_CHECKING:
    from pqlkit.definitions.values import Key
    from pqlkit.typing import Json

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    type(None): {"type": "null"},
}
_LIMITS: Final = {"pattern": "pattern", "ge": "minimum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


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
    known: dict[str, Any] = {}
    whole = _mapping(form, known)
    return {"$schema": DIALECT, "$defs": dict(sorted(known.items())), **whole}


def _mapping(form: type[Form], known: dict[str, Any]) -> dict[str, Any]:
    kinds = form.types()
    schema: dict[str, Any] = {
        "additionalProperties": False,
        "description": form.__doc__,
        "properties": {
            key.alias or name: {**_described(key), **_shape(kinds[name], known)} for name, key in form.fields().items()
        },
        "type": "object",
    }
    required = [key.alias or name for name, key in form.fields().items() if key.required]
    return {**schema, "required": required} if required else schema


def _described(key: Key) -> dict[str, Any]:
    said: dict[str, Any] = {"description": key.description} if key.description else {}
    if not key.required and key.default is not None:
        said["default"] = key.default.value if isinstance(key.default, Enum) else key.default
    return {**said, "examples": list(key.examples)} if key.examples else said


def _shape(annotation: Any, known: dict[str, Any]) -> dict[str, Any]:
    kind, metadata = parts(annotation)
    if (check := one(metadata, Check)) is not None:
        return _written(check.as_type)
    if one(metadata, Choice) is not None:
        return {"oneOf": [_shape(part, known) for part in members(kind).values()]}
    least = getattr(one(metadata, Limits), "min_length", None)
    if get_origin(kind) is list:
        items = {"items": _shape(get_args(kind)[0], known), "type": "array"}
        return {**items, "minItems": least} if least else items
    if get_origin(kind) is dict:
        key, value = get_args(kind)
        return _names(key, value, known) | ({"minProperties": least} if least else {})
    if isinstance(kind, type) and issubclass(kind, Form):
        if kind.__name__ not in known:
            known[kind.__name__] = {}  # a node may hold nodes
            known[kind.__name__] = _mapping(kind, known)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    return {}


def _names(key: Any, value: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Say a mapping from names to values."""
    names = {limit: rule for limit, rule in _shape(key, known).items() if limit != "type"}
    pattern = names.pop("pattern", None)
    inner = _shape(value, known) or True
    schema: dict[str, Any] = {"type": "object"}
    if pattern is None:
        schema["additionalProperties"] = inner
    else:
        schema |= {"additionalProperties": False, "patternProperties": {pattern: inner}}
    return {**schema, "propertyNames": names} if names else schema


def _written(kind: Any) -> dict[str, Any]:
    """Say a type of Python as a schema: of scalars, words, lists and alternatives."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        return _written(kind.__origin__) | _limited(one(kind.__metadata__, Limits))
    if origin is typing.Literal:
        words = {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
        return {**words, **_PLAIN[type(arguments[0])]}
    if origin in {Union, types.UnionType}:
        return {"anyOf": [_written(part) for part in arguments]}
    if origin is list:
        return {"items": _written(arguments[0]), "type": "array"}
    return dict(_PLAIN[kind])


def _limited(limits: Limits) -> dict[str, Any]:
    said = {word: getattr(limits, name) for name, word in _LIMITS.items() if getattr(limits, name) is not None}
    return {**said, "minLength": limits.min_length} if limits.min_length is not None else said
