"""The form: a definition file exactly as written, sugar included.

One class per mapping. They are the single truth about keys and types: `reading` validates files with them,
`schema` derives the JSON Schema from them.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from pqlkit.definitions.codes import INVALID_VALUE
from pqlkit.definitions.formula_form import CriterionForm, EventForm, NodeForm, TraitForm, Where
from pqlkit.definitions.model import ANY_EVENT, ChosenBy, EntityKind, EvidenceView, Status
from pqlkit.definitions.shape import Choice, Form, Tag
from pqlkit.definitions.values import (
    FORMAT,
    Check,
    Date,
    DateOrNone,
    Fraction,
    Id,
    Name,
    Points,
    Rate,
    Span,
    SpanOrNone,
    Tally,
    Text,
    TextOrNone,
    TruthOrNone,
    check_format,
    fault,
    one_of,
    whole_number,
)

__all__ = [
    "DefinitionForm",
    "EventAnchorForm",
    "ExpectForm",
    "Form",
    "LeadForm",
    "OutcomeForm",
    "ProjectOutcomeForm",
    "ScoreForm",
    "TraitForm",
]


class EventAnchorForm(Form):
    """An anchor: the first event of a name."""

    event: Text = Field(description="The clock starts at the first event of this name.", examples=["Trial Started"])


AnchorForm = Annotated[
    Annotated[
        str,
        Check(one_of(("signup", "first_event")), as_type=Literal["signup", "first_event"]),
        Tag("(word)"),
    ]
    | Annotated[EventAnchorForm, Tag("(mapping)")],
    Choice(lambda value: "(mapping)" if isinstance(value, dict) else "(word)"),
]


class ScoreForm(Form):
    """The score: points per criterion id."""

    points: Annotated[dict[Id, Points], Field(min_length=1)] = Field(
        description="Points per criterion id; they add up to 100.", examples=[{"contacts": 60, "pipeline": 40}]
    )
    pql_at: Points | None = Field(None, description="A PQL while its points are at or above this.", examples=[75])
    bands: dict[Text, Points] | None = Field(
        None, description="Names for ranges of the score, by their lower end.", examples=[{"hot": 90, "warm": 50}]
    )

    def _judge(self) -> None:
        total = sum(self.points.values())
        if abs(total - 100) > 1e-9:
            raise fault(INVALID_VALUE, f"the points add up to {total}, not 100", at="points")


class OutcomeForm(Form):
    """The outcome: what counts as success."""

    within: Span = Field(
        description="The conversion window: how long after qualifying a conversion counts.", examples=["30d"]
    )
    where: Where | None = Field(
        None, description="Conditions on the conversion row.", examples=[{"amount": {"at_least": 2}}]
    )
    retained_for: Span | None = Field(None, description="Converted, and stayed this long.", examples=["90d"])
    kind: Text | None = Field(None, description="The kind of conversion: new, expansion ...", examples=["expansion"])
    from_: EventForm | None = Field(None, alias="from", description="The plan or plans before.", examples=["team"])
    to: EventForm | None = Field(None, description="The plan or plans after.", examples=[["business", "enterprise"]])
    event: Text | None = Field(
        None,
        description="This event is the conversion; it is then never a behaviour. `any` needs `after`.",
        examples=["report_exported"],
    )
    after: Span | None = Field(
        None,
        description="Of an event: only more than so long after qualifying. It ends no life and stays a behaviour.",
        examples=["60d"],
    )
    definition: Name | None = Field(
        None, description="Meeting this definition or milestone is the conversion.", examples=["activated"]
    )
    returns_after: Span | None = Field(None, description="Expansion: at risk again after this long.", examples=["90d"])

    def _judge(self) -> None:
        written = self.written(self.given)
        for source, others in _SOURCES.items():
            clash = [key for key in others if key in written]
            if source in written and clash:
                raise fault(INVALID_VALUE, f"the outcome is {source} or {clash[0]}, not both", at=clash[0])
        if self.event == ANY_EVENT and self.after is None:
            raise fault(INVALID_VALUE, "any event is an outcome only with after: write after: 60d", at="event")
        if self.after is None:
            return
        if self.event is None:
            raise fault(INVALID_VALUE, "after needs an event: write event: any", at="after")
        if self.retained_for is not None:
            raise fault(INVALID_VALUE, "an outcome after so long has no end: leave retained_for out", at="retained_for")
        if "within" in written and self.after >= self.within:
            raise fault(INVALID_VALUE, f"after {self.after} leaves nothing of within {self.within}", at="after")


_SOURCES: Final = {
    "definition": ("event", "where", "kind", "from", "to", "retained_for"),
    "event": ("kind", "from", "to"),
}


class ProjectOutcomeForm(OutcomeForm):
    """The outcome: what counts as success, for every definition that does not say."""

    within: Span | None = Field(None, description="The conversion window.", examples=["30d"])  # type: ignore[assignment]


class NearForm(Form):
    """The near ones: who has nearly qualified."""

    at_least: Rate | None = Field(None, description="This share of the way; default: 80%.", examples=["80%"])
    active_within: Span | None = Field(
        None, description="With an event of any kind in this long before now; default: 14d.", examples=["14d"]
    )


class LeadForm(Form):
    """The lead: when it gets old, when it may qualify again, and who is near."""

    fresh_for: Span | None = Field(None, description="A lead is old after this long.", examples=["30d"])
    cooldown: SpanOrNone | None = Field(
        None,
        description="How long out of the state before it may qualify again; default: the conversion window.",
        examples=["90d"],
    )
    near: NearForm | None = Field(None, description="Who is near: how far on the way, and active how lately.")


class BoundsForm(Form):
    """The bounds: of a rate."""

    at_least: Rate | None = Field(None, description="15% or 0.15.", examples=["15%"])
    at_most: Rate | None = Field(None, description="30% or 0.30.", examples=["30%"])


class ExpectForm(Form):
    """The expectation: what CI holds the definition to when data is given."""

    rate: BoundsForm | None = Field(None, description="Conversions among qualified (PQL to customer).")
    share: BoundsForm | None = Field(None, description="Qualified among signups (signup to PQL).")


class EvidenceDataForm(Form):
    """The data: what the evidence was gathered in."""

    start: DateOrNone = Field(None, alias="from", description="Date of the first snapshot.", examples=["2026-01-01"])
    through: DateOrNone = Field(None, description="Date of the last snapshot.", examples=["2026-06-30"])
    snapshots: Tally = Field(None, description="How many snapshots.", examples=[16179])
    entities: Tally = Field(None, description="Of how many users or accounts.", examples=[4350])
    converted: Tally = Field(None, description="After how many of the snapshots a conversion came.", examples=[506])


class EvidencePartForm(Form):
    """The figures: of the data that chose the rule, or of the holdout."""

    view: Annotated[EvidenceView, Check(one_of(EvidenceView), as_type=Literal["snapshot", "qualification"])] = Field(
        description="What is counted: snapshots that meet the rule, or qualifications."
    )
    start: DateOrNone = Field(None, alias="from", description="Date of the first snapshot.", examples=["2026-01-01"])
    through: DateOrNone = Field(None, description="Date of the last snapshot.", examples=["2026-06-30"])
    qualified: Tally = Field(None, description="Snapshots that meet the rule, or qualifications.", examples=[528])
    converted: Tally = Field(None, description="Those of them that converted.", examples=[109])
    rate: Fraction = Field(None, description="Converted of qualified.", examples=[0.206])
    low: Fraction = Field(None, description="Lower end of the 95 % interval of the rate.", examples=[0.174])
    high: Fraction = Field(None, description="Upper end of the 95 % interval of the rate.", examples=[0.243])
    recall: Fraction = Field(None, description="Qualified of all that converted.", examples=[0.381])
    times_read: Tally = Field(None, alias="read", description="How often the holdout was read.", examples=[1])
    independent: TruthOrNone = Field(None, description="false: the rule was chosen on these data too.")
    all_data: TruthOrNone = Field(None, description="true: there was no holdout.")


class EvidenceForm(Form):
    """The evidence: what the search or the trial found."""

    chosen_by: Annotated[ChosenBy | None, Check(one_of(ChosenBy), as_type=Literal["propose", "hand"])] = Field(
        None, description="Who chose the rule."
    )
    search: TextOrNone = Field(
        None, description="Names the search: a hash of its options and data.", examples=["5f0c2a91"]
    )
    data: EvidenceDataForm | None = Field(None, description="What the evidence was gathered in.")
    fit: EvidencePartForm | None = Field(None, description="Figures of the data that chose the rule.")
    holdout: EvidencePartForm | None = Field(None, description="Figures of the data that were set aside.")


def _nodes_or_list(value: Any) -> str:
    return "(points)" if isinstance(value, list) else "(node)"


class DefinitionForm(Form):
    """The definition: a named, versioned formula over criteria."""

    pqlkit: Annotated[int, Check(check_format, as_type=Literal[1])] = Field(
        description="The format of this file.", examples=[FORMAT]
    )
    name: Name = Field(description="Names the definition in refs, files and leads.", examples=["crm-trial"])
    kind: Annotated[str | None, Check(one_of(("milestone",)), as_type=Literal["milestone"])] = Field(
        None, description="milestone: a building block for refs, without outcome, score and expect."
    )
    version: Annotated[int, Check(whole_number(1), as_type=Annotated[int, Field(ge=1)])] = Field(
        1, description="Raise it whenever the meaning changes.", examples=[3]
    )
    title: Text | None = Field(
        None, description="One line for people; default: the name.", examples=["Teams that roll it out"]
    )
    owner: Text | None = Field(None, description="Who answers for it.", examples=["growth@example.com"])
    rationale: Text | None = Field(
        None, description="Why this behaviour should matter.", examples=["Teams that invite each other stay."]
    )
    status: Annotated[Status, Check(one_of(Status), as_type=Literal["hypothesis", "active", "retired"])] = Field(
        Status.ACTIVE, description="Where it stands in its life."
    )
    review_by: Date | None = Field(None, description="A date after which validate warns.", examples=["2027-01-31"])
    entity: Annotated[EntityKind, Check(one_of(EntityKind), as_type=Literal["user", "account"])] = Field(
        description="What is qualified."
    )
    anchor: AnchorForm = Field("signup", description="The moment the clock starts.")
    within: Span | None = Field(
        None, description="The window of every criterion without one, from the anchor.", examples=["14d"]
    )
    eligible: list[TraitForm] | None = Field(
        None,
        description="Who can be a lead at all, by traits.",
        examples=[[{"trait": "signup_plan", "in": ["free", "trial"]}]],
    )
    qualify: Annotated[
        Annotated[NodeForm, Tag("(node)")]
        | Annotated[Annotated[list[CriterionForm], Field(min_length=1)], Tag("(points)")],
        Choice(_nodes_or_list),
    ] = Field(
        description="The formula; with score.pql_at a plain list of criteria.",
        examples=[{"event": "login", "at_least": 10}],
    )
    score: ScoreForm | None = Field(None, description="Points instead of, or beside, yes and no.")
    outcome: OutcomeForm | None = Field(None, description="Success; required unless kind is milestone.")
    lead: LeadForm | None = Field(None, description="When a lead gets old, when it may qualify again, and who is near.")
    expect: ExpectForm | None = Field(None, description="Bounds that CI holds the definition to, with data.")
    evidence: EvidenceForm | None = Field(None, description="Written by propose or try, never by hand.")
