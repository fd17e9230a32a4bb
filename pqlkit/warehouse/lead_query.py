"""The query: a definition as one statement that lists the leads, with the columns and the meaning of `pqlkit score`."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from pqlkit.columns import CONVERTED_AT, TIMESTAMP
from pqlkit.definitions.describing import describe
from pqlkit.definitions.emitting import definition_hash
from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref, leaves
from pqlkit.definitions.phrases import phrase
from pqlkit.durations import DAY, Duration
from pqlkit.errors import UsageError
from pqlkit.exports.tables import HISTORY
from pqlkit.inert import visible
from pqlkit.measures.tasks import tasks_of
from pqlkit.population.as_of import read_moment
from pqlkit.population.outcome import merged_outcome
from pqlkit.population.population import named_definition
from pqlkit.population.traits import TraitKind, required_traits, trait_kinds
from pqlkit.warehouse import dialect as sql
from pqlkit.warehouse.clocks import Extent, Tables
from pqlkit.warehouse.distances import TINY, Distances
from pqlkit.warehouse.formula_spells import evaluated
from pqlkit.warehouse.naming import TABLES, Naming
from pqlkit.warehouse.predicates import both, either, passing, truth, uncovered
from pqlkit.warehouse.sentences import Sentences, unwrapped
from pqlkit.warehouse.steps import Steps, column, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Condition, Definition, Node, Outcome
    from pqlkit.exports.project import Project
    from pqlkit.options.warehouse import SqlOptions


FRESHNESS: Final = 30 * DAY
"""Over which the newest start's points fade where the definition does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadQuery:
    """A definition as SQL.

    Parameters
    ----------
    sql
        The statement.
    columns
        The columns of its rows, in their order, each with a sentence that says what it holds.
    tables
        The canonical tables that it reads.
    """

    sql: str
    columns: dict[str, str]
    tables: tuple[str, ...]


def lead_query(
    definition: Definition, project: Project, outcome: Outcome | None, naming: Naming, extent: Extent
) -> LeadQuery:
    """Write the query.

    Parameters
    ----------
    definition
        Who is a lead.
    project
        Which traits are fixed, and who exists at all.
    outcome
        What counts as a conversion: the definition's, filled up by the project's; None = nobody converts.
    naming
        What tables and columns are called.
    extent
        How far the data goes, and what is new.

    Raises
    ------
    DefinitionError
        Something is not covered: what, and of which criterion.
    UsageError
        A name is none.
    """
    return _Writer(definition, project, outcome, naming, extent).write()


def query_of(
    definition: Definition,
    project: Project,
    options: SqlOptions,
    *,
    naming: Naming | None = None,
    since: str = "{{since}}",
) -> LeadQuery:
    """Write the query that a command line and a project file ask for.

    Parameters
    ----------
    definition, project, options
        Whose query, and how it is asked for.
    naming
        What tables and columns are called; None = as the options say.
    since
        What stands for the moment after which a start is new, where the options do not say.

    Raises
    ------
    DefinitionError
        As `lead_query`, or the project's outcome names a definition.
    UsageError
        An option cannot be read.
    """
    outcome = merged_outcome(project, definition, lambda name: named_definition(project, name))
    before, later_than = _since(options.since, project)
    as_of = None if options.as_of is None else read_moment(options.as_of, project.timezone, option="--as-of", end=True)
    stated = next((name for name, source in project.exports.items() if source.complete_through is not None), None)
    if as_of is None and stated is not None:
        raise UsageError(
            f"{stated}.complete_through says how far the exports go, not the warehouse", hint="add --as-of DATE"
        )
    moment = since if later_than is None else later_than
    extent = Extent(zone=project.timezone, as_of=as_of, since=moment, before=before)
    return lead_query(definition, project, outcome, naming or Naming.of(options, project), extent)


def _since(written: str | None, project: Project) -> tuple[int | None, int | None]:
    """Read ``--since``: a duration before `as_of`, else a moment."""
    if written is None:
        return None, None
    try:
        return Duration.parse(written).microseconds, None
    except ValueError:
        return None, read_moment(written, project.timezone, option="--since", end=False)


