"""The catalogue: a small file of event names, properties and traits that is committed beside the definitions.

``pqlkit load --catalogue FILE`` writes it; ``pqlkit validate --catalogue FILE`` checks names against it in CI, where the
data is not. It is YAML, or JSON if its name ends in ``.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pqlkit.definitions.facts import EventFacts, Facts, NameFacts, PropertyFacts, TraitFacts, ValueKind
from pqlkit.errors import DataError
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST: Final = 16 * 1024 * 1024
"""Bytes: an export with 100,000 event names stays below."""

FORMAT: Final = 1
_KEY: Final = "pqlkit_catalogue"
_TRAITS: Final = {"users": "user", "accounts": "account"}


def read_catalogue(path: Path | str) -> Facts:
    """Read a catalogue file as facts without figures.

    Parameters
    ----------
    path
        ``{"pqlkit_catalogue": 1, "events": {name: {"count", "first", "last", "properties": {name: type}}}, "traits":
        {"users": {name: type}, "accounts": {name: type}}}`` as YAML or JSON.

    Raises
    ------
    DataError
        The file is missing, too large, not YAML or JSON, or not a catalogue of this format.
    """
    shown = str(path)
    content = _mapping(_parsed(Path(path), shown), shown, "the file")
    if content.get(_KEY) != FORMAT:
        raise DataError(
            f"this is not a catalogue of format {FORMAT}",
            where=shown,
            hint="write it with `pqlkit load --catalogue FILE`",
        )
    events = {
        str(name): _event(_mapping(entry, shown, f"events.{name}"), shown, str(name))
        for name, entry in _mapping(content.get("events") or {}, shown, "events").items()
    }
    traits = {
        _TRAITS[table]: {
            str(name): TraitFacts(kind=_kind(kind, shown, f"traits.{table}.{name}"))
            for name, kind in _mapping(entries or {}, shown, f"traits.{table}").items()
        }
        for table, entries in _mapping(content.get("traits") or {}, shown, "traits").items()
        if table in _TRAITS
    }
    union = {name: facts for event in events.values() for name, facts in (event.properties or {}).items()}
    newest = max((event.last for event in events.values() if event.last is not None), default=None)
    return Facts(source=visible(shown), names=NameFacts(events=events, properties=union, traits=traits), as_of=newest)


def _parsed(path: Path, shown: str) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise DataError(f"cannot read the catalogue: {error.strerror or error}", where=shown) from error
    if len(content) > LARGEST:
        raise DataError(f"the catalogue is larger than {LARGEST:,} bytes", where=shown)
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text) if path.suffix == ".json" else _yaml(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the catalogue cannot be read: {visible(str(error))}", where=shown) from error


def _yaml(text: str) -> Any:
    """Read YAML of one scalar kind of value; libyaml is kept from aliases and depth, which could eat all memory."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError("aliases are not read")
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > 10:
                raise ValueError("it is nested more than 10 levels deep")
        # Text stays text: an event called `on` or 2026-01-01 is a name.
        return _numbered(yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))  # noqa: S506 - builds text alone
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _numbered(content: Any) -> Any:
    """Turn the few numbers of a catalogue, which were read as text, into numbers."""
    if not isinstance(content, dict):
        return content
    if content.get(_KEY) == str(FORMAT):
        content[_KEY] = FORMAT
    events = content.get("events")
    for entry in events.values() if isinstance(events, dict) else ():
        if isinstance(entry, dict) and str(entry.get("count", "")).isdecimal():
            entry["count"] = int(entry["count"])
    return content


def _event(entry: Mapping[str, Any], shown: str, name: str) -> EventFacts:
    properties = _mapping(entry.get("properties") or {}, shown, f"events.{name}.properties")
    return EventFacts(
        rows=entry.get("count") if isinstance(entry.get("count"), int) else None,
        first=_text(entry.get("first")),
        last=_text(entry.get("last")),
        properties={
            str(key): PropertyFacts(kind=_kind(kind, shown, f"events.{name}.properties.{key}"))
            for key, kind in properties.items()
        },
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _kind(value: Any, shown: str, where: str) -> ValueKind:
    try:
        return ValueKind(value)
    except ValueError:
        kinds = ", ".join(kind.value for kind in ValueKind)
        raise DataError(f"{visible(where)} is no kind of value", where=shown, hint=f"write one of {kinds}") from None


def _mapping(value: Any, shown: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{visible(where)} is not a mapping", where=shown)
    return value
