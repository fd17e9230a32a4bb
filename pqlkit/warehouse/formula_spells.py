"""The formula: its state at every change of a part, and hence its spells, as steps of the query."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref, Score, leaves
from pqlkit.definitions.phrases import phrase
from pqlkit.errors import DefinitionError
from pqlkit.inert import visible
from pqlkit.measures.milestones import counts_users
from pqlkit.measures.tasks import tasks_of
from pqlkit.warehouse import dialect as sql
from pqlkit.warehouse.clocks import ENTITY
from pqlkit.warehouse.criterion import CriterionSteps, Evaluated, Measured, spells, within_lives
from pqlkit.warehouse.distances import Distances
from pqlkit.warehouse.predicates import added, both, either, truth, uncovered
from pqlkit.warehouse.steps import column, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.model import Definition, Node
    from pqlkit.warehouse.clocks import Lives, Tables
    from pqlkit.warehouse.steps import Steps

_RUNNING: Final = "OVER (PARTITION BY c.entity_id ORDER BY c.at_us ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"


def evaluated(tables: Tables, definition: Definition, lives: Lives, prefix: str = "") -> Evaluated:
    """Add the steps of a definition's formula.

    Parameters
    ----------
    tables
        The steps that read the tables.
    definition
        Whose formula.
    lives
        The lives.
    prefix
        Before the names of the steps.
    """
    parts = tuple(
        CriterionSteps(tables, tasks_of([leaf])[0], lives.begun, prefix).write()
        if isinstance(leaf, Criterion)
        else _milestone(tables, definition, leaf, lives, prefix)
        for leaf in leaves(definition.qualify)
    )
    if isinstance(definition.qualify, Criterion | Ref):
        return Evaluated(spells=parts[0].spells, parts=parts)
    return Evaluated(spells=_Formula(tables.steps, definition, parts, lives.begun, prefix).write(), parts=parts)


class _Formula:
    """Writes the steps of a formula over the spells of its parts."""

    def __init__(
        self, steps: Steps, definition: Definition, parts: Sequence[Measured], lives: str, prefix: str
    ) -> None:
        self._steps, self._definition, self._parts, self._lives = steps, definition, parts, lives
        self._names = [f"is_{leaf.id}" for leaf in leaves(definition.qualify)]
        self._prefix = prefix
        self._judged: list[int] = []

    def write(self) -> str:
        says = phrase(self._definition.qualify)
        test = self._points() if self._by_points else self._test(self._definition.qualify, iter(self._names))
        changes = self._steps.add(
            f"{self._prefix}changes", f"When a part of the formula begins and ends to hold: {says}", self._changes()
        )
        sums = ", ".join(f"SUM(SUM(c.{name})) {_RUNNING} AS {name}" for name in self._names)
        running = self._steps.plan(
            f"SELECT c.entity_id, c.at_us, {sums} FROM _changes AS c GROUP BY c.entity_id, c.at_us", changes=changes
        )
        states = exp.select(column(ENTITY, "v"), column("at_us", "v"), exp.alias_(truth(test), "held"))
        states = states.from_(running.subquery("v"))
        if self._judged:
            states = states.join(table(self._lives, "l"), on="l.entity_id = v.entity_id")
        name = self._steps.add(f"{self._prefix}states", "Whether the whole formula holds after each change", states)
        return spells(
            self._steps, name, self._lives, f"{self._prefix}formula", "From when to when the whole formula holds"
        )

    @property
    def _by_points(self) -> bool:
        score = self._definition.score
        return score is not None and score.pql_at is not None

    def _changes(self) -> exp.Query:
        queries: list[exp.Query] = []
        for place, part in enumerate(self._parts):
            marks = ", ".join(f"{int(i == place)} AS {name}" for i, name in enumerate(self._names))
            ends = ", ".join(f"{-int(i == place)} AS {name}" for i, name in enumerate(self._names))
            queries.append(
                self._steps.plan(f"SELECT s.entity_id, s.on_us AS at_us, {marks} FROM _spells AS s", spells=part.spells)
            )
            queries.append(
                self._steps.plan(
                    f"SELECT s.entity_id, s.off_us AS at_us, {ends} FROM _spells AS s WHERE NOT s.off_us IS NULL",
                    spells=part.spells,
                )
            )
        nothing = ", ".join(f"0 AS {name}" for name in self._names)
        queries += [
            self._steps.plan(
                f"SELECT l.entity_id, l.anchor_us + _wait AS at_us, {nothing} FROM _lives AS l",
                wait=sql.whole(wait),
                lives=self._lives,
            )
            for wait in sorted(set(self._judged))
        ]
        return exp.union(*queries, distinct=False, copy=False) if len(queries) > 1 else queries[0]

    def _test(self, node: Node, names: Iterator[str]) -> exp.Expr:
        match node:
            case Criterion() | Ref():
                return exp.EQ(this=column(next(names), "v"), expression=sql.whole(1))
            case All(parts=parts):
                return both([self._test(part, names) for part in parts])
            case Any(parts=parts):
                return either([self._test(part, names) for part in parts])
            case NOf(n=n, parts=parts):
                counted = added([truth(self._test(part, names)) for part in parts])
                return exp.GTE(this=counted, expression=sql.whole(n))
            case Not(part=part):
                wait = _end_of(part)
                inner = exp.Not(this=exp.paren(self._test(part, names)))
                self._judged.append(wait)
                begun = self._steps.expression("v.at_us >= l.anchor_us + _wait", wait=sql.whole(wait))
                return both([begun, inner])

    def _points(self) -> exp.Expr:
        score = self._definition.score or Score(points={})
        points = [Fraction(str(score.points.get(leaf.id, 0))) for leaf in leaves(self._definition.qualify)]
        enough = Fraction(str(score.pql_at))
        unit = lcm(enough.denominator, *(point.denominator for point in points))
        weighted = [
            exp.Mul(this=column(name, "v"), expression=sql.whole(int(point * unit)))
            for name, point in zip(self._names, points, strict=True)
        ]
        return exp.GTE(this=added(weighted), expression=sql.whole(int(enough * unit)))


def _end_of(node: Node) -> int:
    """Give how long after the anchor the latest window of a part ends."""
    lengths = [leaf.window.length if isinstance(leaf, Criterion) else None for leaf in leaves(node)]
    ends = [length.microseconds for length in lengths if length is not None]
    if len(ends) < len(lengths):
        raise DefinitionError("`not` needs parts whose windows end (within or trailing)")
    return max(ends)


def _milestone(tables: Tables, definition: Definition, ref: Ref, lives: Lives, prefix: str) -> Measured:
    """Add the steps of a milestone: of the same entities, or of an account's users."""
    own = f"{prefix}{ref.id}_"
    if counts_users(definition, ref):
        return _counted_users(tables, ref, lives, own)
    target = ref.target
    again = target.anchor != definition.anchor or target.eligible
    inner = lives
    if again:
        inner = tables.lives(lives.entities, target.anchor, lives.conversions, target.eligible, own)
    whole = evaluated(tables, target, inner, own)
    source = tables.steps.plan("SELECT s.* FROM _spells AS s", spells=whole.spells)
    name = tables.steps.add(
        f"{own}spells",
        f"{ref.id}: from when to when the milestone is met",
        within_lives(tables.steps, source, lives.begun),
    )
    return Measured(spells=name, inner=Distances(tables, target, whole).inner(inner.everybody, own))


