"""The fit view: the qualifications of any rule in the part that chooses, and what followed each."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import ACCOUNT_ID, AT, ENTITY, EVENT, USER_ID
from pqlkit.durations import DAY, WEEK
from pqlkit.measures.crossings import crossings, depths
from pqlkit.measures.scope import scope_of
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.proposal.comparable import Activity, among, holding, strata
from pqlkit.proposal.lives import NEVER, Lives

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.measures.crossings import Line, Stretches
    from pqlkit.measures.world import World
    from pqlkit.proposal.brief import Brief
    from pqlkit.proposal.literals import Literal
    from pqlkit.typing import Microseconds

RECENT: Final = 13 * WEEK
"""How far before the holdout the leads of a week are counted: the newest weeks that may choose."""

ENTITIES: Final = 100_000
"""So many entities are enough to read rules as qualifications: of more, those of a share of the clusters are drawn."""

CONVERTERS: Final = 5_000
"""So many of those drawn have converted at least, or nobody is left out."""

_MOST_PAIRS: Final = 4_000
_FEW: Final = 5
_NAME: Final = 63
"""Bits of a number that names a moment of an entity."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Qualified:
    """The qualifications of one rule in the part that chooses.

    Parameters
    ----------
    entity, on
        Whose, and when; in order of both.
    name
        A number for whose and when, ascending: what two rules share has one name.
    y, quick
        A conversion followed in time, and one did within a day.
    recent, weekly
        The entities of the new ones of the newest weeks before the holdout, and how many a week each of them stands for at today's
        number of active entities.
    """

    entity: NDArray[np.int64] = field(repr=False)
    on: NDArray[np.int64] = field(repr=False)
    name: NDArray[np.int64] = field(repr=False)
    y: NDArray[np.bool_] = field(repr=False)
    quick: NDArray[np.bool_] = field(repr=False)
    recent: NDArray[np.int64] = field(repr=False)
    weekly: float

    @property
    def n(self) -> int:
        """How many."""
        return len(self.y)

    @cached_property
    def converted(self) -> int:
        """How many converted."""
        return int(np.count_nonzero(self.y))

    @cached_property
    def soon(self) -> int:
        """How many converted within a day."""
        return int(np.count_nonzero(self.quick))

    @property
    def a_week(self) -> float:
        """New ones a week."""
        return len(self.recent) * self.weekly

    @property
    def rate(self) -> float:
        """Converted / qualified; 0 without a qualification."""
        return self.converted / self.n if self.n else 0.0

    def among(self, entities: NDArray[np.bool_]) -> Qualified:
        """Give those of some entities alone."""
        kept = entities[self.entity]
        return Qualified(
            entity=self.entity[kept],
            on=self.on[kept],
            name=self.name[kept],
            y=self.y[kept],
            quick=self.quick[kept],
            recent=self.recent[entities[self.recent]],
            weekly=self.weekly,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Entities that choose: `entities` says who, one per entity; None = all."""

    entities: NDArray[np.bool_] | None = None

    @property
    def share(self) -> float:
        """Of all entities; 1 where it holds nobody."""
        return 1.0 if self.entities is None or not self.entities.any() else float(self.entities.mean())

    def holds(self, entity: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell whose moments are in it."""
        return np.ones(len(entity), dtype=np.bool_) if self.entities is None else self.entities[entity]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Baseline:
    """At what rate moments of activity are followed by a conversion, by strata from fine to coarse."""

    levels: tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...]

    @classmethod
    def of(cls, lives: Lives, moments: Activity, y: NDArray[np.bool_]) -> _Baseline:
        levels = []
        labelled = strata(lives, moments.entity, moments.at)
        for level, labels in enumerate(labelled):
            names, place, size = np.unique(labels, return_inverse=True, return_counts=True)
            enough = size >= (_FEW if level < len(labelled) - 1 else 1)
            rate = np.bincount(place, weights=y, minlength=len(names)) / np.maximum(size, 1)
            levels.append((names[enough], rate[enough]))
        return cls(levels=tuple(levels))

    def rates(self, lives: Lives, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.float64]:
        rates = np.full(len(entity), np.nan)
        for (names, rate), labels in zip(self.levels, strata(lives, entity, at), strict=True):
            if len(names):
                place = np.minimum(np.searchsorted(names, labels), len(names) - 1)
                here = np.isnan(rates) & (names[place] == labels)
                rates[here] = rate[place[here]]
        known: NDArray[np.float64] = np.nan_to_num(rates)
        return known


