"""Facts: what the data says about definitions, as plain counts that the PQL3xx rules read.

`definitions` declares the record and never opens an export; a higher row measures and fills it. Everything may be partly
known: a catalogue file knows names and types only, a dataset knows the figures too. What is not known is None, and a rule
that needs it stays silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.typing import Number


class LeftBecause(StrEnum):
    """Why who meets a new version does not count by it, and did by the old one."""

    NOT_ELIGIBLE = "not-eligible"
    """It meets it from an earlier moment on, at which it was not eligible."""

    NO_SIGNUP = "no-signup"
    """It is not among those whom the new version's report counts: it was not eligible, or what it did first is not known."""


class ValueKind(StrEnum):
    """What the values of a property or trait are. `INTEGER` and `NUMBER` are the numeric kinds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    DATE = "date"


NUMERIC: Final = frozenset({ValueKind.INTEGER, ValueKind.NUMBER})


class TraitSource(StrEnum):
    """Of which moment a trait is: see definition.md, "Traits are today's"."""

    FIXED = "fixed"
    HISTORY = "history"
    CURRENT = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyFacts:
    """One property of one event, or one column of the conversions.

    `numeric_share` is the fraction of the non-null values that can be read as a number (1.0 for numeric kinds), or None if
    nobody counted; `values` is the number of non-null values, or None.
    """

    kind: ValueKind
    values: int | None = None
    numeric_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """One event name. `first` and `last` are ISO 8601 UTC instants or dates of its oldest and newest row.

    `entities` counts the entities that have it, `rows` its rows. `properties` is None where a source cannot say which
    event carries which property; then `NameFacts.properties` is asked.
    """

    rows: int | None = None
    entities: int | None = None
    first: str | None = None
    last: str | None = None
    properties: Mapping[str, PropertyFacts] | None = None
    automatic: bool = False
    mechanical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitFacts:
    """One trait: its kind of values and of which moment it is (None = unknown, as in a catalogue).

    `trusted` = the user passed ``--trust-current`` for it.
    """

    kind: ValueKind
    source: TraitSource | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacts:
    """The names that exist in the data.

    `events` by name; `properties` is the union over all events; `traits` by entity kind (``user``, ``account``), a kind
    that is missing is unknown and not checked; `conversions` are the columns of the conversions export, None = unknown.
    """

    events: Mapping[str, EventFacts] = field(default_factory=dict)
    properties: Mapping[str, PropertyFacts] = field(default_factory=dict)
    traits: Mapping[str, Mapping[str, TraitFacts]] = field(default_factory=dict)
    conversions: Mapping[str, PropertyFacts] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share with its counts and 95 % interval, as `statistics.rate.Rate` makes it. `low` and `high` are None if 0/0."""

    numerator: int
    denominator: int
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """Numerator / denominator, or None when there is nothing to divide by."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFacts:
    """One event that the leak screen suspects.

    `reason` is spelled as in product.md: ``part-of-conversion``, ``follows-conversion``, ``near-deterministic`` or ``suspect``;
    `evidence` is the sentence shown to people.
    """

    event: str
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityFacts:
    """What one `eligible` condition does to converters and to the others: how many each, and how many it removes.

    `condition` is the position in `Definition.eligible`; it is judged alone.
    """

    condition: int
    trait: str
    converters: int
    converters_removed: int
    others: int
    others_removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionFacts:
    """How many of the eligible, observed entities meet one criterion (by id), alone, at any moment before conversion."""

    met: int
    entities: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionFacts:
    """The figures of one definition, as `report` counts them. Any of them may be None: not measured.

    Parameters
    ----------
    entities
        Eligible, observed entities.
    qualified
        How many of them ever qualified by `as_of`.
    qualifications
        `pql_to_customer`: conversions within the conversion window of a start, among mature starts while not a customer.
    share
        The PQL line of the report's cohort: qualified by anchor + T, among those followed for T and the conversion window.
    snapshot_with
        Conversions within the conversion window of the cutoff among snapshots that meet the rule.
    snapshot_base
        The same among all snapshots: the base rate.
    leaks
        Suspicions about the events that the definition uses.
    eligibility
        One per `eligible` condition that removes anybody.
    criteria
        By criterion id.
    """

    entities: int | None = None
    qualified: int | None = None
    qualifications: Proportion | None = None
    share: Proportion | None = None
    snapshot_with: Proportion | None = None
    snapshot_base: Proportion | None = None
    leaks: tuple[LeakFacts, ...] = ()
    eligibility: tuple[EligibilityFacts, ...] = ()
    criteria: Mapping[str, CriterionFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known about the data.

    Parameters
    ----------
    source
        What the messages call it: ``data/`` or ``catalogue.json``.
    names
        The names that exist.
    as_of
        ISO 8601 UTC, the last moment that exists, or None.
    definitions
        Figures by definition name; empty when only names are known.
    unmeasured
        Definition name -> why the data could not measure it.
    warnings
        Sentences about values that the definitions cannot use, for a person.
    """

    source: str
    names: NameFacts
    as_of: str | None = None
    definitions: Mapping[str, DefinitionFacts] = field(default_factory=lambda: MappingProxyType({}))
    unmeasured: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonFacts:
    """Old against new definition on the same entities: who enters, who leaves, what the rates do.

    Parameters
    ----------
    entities
        Entities eligible under either version.
    both, entered, left
        Qualified under both; under the new one only; under the old one only.
    before, after
        PQL conversion rates of the two versions.
    entered_rate, left_rate
        PQL conversion rates of those who enter (under the new version) and of those who leave (under the old one).
    left_because
        Of those who leave although they meet the new version: why they do not count.
    pqls_per_week_before, pqls_per_week_after
        Medians, or None.
    """

    entities: int
    both: int
    entered: int
    left: int
    left_because: Mapping[LeftBecause, int] = field(default_factory=dict)
    before: Proportion | None = None
    after: Proportion | None = None
    entered_rate: Proportion | None = None
    left_rate: Proportion | None = None
    pqls_per_week_before: Number | None = None
    pqls_per_week_after: Number | None = None
