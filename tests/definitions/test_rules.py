"""Every rule: none is left out, each has a page, and its two examples say what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pqlkit.definitions.codes import FORM
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.rules import registry
from pqlkit.definitions.rules.lint_rule import EXAMPLE_DAY, Need
from pqlkit.definitions.validation import validate
from pqlkit.errors import UsageError

if TYPE_CHECKING:
    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.rules.lint_rule import Example, Rule

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "pqlkit" / "definitions" / "rules"
CASES = sorted((ROOT / "tests" / "rules").glob("PQL*.yaml"))


def found(example: Example, folder: Path) -> list[Diagnostic]:
    """Validate an example as a person would: its file, those beside it, its base and its data."""
    home = folder / "definitions"
    home.mkdir()
    path = home / "example.yml"
    if example.linked is not None:
        target = (home / example.linked).resolve()
        target.parent.mkdir()
        target.write_bytes(example.content)
        path.symlink_to(target)
    else:
        path.write_bytes(example.content)
    for number, text in enumerate(example.beside):
        (home / f"beside_{number}.yml").write_text(text)
    base = None
    if example.base is not None:
        base = str(folder / "base.yml")
        Path(base).write_text(example.base)
    report = validate([home], today=EXAMPLE_DAY, facts=example.facts, base=base)
    return [diagnostic for diagnostic in report.diagnostics if diagnostic.path == str(path)]


def codes() -> list[str]:
    return list(registry.modules())


def test_no_rule_file_is_left_out() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "registry", "lint_rule"}
    assert files == {name.rsplit(".", 1)[1] for name in registry.modules().values()}
    assert all(re.fullmatch(r"pql[123]\d\d(_[a-z]+)+", stem) for stem in files)


def test_every_code_that_reading_raises_has_a_rule() -> None:
    assert set(FORM) <= set(registry.modules())


@pytest.mark.parametrize("code", codes())
def test_a_file_is_named_after_its_rule(code: str) -> None:
    rule = registry.rule(code)
    assert rule.code.code == code
    assert registry.modules()[code].endswith("." + code.lower() + "_" + rule.code.name.replace("-", "_"))
    assert code not in FORM or FORM[code] == rule.code


@pytest.mark.parametrize("code", codes())
def test_the_bad_example_has_this_fault_alone(code: str, tmp_path: Path) -> None:
    rule = registry.rule(code)
    diagnostics = found(rule.bad, tmp_path)
    assert {d.code for d in diagnostics} == {code}, diagnostics
    assert all(d.message and d.line >= 1 and d.column >= 1 for d in diagnostics)
    assert {d.name for d in diagnostics} == {rule.code.name}


@pytest.mark.parametrize("code", codes())
def test_the_good_example_has_no_fault(code: str, tmp_path: Path) -> None:
    assert found(registry.rule(code).good, tmp_path) == []


@pytest.mark.parametrize("code", codes())
def test_a_page_says_what_why_and_how(code: str) -> None:
    rule = registry.rule(code)
    page = registry.explain(code.lower())
    assert page.startswith(f"# {code} {rule.code.name}\n")
    for heading in ("**Why is this bad?**", "**Example**", "**Use instead**", "**How to fix.**"):
        assert heading in page
    for text in (rule.what, rule.why, rule.fix):
        assert text.endswith((".", ").")), text
        assert len(text) > 20
    assert rule.bad.text != rule.good.text or rule.bad.facts != rule.good.facts or rule.bad.beside != rule.good.beside
    assert ("pqlkit: ignore" in page) == registry.ignorable(rule) or code == "PQL214"


def test_a_name_finds_its_page_too() -> None:
    assert registry.explain("unknown-key") == registry.explain("PQL101")


def test_an_unknown_code_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no rule PQL2033") as caught:
        registry.explain("PQL2033")
    assert caught.value.hint == "did you mean PQL203?"


def test_rules_that_need_data_or_a_base_are_run_only_with_them() -> None:
    plain = {rule.need for rule in registry.checks(Need.FILE)}
    assert plain == {Need.FILE}
    assert {rule.code.code for rule in registry.checks(Need.FILE, Need.DATA)} > {"PQL201", "PQL301"}
    assert all(rule.need is Need.DATA for rule in registry.rules("3"))


@pytest.mark.parametrize("code", [code for code in codes() if code[3] != "1" and registry.rule(code).check])
def test_a_comment_on_the_line_allows_it(code: str, tmp_path: Path) -> None:
    rule: Rule = registry.rule(code)
    first = found(rule.bad, tmp_path)
    lines = rule.bad.content.decode().splitlines()
    for number in {d.line for d in first}:
        lines[number - 1] += f"  # pqlkit: ignore {code}"
    again = tmp_path / "again"
    again.mkdir()
    import dataclasses

    quiet = dataclasses.replace(rule.bad, text="\n".join(lines) + "\n", complete=True)
    assert found(quiet, again) == []


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}-{case['name']}")
        for path in CASES
        for case in yaml.safe_load(path.read_text())
    ]


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    from pqlkit.definitions.rules.lint_rule import Example

    example = Example(
        text=case["text"],
        complete=case.get("complete", False),
        beside=tuple(case.get("beside", ())),
        base=case.get("base"),
    )
    expected = [entry.split(" ", 2) for entry in case["expect"]]
    got = [[f"{d.line}:{d.column}", d.code, d.message] for d in found(example, tmp_path)]
    assert [entry[:2] for entry in got] == [entry[:2] for entry in expected], got
    for entry, wanted in zip(got, expected, strict=True):
        assert len(wanted) < 3 or wanted[2] in entry[2]


def test_every_code_is_an_error_or_a_warning() -> None:
    assert {rule.code.severity for rule in registry.rules()} == set(Severity)
