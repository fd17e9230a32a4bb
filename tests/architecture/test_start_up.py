"""Heavy libraries load only where they are used: help and a check of YAML files feel instant."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from pqlkit.cli import _no_plugins
from pqlkit.cli.commands import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ["polars", "narwhals", "numpy", "scipy", "sklearn", "altair", "duckdb", "pyarrow", "pyspark", "rich"]
DEFINITION = """\
pqlkit: 1
name: inviters
entity: user
qualify: {event: invite, at_least: 2, within: 7d}
outcome: {within: 14d}
"""


def loaded(*lines: list[str], cwd: Path) -> tuple[set[str], str]:
    """Run command lines in a fresh interpreter; give the heavy modules it loaded, and what it wrote."""
    code = (
        "import sys\nfrom pqlkit.cli.app import run\n"
        f"codes = [run(line) for line in {list(lines)!r}]\nassert not any(codes), codes\n"
        f"sys.stderr.write('LOADED ' + ' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, timeout=60, check=False
    )
    assert "LOADED" in done.stderr, done.stderr
    return set(done.stderr.rsplit("LOADED", 1)[1].split()), done.stdout


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["schema"], ["--show-completion", "bash"]], ids=" ".join)
def test_what_needs_no_data_loads_nothing_heavy(line: list[str], tmp_path: Path) -> None:
    found, out = loaded(line, cwd=tmp_path)
    assert found == set()
    assert out


def test_no_commands_help_loads_anything_heavy(tmp_path: Path) -> None:
    assert loaded(*[[name, "--help"] for name in COMMANDS], cwd=tmp_path)[0] == set()


def test_validate_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "inviters.yml").write_text(DEFINITION)
    assert loaded(["validate", "inviters.yml"], ["validate", "."], cwd=tmp_path)[0] == set()


def test_validate_of_a_project_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "pqlkit.yml").write_text("pqlkit: 1\nexports: {events: {path: events.csv}}\n")
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "inviters.yml").write_text(DEFINITION)
    assert loaded(["validate"], cwd=tmp_path)[0] == set()


def test_help_loads_no_command(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pqlkit.cli.app import run\nrun(['--help'])\n"
        "sys.stderr.write(' '.join(m for m in sys.modules if m.startswith('pqlkit.') or m in ('pydantic', 'yaml')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert set(done.stderr.split()) == {
        "pqlkit.cli",
        "pqlkit.cli.app",
        "pqlkit.cli.commands",
        "pqlkit.cli.exit",
        "pqlkit.cli.help",
        "pqlkit.cli.step",
        "pqlkit.cli.streams",
        "pqlkit.errors",
    }


def test_a_command_does_linear_algebra_on_one_thread_unless_told_otherwise(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pqlkit.cli import main\nsys.argv[1:] = ['--version']\n"
        "try: main()\nexcept SystemExit: pass\nimport numpy, scipy.linalg\n"
        "from threadpoolctl import threadpool_info\n"
        "pools = {pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'}\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'], max(pools))"
    )
    own = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    for environment, asked in ((own, "1"), (own | {"OPENBLAS_NUM_THREADS": "2"}, "2")):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True, env=environment)
        stated, threads = done.stdout.splitlines()[-1].split()
        assert stated == asked
        assert int(threads) <= int(asked)


def test_no_plugin_of_another_distribution_looks_on(tmp_path: Path) -> None:
    """What is installed beside pqlkit is not searched for whoever wants to see how files are read."""
    (tmp_path / "spying.py").write_text("print('a plugin looks on')\nplugin = None\n")
    beside = tmp_path / "spying-1.dist-info"
    beside.mkdir()
    (beside / "METADATA").write_text("Metadata-Version: 2.1\nName: spying\nVersion: 1\n")
    (beside / "entry_points.txt").write_text("[pydantic]\nspying = spying:plugin\n")
    (tmp_path / "inviters.yml").write_text(DEFINITION)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pqlkit", "validate", "inviters.yml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a plugin looks on" not in done.stdout + done.stderr
    assert "importlib.metadata" not in done.stderr, "the library that lists distributions takes a tenth of a check"


def test_what_stands_in_for_the_loader_of_plugins_gives_the_rest_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """pydantic's own module may come to hold more than pqlkit knows of."""
    name = "pydantic.plugin._loader"
    monkeypatch.setitem(sys.modules, name, import_module(name))
    monkeypatch.delitem(sys.modules, name)
    _no_plugins()
    stand_in = import_module(name)
    assert stand_in.get_plugins() == ()
    assert not hasattr(stand_in, "__path__")
    assert stand_in.PYDANTIC_ENTRY_POINT_GROUP == "pydantic"
    assert import_module(name) is not stand_in
