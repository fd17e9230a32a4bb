"""Output: the one place that knows stdout from stderr.

stdout is data, stderr is progress and messages. Colours and progress only on a terminal; ``NO_COLOR`` is obeyed.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, assert_never

from pqlkit.cli.step import begin, current, in_detail
from pqlkit.options.output import Format
from pqlkit.reporting.renderers.layout import NARROW
from pqlkit.reporting.renderers.layout import plain as plain
from pqlkit.typing import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from rich.console import Console, RenderableType


class Renderer(Protocol):
    """A module of `pqlkit.reporting.renderers`: the same result in every format."""

    def as_json(self, *shown: Any, **how: Any) -> str:
        """Give it as JSON."""

    def as_csv(self, *shown: Any, **how: Any) -> str:
        """Give it as CSV."""

    def as_markdown(self, *shown: Any, **how: Any) -> str:
        """Give it as Markdown."""

    def as_table(self, *shown: Any, **how: Any) -> RenderableType:
        """Give it as a table of the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where results and messages of one run go.

    Parameters
    ----------
    quiet
        Errors alone on stderr.
    verbose
        Details on stderr.
    out
        The file that takes the payload instead of stdout, or None.
    private
        The payload holds personal data: a new file is its owner's alone.
    form
        How the result is written.
    html
        The file of the page beside the result, or None.
    opens
        Whether the page is shown in the browser.
    """

    quiet: bool = False
    verbose: bool = False
    out: Path | None = None
    private: bool = False
    form: Format = Format.TABLE
    html: Path | None = None
    opens: bool = False

    def __post_init__(self) -> None:
        """Let an error that nobody foresees be told in detail, too."""
        if self.verbose:
            in_detail()

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return not self.quiet and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def width(self) -> int:
        """How many columns a result may take: those of the terminal, else 80."""
        return NARROW if self.out is not None else console().width

    def payload(self, text: str) -> None:
        """Write the result: to `out` whole or not at all, else to stdout, ending in one line end."""
        from pqlkit.files import PRIVATE, write_text

        text = text if text.endswith("\n") else text + "\n"
        if self.out is not None:
            write_text(self.out, text, mode=PRIVATE if self.private else None)
            self.say(f"wrote {self.out}")
        else:
            sys.stdout.write(text)
            sys.stdout.flush()

    def show(self, renderable: RenderableType) -> None:
        """Write a rich renderable as the result: colours on a terminal, plain text to a file or pipe."""
        if self.out is not None:
            self.payload(plain(renderable, self.width))
        else:
            console().print(renderable, soft_wrap=False)
            sys.stdout.flush()

    def result(self, render: Renderer, *shown: Any, **how: Any) -> None:
        """Write a result in its format: `shown` is what the functions of the renderer take, `how` what `as_table` takes besides."""
        match self.form:
            case Format.JSON:
                self.payload(render.as_json(*shown))
            case Format.CSV:
                self.payload(render.as_csv(*shown))
            case Format.MARKDOWN:
                self.payload(render.as_markdown(*shown))
            case Format.TABLE:
                self.show(render.as_table(*shown, **how))
            case _:
                assert_never(self.form)

    def page(self, text: str) -> None:
        """Write the page that `html` asks for: whole or not at all."""
        from pqlkit.files import write_text

        if self.html is None:
            raise AssertionError("a page is written only where one is asked for")
        write_text(self.html, text)
        self.say(f"wrote {self.html}")
        if self.opens:
            import webbrowser

            webbrowser.open(self.html.resolve().as_uri())

    def say(self, message: str) -> None:
        """Tell the person something on stderr (not with ``--quiet``)."""
        if not self.quiet:
            messages().print(harmless(message), style="dim", markup=False, highlight=False, soft_wrap=True)

    def detail(self, message: str) -> None:
        """Tell what only ``--verbose`` asks for."""
        if self.verbose:
            self.say(message)

    def warn(self, message: str) -> None:
        """Warn on stderr (not with ``--quiet``)."""
        if not self.quiet:
            messages().print(
                f"warning: {harmless(message)}", style="yellow", markup=False, highlight=False, soft_wrap=True
            )

    def failed(self, message: str) -> None:
        """Say on stderr which bound was breached (not with ``--quiet``: the exit code says it)."""
        if not self.quiet:
            messages().print(f"failed: {harmless(message)}", style="red", markup=False, highlight=False, soft_wrap=True)

    def warn_beside(self, warnings: Iterable[str]) -> None:
        """Warn on stderr of what a payload for programs does not show a person; a table shows it itself."""
        if self.form is not Format.TABLE:
            for warning in warnings:
                self.warn(warning)

    @contextmanager
    def working(self, what: str, *, asks: bool = False) -> Iterator[Callable[[str], None]]:
        """Show that long work goes on; the block gets a function that names the step it is at, and how much of it is done.

        Work that `asks` a person says its steps line by line: a turning wheel would write over the question.
        """
        begin(what)
        if self.quiet or not sys.stderr.isatty():
            yield self._silent
            return
        if asks:
            yield self._told
            return
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        bar = BarColumn(bar_width=24)
        named, left = TextColumn("{task.description}", markup=False), TimeRemainingColumn(compact=True)
        columns = (SpinnerColumn(), named, bar, TaskProgressColumn(show_speed=False), left)
        shown = what
        with Progress(*columns, console=messages(), transient=True) as progress:
            task = progress.add_task(what, total=None)

            def show(step: str) -> None:
                nonlocal shown, task
                share = step.done if isinstance(step, Share) else None
                if step != shown or (share or 0.0) < progress.tasks[0].completed:
                    shown = str(step)
                    begin(shown)
                    progress.remove_task(task)
                    task = progress.add_task(shown, total=None)
                if share is not None:
                    progress.update(task, total=1.0, completed=share)

            yield show

    def _told(self, step: str) -> None:
        if step != current().name:
            begin(str(step))
            self.say(step)

    def _silent(self, step: str) -> None:
        if step != current().name:
            begin(str(step))
            self.detail(step)


def harmless(message: str) -> str:
    """Make a message's file and option names safe to show: a terminal obeys what stands in them."""
    from pqlkit.inert import visible

    return visible(message, 4_000)


def console() -> Console:
    """Give the console of stdout: the terminal's width, 80 columns where there is none."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else NARROW
    return Console(width=width, highlight=False, emoji=False, markup=False)


def messages() -> Console:
    """Give the console of stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)
