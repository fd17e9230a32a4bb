"""Options on the command line: typer's parameters, made from a command's option records."""

from __future__ import annotations

import inspect
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqlkit.cli.inputs import Given
from pqlkit.options.commands import command_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pqlkit.options.option import Option

DefinitionFiles = Annotated[
    list[Path] | None, typer.Argument(help="Definition files, as after -d.", metavar="FILE...", show_default=False)
]
"""The argument of commands that take definitions by ``-d``, too."""


def takes_options(command: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command function one keyword per option of the command, for typer; it is called with what was given.

    Parameters
    ----------
    command
        A key of `pqlkit.options.commands.RECORDS`. The function's first parameter is a `Given`; the others are arguments.

    Examples
    --------
    >>> @takes_options("schema")
    ... def show(given: Given, name: str) -> None: ...
    >>> list(inspect.signature(show).parameters)
    ['name', 'out']
    """
    options = command_options(command)

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(function, include_extras=True)
        _, *own = inspect.signature(function).parameters.values()
        added = [_parameter(option) for option in options.values()]

        def run(**values: Any) -> None:
            given = {name: value for name in options if (value := values.pop(name)) is not None}
            function(Given(command=command, values=given, files=_files(values)), **values)

        run.__name__, run.__doc__, run.__module__ = function.__name__, function.__doc__, function.__module__
        parameters = [*(parameter.replace(annotation=hints[parameter.name]) for parameter in own), *added]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorate


def _files(arguments: Mapping[str, Any]) -> tuple[Path, ...]:
    """Give the arguments that are files to read: by their type, or because they are called as an export is."""
    lists = [value if isinstance(value, list) else [value] for value in arguments.values()]
    paths = [value for values in lists for value in values if isinstance(value, Path)]
    return (*paths, *([Path(arguments["events"])] if arguments.get("events") is not None else []))


def _parameter(option: Option) -> inspect.Parameter:
    """Make typer's parameter: None says that nothing was given, so that the project file can."""
    takes: Any = list[option.takes] if option.many else option.takes  # type: ignore[name-defined]
    told = typer.Option(
        option.flag,
        *([option.short] if option.short else []),
        help=option.help,
        metavar=option.metavar,
        rich_help_panel=option.panel,
        show_default=False,
    )
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[takes | None, told]
    )
