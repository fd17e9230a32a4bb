"""The trial: a written hypothesis, read on the same snapshots as any search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from pqlkit.columns import ANCHOR, ENTITY, ON
from pqlkit.definitions.model import (
    ChosenBy,
    Criterion,
    Definition,
    Evidence,
    EvidencePart,
    EvidenceView,
    Lead,
    Status,
    Window,
    WindowKind,
    leaves,
)
from pqlkit.measures.behaviour import GRID
from pqlkit.measures.gaps import gap_warnings
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pqlkit.analysis.association import Association
    from pqlkit.analysis.criteria import CriterionRates
    from pqlkit.analysis.observation import Observed
    from pqlkit.definitions.expression import Expression
    from pqlkit.definitions.model import Node
    from pqlkit.options.settings import Settings
    from pqlkit.population.population import Population
    from pqlkit.proposal.candidate import Promise
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate

RUNGS: Final = 2
"""How many human numbers below and above the written threshold the ladder shows."""

COME_BACK: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One threshold of a criterion, the rest of the hypothesis as written; `written` marks the hypothesis itself."""

    threshold: int | float
    table: Contingency
    written: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The thresholds around a criterion's own."""

    id: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Trial(Shown):
    """How a hypothesis did. Nothing was selected, so all the data may be used.

    Parameters
    ----------
    text
        As written.
    completed
        The hypothesis with the windows that it does not name, as an expression; None where it names them all.
    definition
        The hypothesis as a definition, its evidence included (``chosen_by: hand``).
    observed
        The snapshots.
    table
        Snapshots that meet it, and the others.
    exact
        The exact odds ratio, for little data.
    promised
        The qualification view over all the data.
    parts
        Each criterion alone, and the hypothesis without it.
    ladders
        Around each plain threshold.
    then
        What sets apart those who upgrade among those who meet it.
    warnings
        For a person.
    """

    text: str
    completed: str | None
    definition: Definition
    observed: Observed
    table: Contingency
    exact: Estimate
    promised: Promise
    parts: tuple[CriterionRates, ...]
    ladders: tuple[Ladder, ...]
    then: tuple[Association, ...]
    warnings: tuple[str, ...]


