"""The worked product: its definitions are free of faults and say what was planted, and its commands exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pqlkit.cli.app import run
from pqlkit.demo.company import team_rollout
from pqlkit.demo.exporting import write_exports
from pqlkit.demo.product import make_product

HERE = Path(__file__).parents[2] / "examples" / "sample-product"
README = (HERE / "README.md").read_text(encoding="utf-8")


def pqlkit(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pqlkit", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_definitions_have_no_faults():
    checked = pqlkit("validate", *sorted(str(path) for path in (HERE / "definitions").iterdir()), folder=HERE)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_team_rollout_is_what_was_planted():
    from pqlkit.definitions.folders import load_definition

    written = load_definition(HERE / "definitions" / "team-rollout.yml")
    planted = team_rollout()
    assert [(c.id, c.events, c.window, c.at_least) for c in written.criteria] == [
        (c.id, c.events, c.window, c.at_least) for c in planted.criteria
    ]


def test_every_command_of_the_readme_exists(capsys):
    commands = re.findall(r"^pqlkit ([a-z]+)(.*)$", README, flags=re.MULTILINE)
    assert {name for name, _ in commands} == {"validate", "load", "analyze", "propose", "score", "report"}
    for name, rest in commands:
        if name == "score":
            continue
        assert run([name, "--help"]) == 0
        shown = capsys.readouterr().out
        for option in (part for part in shlex.split(rest) if part.startswith("--")):
            assert option in shown


def test_the_commands_run_on_a_small_product(tmp_path):
    write_exports(make_product(accounts=150, seed=1), tmp_path, form="parquet")
    definition = str(HERE / "definitions" / "team-rollout.yml")
    for arguments in (
        ("load", "--out", "dataset"),
        ("analyze", "--data", "dataset"),
        ("report", "-d", definition, "--data", "dataset"),
    ):
        ran = pqlkit(*arguments, folder=tmp_path)
        assert ran.returncode == 0, f"{arguments}: {ran.stdout}{ran.stderr}"


@pytest.mark.parametrize("name", ["checkout_opened", "invoice_downloaded", "workspace_opened", "invite_dialog_opened"])
def test_the_traps_are_named(name):
    assert f"`{name}`" in README
