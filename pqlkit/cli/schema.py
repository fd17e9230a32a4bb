"""`pqlkit schema`: the JSON Schema of definition or project files, for editors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, option, records


class SchemaName(StrEnum):
    """Which kind of file."""

    DEFINITION = "definition"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaOptions:
    """Where the schema goes."""

    out: Annotated[Path | None, option("--out", help="Write it to this file instead of stdout.", metavar="PATH")] = None


@records(SchemaOptions)
def schema(
    options: SchemaOptions,
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

        found = definition_schema()
    else:
        from pqlkit.exports.project import project_schema

        found = project_schema()
    Output(out=inputs("schema", DataOptions(), SchemaOptions).settle(options).out).payload(to_json(found))
