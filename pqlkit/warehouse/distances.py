"""The standing: which criteria an entity meets, which it still can, and how far it has come, as SQL over one row per entity.

It is `pqlkit.scoring.nearness` and `pqlkit.scoring.progress` in another form: a share of -1 stands for what cannot be done any more, so that no
comparison meets a null.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from pqlkit.definitions.model import (
    SCALE,
    All,
    Any,
    Criterion,
    Limit,
    NOf,
    Not,
    Ref,
    Score,
    WindowKind,
    leaves,
)
from pqlkit.warehouse import dialect as sql
from pqlkit.warehouse.clocks import ENTITY
from pqlkit.warehouse.predicates import added, both, either, number, truth, uncovered
from pqlkit.warehouse.steps import column, table

if TYPE_CHECKING:
    from pqlkit.definitions.model import Bound, Definition, Node
    from pqlkit.warehouse.clocks import Tables
    from pqlkit.warehouse.criterion import Evaluated
    from pqlkit.warehouse.steps import Steps

TINY: Final = "0.000000001"
_MOST_WAYS: Final = 100
"""Ways of choosing n of the parts that are written out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafColumns:
    """The columns of one leaf in the step of standings; `limit` is what its bound is a share of, or how far a milestone has come."""

    value: str
    is_held: str
    can: str
    share: str
    limit: str

    @classmethod
    def of(cls, name: str) -> LeafColumns:
        """Name the columns of a leaf by its id."""
        return cls(
            value=f"value_{name}", is_held=f"is_{name}", can=f"can_{name}", share=f"share_{name}", limit=f"limit_{name}"
        )


