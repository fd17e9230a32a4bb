"""The population: the entities of one run, their clocks and their conversions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import (
    AMOUNT,
    ANCHOR,
    AT,
    CONVERTED,
    DELETED_AT,
    ENDED_AT,
    ENTITY,
    FROM_PLAN,
    KIND,
    ON,
    PLAN,
)
from pqlkit.definitions.model import ANY_EVENT, Anchor, EntityKind
from pqlkit.engines.factory import engine as engine_named
from pqlkit.errors import DefinitionError, UsageError, suggestion
from pqlkit.measures.ownership import owned
from pqlkit.measures.returning import NEVER, Returns
from pqlkit.options.data import ExtentOptions
from pqlkit.population import as_of as moments
from pqlkit.population.entities import ID, SINCE, not_before_signup, numbered, with_conversions, with_stays
from pqlkit.population.entity_kind import check_kind, choose_kind
from pqlkit.population.entity_world import anchored, bare_world, world_per_stay
from pqlkit.population.machine_memory import refuse_beyond
from pqlkit.population.missing_tables import missing_tables
from pqlkit.population.outcome import (
    Conversions,
    by_event,
    by_spells,
    check_properties,
    first_rows,
    merged_outcome,
    no_conversions,
    read_rows,
)
from pqlkit.population.roster import Roster, read_roster
from pqlkit.population.sampling import drawn, share_of
from pqlkit.population.stays import is_expansion
from pqlkit.population.trait_tables import gather_traits, traits_per_stay, with_traits
from pqlkit.population.traits import Traits, required_traits
from pqlkit.population.unreadable import unreadable_warnings
from pqlkit.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pqlkit.definitions.model import Definition, Outcome
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project
    from pqlkit.measures.world import World
    from pqlkit.population.outcome import ConversionRows
    from pqlkit.typing import Microseconds

_DETAILS: Final = (AMOUNT, KIND, PLAN, FROM_PLAN)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True, repr=False)
class Population(Shown):
    """Everything that analysis, proposal, scoring and reporting know about who exists.

    Parameters
    ----------
    dataset, project
        Where it came from.
    world
        The same entities, as `pqlkit.measures` sees them (only events before the conversion exist there).
    kind
        What an entity is.
    entities
        One row per entity, in entity order: ``entity`` (Int64, 0..n-1, in sorted id order), ``id`` (as in the export),
        ``anchor``, ``converted`` (Int64 UTC microseconds or null), ``since`` (Int64 or null; expansion outcomes),
        ``ended_at``, ``deleted_at`` (Int64 or null), ``amount``, ``kind``, ``plan``, ``from_plan``, ``invalid`` (clock faults:
        no anchor, or deleted before it) and ``at_risk`` (false: an expansion outcome's ``from`` plan was never reached, or the
        event that starts the clock never happened). Entities whose anchor lies after `as_of` do not exist. With an expansion
        outcome an id has one row per stay at risk, and ``anchor`` is the start of the stay.
    traits
        Trait values, at any moment.
    as_of, as_of_reason
        The last microsecond that exists, and why.
    history_from
        Where the events export begins: as stated, else the first microsecond of the day of its first row, in the dataset's
        zone.
    outcome
        What counts as a conversion.
    conversions
        Where the rows of the conversions export went.
    anchor
        What starts the clock.
    excluded
        Entities that the project's `population` filter leaves out.
    recurring
        Gives the events of an outcome with `after`, read when first asked; see `outcome_at`.
    idle
        Gives `without_events`, and takes a pass over the events for it once, when first asked.
    trusted
        Current traits that may be used all the same (``--trust-current``).
    warnings
        Sentences for stderr.
    """

    dataset: Dataset
    project: Project
    world: World
    kind: EntityKind
    entities: pl.DataFrame
    traits: Traits
    as_of: Microseconds
    as_of_reason: str
    history_from: Microseconds
    outcome: Outcome
    conversions: ConversionRows
    anchor: Anchor
    excluded: int = 0
    recurring: Callable[[], Returns] | None = field(default=None, repr=False)
    idle: Callable[[], int] = field(default=lambda: 0, repr=False)
    trusted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def outcome_at(self, entity: pl.Series, at: pl.Series, until: Microseconds) -> pl.Series:
        """Give when the outcome came to each moment: the conversion or, with ``after``, the next such event up to `until` later.

        Parameters
        ----------
        entity, at
            The moments.
        until
            How long after a moment an event of an outcome with ``after`` counts.

        Returns
        -------
        Series
            Int64 microseconds; null = not.
        """
        after = self.outcome.after
        if self.recurring is None or after is None:
            return self.entities[CONVERTED].gather(entity)
        times = self.recurring().between(entity.to_numpy(), at.to_numpy(), after.microseconds, until)
        return pl.Series(CONVERTED, times, dtype=pl.Int64).replace(NEVER, None)

    @property
    def without_events(self) -> int:
        """Entities without any event at or before `as_of`."""
        return self.idle()


def population_of(
    dataset: Dataset,
    project: Project,
    extent: ExtentOptions | None = None,
    *,
    entity: str = "auto",
    outcome: Outcome | None = None,
    definition: Definition | None = None,
    sample: float | None = None,
    bounded: bool = False,
) -> Population:
    """Say who exists, when each clock starts, and who converted when.

    Parameters
    ----------
    dataset, project
        The canonical tables and what the project file declares about them.
    extent
        How far the data goes, what of it is true of the past, and where the plans run; None = the defaults.
    entity
        ``auto``, ``user`` or ``account``; a `definition`'s own wins over ``auto``, and so does the project file's.
    outcome
        What counts; None = the definition's, else the project's, else the first conversion within 30 days.
    definition
        Whose entity, anchor and outcome are meant, and whose traits limits refer to.
    sample
        Only this share of the entities exists, chosen by a hash of their id; None = all. See `pqlkit.population.sampling`.
    bounded
        Without a `sample`, draw one of very many entities, and say so in the warnings.

    Raises
    ------
    UsageError
        The conversions name accounts and the entity is a user, or ``as_of`` cannot be read.
    DataError
        A table that is needed is missing, a name is not in the data, or there are more entities than this machine can hold.
    """
    extent = extent or ExtentOptions()
    where = engine_named(extent.engine, extent.spark_remote)
    end = moments.as_of(dataset, extent.as_of)
    success = outcome or merged_outcome(project, definition, lambda name: named_definition(project, name))
    if success.after is not None and success.after >= success.within:
        raise UsageError(
            f"the outcome's after {success.after} leaves nothing of its conversion window {success.within}",
            hint="make within longer, or after shorter",
        )
    roster = read_roster(dataset, project, where, end.at)
    kind = choose_kind(entity, dataset, project, definition, success, roster, where)
    check_kind(dataset, kind, success, roster, where)
    filtered = len(roster.out_users if kind is EntityKind.USER else roster.out_accounts)
    roster, told = _looked_at(roster, kind, sample, bounded=bounded)
    clock = definition.anchor if definition is not None else Anchor()
    listed = numbered(roster, kind)
    bare = bare_world(dataset, roster, where, kind, listed, end.at)
    traits = gather_traits(dataset, project, roster, bare, listed)
    traits.refuse_current(extent.trust_current, extent.trust_current)
    world = with_traits(anchored(bare, clock), traits, definition)
    if is_expansion(success):
        people, counts = with_stays(world, dataset, success, roster, traits, listed, clock)
        world, traits = world_per_stay(world, people["origin"]), traits_per_stay(traits, people["origin"])
    else:
        own = definition is not None and success.definition is not None and success.definition.name == definition.name
        # A definition that is the outcome itself has nothing to precede: cut there, nobody would ever meet it.
        conversions = (
            no_conversions() if own else _conversions(world, dataset, success, roster, traits, extent.trust_current)
        )
        people, counts = with_conversions(world, listed, clock, conversions.frame), conversions.rows
    if _dates_only(dataset, success):
        people = not_before_signup(people, world.zone)
    # Outcomes made of events end where the events end: only an export of its own can end early.
    by_row = success.event is None and success.definition is None
    silent = moments.silence(people[CONVERTED].drop_nulls().to_numpy(), end.at) if by_row else None
    no_events = moments.events_silence(dataset.tables["events"], end.at)
    history_from = moments.events_from(dataset, extent.events_from or project.events_from, end.at)
    missing = missing_tables(
        dataset, project, kind=kind, outcome=success, clock=clock, anchors=people[ANCHOR], history_from=history_from
    )
    return Population(
        dataset=dataset,
        project=project,
        world=replace(world, entities=world.entities.with_columns(people.select(ANCHOR, CONVERTED, SINCE))),
        kind=kind,
        entities=people.select(
            ENTITY, ID, ANCHOR, CONVERTED, SINCE, ENDED_AT, DELETED_AT, *_DETAILS, "invalid", "at_risk"
        ),
        traits=traits,
        as_of=end.at,
        as_of_reason=end.reason,
        history_from=history_from,
        outcome=success,
        conversions=counts,
        anchor=clock,
        excluded=filtered,
        recurring=None if success.after is None else cache(lambda: _recurring(world, success, project)),
        idle=cache(lambda: people.height - _with_events(world)),
        trusted=extent.trust_current,
        warnings=(
            *told,
            *missing,
            *(sentence for sentence in (silent, no_events) if sentence is not None),
            *unreadable_warnings(dataset, project, definition, success, where),
        ),
    )


def _looked_at(
    roster: Roster, kind: EntityKind, sample: float | None, *, bounded: bool
) -> tuple[Roster, tuple[str, ...]]:
    """Draw the share of the entities that is looked at, and say so where nobody asked for one."""

    def size(roster: Roster) -> int:
        return roster.users.height if kind is EntityKind.USER else roster.accounts.height

    there = size(roster)
    share = share_of(there) if sample is None and bounded else sample
    if share is not None and share < 1:
        roster = drawn(roster, kind, share)
    left = size(roster)
    refuse_beyond(left)
    if share is None or sample is not None:
        return roster, ()
    return roster, (
        f"of {there:,} {kind.value}s {left:,} are looked at, drawn by a hash of their ids, whatever became of them: "
        "counts are of these; --sample 100% looks at all",
    )


def named_definition(project: Project, name: str) -> Definition:
    """Find the definition that the project file's outcome names.

    Raises
    ------
    DefinitionError
        There is none of that name.
    """
    from pqlkit.definitions.folders import load_definitions

    definitions = {
        item.definition.name: item.definition
        for item in load_definitions([project.definitions])
        if item.definition is not None
    }
    if name not in definitions:
        raise DefinitionError(
            f"the outcome names a definition {name!r}, which is not in {project.definitions}",
            where=str(project.path) if project.path is not None else None,
            hint=suggestion(name, definitions, quoted=True),
        )
    return definitions[name]


def _conversions(
    world: World, dataset: Dataset, outcome: Outcome, roster: Roster, traits: Traits, trusted: Sequence[str]
) -> Conversions:
    """Find each entity's conversion."""
    if outcome.after is not None:
        # Judged of each qualification by itself: it makes nobody a customer.
        return no_conversions()
    if outcome.event is not None:
        return by_event(world, outcome)
    if outcome.definition is not None:
        return _qualifications(world, outcome.definition, traits, trusted)
    table = dataset.tables.get("conversions")
    if table is None:
        return no_conversions()
    rows, excluded = read_rows(table, outcome, world.engine, roster, world, world.as_of)
    return first_rows(rows, excluded)


