"""The canonical table: which columns each has, which of them it cannot do without, and which hold times or ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    ANONYMOUS_ID,
    AT,
    CONVERTED_AT,
    DELETED_AT,
    ENDED_AT,
    ENTITY,
    EVENT,
    EVENT_ID,
    FROM_PLAN,
    KIND,
    PLAN,
    SIGNED_UP_AT,
    TIMESTAMP,
    USER_ID,
    VALID_FROM,
)

EVENTS: Final = "events"
USERS: Final = "users"
ACCOUNTS: Final = "accounts"
IDENTITIES: Final = "identities"
CONVERSIONS: Final = "conversions"
CONTACTS: Final = "contacts"
HISTORY: Final = "history."
EMAIL: Final = "email"
DOMAIN: Final = "domain"
ADDRESSES: Final = (EMAIL, DOMAIN)
"""Columns of conversions that lead to an owner, but are no id."""

FILE: Final = "pqlkit:file"
LINE: Final = "pqlkit:line"
"""Columns of a staged table: where each row stood."""

LONGEST_NAME: Final = 64 * 1024
"""The most bytes of an id or of an event's name."""

NAMES: Final = (EVENTS, USERS, ACCOUNTS, IDENTITIES, CONVERSIONS, CONTACTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of one canonical table.

    `required` must be mapped; of each group in `one_of` at least one. `time` is the table's own time. A row without a
    value in `needed` is quarantined; other missing values are null. `owned` tables quarantine rows without any of
    `one_of`. A column called `either` stands for both ids: whichever kind of entity is asked about.
    """

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    times: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    key: str | None = None
    either: str | None = None

    @property
    def owned(self) -> bool:
        """Whether a row must belong to somebody: of all tables with a choice of owners, only events need not."""
        return bool(self.one_of) and self.name != EVENTS

    @property
    def time(self) -> str | None:
        """The column that says when a row happened, or None."""
        return self.times[0] if self.times else None


_LAYOUTS: Final = {
    EVENTS: Layout(
        name=EVENTS,
        columns=(USER_ID, ACCOUNT_ID, ANONYMOUS_ID, EVENT, TIMESTAMP, EVENT_ID),
        required=(EVENT, TIMESTAMP),
        one_of=((USER_ID, ACCOUNT_ID, ANONYMOUS_ID),),
        times=(TIMESTAMP,),
        ids=(USER_ID, ACCOUNT_ID, ANONYMOUS_ID),
        needed=(EVENT, TIMESTAMP),
    ),
    USERS: Layout(
        name=USERS,
        columns=(USER_ID, SIGNED_UP_AT, ACCOUNT_ID, DELETED_AT),
        required=(USER_ID, SIGNED_UP_AT),
        times=(SIGNED_UP_AT, DELETED_AT),
        ids=(USER_ID, ACCOUNT_ID),
        needed=(USER_ID,),
        key=USER_ID,
    ),
    ACCOUNTS: Layout(
        name=ACCOUNTS,
        columns=(ACCOUNT_ID, SIGNED_UP_AT, DELETED_AT),
        required=(ACCOUNT_ID,),
        times=(SIGNED_UP_AT, DELETED_AT),
        ids=(ACCOUNT_ID,),
        needed=(ACCOUNT_ID,),
        key=ACCOUNT_ID,
    ),
    IDENTITIES: Layout(
        name=IDENTITIES,
        columns=(ANONYMOUS_ID, USER_ID),
        required=(ANONYMOUS_ID, USER_ID),
        ids=(ANONYMOUS_ID, USER_ID),
        needed=(ANONYMOUS_ID, USER_ID),
    ),
    CONVERSIONS: Layout(
        name=CONVERSIONS,
        columns=(USER_ID, ACCOUNT_ID, CONVERTED_AT, KIND, PLAN, FROM_PLAN, AMOUNT, ENDED_AT, EMAIL, DOMAIN),
        required=(CONVERTED_AT,),
        one_of=((USER_ID, ACCOUNT_ID, *ADDRESSES),),
        times=(CONVERTED_AT, ENDED_AT),
        ids=(USER_ID, ACCOUNT_ID),
        needed=(CONVERTED_AT,),
    ),
    CONTACTS: Layout(
        name=CONTACTS,
        columns=(USER_ID, ACCOUNT_ID, AT, "by"),
        required=(AT,),
        one_of=((USER_ID, ACCOUNT_ID),),
        times=(AT,),
        ids=(USER_ID, ACCOUNT_ID),
        needed=(AT,),
        either=ENTITY,
    ),
}


def layout(name: str) -> Layout:
    """Give the layout of a table; ``history.<trait>`` is a table for every trait.

    Examples
    --------
    >>> layout("history.plan").required
    ('valid_from', 'plan')
    """
    if name.startswith(HISTORY):
        trait = name.removeprefix(HISTORY)
        return Layout(
            name=name,
            columns=(USER_ID, ACCOUNT_ID, VALID_FROM, trait),
            required=(VALID_FROM, trait),
            one_of=((USER_ID, ACCOUNT_ID),),
            times=(VALID_FROM,),
            ids=(USER_ID, ACCOUNT_ID),
            needed=(VALID_FROM,),
        )
    return _LAYOUTS[name]