class _Writer:
    """Writes the steps of the whole query."""

    def __init__(
        self, definition: Definition, project: Project, outcome: Outcome | None, naming: Naming, extent: Extent
    ) -> None:
        self._definition, self._project, self._outcome = definition, project, outcome
        self._naming, self._extent = naming, extent
        self._steps = Steps(naming.dialect)
        own = outcome.definition if outcome is not None else None
        traits = tuple(sorted({*required_traits(definition), *(required_traits(own) if own is not None else ())}))
        self._kinds = trait_kinds(traits, project)
        self._tables = Tables(
            steps=self._steps,
            naming=naming,
            extent=extent,
            kind=definition.entity,
            traits=traits,
            histories=[name for name in traits if self._kinds[name] is TraitKind.HISTORY],
            signup_event=project.signup_event,
            by_date=outcome is not None
            and outcome.event is None
            and outcome.definition is None
            and naming.is_date("conversions", CONVERTED_AT),
        )
        self._cooldown = definition.cooldown.microseconds if definition.cooldown is not None else 0

    def write(self) -> LeadQuery:
        self._refuse()
        tables = self._tables
        tables.parameters()
        tables.reserve_events()
        entities = tables.entities(self._project.population)
        tables.ownership(entities)
        lives = tables.lives(entities, self._definition.anchor, self._conversions(entities))
        whole = evaluated(tables, self._definition, lives)
        distances = Distances(tables, self._definition, whole)
        self._judged(distances.write(self._eligibility(lives.everybody)), distances)
        self._starts(whole.spells)
        tables.events()
        query, columns = self._leads(distances)
        read = self._steps.tables(query)
        histories = [f"{HISTORY}{name}" for name in tables.histories]
        named = {name: self._naming.table(name) for name in (*TABLES, *histories)}
        used = tuple(name for name, table in named.items() if (table.name, table.db, table.catalog) in read)
        return LeadQuery(sql=f"{self._head()}\n{self._steps.statement(query)}", columns=columns, tables=used)

    def _head(self) -> str:
        """Say the definition in comments, which no name of it can end: they hold no line break."""
        definition = self._definition
        first = f"{definition.title or definition.name} ({definition.name}, version {definition.version})"
        return "\n".join(f"-- {line}" for line in (*wrap(first, 100), *wrap(describe(definition), 100)))

    def _refuse(self) -> None:
        """Refuse what the query cannot say, naming it."""
        outcome = self._outcome
        if self._naming.is_date("events", TIMESTAMP):
            raise uncovered("events", "a table whose times are dates, so that windows count days,")
        if outcome is not None and (outcome.kind == "expansion" or outcome.returns_after is not None):
            raise uncovered("outcome", "an expansion, after which lives begin anew,")

    def _conversions(self, entities: str) -> str | None:
        """Add the step of the first conversions: rows, events, or the moments at which another definition is met."""
        outcome = self._outcome
        if outcome is None or outcome.definition is None:
            return None if outcome is None else self._tables.conversions(outcome, entities)
        target = outcome.definition
        if target.name == self._definition.name:
            return None
        if target.entity is not self._definition.entity:
            raise uncovered("outcome", f"{visible(target.name)}, which is about {target.entity.value}s,")
        for name in required_traits(target):
            if self._kinds[name] is TraitKind.CURRENT:
                raise uncovered(
                    "outcome", f"the trait {visible(name)}, which holds today's value,", "declare it as fixed"
                )
        lives = self._tables.lives(entities, target.anchor, None, prefix="outcome_")
        whole = evaluated(self._tables, target, lives, "outcome_")
        first = self._steps.plan(
            "SELECT s.entity_id, MIN(s.on_us) AS converted_us FROM _spells AS s JOIN _entities AS n ON n.entity_id = s.entity_id"
            " GROUP BY s.entity_id",
            spells=whole.spells,
            entities=entities,
        )
        fixed, varying = self._by_time(target.eligible)
        first, tests = self._tables.then(first, varying, self._steps.expression("s.on_us - 1"), "s")
        first = passing(first, [*self._tables.eligible(fixed), *tests])
        return self._steps.add(
            "first_conversions", f"Success is meeting {visible(target.name)}: when each did first", first
        )

    # ------------------------------------------------------------ steps after the formula

    def _judged(self, standings: str, own: Distances) -> None:
        """Add the step ``judged``: the standings, with progress, words and the last activity."""
        sentences = Sentences(self._naming.dialect, own)
        query = exp.select("s.*").from_(table(standings, "s"))
        query = query.select(
            exp.alias_(own.met, "met"),
            exp.alias_(truth(own.begun), "has_begun"),
            exp.alias_(truth(own.possible), "is_possible"),
            exp.alias_(own.progress, "way"),
            exp.alias_(self._points(own), "points"),
            column("last_active_us", "a"),
        )
        last = self._steps.plan(
            "SELECT e.entity_id, MAX(e.at_us) AS last_active_us FROM _owned AS e GROUP BY e.entity_id",
            owned=self._tables.owned,
        )
        activity = self._steps.add("activity", "When each did anything last", last)
        query = query.join(table(activity, "a"), on="a.entity_id = s.entity_id", join_type="left")
        name = self._steps.add("progress", "Who can still qualify, and how far everybody has come", query)
        words = exp.select(
            "s.*",
            exp.alias_(sentences.evidence(), "evidence"),
            exp.alias_(sentences.missing(self._definition.qualify), "lacking"),
        )
        self._steps.add("judged", "What each did, and what it lacks, in words", words.from_(table(name, "s")))

    def _points(self, own: Distances) -> exp.Expr:
        """Give what does not change with time of a score: the points, or how far above the thresholds who qualifies is."""
        return own.points if self._definition.score is not None else own.excess()

    def _score(self) -> exp.Expr:
        """Give the score of 0 to 100: the points, else the way, how far above the thresholds, and how fresh."""
        if self._definition.score is not None:
            return self._whole(self._steps.expression(f"j.points + {TINY}"))
        lead = self._definition.lead
        fresh = lead.fresh_for.microseconds if lead is not None and lead.fresh_for is not None else FRESHNESS
        count = len(list(leaves(self._definition.qualify)))
        left = self._steps.expression("20.0 * (j.newest_us + _fresh - p.as_of_us) / _fresh", fresh=sql.whole(fresh))
        return self._steps.expression(
            "CASE WHEN j.is_on = 1 THEN 50 + _above + CASE WHEN p.as_of_us - j.newest_us < _fresh THEN _left ELSE 0 END ELSE _towards END",
            above=self._whole(self._steps.expression(f"30.0 * j.points + {TINY}")),
            fresh=sql.whole(fresh),
            left=self._whole(left),
            towards=self._whole(self._steps.expression(f"50.0 * j.met / {count}")),
        )

    def _whole(self, value: exp.Expr) -> exp.Expr:
        return exp.cast(exp.Floor(this=value), "bigint", dialect=str(self._naming.dialect))

    def _band(self, score: exp.Expr) -> exp.Expr:
        """Name the highest band whose floor the score reaches."""
        bands = self._definition.score.bands if self._definition.score is not None else {}
        if not bands:
            return exp.cast(exp.null(), exp.DataType.Type.TEXT)
        chain = exp.case()
        for name, floor in sorted(bands.items(), key=lambda item: -item[1]):
            chain = chain.when(exp.GTE(this=score.copy(), expression=exp.Literal.number(repr(floor))), sql.text(name))
        return chain

    def _say(self, own: Distances) -> exp.Expr:
        """Give the rep's sentence of the first criterion that is met and has one."""
        chain = exp.case()
        told = [leaf for leaf in own.parts if leaf.say is not None]
        for leaf in told:
            held = exp.EQ(this=column(own.columns[leaf.id].is_held, "j"), expression=sql.whole(1))
            chain = chain.when(held, sql.text(leaf.say or ""))
        return chain if told else exp.cast(exp.null(), exp.DataType.Type.TEXT)

    def _eligibility(self, everybody: str) -> str:
        """Add the step that says who is eligible today, and who was as far as the past is known; give its name."""
        known, _ = self._by_time(self._definition.eligible)
        invalid = "n.deleted_us < n.anchor_us"
        if self._definition.anchor.kind == "signup":
            invalid = f"n.anchor_us IS NULL OR {invalid}"
        alive = self._steps.expression("n.deleted_us IS NULL")
        query = exp.select(
            "n.*",
            exp.alias_(truth(both([*self._tables.eligible(self._definition.eligible), alive])), "is_eligible"),
            exp.alias_(truth(both(self._tables.eligible(known))), "was_eligible"),
            exp.alias_(truth(self._steps.expression(invalid)), "is_invalid"),
        ).from_(table(everybody, "n"))
        return self._steps.add("eligibility", "Who is eligible today, and who was as far as the past is known", query)

    def _by_time(self, conditions: Sequence[Condition]) -> tuple[list[Condition], list[Condition]]:
        """Give the conditions on fixed traits, and those on traits with a history; today's values say nothing of the past."""
        kinds = self._kinds
        return (
            [item for item in conditions if kinds[item.name] is TraitKind.FIXED],
            [item for item in conditions if kinds[item.name] is TraitKind.HISTORY],
        )

    def _starts(self, spells: str) -> None:
        """Add the steps of the spells that count and of the moments of each entity."""
        counted = self._steps.plan(
            "SELECT w.entity_id, w.on_us, w.off_us, LAG(w.off_us) OVER (PARTITION BY w.entity_id ORDER BY w.on_us) AS ended_us,"
            " ROW_NUMBER() OVER (PARTITION BY w.entity_id ORDER BY w.on_us) AS place,"
            " ROW_NUMBER() OVER (PARTITION BY w.entity_id ORDER BY w.on_us DESC) AS place_from_end"
            " FROM _spells AS w JOIN eligibility AS n ON n.entity_id = w.entity_id",
            spells=spells,
        )
        _, varying = self._by_time(self._definition.eligible)
        counted, tests = self._tables.then(counted, varying, column("on_us", "w"), "w")
        was = both([self._steps.expression("n.was_eligible = 1"), *tests])
        counted = passing(counted, [either([was, self._steps.expression("n.is_eligible = 1")])])
        wait = sql.whole(self._cooldown)
        if self._definition.cooldown is not None:
            wait.add_comments([str(self._definition.cooldown)])
        says = "Spells of who is eligible today, or was when they began"
        name = self._steps.add("counted_spells", says, counted)
        starts = self._steps.plan(
            "SELECT w.*, CASE WHEN w.place = 1 OR w.on_us >= w.ended_us + _wait THEN w.on_us END AS start_us FROM _counted AS w",
            wait=wait if self._definition.outcome is not None else sql.whole(0),
            counted=name,
        )
        says = "A spell that begins within the cooldown is no new start"
        name = self._steps.add("starts", says, starts)
        moments = self._steps.plan(
            "SELECT w.entity_id, MIN(w.on_us) AS qualified_us,"
            " MAX(CASE WHEN w.place_from_end = 1 AND w.on_us - w.ended_us >= _wait THEN w.on_us END) AS requalified_us,"
            " _newest AS newest_us,"
            " MAX(CASE WHEN w.place_from_end = 1 AND w.off_us IS NULL THEN 1 ELSE 0 END) AS is_on"
            " FROM _starts AS w GROUP BY w.entity_id",
            wait=wait.copy(),
            newest=exp.Max(this=column("start_us", "w")),
            starts=self._in_turn(name),
        )
        self._steps.add("moments", "First and newest start", moments)

    def _in_turn(self, starts: str) -> str:
        """Let no start count within the conversion window of one that does; a cooldown as long as that sees to it by itself."""
        outcome = self._definition.outcome
        if outcome is None or self._cooldown >= outcome.within.microseconds or _lasts(self._definition.qualify):
            return starts
        following = self._steps.plan(
            "SELECT w.entity_id, w.start_us, MIN(x.start_us) AS next_us FROM _starts AS w JOIN _starts AS x"
            " ON x.entity_id = w.entity_id AND x.start_us > w.start_us + _window GROUP BY w.entity_id, w.start_us",
            starts=starts,
            window=self._window(outcome.within),
        )
        name = self._steps.add("next_starts", "Of each start, the first after its conversion window", following)
        first = self._steps.plan("SELECT w.entity_id, w.start_us FROM _starts AS w WHERE w.place = 1", starts=starts)
        after = self._steps.plan(
            "SELECT n.entity_id, n.next_us AS start_us FROM counted_starts AS c JOIN _next AS n"
            " ON n.entity_id = c.entity_id AND n.start_us = c.start_us",
            next=name,
        )
        says = "The first start, and each after the conversion window of the one before"
        chain = exp.union(first, after, distinct=False, copy=False)
        counted = self._steps.add_recursive("counted_starts", says, chain)
        query = self._steps.plan(
            "SELECT w.entity_id, w.on_us, w.off_us, w.ended_us, w.place_from_end, c.start_us FROM _starts AS w"
            " LEFT JOIN _counted AS c ON c.entity_id = w.entity_id AND c.start_us = w.start_us",
            starts=starts,
            counted=counted,
        )
        return self._steps.add("spells_and_starts", "The spells, with the starts that count", query)

    def _window(self, length: Duration) -> exp.Expr:
        window = sql.whole(length.microseconds)
        window.add_comments([str(length)])
        return window

    # ------------------------------------------------------------ the list

    def _status(self) -> exp.Expr:
        lead = self._definition.lead
        near = self._definition.near
        fresh = lead.fresh_for if lead is not None else None
        stale = "" if fresh is None else " WHEN m.is_on = 1 AND m.newest_us + _fresh < p.as_of_us THEN 'expired'"
        return self._steps.expression(
            "CASE WHEN NOT j.converted_us IS NULL THEN 'customer'"
            " WHEN j.is_eligible = 0 OR j.anchor_us IS NULL OR j.is_invalid = 1 THEN 'ineligible'"
            f"{stale} WHEN m.is_on = 1 THEN 'pql'"
            " WHEN NOT m.qualified_us IS NULL THEN 'lapsed'"
            f" WHEN j.has_begun = 1 AND j.way >= _share - {TINY} AND j.last_active_us > p.as_of_us - _lately THEN 'near'"
            " WHEN j.is_possible = 0 THEN 'missed'"
            " WHEN j.has_begun = 1 THEN 'started'"
            " ELSE 'inactive' END",
            fresh=sql.whole(0 if fresh is None else fresh.microseconds),
            share=exp.Literal.number(repr(near.at_least)),
            lately=sql.whole(near.active_within.microseconds),
        )

    def _leads(self, own: Distances) -> tuple[exp.Select, dict[str, str]]:
        """Write the last query."""
        told = self._columns(own)
        statuses = exp.select(
            "j.*", "m.is_on", "m.qualified_us", "m.requalified_us", "m.newest_us", exp.alias_(self._status(), "status")
        )
        statuses = statuses.from_(table("judged", "j")).join("parameters", join_alias="p", join_type="cross")
        statuses = statuses.join(table("moments", "m"), on="m.entity_id = j.entity_id", join_type="left")
        name = self._steps.add("statuses", "Where everybody stands: the first that fits", statuses)
        query = exp.select(*(exp.alias_(value, column(alias).this) for alias, (value, _) in told.items()))
        query = query.from_(table(name, "j")).join("parameters", join_alias="p", join_type="cross")
        return query, {alias: says for alias, (_, says) in told.items()}

    def _columns(self, own: Distances) -> dict[str, tuple[exp.Expr, str]]:
        definition = self._definition
        kind = definition.entity.value
        entity = column("entity_id", "j")
        texts = [
            sql.text(f"{definition.name}/{kind}/"),
            sql.as_text(self._naming.dialect, column("newest_us", "j")),
            sql.text("/"),
            sql.as_text(self._naming.dialect, entity),
        ]
        started = self._steps.expression("NOT j.newest_us IS NULL")
        fresh = definition.lead.fresh_for if definition.lead is not None else None
        instants = {
            "qualified_at": (column("qualified_us", "j"), "Start of the first spell: when it qualified."),
            "requalified_at": (
                column("requalified_us", "j"),
                "Start of the newest spell, if it began long enough after the one before.",
            ),
            "newest_start_at": (
                column("newest_us", "j"),
                "The newest start that counts; a start within the cooldown does not.",
            ),
        }
        columns: dict[str, tuple[exp.Expr, str]] = {
            f"{kind}_id": (entity, f"The {kind}."),
            "lead_id": (
                exp.case().when(started, sql.digest(self._naming.dialect, texts)),
                f"Names the lead: the {kind} and its newest start.",
            ),
            "status": (
                column("status", "j"),
                "Where it stands: pql, near, expired, lapsed, started, missed, inactive, customer or ineligible.",
            ),
            "score": (self._score(), "0 to 100: who to call first."),
            "band": (self._band(self._score()), "The band that the score lies in."),
            **{name: (self._instant(value), says) for name, (value, says) in instants.items()},
            "newly_qualified": (self._is_new(), "Whether it is a pql whose newest start is later than since."),
        }
        if fresh is not None:
            until = self._steps.expression("j.newest_us + _fresh", fresh=sql.whole(fresh.microseconds))
            columns["fresh_until"] = (
                self._instant(until),
                f"How long the lead is fresh: {fresh.in_words} from its newest start.",
            )
        columns |= {
            "last_active_at": (self._instant(column("last_active_us", "j")), "Its last event."),
            "met": (column("met", "j"), "How many criteria it meets."),
            "criteria": (sql.whole(len(own.parts)), "How many criteria there are."),
            "progress": (
                self._steps.expression(
                    "CASE WHEN j.way >= 0 THEN _way END", way=sql.real(self._naming.dialect, column("way", "j"))
                ),
                "How far it has come, 0 to 1; null = it cannot any more.",
            ),
        }
        lacking = unwrapped(column("lacking", "j"))
        columns |= {
            "missing": (
                self._steps.expression(
                    "CASE WHEN NOT (COALESCE(j.is_on, 0) = 1 OR NOT j.converted_us IS NULL OR j.is_possible = 0) THEN _lacking END",
                    lacking=lacking,
                ),
                "What it lacks, in words; null = nothing, or only time, or it cannot any more.",
            ),
            "evidence": (column("evidence", "j"), "What it did, in words."),
            "say": (self._say(own), "The sentence for the rep of the first criterion that is met and has one."),
        }
        columns |= {leaf.id: (column(own.columns[leaf.id].value, "j"), self._says(leaf)) for leaf in own.parts}
        columns |= {
            item.name: (self._trait(item.name), "A trait that eligibility asks for, as it is today.")
            for item in definition.eligible
            if item.name not in columns
        }
        columns |= {
            "definition": (sql.text(definition.name), "The definition."),
            "definition_version": (sql.whole(definition.version), "Its version."),
            "definition_hash": (sql.text(definition_hash(definition)), "What it means, in 12 digits."),
            "as_of": (self._instant(column("as_of_us", "p")), "The moment up to which everything is known."),
        }
        return columns

    def _trait(self, name: str) -> exp.Expr:
        return column(self._tables.trait(name).name, "j")

    def _says(self, leaf: Criterion | Ref) -> str:
        return f"How much there is of: {phrase(leaf)}."

    def _instant(self, at: exp.Expr) -> exp.Expr:
        return sql.instant(self._naming.dialect, at)

    def _is_new(self) -> exp.Expr:
        since = self._extent.since
        if self._extent.before is not None:
            moment: exp.Expr = self._steps.expression("p.as_of_us - _before", before=sql.whole(self._extent.before))
        elif isinstance(since, int):
            moment = sql.whole(since)
        else:
            written = exp.cast(sql.text(since), exp.DataType.Type.TIMESTAMPTZ)
            moment = sql.microseconds(self._naming.dialect, written)
        return self._steps.expression(
            "CASE WHEN j.status = 'pql' AND j.newest_us > _moment THEN TRUE ELSE FALSE END", moment=moment
        )


def _lasts(node: Node) -> bool:
    """Whether what holds cannot cease to, so that there is one spell at most."""
    match node:
        case Criterion():
            return tasks_of([node])[0].lasting
        case Ref():
            return node.users_at_least is not None or _lasts(node.target.qualify)
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            return all(_lasts(part) for part in parts)
        case Not():
            return False