def try_(
    population: Population,
    text: str,
    node: Node | None = None,
    settings: Settings | None = None,
    *,
    name: str = "hypothesis",
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Trial:
    """Test a hypothesis.

    Parameters
    ----------
    population
        Who exists.
    text, node
        The hypothesis as written, and as the expression language reads it; None = read here, a term without a window over
        the expression's only one, else over the longest of the snapshots' windows (trailing for ``every``).
    settings
        When snapshots are taken; None = the defaults.
    name
        Of the definition.
    progress
        Told each step.
    **options
        Fields of `Settings`, which win over those of `settings`, spelled as on the command line if you like.

    Raises
    ------
    DataError
        The data has no such event or property; the message points at it, where the text was read here.
    UsageError
        A setting cannot be obeyed, or the text is no expression.
    """
    from pqlkit.analysis.criteria import criteria
    from pqlkit.analysis.observation import observe
    from pqlkit.definitions.expression import Expression, read_expression
    from pqlkit.options.option import settled
    from pqlkit.options.settings import Settings
    from pqlkit.population.vocabulary import event_names, refuse_unknown
    from pqlkit.proposal.promise import promise, started
    from pqlkit.snapshots.matches import met_at
    from pqlkit.snapshots.schedule import shortened_in_words
    from pqlkit.snapshots.spells import qualifications
    from pqlkit.snapshots.spike import too_soon_in_words, unreached
    from pqlkit.statistics.exact import odds_ratio

    say = progress or (lambda _: None)
    settings = settled(Settings, settings, options)
    asked = read_expression(text) if node is None else node
    if isinstance(asked, Expression):
        asked.refuse_unanswerable()
    refuse_unknown(asked, event_names(population), frozenset(population.world.properties))
    observed = observe(population, settings, progress=progress)
    node, completed = _completed(asked, observed)
    definition = hypothesis(observed, node, name)
    spells = qualifications(population, definition)
    later = _later_snapshots(observed, asked, definition, spells)
    if later is not None:
        observed = observe(population, replace(settings, snapshots=later.snapshots), progress=progress)
        definition = hypothesis(observed, node, name)
    say("testing the hypothesis")
    met = met_at(population, definition, observed.snapshots.frame, spells=spells)
    table = observed.table(met)
    counted = started(population, definition, spells=spells)
    promised = promise(population, counted, first=population.history_from, before=None)
    design = observed.snapshots.design
    window = design.conversion_window
    shortened = shortened_in_words(population, design, stated=settings.conversion_window)
    soon = (shortened, unreached(population, window), too_soon_in_words(population, counted, window))
    return Trial(
        text=text,
        completed=completed,
        definition=replace(definition, evidence=_evidence(observed, table, promised)),
        observed=observed,
        table=table,
        exact=odds_ratio(*table.independent.cells),
        promised=promised,
        parts=criteria(population, definition, observed.snapshots, met, design_effect=observed.design_effect),
        ladders=tuple(_ladders(observed, definition)),
        then=_then(observed, met, definition),
        warnings=(
            *population.warnings,
            *gap_warnings(population.world, definition),
            *((later.why,) if later is not None else ()),
            *_thoughts(definition),
            *(text for text in soon if text is not None),
        ),
    )


def _completed(asked: Expression | Node, observed: Observed) -> tuple[Node, str | None]:
    """Give terms that name no window the snapshots' longest, and say what the hypothesis then reads like."""
    from pqlkit.definitions.expression import Expression, expression

    if not isinstance(asked, Expression):
        return asked, None
    design = observed.snapshots.design
    every = design.kind is DesignKind.EVERY
    window = Window(kind=WindowKind.TRAILING if every else WindowKind.WITHIN, length=design.longest)
    asked.refuse_unanswerable(window)
    node = asked.completed(window)
    return node, expression(node) if asked.waits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Later:
    """Other snapshots than those that suit the data, since a rule is met after these."""

    snapshots: str
    why: str


def _later_snapshots(
    observed: Observed, asked: Expression | Node, definition: Definition, spells: pl.DataFrame
) -> _Later | None:
    """Say which snapshots see a rule that most meet only after those that `auto` took; None where these do.

    A rule whose window was filled in from the snapshots is about them, and a design that somebody stated is obeyed.
    """
    from pqlkit.definitions.expression import Expression

    settings, design = observed.settings, observed.snapshots.design
    filled = isinstance(asked, Expression) and asked.waits and not asked.names_one_window
    if (
        settings.snapshots != "auto"
        or settings.windows
        or design.kind is DesignKind.EVERY
        or filled
        or spells.is_empty()
    ):
        return None
    firsts = spells.group_by(ENTITY).agg(pl.col(ON).min())
    ages = firsts.join(observed.population.entities.select(ENTITY, ANCHOR), on=ENTITY)
    last = design.cutoffs[-1]
    seen = ages.filter(pl.col(ON) < pl.col(ANCHOR) + last.microseconds).height
    if 2 * seen >= ages.height:
        return None
    windows = [leaf.window for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion)]
    lengths = [window.length for window in windows if window.kind is WindowKind.WITHIN and window.length is not None]
    whole = len(lengths) == sum(1 for _ in leaves(definition.qualify))
    other = f"{DesignKind.ONCE}:{max(lengths)}" if whole else DesignKind.EVERY.value
    return _Later(
        snapshots=other,
        why=f"{seen:,} of the {ages.height:,} {definition.entity}s that ever meet it do so by day {last.days:g}: the snapshots"
        f" are not those of `auto` ({design}) but {other}, which can see the others, too",
    )


def hypothesis(observed: Observed, node: Node, name: str) -> Definition:
    """Make a formula a definition that is read on some snapshots: their conversion window is that of its outcome."""
    from pqlkit.definitions.describing import phrase
    from pqlkit.durations import Duration

    outcome = replace(
        observed.population.outcome, within=Duration.parse(observed.snapshots.design.conversion_window.emitted)
    )
    trailing = any(isinstance(leaf, Criterion) and leaf.window.kind is WindowKind.TRAILING for leaf in leaves(node))
    text = phrase(node)
    return Definition(
        name=name,
        entity=observed.population.kind,
        anchor=observed.population.anchor,
        title=(text[:1].upper() + text[1:])[:200],
        status=Status.HYPOTHESIS,
        qualify=node,
        outcome=outcome,
        lead=Lead(fresh_for=outcome.within, cooldown=outcome.within if trailing else None),
    )


