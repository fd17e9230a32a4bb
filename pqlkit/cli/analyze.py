"""`pqlkit analyze`: where conversions fall, and which behaviours go with converting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.output import Format
from pqlkit.options.settings import EntityOptions, RowsOption, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pqlkit.cli.inputs import Inputs
    from pqlkit.population.population import Population

ROWS: Final = 20
"""Behaviours that a page or Markdown shows unless told otherwise."""


@takes_options("analyze")
def analyze(given: Given) -> None:
    """Say where conversions fall, draw the cohorts, and find which behaviours go with converting.

    Every figure is an association: it says who converts, not why.

    **Examples**

    `pqlkit analyze`: the exports of `pqlkit.yml`

    `pqlkit analyze --events events.parquet --users users.csv --conversions conversions.csv`

    `pqlkit analyze --by channel --by "teammate_invited >= 3 in 7d"`: conversion curves by trait, and by behaviour

    `pqlkit analyze --entity account --snapshots every:28d --format json | jq .behaviours[0]`
    """
    from pqlkit.analysis.analyzing import analyze as run
    from pqlkit.exports.status_columns import status_notes
    from pqlkit.reporting.renderers import analysis as render

    inputs = given.inputs()
    settings, top, output = inputs.settle(Settings), inputs.settle(RowsOption).top, inputs.output()
    with output.working("reading exports") as progress:
        people = whoever(inputs, progress, bounded=True)
        result = run(people, settings, progress=progress)
    for warning in (*result.warnings, *status_notes(people.dataset, inputs.project, people.world.engine)):
        output.warn(warning)
    if output.html is not None:
        from pqlkit.reporting.pages.analysis import as_page

        output.page(as_page(result, top or ROWS, inputs.call))
    match output.form:
        case Format.JSON:
            output.payload(render.as_json(result))
        case Format.CSV:
            output.payload(render.as_csv(result))
        case Format.MARKDOWN:
            output.payload(render.as_markdown(result, top or ROWS))
        case Format.TABLE:
            by = inputs.states("by")
            output.show(render.as_table(result, top or render.ROWS, by=by, call=inputs.call, width=output.width))
        case _:
            assert_never(output.form)


def whoever(inputs: Inputs, progress: Callable[[str], None], *, bounded: bool = False) -> Population:
    """Read the exports and say who exists: what `analyze`, `try` and `propose` look at; `bounded` is as of `population_of`."""
    who = inputs.settle(EntityOptions)
    return inputs.population(inputs.dataset(progress), entity=who.entity, sample=who.sample, bounded=bounded)
