"""`pqlkit analyze`: where conversions fall, and which behaviours go with upgrading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, Format, OutputOptions, SnapshotOptions, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from pqlkit.analysis.settings import Settings
    from pqlkit.cli.inputs import Inputs
    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population


@records(DataOptions, SnapshotOptions, OutputOptions)
def analyze(data: DataOptions, snapshot: SnapshotOptions, out: OutputOptions) -> None:
    """Say where conversions fall, draw the cohorts, and find which behaviours go with upgrading.

    Every figure is an association: it says who upgrades, not why.

    **Examples**

    `pqlkit analyze`: the exports of `pqlkit.yml`

    `pqlkit analyze --events events.parquet --users users.csv --conversions upgrades.csv`

    `pqlkit analyze --by channel --by "teammate_invited >= 3 in 7d"`: conversion curves by trait, and by behaviour

    `pqlkit analyze --entity account --snapshots every:28d --format json | jq .behaviours[0]`
    """
    from pqlkit.analysis.analyzing import analyze as run
    from pqlkit.cli.output import Output
    from pqlkit.cli.values import whole
    from pqlkit.exports.status_columns import status_notes
    from pqlkit.reporting.renderers import analysis as render

    found = inputs("analyze", data, SnapshotOptions, OutputOptions)
    snapshot, out = found.settle(snapshot), found.settle(out)
    output = Output(quiet=bool(out.quiet), verbose=bool(out.verbose), out=out.out)
    asked, top = settings(snapshot), whole(snapshot.top, "--top", 1, 100_000) or 20
    with output.working("reading exports") as progress:
        people = whoever(found, snapshot, progress)
        result = run(people, asked, progress=progress)
    for warning in (*result.warnings, *status_notes(people.dataset, found.project)):
        output.warn(warning)
    if snapshot.html is not None:
        from pqlkit.reporting.pages.analysis import as_page

        output.page(snapshot.html, as_page(result, top))
    match out.format or Format.TABLE:
        case Format.JSON:
            output.payload(render.as_json(result))
        case Format.CSV:
            output.payload(render.as_csv(result))
        case Format.MARKDOWN:
            output.payload(render.as_markdown(result, top))
        case Format.TABLE:
            output.show(render.as_table(result, top if snapshot.top else render.ROWS, by=bool(snapshot.by)))


def whoever(found: Inputs, snapshot: SnapshotOptions, progress: Callable[[str], None]) -> Population:
    """Read the exports and say who exists: what `analyze`, `try` and `propose` look at."""
    from pqlkit.population.population import population

    return population(
        found.dataset(progress),
        found.project,
        entity=snapshot.entity or "auto",
        as_of=found.data.as_of,
        trust_current=found.trust_current,
        engine=found.engine,
        sample=sample(snapshot),
    )


def settings(snapshot: SnapshotOptions) -> Settings:
    """Turn the snapshot options into values.

    Raises
    ------
    UsageError
        An option cannot be read.
    """
    from pqlkit.analysis.settings import Exposure, Settings
    from pqlkit.cli.values import chosen, duration, durations, measures, moment

    defaults = Settings()
    return Settings(
        snapshots=snapshot.snapshots or "auto",
        windows=durations(snapshot.windows, "--windows"),
        conversion_window=duration(snapshot.conversion_window, "--conversion-window"),
        gap=duration(snapshot.gap, "--gap"),
        active_within=duration(snapshot.active_within, "--active-within") or defaults.active_within,
        events_from=moment(snapshot.events_from, "--events-from"),
        measures=measures(snapshot.measures) or (),
        exposure=chosen(snapshot.exposure, Exposure, "--exposure") or Exposure.LANDMARK,
        exclude=tuple(snapshot.exclude_event or ()),
        keep=tuple(snapshot.keep_event or ()),
        by=tuple(snapshot.by or defaults.by),
        given=_given(snapshot),
        compare=tuple(snapshot.compare or ()),
    )


def sample(snapshot: SnapshotOptions) -> float | None:
    """Read ``--sample``; None = everybody.

    Raises
    ------
    UsageError
        It is not a share.
    """
    from pqlkit.cli.values import share

    return None if snapshot.sample is None else share(snapshot.sample, "--sample")


def _given(snapshot: SnapshotOptions) -> Definition | None:
    if snapshot.given is None:
        return None
    from pqlkit.definitions.loading import load_definition

    return load_definition(snapshot.given)
