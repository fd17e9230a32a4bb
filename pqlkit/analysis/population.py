"""The population: the entities of one run, their clocks and their conversions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.analysis.outcome import ConversionRows
    from pqlkit.analysis.traits import Traits
    from pqlkit.definitions.model import Anchor, Definition, EntityKind, Outcome
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project
    from pqlkit.measures.world import World
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
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
        ``ended_at``, ``deleted_at`` (Int64 or null), ``amount``, ``plan``, ``from_plan``, ``invalid`` (clock faults) and
        ``at_risk`` (false: an expansion outcome's ``from`` plan was never reached). Entities whose anchor lies after
        `as_of` do not exist. With an expansion outcome an id has one row per stay at risk.
    traits
        Trait values, at any moment.
    as_of, as_of_reason
        The last microsecond that exists, and why.
    history_from
        First microsecond of the first day of the events export, in the dataset's zone.
    outcome
        What counts as a conversion.
    conversions
        Where the rows of the conversions export went.
    anchor
        What starts the clock.
    excluded
        Entities that the project's `population` filter leaves out.
    without_events
        Entities without any event at or before `as_of`.
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
    without_events: int = 0
    trusted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def population(
    dataset: Dataset,
    project: Project,
    *,
    entity: str = "auto",
    outcome: Outcome | None = None,
    definition: Definition | None = None,
    as_of: str | None = None,
    trust_current: Sequence[str] = (),
    engine: str = "polars",
) -> Population:
    """Say who exists, when each clock starts, and who converted when.

    Parameters
    ----------
    dataset, project
        The canonical tables and what the project file declares about them.
    entity
        ``auto``, ``user`` or ``account``; a `definition`'s own wins over ``auto``.
    outcome
        What counts; None = the definition's, else the project's, else the first conversion within 30 days.
    definition
        Whose entity, anchor and outcome are meant, and whose traits limits refer to.
    as_of
        ``--as-of``; see `pqlkit.analysis.as_of.as_of`.
    trust_current
        Current traits that may be used in historical work.
    engine
        Where the plans run.

    Raises
    ------
    UsageError
        The conversions name accounts and the entity is a user, or `as_of` cannot be read.
    DataError
        A table that is needed is missing, or a name is not in the data.
    """
    raise NotImplementedError
