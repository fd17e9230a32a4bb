"""The CRM: field names, keys, times and emptied fields as its importer takes them, and the fields that must be there.

References
----------
HubSpot, "Set up your import files"; Salesforce, "Prepare CSV files" (Bulk API 2.0) and the metadata type ``CustomField``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

import polars as pl

from pqlkit.definitions.model import EntityKind
from pqlkit.exports.tables import DOMAIN, EMAIL
from pqlkit.options.leads import Preset
from pqlkit.scoring.lead import LeadStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.typing import Json

SCHEMA: Final = "pqlkit/crm-properties/2"

LARGEST: Final = 90_000_000
"""Bytes of a file: Salesforce's bulk interface takes 100 MB, in base 10."""

CLEARS: Final[Mapping[Preset, str]] = {Preset.HUBSPOT: "-", Preset.SALESFORCE: "#N/A"}
"""What empties a field. Both importers pass over an empty cell, so that what a lead lacked last week would stay.

Salesforce has a word for it, for fields of any type. HubSpot has none: a text becomes a dash, a number or a time stays.
"""

_LONG: Final = ("missing", "evidence", "say")
"""Texts that may be longer than 255 characters."""


def field_name(preset: Preset, name: str) -> str:
    """Name the CRM's field for a column of the list.

    Examples
    --------
    >>> field_name(Preset.HUBSPOT, "Owner name"), field_name(Preset.SALESFORCE, "qualified_at")
    ('pql_owner_name', 'PQL_Qualified_At__c')
    """
    match preset:
        case Preset.HUBSPOT:
            return f"pql_{_internal(name)}"
        case Preset.SALESFORCE:
            # A custom field's API name: letters, digits, single underscores, 40 characters, then __c.
            return f"PQL_{_api(name)[:36].rstrip('_')}__c"
        case _:
            assert_never(preset)


def key_name(preset: Preset, key: str) -> str:
    """Name the CRM's field that finds the record: its own for addresses and domains, else one of yours.

    Examples
    --------
    >>> key_name(Preset.HUBSPOT, "domain"), key_name(Preset.SALESFORCE, "external_id")
    ('Company Domain Name', 'External_Id__c')
    """
    if (preset, key) in _STANDARD:
        return _STANDARD[preset, key]
    return _internal(key) if preset is Preset.HUBSPOT else f"{_api(key)[:40].rstrip('_')}__c"


_STANDARD: Final[Mapping[tuple[Preset, str], str]] = {
    (Preset.HUBSPOT, EMAIL): "Email",
    (Preset.HUBSPOT, DOMAIN): "Company Domain Name",
    (Preset.SALESFORCE, EMAIL): "Email",
}
"""Keys that the CRM has from the beginning; every other is a field with unique values."""


