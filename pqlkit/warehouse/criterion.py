"""The criterion: its level at every change, and hence its spells and its value, as steps of the query.

An event adds to the level when it arrives and, where the window moves, takes away when it leaves; a thing that is told apart (a date, a
user, a value) leaves when its newest event does. It is the walk of `pqlkit.measures.sweep`, one criterion at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from sqlglot import exp

from pqlkit.columns import EVENT, USER_ID
from pqlkit.definitions.model import LARGEST_VALUE, SCALE, MeasureKind, WindowKind
from pqlkit.definitions.phrases import phrase
from pqlkit.measures.limits import NEVER
from pqlkit.options.warehouse import ColumnType
from pqlkit.warehouse import dialect as sql
from pqlkit.warehouse.clocks import ENTITY
from pqlkit.warehouse.predicates import both, number, passing, truth
from pqlkit.warehouse.steps import column, table

if TYPE_CHECKING:
    from pqlkit.measures.limits import Need
    from pqlkit.measures.tasks import Task
    from pqlkit.warehouse.clocks import Tables
    from pqlkit.warehouse.steps import Steps

_RUNNING: Final = "OVER (PARTITION BY entity_id ORDER BY at_us ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
_MOVING: Final = frozenset({WindowKind.ROLLING, WindowKind.TRAILING})
_SIDES: Final = ("low", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The steps of one criterion.

    Parameters
    ----------
    spells
        ``entity_id``, ``on_us``, ``off_us`` (null = still on at the end of the life): within the life, one after the other.
    values
        ``entity_id``, ``value`` (a whole number of things, or of millionths): who has events. None = there is nothing to measure.
    limits
        ``entity_id``, ``limit_value``: what the newest event says of the limit that the bound is a share of; None = the bound is no such.
    inner
        Of a milestone of its own: the step that says how far each has come, ``is_possible`` and ``way``.
    """

    spells: str
    values: str | None = None
    limits: str | None = None
    inner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The steps of one formula.

    Parameters
    ----------
    spells
        Of the whole.
    parts
        Of each leaf, in the order of ``leaves(qualify)``.
    """

    spells: str
    parts: tuple[Measured, ...]


class CriterionSteps:
    """Writes the steps of one criterion.

    Parameters
    ----------
    tables
        The steps that read the tables.
    task
        The criterion made ready.
    lives
        The step of the lives: ``entity_id``, ``anchor_us``, ``end_us`` and traits.
    prefix
        Before the names of its steps.
    """

    def __init__(self, tables: Tables, task: Task, lives: str, prefix: str = "") -> None:
        self._tables, self._task, self._lives = tables, task, lives
        self._steps: Steps = tables.steps
        self._dialect = tables.dialect
        self._name = f"{prefix}{task.criterion.id}"
        self._id = task.criterion.id
        self._says = phrase(task.criterion)
        self._place = f"criterion {task.criterion.id}"
        self._reached = ""

    def write(self) -> Measured:
        """Add the steps."""
        events = self._events()
        if self._task.judged_at_end:
            spells = self._at_end(events)
        elif self._task.newest_alone:
            spells = self._while_held(self._newest(events))
        elif self._task.lasting:
            spells = self._lasting(events)
        else:
            spells = self._while_held(self._levels(events))
        return Measured(spells=spells, values=self._values(events), limits=self._limits())

    # ------------------------------------------------------------ events

    def _events(self) -> str:
        """Add the step of the events that the criterion sees."""
        value = self._value()
        columns: list[exp.Expr] = [column(ENTITY, "e"), column("at_us", "e")]
        tests = [*self._seen(), *self._inside()]
        if value is not None:
            columns.append(exp.alias_(value, "value"))
        if value is not None and self._task.measure is not MeasureKind.DAYS:
            tests.append(exp.Not(this=exp.Is(this=value.copy(), expression=exp.null())))
        columns += [
            exp.alias_(self._limit(need), f"{side}_limit")
            for side, need in self._needs()
            if need.property is not None or (need.trait is not None and self._task.by_event)
        ]
        query = exp.select(*columns).from_(table(self._tables.owned, "e"))
        query = query.join(table(self._lives, "l"), on="l.entity_id = e.entity_id")
        return self._steps.add(f"{self._name}_events", f"Criterion {self._id}: {self._says}", passing(query, tests))

    def _seen(self) -> list[exp.Expr]:
        """Say which events count, whenever they happened."""
        criterion = self._task.criterion
        tests = list(self._tables.where(criterion.where, self._place))
        if criterion.events is not None:
            names = [sql.text(name) for name in sorted(set(criterion.events))]
            event = column(EVENT, "e")
            alone = len(names) == 1
            tests.insert(0, exp.EQ(this=event, expression=names[0]) if alone else exp.In(this=event, expressions=names))
        tests.append(self._steps.expression("e.at_us <= l.end_us"))
        return tests

    def _inside(self) -> list[exp.Expr]:
        if self._task.window is not WindowKind.WITHIN:
            return []
        end = self._steps.expression("e.at_us < l.anchor_us + _length", length=self._length())
        return [self._steps.expression("e.at_us >= l.anchor_us"), end]

    def _length(self) -> exp.Expr:
        length = sql.whole(self._task.length)
        length.add_comments([str(self._task.criterion.window.length)])
        return length

    def _value(self) -> exp.Expr | None:
        """Give what of an event is added up, told apart or compared; None where it is only counted."""
        match self._task.measure:
            case MeasureKind.COUNT:
                return None
            case MeasureKind.DAYS:
                return sql.date(self._dialect, column("at_us", "e"), self._tables.extent.zone)
            case MeasureKind.USERS:
                return column(USER_ID, "e")
            case MeasureKind.DISTINCT_EVENTS:
                return column(EVENT, "e")
            case MeasureKind.DISTINCT:
                return self._thing()
            case MeasureKind.SUM | MeasureKind.MAX | MeasureKind.LAST:
                return self._millionths(self._task.criterion.measure.property or "")
            case _:
                assert_never(self._task.measure)

    def _thing(self) -> exp.Expr:
        name = self._task.criterion.measure.property or ""
        if self._tables.naming.types.get(name) is not ColumnType.NUMBER:
            return self._tables.properties.column(name)
        # One zero, whatever its sign.
        return self._steps.expression("_number + 0", number=self._tables.properties.number(name))

    def _millionths(self, name: str) -> exp.Expr:
        """Read a property as whole millionths, floor(x * 10^6 + 1/2)."""
        return _scaled(self._steps, self._tables.properties.number(name))

    def _needs(self) -> list[tuple[str, Need]]:
        sides = zip(_SIDES, (self._task.low, self._task.high), strict=True)
        return [(side, need) for side, need in sides if need is not None]

    def _limit(self, need: Need) -> exp.Expr:
        """Give the limit that a bound is a share of, in millionths; null where it is not known."""
        if need.property is not None:
            limit = self._millionths(need.property)
        else:
            name = need.trait or ""
            kind = self._tables.trait_type(name)
            limit = _scaled(self._steps, number(self._dialect, self._tables.trait(name, "l"), kind))
        return exp.case().when(exp.GT(this=limit, expression=sql.whole(0)), limit.copy())

    # ------------------------------------------------------------ bounds

    def _within_bounds(self, level: exp.Expr) -> exp.Expr:
        """Say whether a level meets the bounds; unknown where a limit is."""
        tests = [self._meets(need, side, level.copy()) for side, need in self._needs()]
        return both(tests)

    def _meets(self, need: Need, side: str, level: exp.Expr) -> exp.Expr:
        compared = exp.LTE if need.upper else exp.GTE
        unit = self._unit
        if need.constant is not None:
            if abs(need.constant) == NEVER:
                return exp.false()
            bound = need.constant // unit if need.upper else -(-need.constant // unit)
            return compared(this=level, expression=sql.whole(bound))
        # value x 100 >= percent x limit, in whole numbers that hold the product.
        wide = [sql.decimal(self._dialect, part) for part in (level, column(f"{side}_limit"))]
        left = exp.Mul(this=wide[0], expression=sql.whole(unit * SCALE))
        return compared(this=left, expression=exp.Mul(this=wide[1], expression=sql.whole(need.percent)))

    @property
    def _unit(self) -> int:
        """How many millionths one step of what is compared stands for."""
        return 1 if self._task.measure.scaled else SCALE

    # ------------------------------------------------------------ levels

    def _steps_of(self, events: str) -> exp.Query:
        """Say what each event does to the level when it arrives and when it leaves."""
        return self._told_apart(events) if self._task.measure.facts.tells_apart else self._added(events)

    @property
    def _told(self) -> tuple[str, ...]:
        """What the bounds ask for besides the level: how many events there are, and whether one has just come."""
        if self._task.by_property:
            return ("present", "fresh")
        return ("fresh",) if self._task.lasting and self._task.window in _MOVING else ()

    def _kept(self) -> list[str]:
        return [f"{side}_limit" for side, need in self._needs() if need.property is not None]

    def _pulses(self, source: exp.Query | str, step: exp.Expr, gone: exp.Expr, bad: exp.Expr | None) -> exp.Query:
        def pulse(at: str, change: exp.Expr, sign: int) -> exp.Select:
            query = exp.select(column(ENTITY, "e"), self._steps.expression(at), exp.alias_(change, "step"))
            if bad is not None:
                wrong = bad if sign > 0 else exp.Neg(this=exp.paren(bad))
                query = query.select(exp.alias_(wrong.copy(), "bad"))
            told = {"present": sign, "fresh": int(sign > 0)}
            query = query.select(*(exp.alias_(sql.whole(told[name]), name) for name in self._told))
            query = query.select(
                *(
                    exp.alias_(column(name, "e") if sign > 0 else exp.cast(exp.null(), "bigint"), name)
                    for name in self._kept()
                )
            )
            inner = table(source) if isinstance(source, str) else source.subquery()
            return query.from_(exp.alias_(inner, "e", table=True))

        arrivals = pulse("e.at_us", step, 1)
        if self._task.window not in _MOVING:
            return arrivals
        at = self._steps.expression("e.at_us + _length AS at_us", length=self._length())
        leaving = pulse("e.at_us", gone, -1)
        leaving.selects[1].replace(at)
        return exp.union(arrivals, leaving, distinct=False, copy=False)

    def _added(self, events: str) -> exp.Query:
        if self._task.by_event:
            step, bad = self._each_event()
        else:
            step, bad = (sql.whole(1) if self._task.measure is MeasureKind.COUNT else column("value", "e")), None
        return self._pulses(
            events, step, exp.Neg(this=exp.paren(step) if isinstance(step, exp.Case) else step.copy()), bad
        )

    def _each_event(self) -> tuple[exp.Expr, exp.Expr | None]:
        """Say of an event by itself whether it reaches the lower bound, and whether it lies above the upper one."""
        sides = dict(self._needs())
        level = column("value", "e")
        step = truth(self._meets(sides["low"], "low", level)) if "low" in sides else sql.whole(1)
        if "high" not in sides:
            return step, None
        inside = self._meets(sides["high"], "high", level.copy())
        return step, exp.case().when(inside, sql.whole(0)).else_(sql.whole(1))

    def _told_apart(self, events: str) -> exp.Query:
        moving = self._task.window in _MOVING
        tops = "".join(f", MAX(e.{name}) AS {name}" for name in self._kept())
        again = (
            ", LEAD(e.at_us) OVER (PARTITION BY e.entity_id, e.value ORDER BY e.at_us) AS again_us" if moving else ""
        )
        things = self._steps.plan(
            "SELECT e.entity_id, e.value, e.at_us, LAG(e.at_us) OVER (PARTITION BY e.entity_id, e.value ORDER BY e.at_us) AS before_us"
            f"{again}{tops} FROM _events AS e GROUP BY e.entity_id, e.value, e.at_us",
            events=events,
        )
        name = self._steps.add(f"{self._name}_things", f"{self._id}: when each thing was seen, and when before", things)
        if not moving:
            step = self._steps.expression("CASE WHEN e.before_us IS NULL THEN 1 ELSE 0 END")
            return self._pulses(name, step, step, None)
        length = self._length()
        step = self._steps.expression(
            "CASE WHEN e.before_us IS NULL OR e.before_us + _length <= e.at_us THEN 1 ELSE 0 END", length=length
        )
        gone = self._steps.expression("CASE WHEN e.again_us < e.at_us + _length THEN 0 ELSE -1 END", length=length)
        return self._pulses(name, step, gone, None)

    def _levels(self, events: str) -> str:
        """Add the step of the level at every change: ``entity_id``, ``at_us``, ``level``, and what the bounds ask for besides."""
        if self._task.window not in _MOVING and not self._task.by_property:
            return self._added_up(events)
        changes: exp.Query = self._steps_of(events)
        if (wait := self._task.wait) is not None:
            changes = exp.union(changes, self._first_states(wait), distinct=False, copy=False)
        name = self._steps.add(f"{self._name}_changes", f"{self._id}: what changes the level, and when", changes)
        sums = [f"SUM(SUM(c.step)) {_RUNNING} AS level"]
        if self._task.by_event and self._task.high is not None:
            sums.append(f"SUM(SUM(c.bad)) {_RUNNING} AS bad")
        if "present" in self._told:
            sums.append(f"SUM(SUM(c.present)) {_RUNNING} AS present")
        sums += [f"MAX(c.{kept}) AS {kept}" for kept in self._kept()]
        if "fresh" in self._told:
            sums.append("MAX(c.fresh) AS fresh")
        query = self._steps.plan(
            f"SELECT c.entity_id, c.at_us, {', '.join(sums)} FROM _changes AS c GROUP BY c.entity_id, c.at_us",
            changes=name,
        )
        levels = self._level_step(query)
        if self._task.by_property and not self._task.by_event:
            levels = self._in_force(levels)
        return levels

    def _level_step(self, query: exp.Select) -> str:
        self._reached = self._steps.add(f"{self._name}_levels", f"{self._id}: the level after each change", query)
        return self._reached

    def _added_up(self, events: str) -> str:
        """Add the step of the levels where nothing ever leaves: events are added up, things that are told apart when they come first."""
        if self._task.measure.facts.tells_apart:
            firsts = self._steps.plan(
                "SELECT e.entity_id, e.value, MIN(e.at_us) AS at_us FROM _events AS e GROUP BY e.entity_id, e.value",
                events=events,
            )
            events = self._steps.add(f"{self._name}_firsts", f"{self._id}: when each thing came first", firsts)
        each = "SUM(e.value)" if self._task.measure is MeasureKind.SUM else "COUNT(*)"
        query = self._steps.plan(
            f"SELECT e.entity_id, e.at_us, SUM({each}) {_RUNNING} AS level FROM _events AS e GROUP BY e.entity_id, e.at_us",
            events=events,
        )
        return self._level_step(query)

    def _in_force(self, levels: str) -> str:
        """Give every level the limit of the newest event; a change without an event leaves it as it was."""
        turns = self._steps.plan(f"SELECT v.*, SUM(v.fresh) {_RUNNING} AS turn FROM _levels AS v", levels=levels)
        kept = self._kept()
        others = ["entity_id", "at_us", "level", "present", "fresh"]
        query = exp.select(
            *(column(name, "v") for name in others),
            *(
                self._steps.expression(f"MAX(v.{name}) OVER (PARTITION BY v.entity_id, v.turn) AS {name}")
                for name in kept
            ),
        ).from_(turns.subquery("v"))
        return self._steps.add(f"{self._name}_in_force", f"{self._id}: the limit of the newest event", query)

    def _first_states(self, wait: int) -> exp.Select:
        query = self._steps.plan(
            "SELECT l.entity_id, l.anchor_us + _wait AS at_us, 0 AS step FROM _lives AS l",
            wait=sql.whole(wait),
            lives=self._lives,
        )
        extra = ["bad"] if self._task.by_event and self._task.high is not None else []
        query = query.select(*(exp.alias_(sql.whole(0), name) for name in (*extra, *self._told)))
        return query.select(*(exp.alias_(exp.cast(exp.null(), "bigint"), name) for name in self._kept()))

    def _newest(self, events: str) -> str:
        """Add the step of the value and the limits at every instant that has an event: of several values the largest."""
        kept = [f"{side}_limit" for side, need in self._needs() if need.property is not None]
        if not kept:
            query = self._steps.plan(
                "SELECT e.entity_id, e.at_us, MAX(e.value) AS level FROM _events AS e GROUP BY e.entity_id, e.at_us",
                events=events,
            )
        else:
            tops = ", ".join(f"MAX(e.{name}) AS {name}" for name in kept)
            query = self._steps.plan(
                f"SELECT e.entity_id, e.at_us, e.value AS level, {tops} FROM"
                " (SELECT e.*, MAX(e.value) OVER (PARTITION BY e.entity_id, e.at_us) AS largest FROM _events AS e) AS e"
                " WHERE e.value = e.largest GROUP BY e.entity_id, e.at_us, e.value",
                events=events,
            )
        return self._steps.add(f"{self._name}_levels", f"{self._id}: the value after each change", query)

    # ------------------------------------------------------------ states and spells

    def _holds(self) -> exp.Expr:
        """Say whether a row of the levels meets the bounds."""
        task = self._task
        if task.by_event:
            test: exp.Expr = self._steps.expression("v.level > 0")
            return test if task.high is None else both([test, self._steps.expression("v.bad = 0")])
        test = self._within_bounds(column("level", "v"))
        for side in test.find_all(exp.Column):
            if side.name.endswith("_limit"):
                trait = dict(self._needs())[side.name.removesuffix("_limit")].trait is not None
                side.replace(column(side.name, "l" if trait else "v"))
        if task.by_property and not task.newest_alone:
            return both([test, self._steps.expression("v.present > 0")])
        return test

    def _from_levels(self, levels: str) -> exp.Select:
        """Begin a query over the levels, with the lives and what they say of limits."""
        lives: exp.Expr = table(self._lives)
        traits = [(side, need) for side, need in self._needs() if need.trait is not None]
        if traits:
            lives = (
                exp.select("l.*", *(exp.alias_(self._limit(need), f"{side}_limit") for side, need in traits))
                .from_(exp.alias_(lives, "l", table=True))
                .subquery()
            )
        query = exp.select(column(ENTITY, "v")).from_(table(levels, "v"))
        return query.join(exp.alias_(lives, "l", table=True), on="l.entity_id = v.entity_id")

    def _lasting(self, events: str) -> str:
        if self._task.by_event:
            query = self._steps.plan("SELECT e.entity_id, MIN(e.at_us) AS on_us FROM _events AS e", events=events)
            first = query.where(self._each_need()).group_by(column(ENTITY, "e"))
        else:
            first = self._from_levels(self._levels(events)).select("MIN(v.at_us) AS on_us")
            if "fresh" in self._told:
                first = first.where("v.fresh > 0")
            first = first.where(self._holds()).group_by(column(ENTITY, "v"))
        query = self._steps.plan(
            "SELECT s.entity_id, CASE WHEN s.on_us < l.anchor_us THEN l.anchor_us ELSE s.on_us END AS on_us, CAST(NULL AS BIGINT) AS off_us"
            " FROM _first JOIN _lives AS l ON l.entity_id = s.entity_id WHERE s.on_us <= l.end_us AND l.anchor_us <= l.end_us",
            lives=self._lives,
        )
        query.args["from_"].set("this", first.subquery("s"))
        return self._steps.add(f"{self._name}_spells", f"{self._id}: reached for good", query)

    def _each_need(self) -> exp.Expr:
        return self._meets(dict(self._needs())["low"], "low", column("value", "e"))

    def _while_held(self, levels: str) -> str:
        held = truth(self._after_wait(self._holds()))
        states = self._from_levels(levels).select(column("at_us", "v"), exp.alias_(held, "held"))
        name = self._steps.add(f"{self._name}_states", f"{self._id}: whether it holds after each change", states)
        return spells(self._tables.steps, name, self._lives, self._name, f"{self._id}: from when to when")

    def _after_wait(self, test: exp.Expr) -> exp.Expr:
        wait = self._task.wait
        if wait is None:
            return test
        begun = self._steps.expression("v.at_us >= l.anchor_us + _wait", wait=sql.whole(wait))
        return both([test, begun])

    def _at_end(self, events: str) -> str:
        """Judge what the window ends with."""
        totals = self._totals(events)
        levels = self._steps.add(f"{self._name}_totals", f"{self._id}: what the window ends with", totals)
        query = self._from_levels(levels)
        query = query.select(self._steps.expression("l.anchor_us + _length AS on_us", length=self._length()))
        query = query.select("CAST(NULL AS BIGINT) AS off_us").where(self._holds())
        ended = self._steps.expression("l.anchor_us + _length <= l.end_us", length=self._length())
        return self._steps.add(f"{self._name}_spells", f"{self._id}: judged when the window ends", query.where(ended))

    def _totals(self, events: str) -> exp.Select:
        """Sum up the window of everybody: ``level``, ``bad``, ``present`` and the limits of the newest event."""
        joined = exp.select(column(ENTITY, "l")).from_(table(self._lives, "l"))
        source: exp.Expr = table(events)
        if self._kept() and not self._task.by_event:
            newest = self._steps.plan(
                "SELECT e.*, MAX(e.at_us) OVER (PARTITION BY e.entity_id) AS newest_us FROM _events AS e", events=events
            )
            source = newest.subquery()
        joined = joined.join(exp.alias_(source, "e", table=True), on="e.entity_id = l.entity_id", join_type="left")
        if self._task.by_event:
            step, bad = self._each_event()
            sums = [_summed(step, "level", present=True)]
            sums += [] if bad is None else [_summed(bad, "bad", present=True)]
        elif self._task.measure.facts.tells_apart:
            sums = [self._steps.expression("COUNT(DISTINCT e.value) AS level")]
        elif self._task.measure is MeasureKind.COUNT:
            sums = [self._steps.expression("COUNT(e.at_us) AS level")]
        else:
            sums = [self._steps.expression("COALESCE(SUM(e.value), 0) AS level")]
        sums.append(self._steps.expression("COUNT(e.at_us) AS present"))
        if not self._task.by_event:
            sums += [
                self._steps.expression(f"MAX(CASE WHEN e.at_us = e.newest_us THEN e.{name} END) AS {name}")
                for name in self._kept()
            ]
        return joined.select(*sums).group_by(column(ENTITY, "l"))

    # ------------------------------------------------------------ values

    def _values(self, events: str) -> str:
        """Add the step of how much there was: the highest reached of what lasts, else what there is at the end of the life."""
        query, highest = self._amount(events)
        says = "the highest reached" if highest else "how much there is"
        return self._steps.add(f"{self._name}_values", f"{self._id}: {says}", query)

    def _amount(self, events: str) -> tuple[exp.Select, bool]:
        task = self._task
        moves = task.window is WindowKind.ROLLING and not task.by_event
        if task.lasting and (moves or task.measure is MeasureKind.SUM):
            query = self._steps.plan(
                "SELECT v.entity_id, MAX(CASE WHEN v.level > 0 THEN v.level ELSE 0 END) AS value FROM _levels AS v",
                levels=self._reached,
            ).group_by(column(ENTITY, "v"))
            return (query.where("v.fresh > 0") if "fresh" in self._told else query), True
        if task.newest_alone:
            query = self._steps.plan(
                "SELECT e.entity_id, MAX(e.value) AS value FROM (SELECT e.*, MAX(e.at_us) OVER (PARTITION BY e.entity_id) AS newest_us"
                " FROM _events AS e) AS e WHERE e.at_us = e.newest_us GROUP BY e.entity_id",
                events=events,
            )
            return query, False
        query = self._steps.plan(f"SELECT e.entity_id, {self._total()} AS value FROM _events AS e", events=events)
        if task.window is WindowKind.TRAILING:
            query = query.join(table(self._lives, "l"), on="l.entity_id = e.entity_id")
            query = query.where(self._steps.expression("e.at_us + _length > l.end_us", length=self._length()))
        return query.group_by(column(ENTITY, "e")), False

    def _total(self) -> str:
        match self._task.measure:
            case MeasureKind.COUNT:
                return "COUNT(*)"
            case MeasureKind.DAYS | MeasureKind.USERS | MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS:
                return "COUNT(DISTINCT e.value)"
            case MeasureKind.SUM:
                return "SUM(e.value)"
            case MeasureKind.MAX | MeasureKind.LAST:
                return "MAX(e.value)"
            case _:
                assert_never(self._task.measure)

    def _limits(self) -> str | None:
        """Add the step of the newest limit on the criterion's events, whatever their window."""
        name = next((need.property for _, need in self._needs() if need.property is not None), None)
        if name is None:
            return None
        value = self._millionths(name)
        query = exp.select(column(ENTITY, "e"), column("at_us", "e"), exp.alias_(value, "limit_value"))
        query = query.from_(table(self._tables.owned, "e"))
        query = query.join(table(self._lives, "l"), on="l.entity_id = e.entity_id")
        query = passing(query, [*self._seen(), exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))])
        newest = self._steps.plan(
            "SELECT e.entity_id, MAX(e.limit_value) AS limit_value FROM (SELECT e.*, MAX(e.at_us) OVER (PARTITION BY e.entity_id) AS newest_us"
            " FROM _events AS e) AS e WHERE e.at_us = e.newest_us GROUP BY e.entity_id",
            events=self._steps.add(f"{self._name}_limits", f"{self._id}: the limits on its events", query),
        )
        return self._steps.add(f"{self._name}_limit", f"{self._id}: the newest limit", newest)


