"""`pqlkit sql`: a definition as one query for a warehouse, or as a dbt model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import DefinitionFiles, takes_options
from pqlkit.options.warehouse import SqlOptions

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.cli.output import Output
    from pqlkit.definitions.model import Definition
    from pqlkit.exports.project import Project


@takes_options("sql")
def sql(
    given: Given,
    files: DefinitionFiles = None,
) -> None:
    """Write a definition as one SQL query for a warehouse, with the answers of `pqlkit score`; or as a dbt model.

    **Examples**

    `pqlkit sql -d definitions/team-rollout.yml --dialect snowflake --table events=raw.product_events`

    `pqlkit sql -d definitions/team-rollout.yml --dialect bigquery --dbt models/leads --incremental`: for every night

    `pqlkit sql -d definitions/team-rollout.yml --dialect postgres --map events.timestamp=occurred_at --since 7d`
    """
    from pqlkit.cli.output import Output
    from pqlkit.definitions.folders import load_definition
    from pqlkit.errors import UsageError

    inputs = given.naming(files).inputs()
    options = inputs.settle(SqlOptions)
    output = Output(quiet=options.quiet, verbose=options.verbose, out=options.out)
    definition = load_definition(only(options.definition))
    require_sqlglot()
    if options.dbt is not None:
        write_model(options.dbt, definition, inputs.project, options, output)
        return
    if options.incremental:
        raise UsageError("it belongs to a dbt model, and none is written", where="--incremental", hint="add --dbt DIR")
    from pqlkit.warehouse.lead_query import query_of

    output.payload(query_of(definition, inputs.project, options).sql + "\n")


def write_model(folder: Path, definition: Definition, project: Project, options: SqlOptions, output: Output) -> None:
    """Write a dbt model into a folder, over the one that was written there before.

    Parameters
    ----------
    folder
        Made if missing.
    definition, project, options
        Whose model, and how it is asked for.
    output
        Told of each file.
    """
    from pqlkit.files import write_text
    from pqlkit.warehouse.dbt import dbt_files

    for name, text in dbt_files(definition, project, options).items():
        write_text(folder / name, text)
        output.say(f"wrote {folder / name}")


def only(paths: tuple[Path, ...]) -> Path:
    """Give the one definition that was named.

    Raises
    ------
    UsageError
        None was, or several were.
    """
    from pqlkit.errors import UsageError

    if len(paths) != 1:
        raise UsageError(
            "sql writes one definition at a time" if paths else "sql needs a definition",
            hint="pqlkit sql -d definitions/NAME.yml",
        )
    return paths[0]


def require_sqlglot() -> None:
    """Refuse to go on without sqlglot.

    Raises
    ------
    UsageError
        It is not installed.
    """
    from importlib.util import find_spec

    from pqlkit.errors import UsageError

    if find_spec("sqlglot") is None:
        raise UsageError("pqlkit sql needs sqlglot, which is not installed", hint="pip install 'pqlkit[sql]'")
