"""Help: how a command's text, examples and options are laid out, in plain text that needs no rendering library."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperCommand, TyperOption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UsageError: Final[Any] = typer.BadParameter.__base__
"""Click's error about a command line; Typer keeps its copy of click to itself."""

ELSEWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("--output", "--outfile", "--output-file", "--file", "-o"), "--out FILE"),
    **{f"--{form}": f"--format {form}" for form in ("csv", "json", "markdown")},
}
"""What other tools call an option, and what to write instead."""

EVERYTHING: Final = "--help-all"
"""Shows what ``--help`` does, and the options of rare use."""

PANELS: Final = ("Options", "Data", "Snapshots", "Search", "Check", "What is new", "Guards", "Columns", "Output")
"""Where options stand, in the order of every command's help."""

EXAMPLES: Final = "**Examples**"
_EXAMPLE: Final = re.compile(r"`(pqlkit[^`]*)`(?::\s*(.*))?", re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A command line, and what it is for.

    Parameters
    ----------
    line
        As it is typed.
    note
        What it is for, or "".
    """

    line: str
    note: str


def told(text: str) -> tuple[list[str], list[Example]]:
    r"""Split a command's docstring into paragraphs and examples.

    Parameters
    ----------
    text
        Paragraphs; then a paragraph ``**Examples**`` and one per example: the line in backticks, then ``: note``.

    Examples
    --------
    >>> told("Do it.\n\n**Examples**\n\n`pqlkit load`: at night")
    (['Do it.'], [Example(line='pqlkit load', note='at night')])
    """
    head, _, tail = text.partition(EXAMPLES)
    matches = (_EXAMPLE.fullmatch(part.strip()) for part in tail.split("\n\n"))
    examples = [
        Example(line=match[1], note=" ".join((match[2] or "").split())) for match in matches if match is not None
    ]
    return [" ".join(part.split()) for part in head.split("\n\n") if part.strip()], examples


def panels(command: TyperCommand, ctx: typer.Context) -> dict[str, list[TyperOption]]:
    """Give the options by the panel they stand in, in the order of `PANELS`."""
    filled: dict[str, list[TyperOption]] = {name: [] for name in PANELS}
    *options, last = [param for param in command.get_params(ctx) if isinstance(param, TyperOption) and not param.hidden]
    for option in options:
        filled[option.rich_help_panel or "Options"].append(option)
    filled = {name: panel for name, panel in filled.items() if panel} or {"Options": []}
    next(reversed(filled.values())).append(last)
    return filled


@contextmanager
def showable() -> Iterator[None]:
    """Make what was typed safe to show in the error about it: a terminal obeys what may stand in an option's name."""
    try:
        yield
    except UsageError as error:
        from pqlkit.inert import visible

        error.message = visible(error.message, 2_000)
        raise


class Command(TyperCommand):
    """A command whose help shows its examples as they are typed and its options by panel."""

    def make_context(self, *given: Any, **named: Any) -> Any:
        """Parse the command line; errors about it are safe to show."""
        with showable():
            return super().make_context(*given, **named)

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Parse the arguments; an option's old name is answered with its new one, and another tool's with ours.

        Raises
        ------
        click.UsageError
            As for any option that does not exist.
        """
        from pqlkit.definitions.old_words import OPTIONS

        if EVERYTHING in (args[: args.index("--")] if "--" in args else args):
            ctx.meta[EVERYTHING], args = True, ["--help"]
        known = {name for option in self.get_params(ctx) for name in option.opts}
        for word in args[: args.index("--")] if "--" in args else args:
            name = word.partition("=")[0]
            if name in OPTIONS and name not in known:
                ctx.fail(f"No such option: {name}. It is now {OPTIONS[name]}.")
            ours = ELSEWHERE.get(name, "")
            if name not in known and ours.partition(" ")[0] in known:
                ctx.fail(f"No such option: {name}. Write {ours}.")
        return super().parse_args(ctx, args)

    def format_help_text(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the paragraphs, wrapped, then the examples, never wrapped."""
        paragraphs, examples = told(self.help or "")
        for paragraph in paragraphs:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(paragraph.replace("`", ""))
        if not examples:
            return
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{' ' * formatter.current_indent}{example.line}\n")
                if example.note:
                    with formatter.indentation(), formatter.indentation():
                        formatter.write_text(example.note.replace("`", ""))

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write arguments, then one section per panel."""
        arguments = [
            get_param.get_help_record(ctx)
            for get_param in self.get_params(ctx)
            if not isinstance(get_param, TyperOption)
        ]
        if arguments:
            with formatter.section("Arguments"):
                formatter.write_dl([get_param for get_param in arguments if get_param is not None])
        from pqlkit.options.commands import command_options

        known = {} if ctx.meta.get(EVERYTHING) else command_options(str(self.name))
        left = 0
        for name, options in panels(self, ctx).items():
            usual = [option for option in options if option.name not in known or not known[option.name].rare]
            left += len(options) - len(usual)
            records = [record for option in usual if (record := option.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)
        if left:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(f"{left} options of rare use: pqlkit {self.name} {EVERYTHING}")
