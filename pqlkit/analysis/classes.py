"""The class: where each entity and each first conversion of an analysis went, so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Counts of entities: `invalid` to `not_converted` are exclusive and sum to `entities`.

    `converted_later` is part of `not_converted`, `without_events` of `entities`; `looks` counts rows of the table.
    """

    entities: int
    invalid: int
    ineligible: int
    unobserved: int
    customer_already: int
    early: int
    deleted: int
    immature: int
    dormant: int
    converted: int
    not_converted: int
    converted_later: int
    looks: int
    without_events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Counts of first conversions: `used` to `deleted` are exclusive and sum to `first`."""

    rows: int
    first: int
    repeats: int
    filtered: int
    unknown_entity: int
    used: int
    before_history: int
    before_first_look: int
    gap: int
    not_retained: int
    dormant: int
    later: int
    immature: int
    ineligible: int
    customer_already: int
    invalid: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dormant:
    """Looks at entities that were not active: one printed row, in no table."""

    entities: int
    looks: int
    converted: int
