"""Strategies: definitions as reading can give them, with the names that real exports are full of."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from pqlkit.columns import LEAD_COLUMNS
from pqlkit.definitions import ids
from pqlkit.definitions.model import (
    All,
    Anchor,
    Any,
    Bounds,
    ChosenBy,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Evidence,
    EvidenceData,
    EvidencePart,
    EvidenceView,
    Expect,
    Lead,
    Limit,
    Measure,
    MeasureKind,
    Near,
    Node,
    NOf,
    Not,
    Operator,
    Outcome,
    Score,
    Status,
    Window,
    WindowKind,
    leaves,
)
from pqlkit.durations import Duration

HOSTILE = (
    "yes",
    "No",
    "null",
    "~",
    "12:30",
    "010",
    "1_000",
    "0x1F",
    "1e3",
    "2026-01-31",
    "2026-02-30",
    "404",
    "3.50",
    "-",
    "a: b",
    "a #b",
    "# x",
    "<<",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "a\x1b[31mred",
    "\u202eevil",
    "\u2028",
    "\x85",
    "\ufeff",
    "\uffff",
    "\x00",
    "tab\tand\nline",
    '"quoted"',
    "it's",
    "back\\slash",
    "{flow: [x]}",
    "&anchor",
    "*alias",
    "!!tag",
    "%TAG",
    "@at",
    "`tick",
    " padded ",
    "trailing:",
    "x" * 2000,
    "🙂",
    "Ünïcode Evént",
    "any",
    "...",
    "---",
)
names = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = names.filter(lambda name: bool(name.strip()))
identifiers = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in LEAD_COLUMNS)
definition_names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
durations = st.builds(Duration, st.integers(1, 400), st.sampled_from("mhdw"))
numbers = st.integers(-1000, 10**9) | st.integers(-(10**9), 10**9).map(lambda number: number / 64)
scalars = (
    names
    | st.just("")
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(-1e290, 1e290, allow_nan=False, allow_infinity=False)
)
texts = {Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS}
patterns = st.sampled_from(["@example\\.com$", "^a|b$", "[^x]{2,3}", "(?i)yes", "no"])


def _values(operator: Operator) -> st.SearchStrategy[tuple[str | int | float | bool, ...]]:
    if operator in {Operator.IN, Operator.NOT_IN}:
        return st.lists(scalars, min_size=1, max_size=3).map(tuple)
    if operator in {Operator.AT_LEAST, Operator.AT_MOST}:
        return st.tuples(numbers)
    if operator in {Operator.MATCHING, Operator.NOT_MATCHING}:
        return st.tuples(patterns)
    if operator is Operator.EXISTS:
        return st.tuples(st.booleans())
    return st.tuples(names if operator in texts else scalars)


tallies = st.none() | st.integers(0, 10**12)
fractions = st.none() | st.floats(0, 1, allow_subnormal=False)
days = st.none() | st.dates(date(2000, 1, 1))
parts = st.builds(
    EvidencePart,
    view=st.sampled_from(EvidenceView),
    start=days,
    through=days,
    qualified=tallies,
    converted=tallies,
    rate=fractions,
    low=fractions,
    high=fractions,
    recall=fractions,
    times_read=tallies,
    independent=st.none() | st.booleans(),
    all_data=st.none() | st.booleans(),
)
evidences = st.builds(
    Evidence,
    chosen_by=st.none() | st.sampled_from(ChosenBy),
    search=st.none() | names,
    data=st.none()
    | st.builds(EvidenceData, start=days, through=days, snapshots=tallies, entities=tallies, converted=tallies),
    fit=st.none() | parts,
    holdout=st.none() | parts,
)


@st.composite
def conditions(draw: st.DrawFn) -> tuple[Condition, ...]:
    """Conditions as a mapping gives them: of one property together, at most one per operator, in the operators' order."""
    found = []
    for name in draw(st.lists(names, max_size=2, unique=True)):
        chosen = draw(st.sets(st.sampled_from(list(Operator)), min_size=1, max_size=2))
        for operator in sorted(chosen, key=list(Operator).index):
            found.append(Condition(name=name, operator=operator, values=draw(_values(operator))))
    return tuple(found)


@st.composite
def measures(draw: st.DrawFn) -> Measure:
    kind = draw(st.sampled_from(MeasureKind))
    return Measure(kind=kind, property=draw(names) if kind.needs_property else None)


