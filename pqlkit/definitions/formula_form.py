"""The form of a formula as written: conditions, measures, criteria, refs and the tree of nodes.

Nodes are told apart by their one key, so that a fault is said of what was meant and not of every alternative.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from pqlkit.definitions.codes import INVALID_VALUE, MISSING_KEY, UNKNOWN_KEY, WRONG_TYPE
from pqlkit.definitions.model import MeasureKind, Operator
from pqlkit.definitions.shape import Before, Choice, Form, Tag
from pqlkit.definitions.values import (
    Check,
    Id,
    Name,
    Pattern,
    Percent,
    Scalar,
    Scalars,
    Span,
    Text,
    Threshold,
    Truth,
    fault,
    kind_of,
    one_of,
    shown,
    whole_number,
)
from pqlkit.errors import nearest


class OperatorsForm(Form):
    """A condition: one or more tests of a property."""

    equals: Scalar | None = Field(None, description="Equal to this; a bare value says the same.", examples=["free"])
    in_: Scalars | None = Field(
        None, alias="in", description="Equal to one of these; a bare list says the same.", examples=[["free", "trial"]]
    )
    not_in: Scalars | None = Field(
        None, description="Equal to none of these; a missing value passes.", examples=[["internal"]]
    )
    at_least: Threshold | None = Field(None, description="A number of at least this.", examples=[5])
    at_most: Threshold | None = Field(None, description="A number of at most this.", examples=[20])
    matching: Pattern | None = Field(
        None, description="Matches this regular expression (RE2 subset) somewhere.", examples=["@example\\.com$"]
    )
    not_matching: Pattern | None = Field(
        None, description="Does not match it; a missing value passes.", examples=["^test-"]
    )
    starts_with: Text | None = Field(None, description="Text that begins with this.", examples=["acme-"])
    ends_with: Text | None = Field(None, description="Text that ends with this.", examples=[".edu"])
    contains: Text | None = Field(None, description="Text that holds this.", examples=["university"])
    exists: Truth | None = Field(None, description="There is a value (true), or none (false).")

    @property
    def tests(self) -> list[tuple[Operator, tuple[str | int | float | bool, ...]]]:
        """The operators that were written, in the order of `Operator`, with their values."""
        written = self.plain()
        return [
            (operator, tuple(value) if isinstance(value := written[operator], list) else (value,))
            for operator in Operator
            if operator in written
        ]

    def _judge(self) -> None:
        if not self.tests:
            operators = ", ".join(operator.value for operator in Operator)
            raise fault(MISSING_KEY, "this condition tests nothing", hint=f"use one of {operators}")


class TraitForm(OperatorsForm):
    """A trait condition: who can be a lead at all."""

    trait: Text = Field(description="A column of the users or accounts export.", examples=["signup_plan"])


def _written_as(value: Any) -> str:
    return "(mapping)" if isinstance(value, dict) else "(list)" if isinstance(value, list) else "(scalar)"


WhereValue = Annotated[
    Annotated[Scalar, Tag("(scalar)")] | Annotated[Scalars, Tag("(list)")] | Annotated[OperatorsForm, Tag("(mapping)")],
    Choice(_written_as),
]
Where = dict[Text, WhereValue]


class DistinctForm(Form):
    """A measure: distinct values of a property."""

    distinct: Text = Field(description="The property whose distinct values are counted.", examples=["friend_id"])


class DistinctEventsForm(Form):
    """A measure: how many different events, of any or of those named."""

    distinct_events: Truth = Field(description="Different event names are counted: true.")

    def _judge(self) -> None:
        if not self.distinct_events:
            raise fault(INVALID_VALUE, "distinct_events is true or left out", at="distinct_events")


class SumForm(Form):
    """A measure: the sum of a property."""

    sum: Text = Field(description="The property that is added up.", examples=["contacts"])


class MaxForm(Form):
    """A measure: the largest value of a property."""

    max: Text = Field(description="The property whose largest value counts.", examples=["seats"])


class LastForm(Form):
    """A measure: the newest value of a property."""

    last: Text = Field(description="The property whose newest value counts.", examples=["stored_bytes"])


_BREADTH: Final = MeasureKind.DISTINCT_EVENTS.value
_WORDS: Final = tuple(kind.value for kind in MeasureKind if not kind.needs_property and kind.value != _BREADTH)
_OF: Final = tuple(kind.value for kind in MeasureKind if kind.value not in _WORDS)


def _measure_word(value: Any) -> str:
    if isinstance(value, str) and value in _OF:
        message = f"{value} is written as a mapping" if value == _BREADTH else f"{value} needs a property"
        raise fault(WRONG_TYPE, message, hint=f"write {{{value}: {'true' if value == _BREADTH else 'property'}}}")
    return str(one_of((*_WORDS, *_OF))(value))


def _one_measure(value: Any) -> Any:
    """Refuse a mapping that names no measure or several, before it is read as one."""
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise fault(INVALID_VALUE, f"a measure has one of {', '.join(_OF)}", hint="write {sum: property}")
    (key,) = value
    if key not in _OF:
        near = nearest(key[:100], _OF)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(_OF)}"
        raise fault(UNKNOWN_KEY, f"unknown key {shown(str(key))} in a measure", hint=hint, at=key, fix=near)
    return value


def _kind_of_measure(value: Any) -> str | None:
    return f"({next(iter(value))})" if isinstance(value, dict) else "(word)"


MeasureForm = Annotated[
    Annotated[str, Check(_measure_word, as_type=Literal[_WORDS]), Tag("(word)")]
    | Annotated[DistinctForm, Tag("(distinct)")]
    | Annotated[DistinctEventsForm, Tag("(distinct_events)")]
    | Annotated[SumForm, Tag("(sum)")]
    | Annotated[MaxForm, Tag("(max)")]
    | Annotated[LastForm, Tag("(last)")],
    Choice(_kind_of_measure),
    Before(_one_measure),
]


class PropertyLimitForm(Form):
    """A limit: a property of the same event."""

    property: Text = Field(
        description="The property of the same event that holds the limit.", examples=["storage_limit"]
    )


class TraitLimitForm(Form):
    """A limit: a trait of the entity."""

    trait: Text = Field(description="The trait that holds the limit.", examples=["contacts_limit"])


def _kind_of_limit(value: Any) -> str:
    if not isinstance(value, dict):
        return "(number)"
    return "(trait)" if "trait" in value else "(property)"


class LimitForm(Form):
    """A share of a limit: ``{percent: 80, of: 10000}``."""

    percent: Percent = Field(description="How much of the limit, in percent.", examples=[80])
    of: Annotated[
        Annotated[Percent, Tag("(number)")]
        | Annotated[PropertyLimitForm, Tag("(property)")]
        | Annotated[TraitLimitForm, Tag("(trait)")],
        Choice(_kind_of_limit),
    ] = Field(
        description="The limit: a number, {property: name} of the same event, or {trait: name}.", examples=[10000]
    )


BoundForm = Annotated[
    Annotated[Threshold, Tag("(number)")] | Annotated[LimitForm, Tag("(mapping)")],
    Choice(lambda value: "(mapping)" if isinstance(value, dict) else "(number)"),
]

EventForm = Annotated[
    Annotated[Text, Tag("(text)")] | Annotated[Annotated[list[Text], Field(min_length=1)], Tag("(list)")],
    Choice(lambda value: "(list)" if isinstance(value, list) else "(text)"),
]

WINDOWS: Final = ("within", "rolling", "trailing", "ever")
"""The keys of which a criterion has at most one."""


class CriterionForm(Form):
    """A criterion: behaviour, measure, window and threshold."""

    id: Id | None = Field(
        None, description="Names the criterion in leads and points; made from event and measure.", examples=["pipeline"]
    )
    event: EventForm = Field(
        description="An event's name, a list of names (any of them), or any.", examples=["teammate_invited"]
    )
    where: Where | None = Field(
        None, description="Conditions on the event's properties.", examples=[{"shared_with": {"at_least": 1}}]
    )
    measure: MeasureForm = Field("count", description="How the behaviour becomes a number.", examples=["days"])
    at_least: BoundForm | None = Field(
        None, description="The value must reach this; 1 if no bound is given.", examples=[4]
    )
    at_most: BoundForm | None = Field(None, description="The value must not exceed this.", examples=[20])
    within: Span | None = Field(None, description="Counted from the anchor, this long.", examples=["14d"])
    rolling: Span | None = Field(None, description="In any stretch shorter than this.", examples=["7d"])
    trailing: Span | None = Field(None, description="In the last stretch of this length.", examples=["28d"])
    ever: Truth | None = Field(None, description="Without limit of time.")
    mechanical: Truth = Field(False, description="It precedes the conversion by construction (a limit reached).")
    say: Text | None = Field(
        None, description="One sentence for the person who calls.", examples=["Ask how the import went."]
    )

    def _judge(self) -> None:
        windows = [key for key in WINDOWS if getattr(self, key) is not None]
        if len(windows) > 1:
            raise fault(INVALID_VALUE, f"a criterion has one window, not {' and '.join(windows)}", at=windows[1])
        if self.ever is False:
            raise fault(INVALID_VALUE, "ever is true or left out", at="ever")
        kind = self.measure if isinstance(self.measure, str) else next(iter(type(self.measure).fields()))
        if MeasureKind(kind).numeric and self.at_least is None and self.at_most is None:
            raise fault(MISSING_KEY, f"{kind} needs at_least or at_most", at="measure")


class RefForm(Form):
    """A ref: another file's definition or milestone."""

    ref: Name = Field(description="The name of another definition or milestone.", examples=["activated"])
    id: Id | None = Field(None, description="Names it in leads; made from the name.", examples=["activated_team"])
    measure: Annotated[str | None, Check(one_of(("users",)), as_type=Literal["users"])] = Field(
        None, description="users: so many users of the account met it."
    )
    at_least: Annotated[int | None, Check(whole_number(1), as_type=Annotated[int, Field(ge=1)])] = Field(
        None, description="How many users of the account.", examples=[3]
    )
    say: Text | None = Field(
        None, description="One sentence for the person who calls.", examples=["Ask how the import went."]
    )


