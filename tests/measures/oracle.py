"""The oracle: a definition's words taken literally, one entity at a time, at every event and every expiry.

Quadratic, in exact fractions, with the standard library alone; nothing here is shared with what it tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any as Anything
from zoneinfo import ZoneInfo

from pqlkit.definitions import model

DAY = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Seen:
    at: int
    event: str
    user: str | None = None
    properties: dict[str, Anything] = field(default_factory=dict)


@dataclass
class Life:
    anchor: int | None
    converted: int | None = None
    since: int | None = None
    traits: dict[str, Anything] = field(default_factory=dict)
    events: list[Seen] = field(default_factory=list)


@dataclass
class Rules:
    as_of: int
    zone: str = "UTC"
    dates_only: bool = False

    def local_date(self, at: int) -> int:
        local = (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(self.zone))
        return (local.date() - EPOCH.date()).days

    def clock(self, at: int) -> int:
        return self.local_date(at) * DAY if self.dates_only else at

    def instant(self, clock: int) -> int:
        if not self.dates_only:
            return clock
        naive = datetime(1970, 1, 1) + timedelta(microseconds=clock)  # noqa: DTZ001
        return (naive.replace(tzinfo=ZoneInfo(self.zone)) - EPOCH) // timedelta(microseconds=1)


def number(value: Anything) -> Fraction | None:
    """Millionths, rounded half up, of what reads as a finite number."""
    if value is None:
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value):
            return None
        value = float(value)
    if value != value or value in (float("inf"), float("-inf")):
        return None
    scaled = float(value) * 1e6 + 0.5
    return Fraction(int(scaled // 1), 10**6)


def condition_holds(condition: model.Condition, value: Anything) -> bool:
    operator, wanted = condition.operator, condition.values
    if operator is model.Operator.EXISTS:
        return (value is not None) is wanted[0]
    if operator is model.Operator.NOT_IN:
        return value not in wanted
    if operator is model.Operator.NOT_MATCHING:
        return value is None or not re.search(str(wanted[0]), str(value))
    if value is None:
        return False
    first = wanted[0]
    tests = {
        model.Operator.EQUALS: lambda: value == first,
        model.Operator.IN: lambda: value in wanted,
        model.Operator.AT_LEAST: lambda: (n := number(value)) is not None and n >= Fraction(str(first)),
        model.Operator.AT_MOST: lambda: (n := number(value)) is not None and n <= Fraction(str(first)),
        model.Operator.MATCHING: lambda: bool(re.search(str(first), str(value))),
        model.Operator.STARTS_WITH: lambda: str(value).startswith(str(first)),
        model.Operator.ENDS_WITH: lambda: str(value).endswith(str(first)),
        model.Operator.CONTAINS: lambda: str(first) in str(value),
    }
    return bool(tests[operator]())


class Question:
    """One criterion asked of one life."""

    def __init__(self, rules: Rules, life: Life, criterion: model.Criterion) -> None:
        self.rules, self.life, self.criterion = rules, life, criterion
        self.kind, self.window = criterion.measure.kind, criterion.window.kind
        self.length = criterion.window.length.microseconds if criterion.window.length else 0
        self.anchor = rules.clock(life.anchor or 0)
        self.end = rules.as_of if life.converted is None else min(rules.as_of, life.converted - 1)
        self.events = sorted(
            (rules.clock(e.at), i, e) for i, e in enumerate(life.events) if self.exists(e) and self.matches(e)
        )

    def exists(self, seen: Seen) -> bool:
        clock = self.rules.clock
        if seen.at > self.rules.as_of:
            return False
        if self.life.converted is not None and clock(seen.at) >= clock(self.life.converted):
            return False
        return self.life.since is None or clock(seen.at) >= clock(self.life.since)

    def matches(self, seen: Seen) -> bool:
        c = self.criterion
        if c.events is not None and seen.event not in c.events:
            return False
        if not all(condition_holds(w, seen.properties.get(w.name)) for w in c.where):
            return False
        if self.kind is model.MeasureKind.USERS:
            return seen.user is not None
        if self.kind is model.MeasureKind.DISTINCT:
            return seen.properties.get(c.measure.property or "") is not None
        return c.measure.property is None or number(seen.properties.get(c.measure.property)) is not None

    def inside(self, t: int) -> list[tuple[int, Seen]]:
        chosen = [(at, e) for at, _, e in self.events if at <= t]
        if self.window is model.WindowKind.WITHIN:
            return [(at, e) for at, e in chosen if self.anchor <= at < self.anchor + self.length]
        if self.window is model.WindowKind.EVER:
            return chosen
        return [(at, e) for at, e in chosen if t - self.length < at]

    def value(self, t: int) -> Fraction | None:
        events = self.inside(t)
        match self.kind:
            case model.MeasureKind.COUNT:
                return Fraction(len(events))
            case model.MeasureKind.DAYS:
                dates = {at // DAY if self.rules.dates_only else self.rules.local_date(at) for at, _ in events}
                return Fraction(len(dates))
            case model.MeasureKind.USERS:
                return Fraction(len({e.user for _, e in events}))
            case model.MeasureKind.DISTINCT_EVENTS:
                return Fraction(len({e.event for _, e in events}))
            case model.MeasureKind.DISTINCT:
                return Fraction(len({e.properties[self.criterion.measure.property or ""] for _, e in events}))
        amounts = [self.amount(e) for _, e in events]
        match self.kind:
            case model.MeasureKind.SUM:
                return sum(amounts, Fraction(0))
            case model.MeasureKind.MAX:
                return max(amounts, default=None)
            case _:
                newest = max((at for at, _ in events), default=0)
                return max((self.amount(e) for at, e in events if at == newest), default=None)

    def amount(self, seen: Seen) -> Fraction:
        amount = number(seen.properties[self.criterion.measure.property or ""])
        assert amount is not None
        return amount

    def limit(self, bound: model.Limit, t: int, seen: Seen | None = None) -> Fraction | None:
        if bound.number is not None:
            found: Fraction | None = Fraction(str(bound.number))
        elif bound.trait is not None:
            found = number(self.life.traits.get(bound.trait))
        else:
            events = self.inside(t) if seen is None else [(0, seen)]
            newest = max((at for at, _ in events), default=0)
            group = [e for at, e in events if at == newest]
            if self.kind is model.MeasureKind.LAST:
                top = max((self.amount(e) for e in group), default=None)
                group = [e for e in group if self.amount(e) == top]
            limits = [number(e.properties.get(bound.property or "")) for e in group]
            found = max((x for x in limits if x is not None and x > 0), default=None)
        return found if found is not None and found > 0 else None

    def meets(self, bound: model.Bound | None, value: Fraction | None, t: int, *, upper: bool) -> bool:
        if bound is None:
            return True
        if isinstance(bound, model.Limit):
            if bound.property is not None and self.kind is model.MeasureKind.MAX:
                each = [self.against(bound, self.amount(e), t, e, upper=upper) for _, e in self.inside(t)]
                return bool(each) and (all(each) if upper else any(each))
            return value is not None and self.against(bound, value, t, None, upper=upper)
        limit = Fraction(str(bound))
        return value is not None and (value <= limit if upper else value >= limit)

    def against(self, bound: model.Limit, value: Fraction, t: int, seen: Seen | None, *, upper: bool) -> bool:
        limit = self.limit(bound, t, seen)
        if limit is None:
            return False
        share = Fraction(str(bound.percent)) * limit
        return value * 100 <= share if upper else value * 100 >= share

    def on(self, t: int) -> bool:
        c, value = self.criterion, self.value(t)
        return self.meets(c.at_least, value, t, upper=False) and self.meets(c.at_most, value, t, upper=True)

    def spells(self) -> list[tuple[int, int | None]]:
        if self.life.anchor is None:
            return []
        last = self.kind is model.MeasureKind.LAST
        if self.window is model.WindowKind.TRAILING or last:
            raw = self.while_on()
        elif self.criterion.at_most is not None:
            raw = [(self.anchor + self.length, None)] if self.on(self.anchor + self.length) else []
        else:
            reached = [at for at, _, e in self.events if (at, e) in self.inside(at) and self.on(at)]
            raw = [(min(reached), None)] if reached else []
        instants = [(self.rules.instant(on), None if off is None else self.rules.instant(off)) for on, off in raw]
        return clipped(instants, self.life.anchor, self.end)

    def while_on(self) -> list[tuple[int, int | None]]:
        start = self.anchor - 1000 * DAY
        if self.window is model.WindowKind.TRAILING and self.criterion.at_most is not None:
            start = self.anchor + self.length
        moments = {at for at, _, _ in self.events}
        if self.window is model.WindowKind.TRAILING:
            moments |= {at + self.length for at in moments}
        moments = {t for t in moments if t > start} | {start}
        return runs([(t, self.on(t)) for t in sorted(moments)])

    def shown(self, t: int) -> Fraction | None:
        """The value shown at t: the highest reached for what lasts, else the value there."""
        lasting = self.criterion.at_most is None and self.window is not model.WindowKind.TRAILING
        if not lasting or self.kind is model.MeasureKind.LAST:
            return self.value(t)
        seen = [value for at, _, _ in self.events if at <= t and (value := self.value(at)) is not None]
        empty = None if self.kind is model.MeasureKind.MAX else Fraction(0)
        return max([*seen, *([] if empty is None else [empty])], default=None)


def runs(states: list[tuple[int, bool]]) -> list[tuple[int, int | None]]:
    result: list[tuple[int, int | None]] = []
    on: int | None = None
    for t, held in states:
        if held and on is None:
            on = t
        elif not held and on is not None:
            result.append((on, t))
            on = None
    return result if on is None else [*result, (on, None)]


def clipped(spells: list[tuple[int, int | None]], anchor: int, end: int) -> list[tuple[int, int | None]]:
    result = []
    for on, off in spells:
        start = max(on, anchor)
        if start > end or (off is not None and off <= anchor):
            continue
        result.append((start, off if off is not None and off <= end else None))
    return result


def formula_spells(
    rules: Rules, life: Life, node: model.Node, points: model.Score | None = None
) -> list[tuple[int, int | None]]:
    """Spells of a whole formula of criteria, judged at every instant at which a part changes."""
    if life.anchor is None:
        return []
    found = [Question(rules, life, leaf).spells() for leaf in model.leaves(node) if isinstance(leaf, model.Criterion)]
    end = rules.as_of if life.converted is None else min(rules.as_of, life.converted - 1)
    moments = {life.anchor} | {t for spells in found for spell in spells for t in spell if t is not None}
    moments |= {
        rules.instant(rules.clock(life.anchor) + leaf.window.length.microseconds)
        for leaf in model.leaves(node)
        if isinstance(leaf, model.Criterion) and leaf.window.length
    }

    def at(t: int) -> list[bool]:
        return [any(on <= t and (off is None or t < off) for on, off in spells) for spells in found]

    def holds(t: int) -> bool:
        if points is not None:
            ids = [leaf.id for leaf in model.leaves(node)]
            total = sum(Fraction(str(points.points[i])) for i, state in zip(ids, at(t), strict=True) if state)
            return total >= Fraction(str(points.pql_at))
        return judge(node, t, iter(at(t)))

    def judge(part: model.Node, t: int, states: Anything) -> bool:
        match part:
            case model.All(parts=parts):
                states_of = [judge(p, t, states) for p in parts]  # every leaf takes its own state
                return all(states_of)
            case model.Any(parts=parts):
                states_of = [judge(p, t, states) for p in parts]
                return any(states_of)
            case model.NOf(n=n, parts=parts):
                return sum([judge(p, t, states) for p in parts]) >= n
            case model.Not(part=inner):
                ends = [leaf.window.length.microseconds for leaf in model.leaves(inner)]  # type: ignore[union-attr]
                held = judge(inner, t, states)
                return not held and t >= rules.instant(rules.clock(life.anchor or 0) + max(ends))
            case _:
                return bool(next(states))

    return clipped(runs([(t, holds(t)) for t in sorted(moments)]), life.anchor, end)
