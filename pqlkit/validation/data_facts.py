"""The facts: what `validate` needs to know of the data, names and figures, counted as `report` counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.facts import (
    ComparisonFacts,
    CriterionFacts,
    DefinitionFacts,
    EligibilityFacts,
    EventFacts,
    Facts,
    LeakFacts,
    LeftBecause,
    NameFacts,
    PropertyFacts,
    Proportion,
    TraitFacts,
    TraitSource,
    ValueKind,
)
from pqlkit.definitions.model import Criterion, leaves
from pqlkit.durations import moment
from pqlkit.errors import PqlkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from pqlkit.definitions.model import Definition
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset, Table
    from pqlkit.exports.project import Project
    from pqlkit.population.population import Population
    from pqlkit.rates.report import Report
    from pqlkit.statistics.rate import Rate

    PeopleOf: TypeAlias = Callable[[Definition], Population]


def facts_of(
    definitions: Sequence[Definition],
    *,
    dataset: Dataset,
    project: Project,
    source: str,
    trust_current: Sequence[str],
    people_of: PeopleOf,
    engine: Engine,
) -> Facts:
    """Measure definitions against data.

    Parameters
    ----------
    definitions
        Those that could be read; milestones and those that the data cannot measure (an unknown property) have no figures.
    dataset, project, trust_current
        What is known of the data, and which current traits may be used in historical work.
    source
        What to call the data: the folder or file that somebody named.
    people_of
        Who exists, for a definition.
    engine
        Where the tables are read.
    """
    from pqlkit.measures.gaps import gap_warnings

    figures: dict[str, DefinitionFacts] = {}
    unmeasured: dict[str, str] = {}
    warnings: list[str] = []
    newest: str | None = None
    for definition in definitions:
        if definition.outcome is None:
            continue
        try:
            people = people_of(definition)
            figures[definition.name] = _figures(people, definition)
            warnings += [*people.warnings, *gap_warnings(people.world, definition)]
            newest = moment(people.as_of)
        except PqlkitError as error:
            unmeasured[definition.name] = error.message
    return Facts(
        source=source,
        names=_names(dataset, project, frozenset(trust_current), engine),
        as_of=newest,
        definitions=figures,
        unmeasured=unmeasured,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def comparison_of(before: Definition, after: Definition, *, people_of: PeopleOf) -> ComparisonFacts | None:
    """Measure an old against a new definition: who enters, who leaves, what the rates do.

    Parameters
    ----------
    before, after
        The old and the new definition.
    people_of
        Who exists, for a definition.

    Returns
    -------
    ComparisonFacts or None
        None where either cannot be measured, or they are about different entities.
    """
    from pqlkit.rates.report import report

    if before.outcome is None or after.outcome is None or before.entity is not after.entity:
        return None
    try:
        reports = [report(people_of(definition), definition) for definition in (before, after)]
    except PqlkitError:
        return None
    return _comparison(*reports)


def _comparison(old: Report, new: Report) -> ComparisonFacts:
    ids = [_pqls(side) for side in (old, new)]
    entered, left = ids[1] - ids[0], ids[0] - ids[1]
    return ComparisonFacts(
        entities=max(old.funnel.signups, new.funnel.signups),
        both=len(ids[0] & ids[1]),
        entered=len(entered),
        left=len(left),
        before=_proportion(old.funnel.pql_to_customer),
        after=_proportion(new.funnel.pql_to_customer),
        entered_rate=_proportion(_rate_of(new, entered)),
        left_rate=_proportion(_rate_of(old, left)),
        left_because=_why_left(new, left),
        pqls_per_week_before=old.pqls_per_week.median,
        pqls_per_week_after=new.pqls_per_week.median,
    )


def _pqls(reported: Report) -> set[Any]:
    """Give who became a PQL, as the report's funnel counts."""
    ids = reported.population.entities.select("entity", "id")
    return set(reported.signups.filter("pql").join(ids, on="entity").get_column("id").to_list())


def _why_left(new: Report, left: set[Any]) -> Mapping[LeftBecause, int]:
    """Say of those who leave although they meet the new definition why they do not count."""
    import polars as pl

    from pqlkit.measures.evaluation import spells_of

    if not left:
        return {}
    people = new.population
    rows = people.entities.filter(pl.col("id").is_in(sorted(left))).select("entity", "converted")
    meets = spells_of(people.world, new.definition).group_by("entity").agg(pl.col("on").min())
    rows = rows.join(meets, on="entity")
    before = pl.col("converted").is_null() | (pl.col("on") < pl.col("converted"))
    counted = pl.col("entity").is_in(new.signups.get_column("entity").implode())
    tally = {
        LeftBecause.NO_SIGNUP: rows.filter(~counted).height,
        LeftBecause.NOT_ELIGIBLE: rows.filter(counted, before).height,
    }
    return {why: number for why, number in tally.items() if number}


def _rate_of(reported: Report, ids: set[Any]) -> Rate:
    import polars as pl

    from pqlkit.snapshots.qualifications import pql_conversion_rate

    known = reported.population.entities.select("entity", "id")
    chosen = known.filter(pl.col("id").is_in(sorted(ids)))
    return pql_conversion_rate(reported.starts.join(chosen, on="entity", how="semi"))


