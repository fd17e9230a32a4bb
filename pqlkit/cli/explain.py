"""`pqlkit explain`: one entity's way to qualifying, or towards it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.commands import ExplainOptions
from pqlkit.options.output import Format

if TYPE_CHECKING:
    from pqlkit.cli.inputs import Inputs
    from pqlkit.cli.output import Output


@takes_options("explain")
def explain(
    given: Given,
    entity: Annotated[str | None, typer.Argument(help="A user_id or account_id.", show_default=False)] = None,
) -> None:
    """Show one entity's timeline to (or towards) qualifying, or those who converted, side by side.

    **Examples**

    `pqlkit explain org_04070 -d definitions/team-rollout.yml`

    `pqlkit explain --converters`
    """
    from pqlkit.errors import UsageError

    inputs = given.inputs()
    options, output = inputs.settle(ExplainOptions), inputs.output(private=True)
    if options.converters and entity is not None:
        raise UsageError("--converters shows all who converted, not one entity", hint="leave one of the two out")
    if options.converters:
        upgraded(inputs, options, output)
        return
    if entity is None:
        raise UsageError(
            "explain needs the id of one entity, or --converters",
            hint="pqlkit explain ID -d definitions/NAME.yml, or pqlkit explain --converters",
        )
    if options.definition is None:
        raise UsageError("explain needs a definition", hint=f"pqlkit explain {entity[:60]} -d definitions/NAME.yml")
    one_lead(inputs, entity, options.definition, output)


def one_lead(inputs: Inputs, entity: str, path: Path, output: Output) -> None:
    """Show one entity's card and timeline.

    Parameters
    ----------
    inputs
        The inputs of the run.
    entity, path
        Whose story, and the file of the definition it is told by.
    output
        How and where it is written.
    """
    from pqlkit.definitions.folders import load_definition
    from pqlkit.reporting.renderers import lead as render
    from pqlkit.scoring.card import card_lines, labelled_cards, score_line, score_parts
    from pqlkit.scoring.lead import LeadStatus
    from pqlkit.scoring.lead_file import spelled
    from pqlkit.scoring.scoring import score
    from pqlkit.scoring.timeline import alone, entity_named, timeline

    definition = load_definition(path)
    with output.working("reading exports") as progress:
        people = inputs.population(inputs.dataset(progress), definition)
        number = entity_named(people, entity)
        story = timeline(people, number, definition)
        leads = score(alone(people, number, definition), definition, read=tuple(LeadStatus), progress=progress)
    rows = leads.frame.filter(leads.frame.get_column(leads.key).cast(str) == entity)
    ((head, *rest),) = labelled_cards(leads, rows)
    lead = rows.row(0, named=True)
    parts = score_parts(leads, lead)
    labelled = [head, ("Score", score_line(lead["score"], parts)), *rest]
    card = card_lines(labelled)
    row = spelled(rows).row(0, named=True)
    match output.form:
        case Format.JSON:
            output.payload(render.as_json(card, row, story, parts))
        case Format.CSV:
            output.payload(render.as_csv(story))
        case Format.MARKDOWN:
            output.payload(render.as_markdown(card, row, story, zone=people.world.zone))
        case Format.TABLE:
            shown = render.as_table(
                labelled, story, as_of=people.as_of, zone=people.world.zone, call=inputs.call, width=output.width
            )
            output.show(shown)
        case _:
            assert_never(output.form)


def upgraded(inputs: Inputs, options: ExplainOptions, output: Output) -> None:
    """Show those who converted."""
    from pqlkit.definitions.folders import load_definition
    from pqlkit.reporting.renderers import lead as render
    from pqlkit.scoring.converters import converters

    definition = load_definition(options.definition) if options.definition is not None else None
    with output.working("reading exports") as progress:
        told = converters(inputs.population(inputs.dataset(progress), definition))
    match output.form:
        case Format.JSON:
            output.payload(render.converters_as_json(told))
        case Format.CSV:
            output.payload(render.converters_as_csv(told))
        case Format.MARKDOWN:
            output.payload(render.converters_as_markdown(told))
        case Format.TABLE:
            output.show(render.converters_as_table(told, call=inputs.call, width=output.width))
        case _:
            assert_never(output.form)