class AllForm(Form):
    """All of these: holds while every part holds."""

    all: Annotated[list["NodeForm"], Field(min_length=1)] = Field(
        description="Every part must hold.",
        examples=[[{"event": "login", "at_least": 10}, {"event": "teammate_invited"}]],
    )


class AnyForm(Form):
    """Any of these: holds while at least one part holds."""

    any: Annotated[list["NodeForm"], Field(min_length=1)] = Field(
        description="At least one part must hold.",
        examples=[[{"event": "report_exported"}, {"event": "dashboard_shared"}]],
    )


class CountedForm(Form):
    """N_of: so many of these parts."""

    n: Annotated[int, Check(whole_number(1), as_type=Annotated[int, Field(ge=1)])] = Field(
        description="How many parts must hold.", examples=[2]
    )
    of: Annotated[list["NodeForm"], Field(min_length=1)] = Field(
        description="The parts.",
        examples=[[{"event": "teammate_invited"}, {"event": "template_used"}, {"event": "integration_connected"}]],
    )

    def _judge(self) -> None:
        if self.n > len(self.of):
            raise fault(INVALID_VALUE, f"{self.n} of {len(self.of)} parts can never hold", at="n")


class NOfForm(Form):
    """N_of: holds while at least n parts hold."""

    n_of: CountedForm = Field(description="At least n of the parts must hold.")


