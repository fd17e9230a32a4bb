"""The reference of forms, as Markdown: type, default, meaning and an example of every key, from what files are read by."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from pqlkit.definitions.values import Date, Id, Name, Points, Rate, Scalar, Span, Text, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NODES: Final = "Nodes: what may stand under qualify"
"""The heading of what describes the parts of a formula."""

KEY_HEAD: Final = ("| key | type | default | meaning | example |", "|---|---|---|---|---|")
_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (Span, "duration"),
    (Rate, "rate"),
    (Name, "name"),
    (Id, "id"),
    (Date, "date"),
    (Points, "number above 0"),
    (Threshold, "number"),
    (Scalar, "text, number or truth value"),
    (Text, "text"),
)
_WORDS: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "nothing",
}


class Reference:
    """The forms of one JSON Schema, each with its keys.

    Parameters
    ----------
    schema
        As `pqlkit.definitions.schema.form_schema` gives it.
    elsewhere
        Title of a form -> the page that describes it, for forms that another page shares.
    """

    def __init__(self, schema: Mapping[str, Any], elsewhere: Mapping[str, str] | None = None) -> None:
        self._root = schema
        self._forms: Mapping[str, Any] = schema["$defs"]
        self._elsewhere = elsewhere or {}
        every = self._forms.get("AllForm")
        self._node = every["properties"]["all"]["items"] if every is not None else None

    @property
    def titles(self) -> list[str]:
        """The forms that have a section, in the order in which a reader meets them."""
        return [form["description"] for form in self._met()]

    def example(self, schema: Mapping[str, Any]) -> Any:
        """Give what may stand under a key: the example that is stated, else one that follows from its type.

        Raises
        ------
        LookupError
            None is stated, and none follows.
        """
        if "examples" in schema:
            return schema["examples"][0]
        if "$ref" in schema:
            return self._example_of(self._form(schema))
        if "enum" in schema:
            return next((word for word in schema["enum"] if word != schema.get("default")), schema["enum"][0])
        if schema.get("type") == "boolean":
            return True
        if "const" in schema:
            return schema["const"]
        alternatives = [part for part in _alternatives(schema) if part != {"const": None}]
        if alternatives:
            return self.example(alternatives[0])
        raise LookupError(f"this key has no example: {schema}")

    def sections(self) -> Iterator[str]:
        """Write the table of every form, the root's first."""
        for form in self._met():
            if form is not self._root:
                yield f"### {_heading(form)}\n"
            yield from KEY_HEAD
            for key, schema in form["properties"].items():
                yield self._row(key, schema, required=key in form.get("required", ()))
            yield ""

    def type_of(self, schema: Mapping[str, Any]) -> str:
        """Say in words what may stand under a key."""
        if "$ref" in schema:
            form = self._form(schema)
            return f"[{self._noun(form)}]({self._elsewhere.get(form['description'], '')}#{slug(_heading(form))})"
        bare = {key: value for key, value in schema.items() if key not in {"description", "default", "examples"}}
        if bare == self._node:
            return f"[a node](#{slug(NODES)})"
        known = next((word for shape, word in _known() if shape == bare), None)
        if known is not None:
            return known
        if _alternatives(schema):
            return _joined([self.type_of(part) for part in _alternatives(schema)])
        if "enum" in schema or "const" in schema:
            words = schema.get("enum", [schema.get("const")])
            return _joined([f"`{_yaml(word)}`" for word in words]) if words != [None] else "nothing"
        match schema.get("type"):
            case "array":
                return f"list of: {self.type_of(schema['items'])}"
            case "object":
                values = schema.get("additionalProperties") or next(iter(schema["patternProperties"].values()))
                return f"mapping of names to: {self.type_of(values)}"
            case kind:
                return _WORDS[str(kind)]

    def _row(self, key: str, schema: Mapping[str, Any], *, required: bool) -> str:
        says, named = _default_in(schema.get("description") or "")
        default = f"`{_yaml(schema['default'])}`" if "default" in schema else named
        cells = (
            f"`{key}`",
            self.type_of(schema),
            "(required)" if required else default,
            says,
            f"`{key}: {_yaml(self.example(schema))}`",
        )
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

    def _met(self) -> Iterator[Mapping[str, Any]]:
        """Give every form once, as it is first reached from the root, level by level."""
        waiting, seen = [self._root], {id(self._root)}
        while waiting:
            form = waiting.pop(0)
            yield form
            for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(form["properties"])):
                below = self._forms[name]
                described = below.get("description", "") in self._elsewhere or "description" not in below
                if id(below) not in seen and not described:
                    seen.add(id(below))
                    waiting.append(below)

    def _form(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        form: Mapping[str, Any] = self._forms[schema["$ref"].rpartition("/")[2]]
        return form

    def _noun(self, form: Mapping[str, Any]) -> str:
        """Name a form in a type: its only key, or what stands before the colon of its description."""
        (key, schema), *others = form["properties"].items()
        if not others and "$ref" not in schema and schema != {**schema, **(self._node or {})} and "items" not in schema:
            return f"`{{{key}: {self.type_of(schema).replace('`', '')}}}`"
        return str(form["description"]).partition(":")[0].lower().removeprefix("the ").rstrip(".")

    def _example_of(self, form: Mapping[str, Any]) -> dict[str, Any]:
        keys = form.get("required") or [next(iter(form["properties"]))]
        return {key: self.example(form["properties"][key]) for key in keys}


def slug(heading: str) -> str:
    """Give the anchor that GitHub and MkDocs make of a heading.

    Examples
    --------
    >>> slug("N_of: so many of these parts")
    'n_of-so-many-of-these-parts'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@functools.cache
def _known() -> list[tuple[dict[str, Any], str]]:
    return [(TypeAdapter(kind).json_schema(), word) for kind, word in _KINDS]


def _alternatives(schema: Mapping[str, Any]) -> list[Any]:
    return schema.get("oneOf") or schema.get("anyOf") or []


def _heading(form: Mapping[str, Any]) -> str:
    return str(form["description"]).replace("``", "").rstrip(".")


def _default_in(description: str) -> tuple[str, str]:
    """Part a meaning from the default that it tells.

    Examples
    --------
    >>> _default_in("How far; default: 80%.")
    ('How far.', '80%')
    """
    says, _, default = description.partition("; default: ")
    return (f"{says}.", default.rstrip(".")) if default else (description, "")


def _joined(words: list[str]) -> str:
    words = list(dict.fromkeys(words))
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _yaml(value: Any) -> str:
    """Write a value as YAML on one line."""
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
