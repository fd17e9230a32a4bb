"""An old spelling is refused with its new one, and `validate --fix` mends the file."""

from __future__ import annotations

import pytest

from pqlkit.cli.app import run
from pqlkit.definitions.old_words import OPTIONS

PROJECT = """\
pqlkit: 1
exports: {events: {path: events.csv}}
analyze: {looks: "every:28d", horizon: 28d}  # the schedule
propose: {min_coverage: 20%}
"""
MENDED = """\
pqlkit: 1
exports: {events: {path: events.csv}}
analyze: {snapshots: "every:28d", conversion_window: 28d}  # the schedule
propose: {min_recall: 20%}
"""


def test_an_old_key_is_told_its_new_one_and_mended(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "pqlkit.yml"
    project.write_text(PROJECT)
    assert run(["validate", "pqlkit.yml"]) == 1
    said = capsys.readouterr().out
    for old, new in (("looks", "snapshots"), ("horizon", "conversion_window"), ("min_coverage", "min_recall")):
        assert f"unknown key '{old}'" in said
        assert f"it is now {new}" in said
    assert run(["validate", "--fix", "pqlkit.yml"]) == 0
    assert project.read_text() == MENDED


@pytest.mark.parametrize(("old", "new"), OPTIONS.items())
def test_an_old_option_is_told_its_new_one(old, new, capsys):
    command = "propose" if "min" in old else "analyze"
    assert run([command, f"{old}=x"]) == 2
    assert f"No such option: {old}. It is now {new}." in capsys.readouterr().err


def test_an_option_without_an_old_name_is_refused_as_before(capsys):
    assert run(["analyze", "--snapshot", "auto"]) == 2
    assert "No such option: --snapshot" in capsys.readouterr().err