class NotForm(Form):
    """Not: judged at the latest end of its part's windows."""

    not_: "NodeForm" = Field(
        alias="not", description="The part must not hold.", examples=[{"event": "plan_downgraded"}]
    )


NODES: Final = ("event", "ref", "all", "any", "n_of", "not")
"""The keys of which a node has exactly one."""


def _one_node(value: Any) -> Any:
    """Refuse what is not exactly one kind of node, before it is read as one."""
    if not isinstance(value, dict):
        message = f"a node is a mapping with one of {', '.join(NODES)}, not {kind_of(value)}"
        raise fault(WRONG_TYPE, message, hint="write {event: name}")
    kinds = [key for key in NODES if key in value]
    if len(kinds) > 1:
        message = f"a node has one of {', '.join(NODES)}, not {' and '.join(kinds)}"
        raise fault(INVALID_VALUE, message, at=kinds[1])
    if not kinds:
        raise _no_node(value)
    return value


def _no_node(value: dict[str, Any]) -> Exception:
    for key in value:
        near = nearest(key[:100], NODES)
        if near is not None and key not in CriterionForm.keys():  # noqa: SIM118 - a method, not a mapping's
            message = f"unknown key {shown(str(key))} in a node"
            return fault(UNKNOWN_KEY, message, hint=f"did you mean {near}?", at=key, fix=near, safe=True)
    return fault(MISSING_KEY, f"a node needs one of {', '.join(NODES)}")


def _kind_of_node(value: Any) -> str | None:
    return next((f"({key})" for key in NODES if key in value), None)


NodeForm = Annotated[
    Annotated[CriterionForm, Tag("(event)")]
    | Annotated[RefForm, Tag("(ref)")]
    | Annotated[AllForm, Tag("(all)")]
    | Annotated[AnyForm, Tag("(any)")]
    | Annotated[NOfForm, Tag("(n_of)")]
    | Annotated[NotForm, Tag("(not)")],
    Choice(_kind_of_node),
    Before(_one_node),
]
