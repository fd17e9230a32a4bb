"""The definition: what one YAML file means, with every default filled in.

The form as written (sugar, missing keys, positions) ends in `reading`; from here on there are only these frozen
values. `measures` evaluates them, `emitting` writes them, `describing` says them in English.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from pqlkit.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from pqlkit.typing import Number

SCALE: Final = 1_000_000
"""Values of properties are kept as integers of this fraction of one, so that sums are exact on every engine."""

LARGEST_VALUE: Final = 9_200_000_000_000
"""No measured value can be larger: the scaled integer must fit into 64 bits."""


class EntityKind(StrEnum):
    """What is qualified."""

    USER = "user"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFacts:
    """What has to be known of a kind of measure.

    Parameters
    ----------
    needs_property
        It is measured of a property of the events.
    numeric
        That property holds numbers; so a criterion has to state its bound.
    scaled
        Its values are kept in millionths.
    times_alone
        Nothing of an event counts but its time.
    tells_apart
        It counts different things (days, users, values): a thing that comes again adds nothing.
    grows
        It never falls when events are added.
    null_without_events
        Without events there is no value; else it is 0.
    state
        It is so until an event changes it: what it reached it can lose in any window, and one that moves would forget it.
    """

    needs_property: bool = False
    numeric: bool = False
    scaled: bool = False
    times_alone: bool = False
    tells_apart: bool = False
    grows: bool = False
    null_without_events: bool = False
    state: bool = False


class MeasureKind(StrEnum):
    """How a behaviour becomes a number."""

    COUNT = "count"
    DAYS = "days"
    USERS = "users"
    DISTINCT = "distinct"
    DISTINCT_EVENTS = "distinct_events"
    SUM = "sum"
    MAX = "max"
    LAST = "last"

    @property
    def facts(self) -> MeasureFacts:
        """What has to be known of it, in one place."""
        match self:
            case MeasureKind.COUNT:
                return MeasureFacts(times_alone=True, grows=True)
            case MeasureKind.DAYS:
                return MeasureFacts(times_alone=True, tells_apart=True, grows=True)
            case MeasureKind.USERS:
                return MeasureFacts(tells_apart=True, grows=True)
            case MeasureKind.DISTINCT:
                return MeasureFacts(needs_property=True, tells_apart=True, grows=True)
            case MeasureKind.DISTINCT_EVENTS:
                return MeasureFacts(tells_apart=True, grows=True)
            case MeasureKind.SUM:
                return MeasureFacts(needs_property=True, numeric=True, scaled=True)
            case MeasureKind.MAX:
                return MeasureFacts(
                    needs_property=True, numeric=True, scaled=True, grows=True, null_without_events=True
                )
            case MeasureKind.LAST:
                return MeasureFacts(
                    needs_property=True, numeric=True, scaled=True, null_without_events=True, state=True
                )
            case _:
                assert_never(self)

    @property
    def needs_property(self) -> bool:
        """Whether it is measured of a property of the events."""
        return self.facts.needs_property

    @property
    def numeric(self) -> bool:
        """Whether that property holds numbers; so a criterion has to state its bound."""
        return self.facts.numeric

    @property
    def scaled(self) -> bool:
        """Whether its values are kept in millionths."""
        return self.facts.scaled


class WindowKind(StrEnum):
    """Which stretch of time a behaviour is measured in."""

    WITHIN = "within"
    ROLLING = "rolling"
    TRAILING = "trailing"
    EVER = "ever"


class Operator(StrEnum):
    """How a condition compares. `EQUALS` and `IN` are written as a scalar and a list."""

    EQUALS = "equals"
    IN = "in"
    NOT_IN = "not_in"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MATCHING = "matching"
    NOT_MATCHING = "not_matching"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS = "contains"
    EXISTS = "exists"


class Status(StrEnum):
    """Where a definition stands in its life."""

    HYPOTHESIS = "hypothesis"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How a behaviour becomes a number; `property` is set where the kind `needs_property`, else None."""

    kind: MeasureKind = MeasureKind.COUNT
    property: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time: ``within``/``rolling``/``trailing`` have a length, ``ever`` has None."""

    kind: WindowKind
    length: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A bound relative to a limit: ``{percent: 80, of: ...}``; exactly one of number, property, trait is set."""

    percent: Number
    number: Number | None = None
    property: str | None = None
    trait: str | None = None


Bound: TypeAlias = "int | float | Limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test on a property (in ``where``) or a trait (in ``eligible``).

    `values` holds one value for scalar operators, all values for `IN`/`NOT_IN`; for `EXISTS` a bool. Null fails a positive
    condition; a negated one (`NOT_IN`, `NOT_MATCHING`, ``exists: false``) is its exact complement.
    """

    name: str
    operator: Operator
    values: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """Behaviour + measure + window + threshold.

    `events` is None for ``event: any``. At least one bound is set. All conditions of `where` must hold.
    """

    id: str
    events: tuple[str, ...] | None
    measure: Measure = field(default_factory=Measure)
    window: Window
    where: tuple[Condition, ...] = ()
    at_least: Bound | None = None
    at_most: Bound | None = None
    mechanical: bool = False
    say: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Holds while every part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Any:
    """Holds while at least one part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NOf:
    """Holds while at least `n` parts hold."""

    n: int
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """Judged at the latest end of its part's windows; on from there if the part does not hold."""

    part: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """Another file's definition or milestone, by name.

    `target` is resolved on reading. `users_at_least` is set when a user milestone stands in an account's definition:
    the account meets it from the moment at which that many of its users have qualified.
    """

    id: str
    name: str
    target: Definition
    users_at_least: int | None = None
    say: str | None = None


