"""The command: one file per command; parse, call one library function, render, return a code."""

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C is quiet from the first import on."""
    import sys

    try:
        from pqlkit.cli.app import main as start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
