"""The evidence is a form: an old file is told what its words are called now, and mended."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pqlkit.cli.app import run
from pqlkit.definitions.documents import check_definition
from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.model import EvidenceView
from pqlkit.definitions.yaml_source import parse

if TYPE_CHECKING:
    from pathlib import Path

OLD = """\
pqlkit: 1
name: inviters
entity: user
qualify: {event: invite, at_least: 2, within: 7d}
outcome: {within: 30d}
evidence:
  chosen_by: propose
  search: 5f0c2a91
  data: {from: 2026-01-01, through: 2026-06-30, looks: 52100, entities: 41210, converted: 1730}
  fit: {view: look, qualified: 1403, converted: 393, rate: 0.2801, low: 0.257, high: 0.304, coverage: 0.301}
  holdout: {view: trigger, from: 2026-05-14, through: 2026-06-30, qualified: 480, converted: 127, rate: 0.2646, low: 0.227, high: 0.306, coverage: 0.288, opened: 1}
"""


def test_an_old_file_is_told_each_new_word() -> None:
    definition, faults = check_definition(parse(OLD, "inviters.yml"))
    assert definition is None
    told = [(fault.line, fault.code, fault.fix, fault.safe) for fault in faults]
    assert told == [
        (9, "PQL101", "snapshots", True),
        (10, "PQL114", "snapshot", True),
        (10, "PQL101", "recall", True),
        (11, "PQL114", "qualification", True),
        (11, "PQL101", "recall", True),
        (11, "PQL101", "read", True),
    ]


def test_fix_mends_an_old_file(tmp_path: Path) -> None:
    path = tmp_path / "inviters.yml"
    path.write_text(OLD)
    assert run(["validate", str(path)]) == 1
    assert run(["validate", str(path), "--fix"]) == 0
    evidence = load_definition(path).evidence
    assert evidence is not None
    assert evidence.data is not None
    assert evidence.holdout is not None
    assert (evidence.data.start, evidence.data.snapshots) == (date(2026, 1, 1), 52100)
    held = evidence.holdout
    assert (held.view, held.recall, held.times_read) == (EvidenceView.QUALIFICATION, 0.288, 1)
    assert run(["validate", str(path)]) == 0


def test_what_nobody_wrote_is_refused() -> None:
    text = OLD.split("evidence:")[0] + "evidence: {chosen_by: me, note: fine, fit: {qualified: -1, rate: 1.2}}\n"
    definition, faults = check_definition(parse(text, "inviters.yml"))
    assert definition is None
    assert [fault.code for fault in faults] == ["PQL114", "PQL101", "PQL105", "PQL114", "PQL114"]
