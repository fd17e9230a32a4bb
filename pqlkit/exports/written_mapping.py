"""The written mapping: columns, rules of rows and lookups as presets and the project file spell them, made values."""

from __future__ import annotations

from typing import Any

from pqlkit.exports.mapping import Column, Explode, Lookup, Newest, RowRule, RowTest, Spelling, Unit
from pqlkit.exports.notation import Notation


def column_of(value: Any) -> Column:
    """Read a column: a name, several, a mapping with ``column``, ``latest`` or ``constant``, or None for no such column.

    Examples
    --------
    >>> column_of({"column": "total", "unit": "minor", "currency": "currency"}).unit
    <Unit.MINOR: 'minor'>
    """
    if value is None:
        return Column(absent=True)
    if not isinstance(value, dict):
        return Column(names=names_of(value))
    unit, values, when = value.get("unit"), value.get("values"), value.get("when")
    return Column(
        names=names_of(value.get("column", ())),
        constant=value.get("constant"),
        latest=names_of(value.get("latest", ())),
        format=value.get("format"),
        unit=Unit(unit) if unit is not None else None,
        currency=names_of(value.get("currency", ())),
        values={str(theirs): str(ours) for theirs, ours in values.items()} if values is not None else None,
        others=value.get("others"),
        when=row_test_of(when) if when is not None else None,
        notation=Notation.stated(decimal=value.get("decimal"), thousands=value.get("thousands")),
    )


def rule_of(value: dict[str, Any]) -> RowRule:
    """Read a rule of rows: a test, and under ``else`` the words for rows that fail it."""
    return RowRule(test=row_test_of(value), words=value["else"])


def row_test_of(value: dict[str, Any]) -> RowTest:
    """Read a test of one row.

    Examples
    --------
    >>> row_test_of({"column": "status", "in": ["paid"]}).within
    ('paid',)
    """
    when = value.get("when")
    return RowTest(
        column=names_of(value.get("column", ())),
        within=_texts(value.get("in")),
        without=_texts(value.get("not_in")),
        like=_texts(value.get("like")),
        above=value.get("above"),
        filled=value.get("filled"),
        after=names_of(value["after"]) if "after" in value else None,
        by_then=value.get("at_most") == "as_of",
        empty_kept=value.get("empty") == "keep",
        any_of=tuple(row_test_of(item) for item in value.get("any", ())),
        when=row_test_of(when) if when is not None else None,
    )


def explode_of(value: dict[str, Any] | None) -> Explode | None:
    """Read which cells hold several values."""
    if value is None:
        return None
    return Explode(column=names_of(value["column"]), separator=value.get("separator", ";"))


def lookup_of(value: dict[str, Any] | None) -> Lookup | None:
    """Read what lies in a second export."""
    if value is None:
        return None
    same = value.get("same")
    return Lookup(
        table=value["table"],
        key=value["key"],
        by=names_of(value["by"]),
        columns={name: names_of(theirs) for name, theirs in value["columns"].items()},
        same=Spelling(same) if same is not None else None,
    )


def newest_of(value: dict[str, Any] | None) -> Newest | None:
    """Read which version of a row counts."""
    return None if value is None else Newest(key=names_of(value["key"]), by=value["by"])


def names_of(value: Any) -> tuple[str, ...]:
    """Take one name or several.

    Examples
    --------
    >>> names_of("a"), names_of(["a", "b"])
    (('a',), ('a', 'b'))
    """
    return (value,) if isinstance(value, str) else tuple(value)


def _texts(value: Any) -> tuple[str, ...] | None:
    """Take values as texts; YAML's true is the text that exports write."""
    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)
