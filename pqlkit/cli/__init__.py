"""The command: one file per command; parse, call one library function, render, return a code."""

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C and SIGTERM are quiet from the first import on."""
    import os
    import sys

    # Matrices here are tall and narrow: threads of linear algebra take a fifth more processor time, and win nothing. The
    # libraries read this when they are loaded, so it comes before anything that may load NumPy; what the user has set stands.
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")

    from pqlkit.cli.exit import ExitCode, Terminated, terminable

    # What else is installed has no say in how files are read; to ask each distribution whether it has takes time, too.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    try:
        terminable()
        from pqlkit.cli.plain_check import plain_check

        # `validate FILE...` runs in editors and hooks at every save: it starts without the options' library.
        if (code := plain_check(sys.argv[1:])) is not None:
            sys.exit(code)
        from pqlkit.cli.app import main as start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(ExitCode.INTERRUPTED)
    except Terminated:
        sys.stderr.write("terminated\n")
        sys.exit(ExitCode.TERMINATED)
