"""`pqlkit explain`: one entity's way to qualifying, or towards it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, Format, OutputOptions, option, records


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """Whose definition, or all who upgraded."""

    definition: Annotated[Path | None, option("--definition", "-d", help="The definition file.", metavar="FILE")] = None
    converters: Annotated[
        bool | None, option("--converters", help="Those who upgraded, side by side; needs no definition.")
    ] = None


@records(DataOptions, ExplainOptions, OutputOptions)
def explain(
    data: DataOptions,
    options: ExplainOptions,
    out: OutputOptions,
    entity: Annotated[str | None, typer.Argument(help="A user_id or account_id.", show_default=False)] = None,
) -> None:
    """Show one entity's timeline to (or towards) qualifying, or those who upgraded, side by side.

    **Examples**

    `pqlkit explain org_04070 -d definitions/team-rollout.yml`

    `pqlkit explain --converters`
    """
    from pqlkit.analysis.population import population
    from pqlkit.cli.output import Output
    from pqlkit.definitions.loading import load_definition
    from pqlkit.errors import UsageError
    from pqlkit.reporting.renderers import lead as render
    from pqlkit.scoring.scoring import score
    from pqlkit.scoring.timeline import entity_named, timeline

    found = inputs("explain", data, ExplainOptions, OutputOptions)
    options, out = found.settle(options), found.settle(out)
    output = Output(quiet=bool(out.quiet), verbose=bool(out.verbose), out=out.out)
    if entity is None or options.definition is None:
        raise UsageError("explain needs an entity and a definition", hint="pqlkit explain ID -d definitions/NAME.yml")
    definition = load_definition(options.definition)
    with output.working("reading exports") as progress:
        people = population(
            found.dataset(progress),
            found.project,
            definition=definition,
            as_of=found.data.as_of,
            trust_current=found.trust_current,
            engine=found.engine,
        )
        number = entity_named(people, entity)
        story = timeline(people, number, definition)
        leads = score(people, definition)
    row = leads.frame.filter(leads.frame[leads.key].cast(str) == entity).to_dicts()[0]
    if (out.format or Format.TABLE) is Format.TABLE:
        output.show(render.as_table(row, story, people.as_of))