class Distances:
    """Writes the steps ``measured`` (values), ``standings`` (shares), and tells formulas over them.

    Parameters
    ----------
    tables, definition, evaluated
        Whose formula, over which tables, and the steps of its parts.
    """

    def __init__(self, tables: Tables, definition: Definition, evaluated: Evaluated) -> None:
        self._tables, self._definition, self._evaluated = tables, definition, evaluated
        self._steps: Steps = tables.steps
        self._score = definition.score or Score(points={})
        self.parts = tuple(leaves(definition.qualify))
        self.columns = {leaf.id: LeafColumns.of(leaf.id) for leaf in self.parts}

    def write(self, everybody: str, prefix: str = "") -> str:
        """Add the steps; give the name of the last."""
        measured = self._steps.add(
            f"{prefix}measured", "How much each has done, and what holds now", self._measured(everybody)
        )
        query = exp.select("m.*").from_(table(measured, "m"))
        query = query.select(*(exp.alias_(self._share(leaf), self.columns[leaf.id].share) for leaf in self.parts))
        says = "How far each has come: 1 = met, -1 = cannot be done any more"
        return self._steps.add(f"{prefix}standings", says, query)

    def inner(self, everybody: str, prefix: str) -> str:
        """Add the steps of a milestone: whether it is possible, and how far each has come."""
        query = exp.select(
            column(ENTITY, "s"), exp.alias_(truth(self.possible), "is_possible"), exp.alias_(self.progress, "way")
        ).from_(table(self.write(everybody, prefix), "s"))
        return self._steps.add(f"{prefix}distance", "How far each has come towards the milestone", query)

    def _measured(self, everybody: str) -> exp.Select:
        query = exp.select("n.*").from_(table(everybody, "n"))
        query = query.join("parameters", join_alias="p", join_type="cross")
        for place, (leaf, part) in enumerate(zip(self.parts, self._evaluated.parts, strict=True)):
            names, held = self.columns[leaf.id], f"h{place}"
            now = self._steps.plan("SELECT s.entity_id FROM _spells AS s WHERE s.off_us IS NULL", spells=part.spells)
            query = query.join(now.subquery(held), on=f"{held}.entity_id = n.entity_id", join_type="left")
            for alias, step in ((f"v{place}", part.values), (f"m{place}", part.limits), (f"i{place}", part.inner)):
                if step is not None:
                    query = query.join(table(step, alias), on=f"{alias}.entity_id = n.entity_id", join_type="left")
            value = self._value(leaf, None if part.values is None else column("value", f"v{place}"))
            can = self._can(leaf, value, None if part.inner is None else f"i{place}")
            query = query.select(
                exp.alias_(value, names.value),
                exp.alias_(truth(self._steps.expression(f"NOT {held}.entity_id IS NULL")), names.is_held),
                exp.alias_(truth(can), names.can),
            )
            limit = column("way", f"i{place}") if part.inner is not None else self._limit(leaf, f"m{place}")
            if limit is not None:
                query = query.select(exp.alias_(limit, names.limit))
        return query

    def _value(self, leaf: Criterion | Ref, own: exp.Expr | None) -> exp.Expr:
        """Give how much there is, in the measure's own unit: 0 without events, null where that is undefined."""
        if own is None:
            return sql.real(self._tables.dialect, exp.null())
        is_null = isinstance(leaf, Criterion) and leaf.measure.kind.facts.null_without_events
        value = sql.real(self._tables.dialect, own)
        if isinstance(leaf, Criterion) and leaf.measure.kind.scaled:
            value = _divided(value, sql.whole(SCALE))
        known: exp.Expr = (
            value if is_null else exp.Coalesce(this=value, expressions=[sql.real(self._tables.dialect, sql.whole(0))])
        )
        return exp.case().when(self._steps.expression("NOT n.anchor_us IS NULL"), known)

    def _can(self, leaf: Criterion | Ref, value: exp.Expr, inner: str | None) -> exp.Expr:
        anchored = self._steps.expression("NOT n.anchor_us IS NULL")
        if inner is not None:
            return both([anchored, self._steps.expression(f"{inner}.is_possible = 1")])
        if isinstance(leaf, Ref) or leaf.window.kind is not WindowKind.WITHIN or leaf.window.length is None:
            return anchored
        length = sql.whole(leaf.window.length.microseconds)
        length.add_comments([str(leaf.window.length)])
        tests = [anchored, self._steps.expression("n.anchor_us + _length > p.as_of_us", length=length)]
        most = leaf.at_most
        if isinstance(most, int | float) and leaf.measure.kind.facts.grows:
            over = exp.GT(this=value.copy(), expression=_number(float(most)))
            tests.append(exp.Not(this=exp.Coalesce(this=over, expressions=[exp.false()])))
        return both(tests)

    def _limit(self, leaf: Criterion | Ref, alias: str) -> exp.Expr | None:
        """Give what a bound is a percentage of, where that is no constant."""
        bound = _limit_of(leaf)
        if bound is None or bound.number is not None:
            return None
        if bound.trait is not None:
            kind = self._tables.trait_type(bound.trait)
            return number(self._tables.dialect, self._tables.trait(bound.trait), kind)
        return _divided(sql.real(self._tables.dialect, column("limit_value", alias)), sql.whole(SCALE))

    # ------------------------------------------------------------ shares

    def _share(self, leaf: Criterion | Ref) -> exp.Expr:
        names = self.columns[leaf.id]
        held, can, value = (column(name, "m") for name in (names.is_held, names.can, names.value))
        done, never = _number(1.0), _number(-1.0)
        share = exp.case().when(exp.EQ(this=held, expression=sql.whole(1)), done)
        share = share.when(exp.EQ(this=can, expression=sql.whole(0)), never)
        if isinstance(leaf, Ref) and not self._is_counted(leaf):
            return share.else_(column(names.limit, "m"))
        if isinstance(leaf, Ref):
            return self._towards(share, value, _number(float(leaf.users_at_least or 1)))
        if leaf.at_least is not None:
            return self._towards(share, value, self.threshold(leaf, leaf.at_least, "m"))
        most = self.threshold(leaf, leaf.at_most, "m")
        share = share.when(exp.GT(this=value, expression=most), _divided(most.copy(), value.copy()))
        return share.else_(done.copy())

    def _is_counted(self, ref: Ref) -> bool:
        return ref.target.entity is not self._definition.entity

    def _towards(self, share: exp.Case, value: exp.Expr, needed: exp.Expr) -> exp.Expr:
        zero = _number(0.0)
        if isinstance(needed, exp.Neg) or (isinstance(needed, exp.Literal) and float(needed.this) <= 0):
            return share.else_(zero)
        positive = [] if isinstance(needed, exp.Literal) else [exp.GT(this=needed.copy(), expression=sql.whole(0))]
        reached = both([*positive, exp.GTE(this=value, expression=needed.copy())])
        begun = both([*(test.copy() for test in positive), exp.GT(this=value.copy(), expression=sql.whole(0))])
        share = share.when(reached, _number(1.0))
        part = _divided(value.copy(), exp.paren(needed) if isinstance(needed, exp.Binary) else needed.copy())
        return share.when(begun, part).else_(zero)

    def threshold(self, leaf: Criterion, bound: Bound | None, table: str = "s") -> exp.Expr:
        """Give what a bound asks for; null where it is a share of a limit that is not known."""
        if not isinstance(bound, Limit):
            return _number(float(bound or 0))
        if bound.number is not None:
            return _number(float(bound.number) * float(bound.percent) / 100)
        limit = column(self.columns[leaf.id].limit, table)
        share = _divided(exp.Mul(this=limit, expression=_number(float(bound.percent))), _number(100.0))
        return exp.case().when(exp.GT(this=limit.copy(), expression=sql.whole(0)), share)

    # ------------------------------------------------------------ the whole

    @property
    def by_points(self) -> bool:
        """Whether points decide."""
        return self._score.pql_at is not None

    @property
    def met(self) -> exp.Expr:
        """How many criteria are met."""
        return added([self._of(leaf, "is_held") for leaf in self.parts])

    @property
    def begun(self) -> exp.Expr:
        """Whether anything has been done."""
        return either([exp.GT(this=self._of(leaf, "value"), expression=sql.whole(0)) for leaf in self.parts])

    @property
    def possible(self) -> exp.Expr:
        """Whether what is missing can still be done."""
        if not self.by_points:
            return self._possible(self._definition.qualify)
        most = added(
            [exp.Mul(this=self._worth(leaf), expression=truth(self._open_or_held(leaf))) for leaf in self.parts]
        )
        return exp.GTE(this=most, expression=self._enough)

    @property
    def progress(self) -> exp.Expr:
        """How far it has come; -1 = it cannot be done any more."""
        return self._by_points() if self.by_points else self._way(self._definition.qualify)

    def _of(self, leaf: Criterion | Ref, what: str) -> exp.Column:
        return column(getattr(self.columns[leaf.id], what), "s")

    def _open_or_held(self, leaf: Criterion | Ref) -> exp.Expr:
        tests = [exp.EQ(this=self._of(leaf, what), expression=sql.whole(1)) for what in ("is_held", "can")]
        return either(tests)

    def _possible(self, node: Node) -> exp.Expr:
        match node:
            case Criterion() | Ref():
                return self._open_or_held(node)
            case All(parts=parts):
                return both([self._possible(part) for part in parts])
            case Any(parts=parts):
                return either([self._possible(part) for part in parts])
            case NOf(n=n, parts=parts):
                counted = added([truth(self._possible(part)) for part in parts])
                return exp.GTE(this=counted, expression=sql.whole(n))
            case Not(part=part):
                return exp.Not(this=exp.paren(self.done(part)))

    def done(self, node: Node) -> exp.Expr:
        """Whether nothing is missing of a formula."""
        match node:
            case Criterion() | Ref():
                return exp.EQ(this=self._of(node, "is_held"), expression=sql.whole(1))
            case All(parts=parts):
                return both([self.done(part) for part in parts])
            case Any(parts=parts):
                return either([self.done(part) for part in parts])
            case NOf(n=n, parts=parts):
                return exp.GTE(this=added([truth(self.done(part)) for part in parts]), expression=sql.whole(n))
            case Not(part=part):
                return exp.Not(this=exp.paren(self.done(part)))

    def _way(self, node: Node) -> exp.Expr:
        match node:
            case Criterion() | Ref():
                return self._of(node, "share")
            case Not(part=part):
                return exp.case().when(self.done(part), _number(-1.0)).else_(_number(1.0))
            case All(parts=parts):
                return self._mean([self._way(part) for part in parts])
            case Any(parts=parts):
                return _largest([self._way(part) for part in parts])
            case NOf(n=n, parts=parts):
                if comb(len(parts), n) > _MOST_WAYS:
                    raise uncovered(f"n_of {n} of {len(parts)}", "how near it is")
                ways = [self._way(part) for part in parts]
                return _largest([self._mean([way.copy() for way in some]) for some in combinations(ways, n)])

    def _mean(self, ways: list[exp.Expr]) -> exp.Expr:
        if len(ways) == 1:
            return ways[0]
        lost = either([exp.LT(this=way.copy(), expression=sql.whole(0)) for way in ways])
        mean = _divided(exp.paren(added(ways)), _number(float(len(ways))))
        return exp.case().when(lost, _number(-1.0)).else_(mean)

    # ------------------------------------------------------------ points

    def _worth(self, leaf: Criterion | Ref) -> exp.Expr:
        return _number(float(self._score.points.get(leaf.id, 0)))

    @property
    def points(self) -> exp.Expr:
        """The points of what is met."""
        return added([exp.Mul(this=self._worth(leaf), expression=self._of(leaf, "is_held")) for leaf in self.parts])

    @property
    def _enough(self) -> exp.Expr:
        return exp.Sub(this=_number(float(self._score.pql_at or 0)), expression=exp.Literal.number(TINY))

    def _by_points(self) -> exp.Expr:
        """Take the richest open criteria until the points are enough; the way is what is done of all these."""
        worth = {leaf.id: float(self._score.points.get(leaf.id, 0)) for leaf in self.parts}
        order = sorted(range(len(self.parts)), key=lambda place: (-worth[self.parts[place].id], place))
        have, gains, whole = self.points, [], []
        before: list[exp.Expr] = [exp.paren(have)]
        for place in order:
            leaf = self.parts[place]
            is_open = both(
                [
                    exp.EQ(this=self._of(leaf, "is_held"), expression=sql.whole(0)),
                    exp.GTE(this=self._of(leaf, "share"), expression=sql.whole(0)),
                ]
            )
            missing = exp.LT(this=added([part.copy() for part in before]), expression=self._enough)
            asked = both([is_open.copy(), missing])
            gain = exp.Mul(this=self._worth(leaf), expression=self._of(leaf, "share"))
            gains.append(exp.case().when(asked, gain).else_(_number(0.0)))
            whole.append(exp.case().when(asked.copy(), self._worth(leaf)).else_(_number(0.0)))
            before.append(exp.Mul(this=self._worth(leaf), expression=truth(is_open)))
        total = added([exp.paren(have.copy()), *whole])
        way = _divided(exp.paren(added([exp.paren(have.copy()), *gains])), exp.paren(total.copy()))
        return (
            exp.case()
            .when(exp.Not(this=exp.paren(self.possible)), _number(-1.0))
            .when(exp.GT(this=total, expression=sql.whole(0)), way)
            .else_(_number(1.0))
        )

    # ------------------------------------------------------------ the score

    def excess(self) -> exp.Expr:
        """Average how far above their thresholds the criteria are that are met and have one; 0 where there is none."""
        sums: list[exp.Expr] = []
        counts: list[exp.Expr] = []
        for leaf in self.parts:
            threshold = _constant(leaf)
            if threshold is None:
                continue
            value = self._of(leaf, "value")
            met = both(
                [
                    exp.EQ(this=self._of(leaf, "is_held"), expression=sql.whole(1)),
                    self._steps.expression("NOT _value IS NULL", value=value),
                ]
            )
            above = _divided(exp.paren(exp.Sub(this=value.copy(), expression=_number(threshold))), _number(threshold))
            nothing, all_of_it = _number(0.0), _number(1.0)
            clipped = (
                exp.case()
                .when(exp.Not(this=exp.paren(met)), nothing)
                .when(exp.LT(this=value.copy(), expression=_number(threshold)), nothing.copy())
                .when(exp.GT(this=value.copy(), expression=_number(2 * threshold)), all_of_it)
                .else_(above)
            )
            sums.append(clipped)
            counts.append(truth(met.copy()))
        if not sums:
            return _number(0.0)
        some = exp.GT(this=added([count.copy() for count in counts]), expression=sql.whole(0))
        mean = _divided(exp.paren(added(sums)), exp.paren(added(counts)))
        return exp.case().when(some, mean).else_(_number(0.0))


def _constant(leaf: Criterion | Ref) -> float | None:
    if isinstance(leaf, Ref):
        return float(leaf.users_at_least) if leaf.users_at_least else None
    bound = leaf.at_least
    return float(bound) if isinstance(bound, int | float) and bound > 0 else None


def _limit_of(leaf: Criterion | Ref) -> Limit | None:
    if isinstance(leaf, Ref):
        return None
    return next((bound for bound in (leaf.at_least, leaf.at_most) if isinstance(bound, Limit)), None)


def _largest(ways: list[exp.Expr]) -> exp.Expr:
    """Take the largest; none of them is ever null."""
    return ways[0] if len(ways) == 1 else exp.Greatest(this=ways[0], expressions=ways[1:], ignore_nulls=False)


def _number(value: float) -> exp.Expr:
    """Write a number with its decimals, so that no division by it is one of whole numbers."""
    literal = exp.Literal.number(repr(abs(value)))
    return exp.Neg(this=literal) if value < 0 else literal


def _divided(value: exp.Expr, by: exp.Expr) -> exp.Expr:
    """Divide as the warehouse does."""
    return exp.Div(this=value, expression=by, typed=True, safe=False)
