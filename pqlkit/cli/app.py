"""The command line: one typer application, and the one place where errors become exit codes."""

from __future__ import annotations

import contextlib
import errno
import sys
from typing import Final

import typer

from pqlkit.cli.commands import Commands
from pqlkit.cli.exit import ExitCode, Terminated
from pqlkit.cli.step import started
from pqlkit.cli.streams import abandon, usable
from pqlkit.errors import PqlkitError, UsageError

app = typer.Typer(
    name="pqlkit",
    cls=Commands,
    help="Find which behaviour in a product says that a free user is about to pay, and turn it into a tested definition.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line and leave with a documented exit code."""
    usable()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line.

    Parameters
    ----------
    arguments
        Without the program's name.

    Returns
    -------
    int
        An `ExitCode`: errors are told on stderr, a closed pipe is quiet, Ctrl-C is 130, SIGTERM 143.
    """
    started()
    try:
        code = _guarded(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output left (`| head`): what it wanted it has.
        abandon()
        return ExitCode.DONE
    except OSError as error:
        # A full disk behind stdout, for one; where stderr is full too, the exit code alone can say it.
        with contextlib.suppress(OSError):
            tell(_of_system(error))
        abandon()
        return ExitCode.COULD_NOT_RUN
    return code


_WRITING: Final = {errno.ENOSPC, errno.EFBIG, errno.EROFS}
"""Errors that only writing can end in."""


def _of_system(error: OSError) -> PqlkitError:
    """Say what the system refused; it does not always tell whether that was to read or to write."""
    said = error.strerror or str(error)
    doing = "write" if error.errno in _WRITING else "read or write"
    if error.filename is None:
        return PqlkitError(f"cannot {doing} {'the output' if doing == 'write' else 'a file'}: {said}")
    return PqlkitError(f"cannot {doing} the file: {said}", where=str(error.filename))


def _guarded(arguments: list[str]) -> int:
    try:
        typer.main.get_command(app)(args=arguments, prog_name="pqlkit", standalone_mode=True)
    except SystemExit as leaving:
        # Typer makes 1 of a closed pipe, and 130 of Ctrl-C without a word.
        if isinstance(leaving.__context__, BrokenPipeError):
            raise leaving.__context__ from None
        if leaving.code == ExitCode.INTERRUPTED:
            sys.stderr.write("interrupted\n")
        return leaving.code if isinstance(leaving.code, int) else ExitCode.DONE
    except PqlkitError as error:
        tell(error)
        return ExitCode.COULD_NOT_RUN
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return ExitCode.INTERRUPTED
    except Terminated:
        sys.stderr.write("terminated\n")
        return ExitCode.TERMINATED
    except MemoryError:
        sys.stderr.write("error: out of memory\n  Fix: look at a part of the entities: --sample 5%\n")
        return ExitCode.COULD_NOT_RUN
    except UnicodeEncodeError as error:
        tell(UsageError(f"{error.object!r} is not UTF-8", hint="give the file another name"))
        return ExitCode.COULD_NOT_RUN
    except OSError:
        raise
    except BaseException as error:  # noqa: BLE001 - the net; a panic of Polars is no Exception
        return _unforeseen(error, arguments)
    return ExitCode.DONE


def _unforeseen(error: BaseException, arguments: list[str]) -> int:
    """Tell of an error that nobody foresaw."""
    from pqlkit.cli.unforeseen import detailed, explained

    if detailed(arguments):
        import traceback

        sys.stderr.write("".join(traceback.format_exception(error)))
    tell(explained(error, arguments))
    return ExitCode.COULD_NOT_RUN


def tell(error: PqlkitError) -> None:
    """Print an error on stderr: each diagnostic of a bad file on its own line, then what to do."""
    from pqlkit.inert import visible

    lines = [f"error: {visible(error.where, 400) + ': ' if error.where else ''}{visible(error.message, 2_000)}"]
    lines += [
        f"{visible(d.path, 400)}:{d.line}:{d.column}: {d.code} {visible(d.message, 1_000)}"
        for d in getattr(error, "diagnostics", ())
    ]
    if error.hint:
        # Leading blanks stay: they put a caret under its character.
        hints = [(line, line.lstrip(" ")) for line in labelled_fix(error.hint).splitlines()]
        lines += [f"  {' ' * (len(line) - len(rest))}{visible(rest, 2_000)}" for line, rest in hints]
    sys.stderr.write("\n".join(lines) + "\n")


def labelled_fix(hint: str) -> str:
    r"""Label what to do; a request to us is none, a question whether another name was meant is none, and a stretch of text with a caret stands before it.

    Examples
    --------
    >>> labelled_fix("add --ledger FILE"), labelled_fix("did you mean login?")
    ('Fix: add --ledger FILE', 'did you mean login?')
    >>> labelled_fix("login > 3\n      ^\nwrite >=")
    'login > 3\n      ^\nFix: write >='
    """
    lines = hint.splitlines()
    shown = 2 if len(lines) > 1 and lines[1].strip() == "^" else 0
    if len(lines) > shown and not lines[shown].endswith("?") and not lines[shown].startswith("please "):
        lines[shown] = f"Fix: {lines[shown]}"
    return "\n".join(lines)


def _version(value: bool) -> None:
    if value:
        from pqlkit.shipped import version

        sys.stdout.write(f"pqlkit {version()}\n")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", "-V", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    """Find which behaviour in a product says that a free user is about to pay, and turn it into a tested definition."""