Node: TypeAlias = "Criterion | Ref | All | Any | NOf | Not"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The moment the clock starts: ``signup``, ``first_event``, or the first event named `event`."""

    kind: str = "signup"
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Points per criterion id. With `pql_at` they replace the formula; without, they only rank."""

    points: Mapping[str, Number]
    pql_at: Number | None = None
    bands: Mapping[str, Number] = field(default_factory=dict)


ANY_EVENT: Final = "any"
"""What stands for any event that a machine does not send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Success. With none of `event` and `definition`, it is the first conversion row that passes `where`.

    `kind`, `from_plan` and `to_plan` are written ``kind``, ``from``, ``to``; None = any. With `after` the outcome is an event (`ANY`:
    whichever) more than so long after qualifying and at most `within`: judged of each qualification by itself, it ends no life.
    """

    within: Duration
    after: Duration | None = None
    where: tuple[Condition, ...] = ()
    retained_for: Duration | None = None
    kind: str | None = None
    from_plan: tuple[str, ...] | None = None
    to_plan: tuple[str, ...] | None = None
    event: str | None = None
    definition: Definition | None = None
    returns_after: Duration | None = None

    @property
    def final_event(self) -> str | None:
        """The event that is the conversion, and so never a behaviour; None where there is none."""
        return self.event if self.after is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Who is near: this share of the way, and active within this long before now."""

    at_least: float = 0.8
    active_within: Duration = field(default_factory=lambda: Duration.parse("14d"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """When a lead gets old (`fresh_for`), how long out of the state before it may qualify again (`cooldown`), who is near."""

    fresh_for: Duration | None = None
    cooldown: Duration | None = None
    near: Near | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bounds of a rate, as fractions."""

    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What CI holds the definition to when data is given."""

    rate: Bounds | None = None
    share: Bounds | None = None


class ChosenBy(StrEnum):
    """Who chose a rule."""

    PROPOSE = "propose"
    HAND = "hand"


class EvidenceView(StrEnum):
    """What a part of the evidence counts."""

    SNAPSHOT = "snapshot"
    QUALIFICATION = "qualification"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceData:
    """What evidence was gathered in: dates of the first and last snapshot, and counts."""

    start: date | None = None
    through: date | None = None
    snapshots: int | None = None
    entities: int | None = None
    converted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePart:
    """Figures of the data that chose the rule, or of the holdout.

    Parameters
    ----------
    view
        What `qualified` counts.
    start, through
        Dates of the first and last snapshot.
    qualified, converted
        Counts.
    rate, low, high
        Converted of qualified, and its 95 % interval.
    recall
        Qualified of all that converted.
    times_read
        How often the holdout was read.
    independent
        False: the rule was chosen on these data too.
    all_data
        True: there was no holdout.
    """

    view: EvidenceView
    start: date | None = None
    through: date | None = None
    qualified: int | None = None
    converted: int | None = None
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    recall: float | None = None
    times_read: int | None = None
    independent: bool | None = None
    all_data: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the search or the trial found that made a definition."""

    chosen_by: ChosenBy | None = None
    search: str | None = None
    data: EvidenceData | None = None
    fit: EvidencePart | None = None
    holdout: EvidencePart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A named, versioned formula over criteria.

    `qualify` is the whole tree. A points definition (`score.pql_at`) has `qualify` = `All` over its plain list, and the
    points decide. `milestone` files have no outcome.
    """

    name: str
    entity: EntityKind
    qualify: Node
    outcome: Outcome | None
    version: int = 1
    title: str = ""
    owner: str | None = None
    rationale: str | None = None
    status: Status = Status.ACTIVE
    review_by: date | None = None
    milestone: bool = False
    anchor: Anchor = field(default_factory=Anchor)
    within: Duration | None = None
    eligible: tuple[Condition, ...] = ()
    score: Score | None = None
    lead: Lead | None = None
    expect: Expect | None = None
    evidence: Evidence | None = None
    path: str | None = None

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The criteria of the tree in the order written, without those inside refs."""
        return tuple(leaf for leaf in leaves(self.qualify) if isinstance(leaf, Criterion))

    @property
    def cooldown(self) -> Duration | None:
        """How long out of the state before it may qualify again: `lead.cooldown`, else the conversion window."""
        if self.lead is not None and self.lead.cooldown is not None:
            return self.lead.cooldown
        return self.outcome.within if self.outcome is not None else None

    @property
    def near(self) -> Near:
        """Who is near: `lead.near`, else 80 % of the way and active within 14 days."""
        return self.lead.near if self.lead is not None and self.lead.near is not None else Near()


def leaves(node: Node) -> Iterator[Criterion | Ref]:
    """Walk the criteria and refs of a tree, in the order written."""
    match node:
        case Criterion() | Ref():
            yield node
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            for part in parts:
                yield from leaves(part)
        case Not(part=part):
            yield from leaves(part)