def _recurring(world: World, outcome: Outcome, project: Project) -> Returns:
    """Read the events of an outcome with ``after``; those that a machine sends are not any event."""
    check_properties(world, outcome)
    automatic = [name for name, note in project.events.items() if note.automatic]
    event = None if outcome.event == ANY_EVENT else outcome.event
    return Returns.of(world, event, outcome.where, automatic)


def _qualifications(world: World, definition: Definition, traits: Traits, trusted: Sequence[str]) -> Conversions:
    """Take the moments at which eligible entities qualify for another definition, by that definition's own clock."""
    from pqlkit.measures.evaluation import spells_of

    traits.refuse_current(required_traits(definition), trusted)
    spells = spells_of(anchored(world, definition.anchor), definition)
    if definition.eligible:
        asked = spells.select(ENTITY, (pl.col(ON) - 1).alias(AT))
        spells = spells.filter(traits.holds(definition.eligible, asked))
    return by_spells(spells)


def _dates_only(dataset: Dataset, outcome: Outcome) -> bool:
    """Whether conversions stand for dates."""
    if outcome.definition is not None:
        return False
    table = dataset.tables.get("events" if outcome.event is not None else "conversions")
    return table is not None and table.dates_only


def _with_events(world: World) -> int:
    """Count the entities with an event."""
    newest = world.seen.with_columns(nw.col("last").alias(AT))
    return world.engine.collect(owned(world, newest).select(ENTITY).unique()).height
