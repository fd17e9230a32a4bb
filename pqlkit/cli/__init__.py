"""The command: one file per command; parse, call one library function, render, return a code."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C and SIGTERM are quiet from the first import on."""
    import gc
    import os
    import sys

    # Matrices here are tall and narrow: threads of linear algebra take a fifth more processor time, and win nothing. The
    # libraries read this when they are loaded, so it comes before anything that may load NumPy; what the user has set stands.
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")

    # Modules and plans are many small objects that live to the end: to look through them after every 700 new ones finds nothing.
    gc.set_threshold(50_000)

    from pqlkit.cli.exit import ExitCode, Terminated, terminable

    try:
        terminable()
        _no_plugins()
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


def _no_plugins() -> None:
    """Give what else is installed no say in how files are read.

    pydantic's own switch for that still loads the library that lists distributions, which takes a tenth of the time of a
    check. So its loader of plugins is stood in for; whatever else that module may come to hold is taken from itself.
    """
    import os
    import sys
    from importlib import import_module
    from types import ModuleType

    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    class Loader(ModuleType):
        @staticmethod
        def get_plugins() -> tuple[()]:
            return ()

        def __getattr__(self, name: str) -> object:
            if name.startswith("__"):
                raise AttributeError(name)
            sys.modules.pop(self.__name__, None)
            return getattr(import_module(self.__name__), name)

    sys.modules.setdefault("pydantic.plugin._loader", Loader("pydantic.plugin._loader"))