def _evidence(observed: Observed, table: Contingency, promised: Promise) -> Evidence:
    from pqlkit.proposal.evidence_figures import figures, gathered, rounded, span

    everything = np.ones(len(observed.y), dtype=np.bool_)
    return Evidence(
        chosen_by=ChosenBy.HAND,
        data=gathered(observed),
        fit=EvidencePart(view=EvidenceView.SNAPSHOT, **figures(table.with_), recall=rounded(table.recall.rate)),
        holdout=EvidencePart(
            view=EvidenceView.QUALIFICATION, **span(observed, everything), **figures(promised.rate), all_data=True
        ),
    )


def _thoughts(definition: Definition) -> Sequence[str]:
    criteria = definition.criteria
    if len(criteria) > 3:
        return (f"{len(criteria)} criteria: few will meet them all",)
    return ()


def _ladders(observed: Observed, definition: Definition) -> list[Ladder]:
    ladders = []
    for leaf in definition.criteria:
        written = leaf.at_least
        if not isinstance(written, int | float) or leaf.at_most is not None:
            continue
        rungs = tuple(
            Rung(
                threshold=threshold,
                table=_read(observed, replace(definition, qualify=_with_bound(definition.qualify, leaf, threshold))),
                written=threshold == written,
            )
            for threshold in around(written)
        )
        ladders.append(Ladder(id=leaf.id, rungs=rungs))
    return ladders


def around(written: int | float) -> list[int | float]:
    """Give the human numbers around a threshold, itself among them.

    Examples
    --------
    >>> around(10), around(1), around(9)
    ([7, 8, 10, 12, 15], [1, 2, 3], [7, 8, 9, 10, 12])
    """
    below = [number for number in GRID if number < written][-RUNGS:]
    above = [number for number in GRID if number > written][:RUNGS]
    return [*below, written, *above]


def _with_bound(node: Node, leaf: Criterion, threshold: int | float) -> Node:
    """Give the formula with one criterion's lower bound replaced."""
    from pqlkit.definitions.model import All, Any, NOf, Not

    match node:
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            return replace(node, parts=tuple(_with_bound(part, leaf, threshold) for part in parts))
        case Not(part=part):
            return Not(part=_with_bound(part, leaf, threshold))
        case _:
            return replace(leaf, at_least=threshold) if node is leaf else node


def _read(observed: Observed, definition: Definition) -> Contingency:
    from pqlkit.snapshots.matches import met_at

    met = met_at(observed.population, definition, observed.snapshots.frame)
    return observed.table(met)


def _then(observed: Observed, met: NDArray[np.bool_], definition: Definition) -> tuple[Association, ...]:
    """Find what sets apart those who upgrade among those who meet the hypothesis, its own events and leaks left out."""
    from pqlkit.analysis.associations import Levels, associations, q_values
    from pqlkit.analysis.tiers import Floors

    own = {event for leaf in definition.criteria for event in leaf.events or ()}
    levels = Levels.of(observed.cube, observed.y, rows=met)
    floors = Floors.of(int(met.sum()), int((met & observed.y).sum()))
    associated = associations(
        levels,
        design_effect=observed.design_effect,
        rare_below=(floors.snapshots, floors.converters),
        flags={},
    )
    (q,) = q_values([association.p_value for association in associated])
    associated = tuple(replace(association, q_value=value) for association, value in zip(associated, q, strict=True))
    best: dict[str, Association] = {}
    for association in (shown for row in associated if (shown := row.as_shown()) is not None):
        event = association.behaviour.event
        if event is None or event in own | observed.left_out:
            continue
        rival = best.get(event)
        if rival is None or abs(association.table.phi or 0) > abs(rival.table.phi or 0):
            best[event] = association
    ordered = sorted(
        best.values(), key=lambda association: (-abs(association.table.phi or 0), association.behaviour.event or "")
    )
    return tuple(ordered[:COME_BACK])
