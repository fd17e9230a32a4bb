"""The fault of a form: pydantic's errors become diagnostics with a place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.definitions.codes import FORM, INVALID_VALUE, MISSING_KEY, UNKNOWN_KEY, WRONG_TYPE
from pqlkit.definitions.formula_form import Stray
from pqlkit.definitions.values import kind_of, shown
from pqlkit.errors import nearest
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.yaml_source import Document, Path, Yaml

_EXAMPLES: Final = {
    "pqlkit": "pqlkit: 1",
    "name": "name: my-definition",
    "entity": "entity: user",
    "qualify": "qualify: {event: project_created}",
    "outcome": "outcome: {within: 30d}",
    "within": "within: 30d",
    "trait": "trait: signup_plan",
    "of": "of: 10000",
    "n": "n: 2",
}


def diagnostics(document: Document, error: ValidationError, base: Path = ()) -> list[Diagnostic]:
    """Say every error of a form that was validated from the data at `base`."""
    data = at(document.data, base)
    found = error.errors(include_url=False)
    misspelt = {_meant(fault) for fault in found if fault["type"] == "extra_forbidden"}
    # One slip is one fault: a key that is misspelt is not missing too.
    return [_diagnostic(document, fault, base, data) for fault in found if fault["loc"] not in misspelt]


def at(data: Yaml, path: Path) -> Yaml:
    """Give what stands at `path`, None if there is nothing."""
    for step in path:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _leads_on(data: Yaml, step: str | int) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def missing(document: Document, path: Path, key: str) -> Diagnostic:
    """Say that `key` is missing in the mapping at `path`; the place is the mapping's first key."""
    example = _EXAMPLES.get(key)
    message = f"{dotted((*path, key))} is missing"
    return first_key(document, path, message, hint=f"write {example}" if example else None)


def first_key(document: Document, path: Path, message: str, *, hint: str | None = None) -> Diagnostic:
    """Say that something is missing (PQL105) at the first key of the mapping at `path`."""
    mapping = at(document.data, path)
    place = (*path, next(iter(mapping))) if isinstance(mapping, dict) and mapping else path
    return document.diagnostic(MISSING_KEY, place, message, key=True, hint=hint)


def dotted(path: Path) -> str:
    """Spell a path as people do: ``outcome.within``, ``qualify.all[0].event``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{visible(step, 60)}"
    return text


def _diagnostic(document: Document, fault: Any, base: Path, data: Yaml) -> Diagnostic:
    path, is_key = _path(fault["loc"], base, data)
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in FORM:
        return _own(document, kind, path, context, is_key)
    if kind == "missing":
        return missing(document, path, str(fault["loc"][-1]))
    if kind == "extra_forbidden":
        return _unknown(document, path, fault["input"])
    if kind == "too_short":
        return document.diagnostic(INVALID_VALUE, path, f"{dotted(path)} is empty")
    expected = {"list_type": "a list", "dict_type": "a mapping"}.get(kind, "something else")
    message = f"{expected} belongs here, not {kind_of(at(document.data, path))}"
    return document.diagnostic(WRONG_TYPE, path, message)


def _meant(fault: Any) -> tuple[str | int, ...]:
    """Give the location at which a misspelt key would have been right, or the stray key's own."""
    *parent, key = fault["loc"]
    near = nearest(str(key)[:100], fault["input"].known) if isinstance(fault["input"], Stray) else None
    return (*parent, near) if near else ()


def _own(document: Document, kind: str, path: Path, context: Mapping[str, Any], is_key: bool) -> Diagnostic:
    """Say a fault that one of the form's own validators found."""
    beneath = context.get("at")
    place = path if beneath is None else (*path, str(beneath))
    is_key = is_key or beneath is not None
    if FORM[kind] is MISSING_KEY and not is_key:
        return first_key(document, path, context["message"], hint=context.get("hint"))
    return document.diagnostic(
        FORM[kind],
        place,
        context["message"],
        key=is_key,
        hint=context.get("hint"),
        fix=context.get("fix"),
        safe=context.get("safe", False),
    )


def _unknown(document: Document, path: Path, stray: object) -> Diagnostic:
    key = str(path[-1]) if path else ""
    known, what = (stray.known, stray.what) if isinstance(stray, Stray) else ((), "the file")
    near = nearest(key[:100], known)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
    beside = at(document.data, path[:-1])
    # Renamed into a key that stands there already it would be one of two.
    safe = near is not None and isinstance(beside, dict) and near not in beside
    message = f"unknown key {shown(key)} in {what}"
    return document.diagnostic(UNKNOWN_KEY, path, message, key=True, hint=hint, fix=near, safe=safe)


def _path(location: tuple[str | int, ...], base: Path, data: Yaml) -> tuple[Path, bool]:
    """Leave out of pydantic's location what is not a step into the data: tags of unions, and missing keys."""
    steps: list[str | int] = []
    for step in location:
        if step == "[key]":
            return (*base, *steps), True
        if _leads_on(data, step):
            steps.append(step)
            data = at(data, (step,))
    return (*base, *steps), False