def _internal(name: str) -> str:
    """Spell a HubSpot internal name: small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _api(name: str) -> str:
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    return "_".join(word[:1].upper() + word[1:] for word in words)


def imported(table: pl.DataFrame, preset: Preset, zone: str) -> pl.DataFrame:
    """Spell times and truth values as an importer reads them.

    Parameters
    ----------
    table
        Under the CRM's names; times are ``Datetime[us, UTC]``.
    preset
        HubSpot: epoch milliseconds, and beside each the date, which is a property of its own there. Salesforce: ISO 8601 with
        milliseconds; longer fractions are misread.
    zone
        Whose dates are meant.

    Notes
    -----
    Where nothing says what was before, nobody is newly qualified: a checkbox has no third state.
    """
    times = [name for name, kind in table.schema.items() if isinstance(kind, pl.Datetime)]
    table = table.with_columns(pl.col(pl.Boolean).fill_null(value=False))
    if preset is Preset.SALESFORCE:
        return table.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    columns: list[pl.Expr] = []
    for name in table.columns:
        if name not in times:
            columns.append(pl.col(name))
            continue
        columns.append(pl.col(name).dt.timestamp("ms"))
        if date_name(name) not in table.columns:
            columns.append(pl.col(name).dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d").alias(date_name(name)))
    return table.select(columns)


def date_name(name: str) -> str:
    """Name the date beside a HubSpot time: ``pql_qualified_at`` -> ``pql_qualified_date``."""
    return f"{name.removesuffix('_at')}_date"


def properties(
    preset: Preset, kind: EntityKind, names: Mapping[str, str], schema: Mapping[str, pl.DataType], key: str | None
) -> dict[str, Json]:
    """Give ``pqlkit/crm-properties/2``: the fields that must be there before the first import, in the CRM's own words.

    Parameters
    ----------
    preset, kind
        Which CRM, and whose leads they are.
    names
        The list's columns: pqlkit's name -> the CRM's.
    schema
        The columns' types.
    key
        The column that finds the record; None = a column that was renamed.
    """
    object_kind = EntityKind.USER if key == EMAIL else EntityKind.ACCOUNT if key == DOMAIN else kind
    objects = {
        Preset.HUBSPOT: {EntityKind.USER: "contacts", EntityKind.ACCOUNT: "companies"},
        Preset.SALESFORCE: {EntityKind.USER: "Contact", EntityKind.ACCOUNT: "Account"},
    }
    make = _hubspot if preset is Preset.HUBSPOT else _salesforce
    fields: list[dict[str, Json]] = []
    for ours, theirs in names.items():
        if ours == key and (preset, ours) in _STANDARD:
            continue
        label = ours if ours == key else f"PQL {ours.replace('_', ' ')}"
        fields += make(ours, theirs, label[:40], schema[ours], unique=ours == key)
    return {"schema": SCHEMA, "crm": preset.value, "object": objects[preset][object_kind], "properties": [*fields]}


def _hubspot(ours: str, theirs: str, label: str, kind: pl.DataType, *, unique: bool) -> list[dict[str, Json]]:
    group = "pql"
    head: dict[str, Json] = {"name": theirs, "label": label, "groupName": group}
    if isinstance(kind, pl.Datetime):
        dated = {**head, "name": date_name(theirs), "label": f"{label.removesuffix(' at')} date"}
        return [
            {**head, "type": "datetime", "fieldType": "date"},
            {**dated, "type": "date", "fieldType": "date"},
        ]
    if ours == "status":
        options: list[Json] = [{"label": status.label, "value": status.value} for status in LeadStatus]
        return [{**head, "type": "enumeration", "fieldType": "select", "options": options}]
    if isinstance(kind, pl.Boolean):
        yes_no: list[Json] = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
        return [{**head, "type": "bool", "fieldType": "booleancheckbox", "options": yes_no}]
    if kind.is_numeric():
        return [{**head, "type": "number", "fieldType": "number"}]
    text: dict[str, Json] = {**head, "type": "string", "fieldType": "textarea" if ours in _LONG else "text"}
    return [{**text, "hasUniqueValue": True} if unique else text]


def _salesforce(ours: str, theirs: str, label: str, kind: pl.DataType, *, unique: bool) -> list[dict[str, Json]]:
    head: dict[str, Json] = {"fullName": theirs, "label": label}
    if isinstance(kind, pl.Datetime):
        return [{**head, "type": "DateTime"}]
    if ours == "status":
        values: list[Json] = [
            {"fullName": status.value, "label": status.label, "default": False} for status in LeadStatus
        ]
        return [{**head, "type": "Picklist", "valueSet": {"valueSetDefinition": {"sorted": False, "value": values}}}]
    if isinstance(kind, pl.Boolean):
        return [{**head, "type": "Checkbox", "defaultValue": False}]
    if kind.is_numeric():
        return [{**head, "type": "Number", "precision": 18, "scale": 0 if kind.is_integer() else 6}]
    if ours in _LONG:
        return [{**head, "type": "LongTextArea", "length": 32768, "visibleLines": 3}]
    text: dict[str, Json] = {**head, "type": "Text", "length": 255}
    return [{**text, "unique": True, "externalId": True} if unique else text]
