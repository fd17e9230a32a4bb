"""`pqlkit schema`: the JSON Schema of definition or project files, for editors."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.output import TargetOption


class SchemaName(StrEnum):
    """Which kind of file."""

    DEFINITION = "definition"
    PROJECT = "project"


@takes_options("schema")
def schema(
    given: Given,
    name: Annotated[
        SchemaName, typer.Argument(help="definition or project.", show_default=True)
    ] = SchemaName.DEFINITION,
) -> None:
    """Print the JSON Schema of definition or project files, for editors.

    **Examples**

    `pqlkit schema > pqlkit-definition.schema.json`

    `pqlkit schema project --out pqlkit-project.schema.json`
    """
    from pqlkit.cli.output import Output
    from pqlkit.reporting.renderers.tabular import to_json

    if name is SchemaName.DEFINITION:
        from pqlkit.definitions.schema import definition_schema

        row = definition_schema()
    else:
        from pqlkit.exports.project import project_schema

        row = project_schema()
    Output(out=given.inputs().settle(TargetOption).out).payload(to_json(row))