@dataclass(slots=True, kw_only=True, eq=False)
class FitView:
    """Reads rules as the qualifications that they would have given.

    Parameters
    ----------
    literals
        What rules are made of: a rule is the places of its literals here, ascending.
    lives, activity
        What followed whom, and moments of activity.
    lines, spells
        When each literal holds: for each line the spells of each; None = a trait.
    held
        Place of a trait -> the entities that have it.
    reach
        How far the window of each literal reaches back, where it moves; 0 = it does not.
    begin, before
        The first moment that may count, and that by which all that follows must be known.
    part
        The entities and times that choose.
    tiles
        ``every``: entity and beginning of each stretch, one conversion window long, with an event in it.
    scale
        Active entities at the end of the data, per active entity before the holdout that was read.
    converters, moments
        How many converted in time, of how many that could have qualified: entities, or active stretches of one window.
    """

    literals: tuple[Literal, ...]
    lives: Lives
    activity: Activity
    lines: tuple[Line, ...]
    spells: tuple[tuple[Stretches | None, ...], ...]
    held: Mapping[int, NDArray[np.bool_]]
    reach: tuple[Microseconds, ...]
    begin: Microseconds
    before: Microseconds
    part: Part
    tiles: tuple[NDArray[np.int64], NDArray[np.int64]] | None
    scale: float
    converters: int = 0
    moments: int = 0
    baseline: _Baseline = field(init=False, repr=False)
    _until: NDArray[np.int64] = field(init=False, repr=False)
    _counted_until: NDArray[np.int64] = field(init=False, repr=False)
    _pairs: dict[tuple[int, int, int], Stretches] = field(default_factory=dict, repr=False)
    _seen: dict[Microseconds, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Count who could have qualified, and at what rate active moments are followed by a conversion."""
        lives = self.lives
        self._until = np.where(lives.able, lives.converted, -NEVER)
        if lives.last is None:
            self._counted_until = np.minimum(self._until, self.before - lives.waits)
        else:
            ends = lives.anchor + lives.last
            known = ends + lives.waits < self.before
            self._counted_until = np.where(known, np.minimum(self._until, ends + 1), -NEVER)
        self.converters, self.moments = self._population()
        moments = self.activity.take(self._counts(self.activity.entity, self.activity.at))
        self.baseline = _Baseline.of(self.lives, moments, self.lives.chosen_by(moments.entity, moments.at))

    @classmethod
    def of(
        cls,
        brief: Brief,
        literals: Sequence[Literal],
        *,
        activity: Activity | None = None,
        part: Part | None = None,
    ) -> FitView:
        """Make the view of a proposal's fit part for some literals: of so many entities as it takes.

        Parameters
        ----------
        brief, literals
            Of the proposal; what rules are made of.
        activity
            Moments of activity, if they are known already.
        part
            Who and when of the fit part chooses; None = all of it.
        """
        population, design = brief.observed.population, brief.observed.snapshots.design
        lives = Lives.of(population, design)
        part, drawn = part or Part(), _drawn(lives)
        world = population.world
        if drawn is not None:
            part = Part(entities=drawn if part.entities is None else part.entities & drawn)
            world = _read_once(among(world, drawn), literals)
        asked: dict[Behaviour, list[int]] = {}
        for literal in literals:
            if literal.behaviour is not None and literal.threshold is not None:
                asked.setdefault(literal.behaviour, []).append(literal.threshold)
        crossed = crossings(world, asked)
        every = design.kind is DesignKind.EVERY
        begin = brief.begin
        before = population.as_of + 1 if brief.parts.first is None else brief.parts.first
        activity = activity or Activity.of(world)
        now = activity.active(population.as_of - 28 * DAY, population.as_of + 1)
        then = activity.active(before - 28 * DAY, before)
        everybody = pl.DataFrame(
            {ENTITY: np.arange(len(lives.anchor)), AT: np.full(len(lives.anchor), population.as_of)}
        )
        return cls(
            literals=tuple(literals),
            lives=lives,
            activity=activity,
            lines=crossed.lines,
            spells=tuple(
                tuple(
                    None
                    if literal.behaviour is None or literal.threshold is None
                    else spells[literal.behaviour, literal.threshold]
                    for literal in literals
                )
                for spells in crossed.spells
            ),
            held={
                place: population.traits.holds([literal.trait], everybody).to_numpy()
                for place, literal in enumerate(literals)
                if literal.trait is not None
            },
            reach=tuple(
                literal.behaviour.window.length.microseconds
                if every and literal.behaviour is not None and literal.behaviour.window.length is not None
                else 0
                for literal in literals
            ),
            begin=begin,
            before=before,
            part=part,
            tiles=_tiles(activity, begin, lives.window) if every else None,
            scale=(now / then if then else 1.0) / part.share,
        )

    def narrowed(self, places: Sequence[int]) -> FitView:
        """Give the same view of some literals alone, renumbered."""
        number = {place: index for index, place in enumerate(places)}
        narrow = copy(self)
        narrow.literals = tuple(self.literals[place] for place in places)
        narrow.spells = tuple(tuple(spells[place] for place in places) for spells in self.spells)
        narrow.held = {number[place]: held for place, held in self.held.items() if place in number}
        narrow.reach = tuple(self.reach[place] for place in places)
        narrow._pairs = {}
        return narrow

    def among(self, entities: NDArray[np.bool_]) -> FitView:
        """Give the same view of some entities alone; what is expected of moments of activity stays that of all."""
        part = copy(self)
        part.part = replace(
            self.part, entities=entities if self.part.entities is None else entities & self.part.entities
        )
        part.converters, part.moments = part._population()
        return part

    def _counts(self, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which moments are of the part that chooses, with all that follows them known before the holdout."""
        counted = (at >= self.begin) & (at < self._counted_until[entity])
        return counted & self.part.holds(entity)

    def _population(self) -> tuple[int, int]:
        """Count converters and what could have qualified."""
        lives, everybody = self.lives, np.arange(len(self.lives.anchor), dtype=np.int64)
        waits = lives.waits - lives.window
        if lives.last is not None:
            ends = lives.anchor + (lives.last + lives.window)
            inside = lives.able & (ends + waits < self.before) & (lives.anchor + lives.last >= self.begin)
            inside &= self.part.holds(everybody) & (lives.converted > self.begin)
            if lives.returns is not None:
                chosen = everybody[inside]
                return int(lives.returns(chosen, lives.anchor[chosen] + lives.last).sum()), len(chosen)
            return int((inside & (lives.counted <= ends)).sum()), int(inside.sum())
        owner, start = self.tiles if self.tiles is not None else (everybody[:0], everybody[:0])
        kept = lives.able[owner] & (start + lives.window + waits < self.before) & (lives.converted[owner] > start)
        kept &= self.part.holds(owner)
        if lives.returns is not None:
            return int(lives.returns(owner[kept], start[kept]).sum()), int(kept.sum())
        when = lives.counted
        paid = lives.able & (when != NEVER) & (when > self.begin) & (when + waits < self.before)
        paid &= self.part.holds(everybody)
        covered = np.zeros(len(everybody), dtype=np.bool_)
        covered[owner[kept & (when[owner] > start) & (when[owner] <= start + lives.window)]] = True
        return int(paid.sum()), int(kept.sum() + (paid & ~covered).sum())

    def holding(self, rule: tuple[int, ...]) -> list[Stretches]:
        """Give when a rule of at least one behaviour holds, on each line; traits are not asked."""
        stretcheses = []
        for index, spells in enumerate(self.spells):
            own = sorted((len(held.on), place) for place in rule if (held := spells[place]) is not None)
            places = [place for _, place in own]
            stretcheses.append(self._met(index, spells, places))
        return stretcheses

    def _met(self, index: int, spells: tuple[Stretches | None, ...], places: list[int]) -> Stretches:
        """Intersect the spells of some literals, the rarest first; what two share is kept for the next rule that has both."""
        held = [met for place in places if (met := spells[place]) is not None]
        if len(held) == 1:
            return held[0]
        known = (index, places[0], places[1])
        if known not in self._pairs:
            if len(self._pairs) >= _MOST_PAIRS:
                self._pairs.clear()
            self._pairs[known] = held[0] & held[1]
        whole = self._pairs[known]
        for met in held[2:]:
            whole &= met
        return whole

    def totals(self, places: Sequence[int], points: Sequence[int]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Give on each line where the points of the literals that hold change, and their sum from there on; traits have none."""
        totals = []
        for spells in self.spells:
            scored = [(held, point) for place, point in zip(places, points, strict=True) if (held := spells[place])]
            on, off = (np.concatenate([getattr(held, end) for held, _ in scored]) for end in ("on", "off"))
            totals.append(
                depths(on, off, np.repeat([point for _, point in scored], [len(held.on) for held, _ in scored]))
            )
        return totals

    def read(self, rule: tuple[int, ...]) -> Qualified:
        """Give the qualifications of a rule: the starts that `report` would count, of the part that chooses."""
        return self.read_of(self.holding(rule), rule)

    def read_of(self, held: Sequence[Stretches], places: Sequence[int]) -> Qualified:
        """Give the same of whatever holds then, on each line, and is made of these literals."""
        entity, on = self.starts_of(held, places)
        recent = (on >= self.before - RECENT) & (on < self.before)
        recent &= self.part.holds(entity)
        newest = entity[recent]
        counted = self._counts(entity, on)
        entity, on = entity[counted], on[counted]
        y = self.lives.chosen_by(entity, on)
        return Qualified(
            entity=entity,
            on=on,
            name=self._named(entity, on),
            y=y,
            quick=y & (self.lives.counted[entity] <= on + DAY),
            recent=newest,
            weekly=self.scale / max(1.0, min(RECENT, self.before - self.begin) / WEEK),
        )

    def _named(self, entity: NDArray[np.int64], on: NDArray[np.int64]) -> NDArray[np.int64]:
        """Name moments by numbers that ascend with them: to the microsecond, unless entities are so many that there is no room."""
        line = self.lines[0]
        drop = max(0, len(self.lives.anchor).bit_length() + line.bits - _NAME)
        names: NDArray[np.int64] = (entity << (line.bits - drop)) | ((on - line.zero) >> drop)
        return names

    def expected(self, read: Qualified) -> float:
        """Give how many would have converted, had they done so like moments of activity of the same age and time."""
        return float(self.baseline.rates(self.lives, read.entity, read.on).sum())

    def expected_of_others(self, rule: tuple[int, ...], read: Qualified) -> float:
        """Give the same by moments at which the rule is not met just after: exact, and a hundred times dearer."""
        moments = self.activity.take(self._counts(self.activity.entity, self.activity.at))
        others = moments.take(~holding(self.lines, self.holding(rule), moments))
        rest = _Baseline.of(self.lives, others, self.lives.chosen_by(others.entity, others.at))
        return float(rest.rates(self.lives, read.entity, read.on).sum())

    def starts(self, rule: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give all starts of a rule that count, over all time: whose, and when."""
        return self.starts_of(self.holding(rule), rule)

    def starts_of(
        self, held: Sequence[Stretches], places: Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the same of whatever holds then, on each line, and is made of these literals."""
        owners, moments = [], []
        for line, spells in zip(self.lines, held, strict=True):
            owner = line.entity(spells.on)
            opens = np.ones(len(owner), dtype=np.bool_)
            opens[1:] = (owner[1:] != owner[:-1]) | (spells.on[1:] >= spells.off[:-1] + self.lives.window)
            owners.append(owner[opens])
            moments.append(line.moment(spells.on[opens]))
        entity, on = np.concatenate(owners), np.concatenate(moments)
        reach = max(self.reach[place] for place in places)
        kept = on < self._until[entity]
        if reach:
            kept &= on >= self._seen_for(reach)[entity]
        for place in places:
            if place in self.held:
                kept &= self.held[place][entity]
        return entity[kept], on[kept]

    def _seen_for(self, reach: Microseconds) -> NDArray[np.int64]:
        """Give from when on a moving window of this length is seen whole, for each entity."""
        if reach not in self._seen:
            seen = self.lives.seen_from
            self._seen[reach] = np.where(seen == 0, -NEVER, seen + reach)
        return self._seen[reach]


def _drawn(lives: Lives) -> NDArray[np.bool_] | None:
    """Draw the clusters that are read, where there are more than it takes; None = all of them."""
    converters = int(np.count_nonzero(lives.able & (lives.counted != NEVER)))
    share = min(len(lives.anchor) // ENTITIES, converters // CONVERTERS)
    return None if share < 2 else lives.cluster % share == 0


def _read_once(world: World, literals: Sequence[Literal]) -> World:
    """Hold the events of a world where they are read fast: each measure goes over them again."""
    behaviours = [literal.behaviour for literal in literals if literal.behaviour is not None]
    named = {
        name
        for behaviour in behaviours
        for name in (behaviour.measure.property, *(condition.name for condition in behaviour.where))
        if name is not None
    }
    columns = [world.properties[name] for name in sorted(named) if name in world.properties]
    scope = scope_of(world)
    ids = [name for name in (USER_ID, ACCOUNT_ID) if name in scope.dtypes]
    owned = scope.owned(world.events.select(*ids, EVENT, AT, *columns).filter(nw.col(AT) <= world.as_of), [])
    return replace(world, events=world.engine.keep(owned.select(*ids, EVENT, AT, *columns)))


def _tiles(
    activity: Activity, begin: Microseconds, window: Microseconds
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the stretches of one window, from the beginning on, in which each entity did something."""
    later = activity.take(activity.at >= begin)
    tile = (later.at - begin) // window
    code = np.unique(later.entity * (1 << 20) + tile)
    return code >> 20, (code & ((1 << 20) - 1)) * window + begin