def spells(steps: Steps, states: str, lives: str, name: str, says: str) -> str:
    """Add the step of the spells of states: ``entity_id``, ``at_us``, ``held`` (1 or 0) become ``entity_id``, ``on_us``, ``off_us``.

    Parameters
    ----------
    steps
        Where it is added.
    states, lives
        The steps of the states at every change, and of the lives that the spells are kept within.
    name, says
        Of the step: it is called ``<name>_spells``.
    """
    turns = steps.plan(
        "SELECT t.entity_id, t.at_us, t.held, LAG(t.held) OVER (PARTITION BY t.entity_id ORDER BY t.at_us) AS held_before FROM _states AS t",
        states=states,
    )
    changed = steps.plan(
        "SELECT t.entity_id, t.held, t.at_us AS on_us, LEAD(t.at_us) OVER (PARTITION BY t.entity_id ORDER BY t.at_us) AS off_us FROM _turns AS t"
        " WHERE t.held <> COALESCE(t.held_before, 0)",
        turns=steps.add(f"{name}_turns", f"{says}: what held before each change", turns),
    )
    inside = within_lives(steps, changed, lives).where("s.held = 1")
    return steps.add(f"{name}_spells", says, inside)


def within_lives(steps: Steps, source: exp.Select, lives: str) -> exp.Select:
    """Keep spells within lives: they begin at the anchor or later, and those that would begin after the end are left out."""
    query = steps.plan(
        "SELECT s.entity_id, CASE WHEN s.on_us < l.anchor_us THEN l.anchor_us ELSE s.on_us END AS on_us,"
        " CASE WHEN s.off_us <= l.end_us THEN s.off_us END AS off_us FROM _source JOIN _lives AS l ON l.entity_id = s.entity_id"
        " WHERE s.on_us <= l.end_us AND l.anchor_us <= l.end_us AND (s.off_us IS NULL OR s.off_us > l.anchor_us)",
        lives=lives,
    )
    query.args["from_"].set("this", source.subquery("s"))
    return query


def _scaled(steps: Steps, value: exp.Expr) -> exp.Expr:
    return steps.expression(
        "CASE WHEN _value > _most THEN _largest WHEN _value < -_most THEN -_largest"
        f" ELSE CAST(FLOOR(_value * {SCALE} + 0.5) AS BIGINT) END",
        value=value,
        most=sql.whole(LARGEST_VALUE),
        largest=sql.whole(LARGEST_VALUE * SCALE),
    )


def _summed(value: exp.Expr, name: str, *, present: bool) -> exp.Expr:
    test = exp.Is(this=column("at_us", "e"), expression=exp.null())
    own = exp.case().when(test, sql.whole(0)).else_(value) if present else value
    return exp.alias_(exp.Sum(this=own), name)
