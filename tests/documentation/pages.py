"""The generated pages of the documentation: commands, definition and project files, rules, sources and statistics, from the program itself.

``python -m tests.documentation docs`` writes them into ``docs/``; tests compare the files with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer
from typer.core import TyperOption

from pqlkit.cli.commands import COMMANDS, loaded
from pqlkit.cli.help import Example, panels, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.core import TyperCommand

NAMES: Final = ("commands.md", "definition.md", "project-file.md", "rules.md", "sources.md", "statistics.md")

_HEAD: Final = """\
# Commands

This page is written by `make docs` from the program itself; `pqlkit COMMAND --help` shows the same.

stdout is data, stderr is progress and messages. Colours and progress are shown on a terminal alone; `NO_COLOR` is obeyed.
Every option can stand in `pqlkit.yml` under its command's name, with `_` for `-`; the command line wins. A duration is a
whole number and a unit: `m`, `h`, `d` or `w`. `pqlkit --install-completion` teaches the shell to complete.

| exit code | says |
|---|---|
| 0 | done; also when the reader of a pipe left early |
| 1 | done, and there are findings: `validate` found errors, or a bound such as `--fail-under` or `--max-new` is breached |
| 2 | could not run: usage, configuration or data |
| 130 | interrupted (Ctrl-C) |
| 143 | terminated (SIGTERM); temporary files are gone |
"""


def page(name: str) -> str:
    """Write a page by its file's name."""
    from tests.documentation.definition_page import definition_page
    from tests.documentation.project_page import project_page
    from tests.documentation.rules_page import rules_page
    from tests.documentation.sources_page import sources_page
    from tests.documentation.statistics_page import statistics_page

    writers = (commands, definition_page, project_page, rules_page, sources_page, statistics_page)
    return dict(zip(NAMES, writers, strict=True))[name]()


def commands() -> str:
    """Write the page of the commands.

    Examples
    --------
    >>> commands().splitlines()[0]
    '# Commands'
    """
    return "\n".join([_HEAD, *_index(), "", *(line for name in COMMANDS for line in _section(name))]).rstrip() + "\n"


def _index() -> Iterator[str]:
    yield "| command | does |"
    yield "|---|---|"
    for name, entry in COMMANDS.items():
        yield f"| [`pqlkit {name}`](#pqlkit-{name}) | {entry.summary} |"


def _section(name: str) -> Iterator[str]:
    command = loaded(name)
    context = typer.Context(command, info_name=name)
    prose, examples = told(command.help or "")
    yield from (f"## pqlkit {name}", "", f"    {_usage(name, command)}", "")
    for paragraph in prose:
        yield from (paragraph, "")
    yield from _examples(examples)
    for panel, options in panels(command, context).items():
        listed = [
            f"| {_spelling(option)} | {_cell(option.help or '')} |" for option in options if option.name != "help"
        ]
        if listed:
            yield from (f"### {panel} of `{name}`", "", "| option | says |", "|---|---|", *listed, "")


def _usage(name: str, command: TyperCommand) -> str:
    arguments = [
        param.metavar or (param.name or "").upper() for param in command.params if not isinstance(param, TyperOption)
    ]
    return " ".join([f"pqlkit {name} [OPTIONS]", *arguments])


def _examples(examples: list[Example]) -> Iterator[str]:
    if not examples:
        return
    yield "```console"
    for example in examples:
        if example.note:
            yield f"# {example.note.replace('`', '')}"
        yield f"$ {example.line}"
    yield from ("```", "")


def _spelling(option: TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len))
    return names if option.is_flag else f"{names} {_cell(_takes(option))}"


def _takes(option: TyperOption) -> str:
    choices = option.type_descriptor.choices
    return option.metavar or (" or ".join(f"`{choice}`" for choice in choices) if choices else "")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
