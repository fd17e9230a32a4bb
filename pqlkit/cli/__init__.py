"""The command: one file per command; parse, call one library function, render, return a code."""

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C is quiet from the first import on."""
    import sys

    try:
        from pqlkit.cli.plain_check import plain_check

        # `validate FILE...` runs in editors and hooks at every save: it starts without the options' library.
        if (code := plain_check(sys.argv[1:])) is not None:
            sys.exit(code)
        from pqlkit.cli.app import main as start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
