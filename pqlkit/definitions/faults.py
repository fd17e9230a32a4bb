"""The fault of a form: the slips of a form become diagnostics with a place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.definitions.codes import FORM, INVALID_VALUE, MISSING_KEY, UNKNOWN_KEY, WRONG_TYPE
from pqlkit.definitions.old_words import KEYS, meant
from pqlkit.definitions.shape import KEY
from pqlkit.definitions.values import kind_of, shown
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.shape import FormError, Slip
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


def diagnostics(document: Document, error: FormError, base: Path = ()) -> list[Diagnostic]:
    """Say every error of a form that was validated from the data at `base`."""
    misspelt = {_meant(slip) for slip in error.slips if slip.kind == "unknown"}
    # One slip is one fault: a key that is misspelt is not missing too.
    return [_diagnostic(document, slip, base) for slip in error.slips if slip.place not in misspelt]


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


def _diagnostic(document: Document, slip: Slip, base: Path) -> Diagnostic:
    is_key = slip.place[-1:] == (KEY,)
    path = (*base, *(slip.place[:-1] if is_key else slip.place))
    if slip.kind in FORM:
        return _own(document, slip.kind, path, slip.context, is_key)
    if slip.kind == "missing":
        return missing(document, path[:-1], str(path[-1]))
    if slip.kind == "unknown":
        return _unknown(document, path, slip.context["known"], slip.context["what"])
    if slip.kind == "empty":
        return document.diagnostic(INVALID_VALUE, path, f"{dotted(path)} is empty")
    message = f"a {slip.kind.removeprefix('no ')} belongs here, not {kind_of(at(document.data, path))}"
    return document.diagnostic(WRONG_TYPE, path, message)


def _meant(slip: Slip) -> Path:
    """Give the place at which a misspelt key would have been right."""
    *parent, key = slip.place
    near = meant(str(key), slip.context["known"], KEYS)
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


def _unknown(document: Document, path: Path, known: tuple[str, ...], what: str) -> Diagnostic:
    key = str(path[-1])
    near = meant(key, known, KEYS)
    hint = (
        f"it is now {near}"
        if near and near == KEYS.get(key)
        else f"did you mean {near}?"
        if near
        else f"known are {', '.join(known)}"
    )
    beside = at(document.data, path[:-1])
    # Renamed into a key that stands there already it would be one of two.
    safe = near is not None and isinstance(beside, dict) and near not in beside
    message = f"unknown key {shown(key)} in {what}"
    return document.diagnostic(UNKNOWN_KEY, path, message, key=True, hint=hint, fix=near, safe=safe)