def _figures(people: Population, definition: Definition) -> DefinitionFacts:
    from pqlkit.rates.report import report

    reported = report(people, definition)
    funnel = reported.funnel
    return DefinitionFacts(
        entities=funnel.signups,
        qualified=funnel.pqls,
        qualifications=_proportion(funnel.pql_to_customer),
        share=_proportion(funnel.cohort.levels.pqls),
        snapshot_with=_proportion(funnel.snapshot.with_),
        snapshot_base=_proportion(funnel.snapshot.base),
        leaks=_leaks(people, definition),
        eligibility=_eligibility(people, definition),
        criteria=_met(people, definition, reported),
    )


def _proportion(rate: Rate) -> Proportion:
    return Proportion(numerator=rate.numerator, denominator=rate.denominator, low=rate.low, high=rate.high)


def _leaks(people: Population, definition: Definition) -> tuple[LeakFacts, ...]:
    from pqlkit.analysis.leaks import leaks
    from pqlkit.measures.surroundings import surroundings

    used = {name for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion) for name in leaf.events or ()}
    return tuple(
        LeakFacts(event=leak.event, reason=leak.reason.value, evidence=leak.evidence)
        for leak in leaks(surroundings(people.world))
        if leak.event in used
    )


def _eligibility(people: Population, definition: Definition) -> tuple[EligibilityFacts, ...]:
    """Count what each condition removes among converters and others, judged at the anchor and at the conversion's eve."""
    import polars as pl

    if not definition.eligible:
        return ()
    entities = people.entities.filter(pl.col("anchor").is_not_null())
    eve = pl.coalesce(pl.col("converted") - 1, pl.lit(people.as_of))
    moments = entities.select("entity", pl.max_horizontal(eve, "anchor").alias("at"))
    converted = entities.get_column("converted").is_not_null()
    eligibility_factses = []
    for place, condition in enumerate(definition.eligible):
        held = people.traits.holds([condition], moments)
        facts = EligibilityFacts(
            condition=place,
            trait=condition.name,
            converters=int(converted.sum()),
            converters_removed=int((converted & ~held).sum()),
            others=int((~converted).sum()),
            others_removed=int((~converted & ~held).sum()),
        )
        if facts.converters_removed or facts.others_removed:
            eligibility_factses.append(facts)
    return tuple(eligibility_factses)


def _met(people: Population, definition: Definition, reported: Report) -> Mapping[str, CriterionFacts]:
    from pqlkit.measures.evaluation import evaluate

    ids = [leaf.id for leaf in leaves(definition.qualify)]
    met = evaluate(people.world, definition).criteria.drop_nulls("on").group_by("criterion").len()
    count = dict(met.iter_rows())
    return {
        name: CriterionFacts(met=int(count.get(place, 0)), entities=reported.funnel.signups)
        for place, name in enumerate(ids)
    }


def _names(dataset: Dataset, project: Project, trusted: frozenset[str], engine: Engine) -> NameFacts:
    from pqlkit.exports.catalogue import catalogue
    from pqlkit.population.traits import trait_kinds

    described: dict[str, Any] = dict(catalogue(dataset, engine))
    table = dataset.tables["events"]
    events = {
        name: EventFacts(
            rows=int(entry["count"]),
            first=entry["first"],
            last=entry["last"],
            properties={key: PropertyFacts(kind=ValueKind(kind)) for key, kind in entry["properties"].items()},
            automatic=name in project.events and project.events[name].automatic,
            mechanical=name in project.events and project.events[name].mechanical,
        )
        for name, entry in described["events"].items()
    }
    readable = _readable(table, engine)
    properties = {
        key: PropertyFacts(kind=ValueKind(str(table.columns[key])), **readable.get(key, {}))
        for key in sorted({key for entry in described["events"].values() for key in entry["properties"]})
    }
    conversions = dataset.tables.get("conversions")
    return NameFacts(
        events=events,
        properties=properties,
        traits={
            entity: {
                name: TraitFacts(
                    kind=ValueKind(str(types.get(name, "text"))),
                    source=TraitSource(kind.value),
                    trusted=name in trusted,
                )
                for name, kind in trait_kinds(types, project).items()
            }
            for entity, types in (
                ("user", described["traits"].get("users")),
                ("account", described["traits"].get("accounts")),
            )
            if types is not None
        },
        conversions=None
        if conversions is None
        else {name: PropertyFacts(kind=ValueKind(str(kind))) for name, kind in conversions.columns.items()},
    )


def _readable(table: Table, engine: Engine) -> dict[str, dict[str, Any]]:
    """Count, for each text column, its values and the share of them that can be read as a number."""
    import narwhals as nw

    from pqlkit.measures.numbers import number

    texts = [
        name
        for name, kind in table.columns.items()
        if str(kind) == "text" and name not in {"user_id", "account_id", "event", "event_id"}
    ]
    if not texts:
        return {}
    rows = engine.scan(table.paths, {name: f"c{place}" for place, name in enumerate(texts)})
    counts = {f"n{place}": nw.col(f"c{place}").count() for place in range(len(texts))}
    counts |= {f"r{place}": number(f"c{place}", nw.String()).count() for place in range(len(texts))}
    plan = rows.select(*(count.cast(nw.Int64).alias(name) for name, count in counts.items()))
    told = engine.collect(plan).row(0, named=True)
    return {
        name: {
            "values": told[f"n{place}"],
            "numeric_share": told[f"r{place}"] / told[f"n{place}"] if told[f"n{place}"] else None,
        }
        for place, name in enumerate(texts)
    }
