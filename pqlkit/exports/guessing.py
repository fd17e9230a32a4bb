"""The guess: which column of an export is which, by its name, and how its times are written, by its values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    ANONYMOUS_ID,
    CONVERTED_AT,
    DELETED_AT,
    ENDED_AT,
    EVENT,
    EVENT_ID,
    FROM_PLAN,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
)
from pqlkit.exports.instants import instants
from pqlkit.exports.mapping import Column
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, EMAIL, EVENTS, USERS

if TYPE_CHECKING:
    from collections.abc import Iterable

_USER: Final = ("userid", "uid", "distinctid", "personid", "customerid", "memberid", "visitorid", "externalid", "user")
_ACCOUNT: Final = (
    "accountid",
    "orgid",
    "organizationid",
    "organisationid",
    "companyid",
    "workspaceid",
    "teamid",
    "groupid",
    "tenantid",
    "account",
    "org",
    "company",
    "workspace",
)
_SIGNUP: Final = (
    "signedupat",
    "signupat",
    "signupdate",
    "signuptime",
    "signup",
    "registration",
    "registeredat",
    "registrationdate",
    "creationtime",
    "createdat",
    "datejoined",
    "joinedat",
    "trialstartedat",
    "created",
)
_SYNONYMS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    EVENTS: {
        USER_ID: _USER,
        ACCOUNT_ID: _ACCOUNT,
        ANONYMOUS_ID: ("anonymousid", "deviceid", "cookieid", "clientid"),
        EVENT: ("event", "eventname", "eventtype", "name", "action", "activity", "page", "type"),
        TIMESTAMP: (
            "timestamp", "ts", "time", "eventtime", "eventtimestamp", "occurredat", "datetime", "createdat", "sentat", "date",
            "day",
        ),
        EVENT_ID: ("eventid", "messageid", "insertid", "eventuuid", "uuid"),
    },
    USERS: {
        USER_ID: (*_USER, "objectid", "id"),
        ACCOUNT_ID: _ACCOUNT,
        SIGNED_UP_AT: _SIGNUP,
        DELETED_AT: ("deletedat", "removedat"),
        EMAIL: ("email", "emailaddress", "mail"),
    },
    ACCOUNTS: {
        ACCOUNT_ID: (*_ACCOUNT, "objectid", "id"),
        SIGNED_UP_AT: _SIGNUP,
        DELETED_AT: ("deletedat", "removedat"),
    },
    CONVERSIONS: {
        USER_ID: _USER,
        ACCOUNT_ID: _ACCOUNT,
        CONVERTED_AT: (
            "convertedat", "upgradedat", "conversiontime", "conversiondate", "upgradedate", "paidat", "subscribedat",
            "purchasedat", "startedat", "startdate", "timestamp", "createdat", "time", "date",
        ),
        ENDED_AT: ("endedat", "canceledat", "cancelledat", "churnedat", "enddate"),
        PLAN: ("plan", "newplan", "toplan", "planname", "tier"),
        FROM_PLAN: ("fromplan", "previousplan", "oldplan"),
        AMOUNT: ("amount", "mrr", "revenue", "price", "value", "amountusd"),
        EMAIL: ("email", "emailaddress", "customeremail", "mail"),
    },
}  # fmt: skip

PATTERNS: Final = (
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y%m%d",
    "%b %d, %Y",
    "%a, %d %b %Y %H:%M:%S %z",
)
"""Formats tried on texts that are not ISO 8601, in this order."""

_SECONDS: Final = (("epoch_s", 946_684_800, 4_102_444_800), ("epoch_ms", 946_684_800_000, 4_102_444_800_000))


def folded(name: str) -> str:
    """Fold a column's name for comparison: the last part of a nested one, letters and digits alone.

    Examples
    --------
    >>> folded("properties.Sign-up_Date")
    'signupdate'
    """
    return re.sub(r"[^a-z0-9]", "", name.rsplit(".", 1)[-1].lower())


def guess_columns(table: str, columns: Iterable[str]) -> dict[str, str]:
    """Guess which column holds what: canonical name -> the export's column. Exact names win, then the list's order.

    Examples
    --------
    >>> guess_columns("users", ["object_id", "creation_time", "org_id"])
    {'user_id': 'object_id', 'account_id': 'org_id', 'signed_up_at': 'creation_time'}
    """
    columns = list(columns)
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(folded(column), column)
    guessed: dict[str, str] = {}
    for canonical, synonyms in _SYNONYMS[table].items():
        taken = set(guessed.values())
        if canonical in columns:
            guessed[canonical] = canonical
            continue
        found = next((by_name[name] for name in synonyms if name in by_name and by_name[name] not in taken), None)
        if found is not None:
            guessed[canonical] = found
    return guessed


def guess_format(values: pl.Series) -> tuple[str | None, str | None]:
    """Guess how times are written.

    Parameters
    ----------
    values
        Some of them, as the export has them.

    Returns
    -------
    tuple
        The format for `Column.format` (None: ISO 8601 or the type itself), and a sentence of doubt or None.
    """
    some = values.drop_nulls()
    if some.is_empty() or isinstance(some.dtype, pl.Datetime) or some.dtype == pl.Date:
        return None, None
    numbers = some.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0:
        return _epoch(numbers), None
    if _share(some, None) >= 0.5:
        return None, None
    fits = [pattern for pattern in PATTERNS if _share(some, pattern) >= 0.95]
    if not fits:
        return None, f"times like {some[0]!r} are of no format that is known: state one, like %d-%m-%Y %H:%M"
    swapped = [other for other in fits[1:] if sorted(other) == sorted(fits[0])]
    doubt = f"times like {some[0]!r} could be {fits[0]} or {swapped[0]}: check it" if swapped else None
    return fits[0], doubt


def _epoch(numbers: pl.Series) -> str | None:
    middle = numbers.median()
    if not isinstance(middle, float):
        return None
    for name, low, high in _SECONDS:
        if low <= middle < high:
            return name
    return "epoch_us" if middle >= _SECONDS[1][2] else None


def _share(values: pl.Series, form: str | None) -> float:
    read, _ = instants(values, form=form, zone="UTC", dates_in="UTC")
    return 1 - read.null_count() / len(values)


def column(name: str, canonical: str, form: str | None) -> Column | None:
    """Make a mapping, or None where the canonical name says it all."""
    if name == canonical and form is None:
        return None
    return Column(names=(name,), format=form)
