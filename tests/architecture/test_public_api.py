"""What is public is listed, is there, says what it is for, and costs nothing to import."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pqlkit

ROOT = Path(pqlkit.__file__).parent


def test_all_is_exactly_what_is_public() -> None:
    assert dir(pqlkit) == sorted(pqlkit.__all__)
    promised = {name for names in pqlkit._HOMES.values() for name in names.split()}
    assert promised | {"__version__"} == set(pqlkit.__all__)


def test_every_name_is_there_and_documented() -> None:
    for name in pqlkit.__all__:
        thing = getattr(pqlkit, name)
        assert name == "__version__" or inspect.getdoc(thing), name
    assert pqlkit.__version__.count(".") == 2


def test_no_module_hides_a_public_name() -> None:
    """Importing `pqlkit.x.y` binds `pqlkit.x`: no public thing may have the name of a package."""
    code = (
        "import importlib, pkgutil, inspect, pqlkit\n"
        "names = [m.name for m in pkgutil.walk_packages(pqlkit.__path__, 'pqlkit.') if '__main__' not in m.name]\n"
        "for name in names:\n    importlib.import_module(name)\n"
        "print(len(names), [name for name in pqlkit.__all__ if inspect.ismodule(getattr(pqlkit, name))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    count, hidden = done.stdout.split(" ", 1)
    assert int(count) > 300
    assert hidden == "[]\n"


def test_type_checkers_see_the_same() -> None:
    """The imports for type checkers name each thing where it is loaded from."""
    tree = ast.parse((ROOT / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        (node.module or "").removeprefix("pqlkit."): {alias.name for alias in node.names}
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    assert typed == {home: set(names.split()) for home, names in pqlkit._HOMES.items()}
    assert (ROOT / "py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(pqlkit, "analyse")


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, pqlkit; print(sorted(m for m in ('polars', 'numpy', 'pydantic', 'yaml', 'typer') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
