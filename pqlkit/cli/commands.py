"""The commands, in the order of the work; a command's module is loaded when that command is called."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import typer
from typer.core import TyperCommand, TyperGroup

from pqlkit.cli.help import Command, showable
from pqlkit.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A command as the list of commands shows it.

    Parameters
    ----------
    place
        ``module:function``, below `pqlkit.cli`.
    summary
        The first paragraph of the function's docstring: it stands here too, so that the list needs no module.
    """

    place: str
    summary: str


COMMANDS: Final[Mapping[str, Entry]] = {
    "demo": Entry(
        place="demo:demo",
        summary="Make a sample product's exports and run every step on them, showing each command and its result.",
    ),
    "init": Entry(
        place="init:init",
        summary="Look at the exports, say how well users and conversions match, and write a commented pqlkit.yml.",
    ),
    "load": Entry(
        place="load:load",
        summary="Read, check and canonicalise exports into a Parquet dataset, and print the intake report.",
    ),
    "analyze": Entry(
        place="analyze:analyze",
        summary="Say where conversions fall, draw the cohorts, and find which behaviours go with converting.",
    ),
    "try": Entry(place="trying:try_", summary="Test a written hypothesis; `--save` makes it a definition."),
    "propose": Entry(
        place="propose:propose",
        summary=(
            "Search threshold rules of one to three criteria, check them on later snapshots, write the best as definitions."
        ),
    ),
    "validate": Entry(
        place="validate:validate_command",
        summary="Check definition and project files; with data, check them against it.",
    ),
    "score": Entry(
        place="score:score",
        summary=(
            "Turn the export into leads: who qualifies, why, since when, who nearly does, and who is new since the "
            "last run."
        ),
    ),
    "report": Entry(
        place="report:report",
        summary="Count signup -> PQL -> customer rates by cohort, segment and period, with drift.",
    ),
    "explain": Entry(
        place="explain:explain",
        summary="Show one entity's timeline to (or towards) qualifying, or those who converted, side by side.",
    ),
    "sql": Entry(
        place="sql:sql",
        summary="Write a definition as one SQL query for a warehouse, with the answers of `pqlkit score`; or as a dbt model.",
    ),
    "schema": Entry(
        place="schema:schema", summary="Print the JSON Schema of definition or project files, for editors."
    ),
}
"""Every command."""


class EndsEarlyError(Exception):
    """A file ended too early: stands for an EOFError, which typer would take for Ctrl-D at a prompt ("Aborted!", exit 1)."""


class Commands(TyperGroup):
    """The group of all commands; what `resolve_command` gives runs, what `get_command` gives is only listed."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command."""
        try:
            return super().invoke(ctx)
        except EOFError as error:
            raise EndsEarlyError(str(error) or "a file ends too early") from error

    def make_context(self, *given: Any, **named: Any) -> Any:
        """Parse the command line; errors about it are safe to show."""
        with showable():
            return super().make_context(*given, **named)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Give the names, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """Give a command as it is listed in help and by the shell's completion, without loading its module."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else TyperCommand(name=cmd_name, help=entry.summary, rich_markup_mode=None)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write each command with its whole summary."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary.replace("`", "")) for name, entry in COMMANDS.items()])

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> tuple[str | None, Any, list[str]]:  # type: ignore[override]
        """Find the command that the arguments begin with, and load it.

        Raises
        ------
        click.UsageError
            There is none of that name; the nearest is suggested.
        """
        name = args[0]
        if name == "help":
            name, args = (args[1], [args[1], "--help"]) if len(args) > 1 else _main_help(ctx)
        if name in COMMANDS:
            return name, loaded(name), args[1:]
        close = nearest(name, COMMANDS)
        if close is not None and not ctx.resilient_parsing:
            ctx.fail(f"No such command {name!r}. Did you mean {close}?")
        return super().resolve_command(ctx, args)


def _main_help(ctx: typer.Context) -> NoReturn:
    """Show what ``pqlkit --help`` does."""
    typer.echo(ctx.get_help())
    raise typer.Exit


def loaded(name: str) -> TyperCommand:
    """Load one command.

    Parameters
    ----------
    name
        A key of `COMMANDS`.

    Examples
    --------
    >>> loaded("schema").name
    'schema'
    """
    module, _, function = COMMANDS[name].place.partition(":")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name, cls=Command)(getattr(importlib.import_module(f"pqlkit.cli.{module}"), function))
    return cast("TyperCommand", typer.main.get_command(alone))
