"""The preset: how a vendor's export names things, read from the data files of ``configs/exports``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import yaml

from pqlkit.errors import UsageError, suggestion
from pqlkit.exports.tables import EVENTS
from pqlkit.exports.written_mapping import column_of, explode_of, lookup_of, names_of, newest_of, rule_of
from pqlkit.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pqlkit.exports.mapping import Column, Explode, Lookup, Newest, RowRule

_OF_A_VARIANT: Final = (
    "for",
    "rows",
    "explode",
    "lookup",
    "newest",
    "logged",
    "containers",
    "records",
    "identities",
    "anonymous",
    "drop",
    "note",
)
"""Keys of a variant that it can do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which rows say whose an anonymous id is: those of the named `events` (none = all), with both columns filled."""

    anonymous: tuple[str, ...]
    user: tuple[str, ...]
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """How an id in the user's column tells that it is nobody's yet: it equals a device's id, or begins with a mark."""

    equals: str | None = None
    prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A column of key/value records (GA4's ``event_params``): each key becomes a property."""

    column: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One shape of a vendor's export.

    `table` is the canonical table that it becomes. `recognise` are columns that together tell it from others. Keys of the
    nested columns `containers` (objects, or JSON in text) are properties without the prefix. `drop` are columns that are no
    properties. `rows`, `explode`, `lookup` and `newest` say which rows are the table's. The newest time in `logged`, whether
    the row counts or not, tells how far the export goes.
    """

    name: str
    recognise: tuple[str, ...]
    columns: Mapping[str, Column]
    table: str = EVENTS
    rows: tuple[RowRule, ...] = ()
    explode: Explode | None = None
    lookup: Lookup | None = None
    newest: Newest | None = None
    logged: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    records: tuple[Records, ...] = ()
    identities: tuple[Identity, ...] = ()
    anonymous: Anonymous | None = None
    drop: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A vendor: its variants, the most telling first, and names of events that nobody's hand makes.

    `timezone` is the zone of its times without an offset, or None where that is the project's.
    """

    name: str
    title: str
    variants: tuple[Variant, ...]
    automatic: tuple[str, ...] = ()
    timezone: str | None = None

    def variant(self, columns: Iterable[str], table: str | None = None) -> Variant | None:
        """Find the first variant (of a table, or of any) all of whose telling columns are there."""
        there = set(columns)
        roots = {".".join(name.split(".")[:depth]) for name in there for depth in range(1, name.count(".") + 1)}
        known = there | roots
        fitting = (variant for variant in self.variants if table in (None, variant.table))
        return next((variant for variant in fitting if set(variant.recognise) <= known), None)


def preset(name: str) -> Preset:
    """Read a preset.

    Raises
    ------
    UsageError
        There is none of that name; the nearest is suggested.
    """
    known = preset_names()
    if name not in known:
        hint = suggestion(name, known, "write one of " + ", ".join(known))
        raise UsageError(f"there is no export format {name!r}", hint=hint)
    return _read(name)


def recognised(columns: Iterable[str], table: str | None = None) -> Preset | None:
    """Find the vendor whose export of a table (or of any) has these columns, or None."""
    columns = list(columns)
    return next((known for known in presets().values() if known.variant(columns, table) is not None), None)


@cache
def presets() -> dict[str, Preset]:
    """Read all presets, by name."""
    return {name: _read(name) for name in preset_names()}


def preset_names() -> list[str]:
    """Name the presets; none is read, which takes longer than to read a project file."""
    return sorted(file.stem for file in shipped("exports").glob("*.yml"))


@cache
def _read(name: str) -> Preset:
    file = shipped("exports") / f"{name}.yml"
    data: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    _check(data, ("title", "variants"), ("automatic", "timezone"), where=file.name)
    for item in data["variants"]:
        _check(
            item, ("name", "recognise", "columns"), _OF_A_VARIANT, where=f"{file.name}, {item.get('name', 'a variant')}"
        )
    variants = tuple(_variant(item) for item in data["variants"])
    automatic = tuple(data.get("automatic", ()))
    return Preset(
        name=file.stem, title=data["title"], variants=variants, automatic=automatic, timezone=data.get("timezone")
    )


def _check(data: dict[str, Any], needed: Sequence[str], others: Sequence[str], *, where: str) -> None:
    """Refuse a mapping that lacks a key, or has one that nothing reads.

    Raises
    ------
    UsageError
        Naming the file and the key.
    """
    known = (*needed, *others)
    if stray := [key for key in data if key not in known]:
        hint = suggestion(str(stray[0]), known, f"write one of {', '.join(known)}")
        raise UsageError(f"an export format has no key {stray[0]!r}", where=where, hint=hint)
    if missing := [key for key in needed if key not in data]:
        raise UsageError(
            f"an export format needs the key {missing[0]!r}",
            where=where,
            hint="add it: CONTRIBUTING.md says how a preset is made",
        )


def _variant(data: dict[str, Any]) -> Variant:
    anonymous = data.get("anonymous")
    return Variant(
        name=data["name"],
        recognise=tuple(data["recognise"]),
        columns={key: column_of(value) for key, value in data["columns"].items()},
        table=data.get("for", EVENTS),
        rows=tuple(rule_of(rule) for rule in data.get("rows", ())),
        explode=explode_of(data.get("explode")),
        lookup=lookup_of(data.get("lookup")),
        newest=newest_of(data.get("newest")),
        logged=names_of(data.get("logged", ())),
        containers=tuple(data.get("containers", ())),
        records=tuple(
            Records(column=item["column"], key=item["key"], values=tuple(item["values"]))
            for item in data.get("records", ())
        ),
        identities=tuple(_identity(item) for item in data.get("identities", ())),
        anonymous=Anonymous(equals=anonymous.get("equals"), prefix=anonymous.get("prefix")) if anonymous else None,
        drop=tuple(data.get("drop", ())),
        note=data.get("note"),
    )


def _identity(data: dict[str, Any]) -> Identity:
    return Identity(
        anonymous=names_of(data["anonymous"]), user=names_of(data["user"]), events=names_of(data.get("events", ()))
    )