def _counted_users(tables: Tables, ref: Ref, lives: Lives, prefix: str) -> Measured:
    """Count an account's users who have met a milestone; it is met from the moment at which enough of them have."""
    steps, target = tables.steps, ref.target
    if target.eligible:
        raise uncovered(f"criterion {ref.id}", f"eligibility of the milestone {visible(ref.name)}")
    users, listed, conversions = tables.of_members(lives, prefix)
    theirs = users.lives(listed, target.anchor, conversions, prefix=prefix)
    whole = evaluated(users, target, theirs, prefix)
    firsts = steps.plan(
        "SELECT u.account_id AS entity_id, MIN(s.on_us) AS on_us FROM _spells AS s JOIN _users AS u ON u.entity_id = s.entity_id"
        " GROUP BY u.account_id, u.entity_id",
        spells=whole.spells,
        users=listed,
    )
    who = steps.add(f"{prefix}firsts", f"{ref.id}: when each user met it first", firsts)
    ranked = steps.plan(
        "SELECT f.entity_id, f.on_us, ROW_NUMBER() OVER (PARTITION BY f.entity_id ORDER BY f.on_us) AS place FROM _firsts AS f",
        firsts=who,
    )
    enough = steps.plan(
        "SELECT r.entity_id, r.on_us, CAST(NULL AS BIGINT) AS off_us FROM _ranked AS r WHERE r.place = _least",
        least=sql.whole(ref.users_at_least or 1),
    )
    enough.args["from_"].set("this", ranked.subquery("r"))
    spells_of = steps.add(
        f"{prefix}spells", f"{ref.id}: reached for good, with enough users", within_lives(steps, enough, lives.begun)
    )
    counted = steps.plan("SELECT f.entity_id, COUNT(*) AS value FROM _firsts AS f GROUP BY f.entity_id", firsts=who)
    return Measured(
        spells=spells_of, values=steps.add(f"{prefix}values", f"{ref.id}: how many users have met it", counted)
    )
