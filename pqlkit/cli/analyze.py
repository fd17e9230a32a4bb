"""`pqlkit analyze`: where conversions fall, and which behaviours go with upgrading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, Format, LookOptions, OutputOptions, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from pqlkit.analysis.population import Population
    from pqlkit.analysis.settings import Settings
    from pqlkit.cli.inputs import Inputs
    from pqlkit.definitions.model import Definition


@records(DataOptions, LookOptions, OutputOptions)
def analyze(data: DataOptions, look: LookOptions, out: OutputOptions) -> None:
    """Say where conversions fall, draw the cohorts, and find which behaviours go with upgrading.

    Every figure is an association: it says who upgrades, not why.

    **Examples**

    `pqlkit analyze`: the exports of `pqlkit.yml`

    `pqlkit analyze --events events.parquet --users users.csv --conversions upgrades.csv`

    `pqlkit analyze --by channel --by "teammate_invited >= 3 in 7d"`: conversion curves by trait, and by behaviour

    `pqlkit analyze --entity account --looks every:28d --format json | jq .behaviours[0]`
    """
    from pqlkit.analysis.analyzing import analyze as run
    from pqlkit.cli.output import Output
    from pqlkit.cli.values import whole
    from pqlkit.reporting.renderers import analysis as render

    found = inputs("analyze", data, LookOptions, OutputOptions)
    look, out = found.settle(look), found.settle(out)
    output = Output(quiet=bool(out.quiet), verbose=bool(out.verbose), out=out.out)
    asked, top = settings(look), whole(look.top, "--top", 1, 100_000) or 20
    with output.working("reading exports") as progress:
        people = whoever(found, look, progress)
        result = run(people, asked, progress=progress)
    for warning in result.warnings:
        output.warn(warning)
    if look.html is not None:
        from pqlkit.reporting.pages.analysis import as_page

        output.page(look.html, as_page(result, top))
    match out.format or Format.TABLE:
        case Format.JSON:
            output.payload(render.as_json(result))
        case Format.CSV:
            output.payload(render.as_csv(result))
        case Format.MARKDOWN:
            output.payload(render.as_markdown(result, top))
        case Format.TABLE:
            output.show(render.as_table(result, top if look.top else render.ROWS, by=bool(look.by)))


def whoever(found: Inputs, look: LookOptions, progress: Callable[[str], None]) -> Population:
    """Read the exports and say who exists: what `analyze`, `try` and `propose` look at."""
    from pqlkit.analysis.population import population

    return population(
        found.dataset(progress),
        found.project,
        entity=look.entity or "auto",
        as_of=found.data.as_of,
        trust_current=found.trust_current,
        engine=found.engine,
        sample=sample(look),
    )


def settings(look: LookOptions) -> Settings:
    """Turn the look options into values.

    Raises
    ------
    UsageError
        An option cannot be read.
    """
    from pqlkit.analysis.settings import Exposure, Settings
    from pqlkit.cli.values import chosen, duration, durations, measures, moment

    defaults = Settings()
    return Settings(
        looks=look.looks or "auto",
        windows=durations(look.windows, "--windows"),
        horizon=duration(look.horizon, "--horizon"),
        gap=duration(look.gap, "--gap"),
        active_within=duration(look.active_within, "--active-within") or defaults.active_within,
        events_from=moment(look.events_from, "--events-from"),
        measures=measures(look.measures) or (),
        exposure=chosen(look.exposure, Exposure, "--exposure") or Exposure.LANDMARK,
        exclude=tuple(look.exclude_event or ()),
        keep=tuple(look.keep_event or ()),
        by=tuple(look.by or defaults.by),
        given=_given(look),
        compare=tuple(look.compare or ()),
    )


def sample(look: LookOptions) -> float | None:
    """Read ``--sample``; None = everybody.

    Raises
    ------
    UsageError
        It is not a share.
    """
    from pqlkit.cli.values import share

    return None if look.sample is None else share(look.sample, "--sample")


def _given(look: LookOptions) -> Definition | None:
    if look.given is None:
        return None
    from pqlkit.definitions.loading import load_definition

    return load_definition(look.given)