windows = st.builds(
    lambda kind, length: Window(kind=kind, length=None if kind is WindowKind.EVER else length),
    st.sampled_from(WindowKind),
    durations,
)
percents = st.integers(1, 200) | st.sampled_from([12.5, 0.5])
limits = (
    st.builds(Limit, percent=percents, number=st.integers(1, 10**6))
    | st.builds(Limit, percent=percents, property=names)
    | st.builds(Limit, percent=percents, trait=names)
)
bounds = numbers | limits


@st.composite
def criteria(draw: st.DrawFn) -> Criterion:
    at_least, at_most = draw(st.tuples(bounds, st.none()) | st.tuples(st.none(), bounds) | st.tuples(bounds, bounds))
    return Criterion(
        id=draw(st.just("") | identifiers),
        events=draw(st.none() | st.lists(names, min_size=1, max_size=3).map(tuple)),
        measure=draw(measures()),
        window=draw(windows),
        where=draw(conditions()),
        at_least=at_least,
        at_most=at_most,
        mechanical=draw(st.booleans()),
        say=draw(st.none() | names),
    )


nodes = st.recursive(
    criteria(),
    lambda parts: (
        st.lists(parts, min_size=1, max_size=3).map(lambda found: All(parts=tuple(found)))
        | st.lists(parts, min_size=1, max_size=3).map(lambda found: Any(parts=tuple(found)))
        | st.lists(parts, min_size=2, max_size=3).map(lambda found: NOf(n=2, parts=tuple(found)))
        | parts.map(lambda found: Not(part=found))
    ),
    max_leaves=4,
)


def _explicit_ids_differ(node: Node) -> bool:
    written = [leaf.id for leaf in leaves(node) if leaf.id]
    return len(written) == len(set(written))


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | names,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=5,
)
rates = st.integers(0, 10**6).map(lambda millionths: millionths / 10**6)
leads = st.builds(
    Lead,
    fresh_for=st.none() | durations,
    cooldown=st.none() | durations,
    near=st.none() | st.builds(Near, at_least=rates, active_within=durations),
)
bought = st.builds(
    Outcome,
    within=durations,
    where=conditions(),
    retained_for=st.none() | durations,
    kind=st.none() | names,
    from_plan=st.none() | st.lists(names, min_size=1, max_size=2).map(tuple),
    to_plan=st.none() | st.lists(names, min_size=1, max_size=2).map(tuple),
    returns_after=st.none() | durations,
)
returned = st.builds(Outcome, within=durations, event=names, after=durations, where=conditions()).filter(
    lambda outcome: outcome.after is not None and outcome.after < outcome.within
)
outcomes = bought | returned


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Any definition that a file can hold, refs apart."""
    milestone = draw(st.booleans())
    by_points = not milestone and draw(st.booleans())
    several = st.lists(criteria(), min_size=1, max_size=3).map(lambda found: All(parts=tuple(found)))
    qualify: Node = draw((several if by_points else nodes).filter(_explicit_ids_differ))
    qualify = ids.given(qualify)
    name = draw(definition_names)
    score = None
    if by_points:
        first = next(leaves(qualify)).id
        score = Score(points={first: 100}, pql_at=draw(st.integers(1, 100)), bands={"hot": 90})
    return Definition(
        name=name,
        entity=draw(st.sampled_from(EntityKind)),
        qualify=qualify,
        outcome=None if milestone else draw(outcomes),
        version=draw(st.integers(1, 99)),
        title=draw(st.just(name) | names),
        owner=draw(st.none() | names),
        rationale=draw(st.none() | names),
        status=draw(st.sampled_from(Status)),
        review_by=draw(st.none() | st.dates(date(2000, 1, 1))),
        milestone=milestone,
        anchor=draw(
            st.sampled_from([Anchor(), Anchor(kind="first_event")])
            | names.map(lambda event: Anchor(kind="event", event=event))
        ),
        within=draw(st.none() | durations),
        eligible=draw(conditions()),
        score=score,
        lead=draw(st.none() | leads),
        expect=None
        if milestone
        else draw(st.none() | st.builds(Expect, rate=st.builds(Bounds, at_least=rates, at_most=st.none() | rates))),
        evidence=draw(st.none() | evidences),
    )
