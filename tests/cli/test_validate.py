"""`pqlkit validate` as it is run: exit codes, formats, what goes to stdout, and what is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from pqlkit.cli.app import run
from pqlkit.cli.plain_check import plain_check
from pqlkit.cli.validate import validate_command
from pqlkit.definitions.rules.lint_rule import framed
from pqlkit.errors import DataError, DefinitionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD = framed("name: good\n")
BAD = framed("ownr: me\nname: bad\n")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "good.yml").write_text(GOOD)
    return tmp_path


def bad() -> None:
    Path("definitions/bad.yml").write_text(BAD)


def ran(*arguments: str) -> int:
    """Run the command as the application does; errors of pqlkit are raised."""
    app = typer.Typer()
    app.command("validate")(validate_command)
    command = typer.main.get_command(app)
    try:
        command(args=list(arguments), prog_name="pqlkit", standalone_mode=True)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


def test_clean_files_are_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("definitions") == 0
    assert capsys.readouterr().out == "1 file checked: no faults\n"


def test_faults_are_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    bad()
    assert ran("definitions") == 1
    out = capsys.readouterr().out
    assert out.startswith("definitions/bad.yml:1:1: PQL101 unknown key 'ownr' in the definition\n")
    assert "\x1b" not in out


def test_warnings_are_exit_code_1_only_when_strict() -> None:
    Path("definitions/late.yml").write_text(framed("name: late\nreview_by: 2020-01-01\n"))
    assert ran("definitions") == 0
    assert ran("definitions", "--strict") == 1


@pytest.mark.parametrize("path", ["nothing.yml", "definitions/*.json"])
def test_a_path_that_matches_nothing_could_not_run(path: str) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        ran(path)


def test_no_files_and_no_project_could_not_run() -> None:
    with pytest.raises(UsageError, match="no files to check"):
        ran()


def test_without_files_the_project_and_its_definitions_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pqlkit.yml").write_text("pqlkit: 1\nexports: {events: {path: events.csv}}\n")
    assert ran() == 0
    assert capsys.readouterr().out == "2 files checked: no faults\n"


def test_a_project_file_with_faults_is_checked_and_not_used(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pqlkit.yml").write_text("pqlkit: 1\nexprts: {events: {path: events.csv}}\n")
    assert ran("definitions") == 1
    assert "pqlkit.yml:2:1: PQL101" in capsys.readouterr().out
    with pytest.raises(DefinitionError):
        ran("definitions", "--project", "pqlkit.yml")


def test_options_may_stand_in_the_project_file() -> None:
    Path("definitions/late.yml").write_text(framed("name: late\nreview_by: 2020-01-01\n"))
    Path("pqlkit.yml").write_text("pqlkit: 1\nexports: {events: {path: e.csv}}\nvalidate: {strict: true}\n")
    assert ran("definitions") == 1


@pytest.mark.parametrize(
    ("name", "start"),
    [("text", "definitions/bad.yml:"), ("json", "{"), ("github", "::error "), ("junit", "<?xml"), ("sarif", "{")],
)
def test_every_format(name: str, start: str, capsys: pytest.CaptureFixture[str]) -> None:
    bad()
    assert ran("definitions", "--format", name) == 1
    assert capsys.readouterr().out.startswith(start)


def test_a_report_may_go_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    bad()
    assert ran("definitions", "--format", "json", "--out", "report.json", "--quiet") == 1
    assert capsys.readouterr().out == ""
    assert json.loads(Path("report.json").read_text())["diagnostics"][0]["code"] == "PQL101"


def test_explain_prints_the_page_and_needs_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("--explain", "PQL203") == 0
    assert capsys.readouterr().out.startswith("# PQL203 implied\n")
    with pytest.raises(UsageError, match="there is no rule PQL999"):
        ran("--explain", "PQL999")


def test_describe_says_each_definition_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("definitions/good.yml", "--describe") == 0
    single = capsys.readouterr().out
    assert "project_created" in single or "project created" in single
    assert single.count("\n") == 1
    Path("definitions/other.yml").write_text(framed("name: other\n"))
    assert ran("definitions", "--describe") == 0
    paragraphs = capsys.readouterr().out.strip().split("\n\n")
    assert [paragraph.split(":")[0] for paragraph in paragraphs] == ["good", "other"]


def test_describe_of_a_faulty_file_tells_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    bad()
    assert ran("definitions", "--describe") == 1
    assert "PQL101" in capsys.readouterr().out


def test_fix_repairs_and_reports_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    bad()
    assert ran("definitions", "--fix") == 0
    captured = capsys.readouterr()
    assert captured.out == "2 files checked: no faults\n"
    assert captured.err == "repaired 1 fault in 1 file\n"
    assert Path("definitions/bad.yml").read_text() == BAD.replace("ownr", "owner")


def test_base_ends_in_the_review(capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.yml").write_text(framed("name: good\nqualify: {event: project_created, within: 7d}\n"))
    assert ran("definitions/good.yml", "--base", "old.yml") == 1
    out = capsys.readouterr().out
    assert "PQL211" in out
    assert "### What changes in meaning" in out
    with pytest.raises(UsageError, match="--base 'nowhere'"):
        ran("definitions/good.yml", "--base", "nowhere")


def test_a_catalogue_stands_in_for_data(capsys: pytest.CaptureFixture[str]) -> None:
    Path("catalogue.yml").write_text("pqlkit_catalogue: 1\nevents: {project_made: {count: 3}}\ntraits: {}\n")
    assert ran("definitions", "--catalogue", "catalogue.yml") == 1
    assert "PQL301 catalogue.yml has no event 'project_created'" in capsys.readouterr().out
    with pytest.raises(DataError, match="cannot read the catalogue"):
        ran("definitions", "--catalogue", "nowhere.yml")


def test_without_data_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys, typer\n"
        "from pqlkit.cli.validate import validate_command\n"
        "app = typer.Typer(); app.command()(validate_command)\n"
        "typer.main.get_command(app)(args=['definitions'], standalone_mode=False)\n"
        "heavy = {'polars', 'narwhals', 'numpy', 'scipy', 'sklearn', 'altair', 'duckdb', 'pyarrow'}\n"
        "sys.stderr.write('LOADED ' + ' '.join(sorted(heavy & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "LOADED "


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("place", ["configs", "examples/sample-product", "examples/relax", "examples/warehouse"])
def test_what_is_shipped_has_no_fault(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(str(ROOT / place), "--strict") == 0
    assert capsys.readouterr().out.endswith("checked: no faults\n")


HOSTILE = {
    "brackets.yml": b"a: " + b"[" * 100_000,
    "bomb.yml": b"".join(b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 12)),
    "tag.yml": b"!!python/object/apply:os.system ['true']\n",
    "flow.yml": b"pqlkit: 1\nqualify: {all: " + b"[{event: a}," * 80_000,
    "colons.yml": b":" * 1_000_000,
    "dashes.yml": b"- " * 500_000,
    "question.yml": b"? " * 100_000,
    "values.yml": b"pqlkit: 1\neligible: [" + b"1," * 500_000,
    "pattern.yml": b"pqlkit: 1\neligible: [{trait: a, matching: '" + b"(a{1000}){1000}" * 20_000 + b"'}]\n",
    "aliases.yml": b"a: &x y\nb: [" + b"*x," * 300_000 + b"]\n",
}


FEW = ("bomb.yml", "flow.yml", "pattern.yml")


@pytest.mark.parametrize(
    "names", [FEW, pytest.param([*HOSTILE, "huge.yml"], marks=pytest.mark.slow)], ids=["few", "all"]
)
def test_hostile_files_are_told_within_bounds_of_memory_and_time(names: Sequence[str]) -> None:
    """Each alone in a process that may take 512 MB and 10 s of CPU: the interpreter survives, and says what is wrong."""
    limits = "import resource as r; r.setrlimit(r.RLIMIT_AS, (4 << 27, 4 << 27)); r.setrlimit(r.RLIMIT_CPU, (10, 10))"
    with Path("huge.yml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    for name, content in HOSTILE.items():
        Path(name).write_bytes(content)
    for name in names:
        code = f"{limits}; from pqlkit.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "validate", name], capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (1, ""), name
        assert done.stdout.startswith(f"{name}:"), name
        assert len(done.stdout) < 500_000, name


def test_a_terminal_of_80_columns_shows_each_excerpt_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    criteria = ", ".join(f"{{event: some_long_event_name_{number}, at_leest: {number}}}" for number in range(9))
    Path("wide.yml").write_text(framed(f"qualify: {{all: [{criteria}]}}\n"))
    assert ran("wide.yml") == 1
    lines = capsys.readouterr().out.splitlines()
    marked = [(line, carets) for line, carets in pairwise(lines) if set(carets) <= {" ", "|", "^"} and "^" in carets]
    below = [line[carets.index("^") : carets.rindex("^") + 1] for line, carets in marked]
    assert below.count("at_leest") == 9
    assert all(len(line) <= 80 for line, _ in marked)


def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.yml").write_text(BAD)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    ran("bad.yml")
    assert "\x1b" not in capsys.readouterr().out  # a pipe
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    ran("bad.yml")
    assert "\x1b[31mPQL101" in capsys.readouterr().out
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            ran("bad.yml")
            assert "\x1b" not in capsys.readouterr().out


def test_faults_of_the_project_file_have_a_place_and_the_nearest_key(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pqlkit.yml").write_text(
        "pqlkit: 1\ntimezon: UTC\nexports:\n  evnts: {path: a.csv}\n  users: {pth: b.csv}\n"
        "traits: {fixd: [country]}\noutcome: {within: 30}\npropose: {max_criterias: 2}\n"
    )
    assert ran("pqlkit.yml", "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert [(d["line"], d["column"], d["code"], d["hint"]) for d in found] == [
        (2, 1, "PQL101", "did you mean timezone?"),
        (4, 3, "PQL101", "did you mean events?"),
        (5, 11, "PQL101", "did you mean path?"),
        (6, 10, "PQL101", "did you mean fixed?"),
        (7, 19, "PQL104", "write 30d for days"),
        (8, 11, "PQL101", "did you mean max_criteria?"),
    ]


def test_the_documented_jobs_use_options_that_exist() -> None:
    import re
    import shlex

    from pqlkit.options.commands import command_options

    known = {option.flag for option in command_options("validate").values()}
    text = (ROOT / "docs" / "ci.md").read_text() + (
        ROOT / ".github" / "actions" / "validate" / "action.yml"
    ).read_text()
    lines = re.findall(r"(?<!`)\bpqlkit validate (.+)$", text, re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        used = {word.split("=")[0] for word in shlex.split(line.split("|")[0]) if word.startswith("--")}
        assert used <= known, line


def test_the_printed_hook_looks_at_definitions_and_installs_the_light_wheel_of_this_version() -> None:
    import re

    from pqlkit.shipped import LIGHT, version
    from tests.packaging.light_wheel import printed_hook

    hook = printed_hook()
    assert hook["entry"] == "pqlkit validate"
    assert (hook["language"], hook["types"]) == ("python", ["yaml"])
    assert hook["additional_dependencies"] == [f"{LIGHT}=={version()}"]
    assert re.search(hook["files"], "pqlkit.yml")
    assert re.search(hook["files"], "crm/definitions/trial/a.yaml")
    assert not re.search(hook["files"], "docker-compose.yml")


def export(folder: Path) -> list[str]:
    """Write a small export: 200 users; inviters upgrade after 20 days, the others seldom; give the options that name it."""
    from datetime import datetime, timedelta

    start = datetime(2026, 1, 1, tzinfo=UTC)
    users, events, conversions = (
        ["user_id,signed_up_at,plan"],
        ["user_id,event,timestamp,rows"],
        ["user_id,converted_at"],
    )
    for number in range(200):
        signup = start + timedelta(days=number % 90)
        inviter, buyer = number % 4 == 0, number % 8 == 0 or number % 25 == 1
        users.append(f"u{number},{signup.isoformat()},{'pro' if buyer else 'free'}")
        events.append(f"u{number},project_created,{(signup + timedelta(hours=2)).isoformat()},3")
        if inviter:
            events.append(f"u{number},teammate_invited,{(signup + timedelta(days=3)).isoformat()},")
        if buyer:
            conversions.append(f"u{number},{(signup + timedelta(days=20)).isoformat()}")
    events += [
        f"u0,{name},{(start + timedelta(days=300)).isoformat()},1" for name in ("project_created", "teammate_invited")
    ]
    for name, lines in (("events", events), ("users", users), ("conversions", conversions)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return ["--events", "events.csv", "--users", "users.csv", "--conversions", "conversions.csv"]


def test_with_data_the_definitions_are_held_to_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = [*export(place), "--as-of", "2026-11-01", "--format", "json"]
    files = {
        "good": "qualify: {event: teammate_invited, within: 14d}\nexpect: {rate: {at_least: 20%}}\n",
        "misspelt": "qualify: {event: teammate_invitd, within: 14d}\n",
        "nobody": "qualify: {event: project_created, at_least: 9, within: 14d}\n",
        "everybody": "qualify: {event: project_created, within: 14d}\n",
        "missed": "qualify: {event: teammate_invited, within: 14d}\nexpect: {rate: {at_least: 90%}}\n",
        "current": "eligible: [{trait: plan, equals: free}]\nqualify: {event: teammate_invited, within: 14d}\n",
    }
    for name, text in files.items():
        (place / "definitions" / f"{name}.yml").write_text(framed(f"name: {name}\n{text}"))
    assert ran("definitions", *data) == 1
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    by_file: dict[str, set[str]] = {name: set() for name in files}
    for entry in found:
        by_file[Path(entry["path"]).stem].add(entry["code"])
    assert by_file["good"] == set()
    # The data is called as it was named, and not as the file that it was made into.
    assert "events.csv has no event 'teammate_invitd'" in [entry["message"] for entry in found]
    assert "PQL301" in by_file["misspelt"]
    assert "PQL305" in by_file["nobody"]
    assert {"PQL306", "PQL307"} <= by_file["everybody"]
    assert by_file["missed"] == {"PQL308"}
    assert "PQL312" in by_file["current"]


def test_with_data_and_a_base_the_review_counts_who_comes_and_goes(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [*export(place), "--as-of", "2026-11-01", "--format", "json"]
    Path("old.yml").write_text(framed("name: good\nqualify: {event: project_created, within: 14d}\n"))
    Path("definitions/good.yml").write_text(
        framed("name: good\nversion: 2\nqualify: {event: teammate_invited, within: 14d}\n")
    )
    ran("definitions/good.yml", "--base", "old.yml", *data)
    content = json.loads(capsys.readouterr().out)
    comparison = content["reviews"][0]["comparison"]
    assert (comparison["both"], comparison["entered"], comparison["left"]) == (50, 0, 150)
    assert (comparison["after"]["numerator"], comparison["after"]["denominator"]) == (26, 50)
    assert "Of 200 users, none enter and 150 leave." in content["review_markdown"]


def test_a_looser_threshold_under_which_somebody_leaves_is_explained(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten users invite while on trial and again when free: at one invitation they begin to qualify too early."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    days = [0, 4, 5, 300]
    Path("events.csv").write_text(
        "user_id,event,timestamp\n"
        + "".join(
            f"u{n},invite,{(start + timedelta(days=day, hours=n)).isoformat()}\n" for n in range(20) for day in days
        )
    )
    Path("users.csv").write_text("user_id,signed_up_at\n" + "".join(f"u{n},{start.isoformat()}\n" for n in range(20)))
    Path("conversions.csv").write_text(f"user_id,converted_at\nu19,{(start + timedelta(days=9)).isoformat()}\n")
    plans = [f"u{n},{(start - timedelta(days=9)).isoformat()},{'trial' if n < 10 else 'free'}" for n in range(20)]
    plans += [f"u{n},{(start + timedelta(days=3)).isoformat()},free" for n in range(10)]
    Path("plans.csv").write_text("\n".join(["user_id,valid_from,plan", *plans]) + "\n")
    Path("pqlkit.yml").write_text(
        "pqlkit: 1\nexports:\n"
        + "".join(f"  {name}: {{path: {name}.csv}}\n" for name in ("events", "users", "conversions"))
        + "traits: {history: {plan: plans.csv}}\n"
    )
    rule = "eligible: [{trait: plan, equals: free}]\nqualify: {event: invite, at_least: %d, within: 14d}\n"
    Path("old.yml").write_text(framed("name: good\n" + rule % 3))
    Path("definitions/good.yml").write_text(framed("name: good\nversion: 2\n" + rule % 1))
    line = ["definitions/good.yml", "--base", "old.yml", "-p", "pqlkit.yml"]
    ran(*line, "--format", "json")
    content = json.loads(capsys.readouterr().out)
    comparison = content["reviews"][0]["comparison"]
    assert (comparison["both"], comparison["left"], comparison["left_because"]) == (10, 10, {"not-eligible": 10})
    assert (
        "Of those who leave, 10 meet the new version, too, but from an earlier moment on" in content["review_markdown"]
    )
    # The same PQLs as report counts.
    for path, pqls in (("old.yml", 20), ("definitions/good.yml", 10)):
        assert run(["report", path, "-p", "pqlkit.yml", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["funnel"]["pqls"] == pqls


def test_a_catalogue_that_load_wrote_is_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pqlkit.definitions.catalogue_facts import read_catalogue
    from pqlkit.exports.catalogue import write_catalogue
    from pqlkit.exports.dataset import open_dataset

    export(place)
    dataset = open_dataset(None, events="events.csv", users="users.csv", conversions="conversions.csv")
    for name in ("catalogue.yml", "catalogue.json"):
        write_catalogue(dataset, place / name)
        facts = read_catalogue(place / name)
        assert set(facts.names.events) == {"project_created", "teammate_invited"}
        assert set(facts.names.events["project_created"].properties or ()) == {"rows"}
        assert set(facts.names.traits["user"]) == {"plan"}
    assert ran("definitions/good.yml", "--catalogue", "catalogue.yml") == 0


# Without options


def test_the_plain_check_says_what_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    bad()
    for files in (["definitions/good.yml"], ["definitions"], ["definitions/bad.yml", "definitions/good.yml"]):
        code, plain = plain_check(["validate", *files]), capsys.readouterr()
        assert (code, plain.out, plain.err) == (ran(*files), *capsys.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [[], ["validate"], ["score", "a"], ["validate", "--strict", "definitions"], ["validate", "nowhere.yml"]],
)
def test_what_is_not_plain_is_left_to_the_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert plain_check(arguments) is None
    assert capsys.readouterr() == ("", "")


def test_a_project_file_may_hold_options_so_the_command_reads_it() -> None:
    Path("pqlkit.yml").write_text("pqlkit: 1\nvalidate: {strict: true}\n")
    assert plain_check(["validate", "definitions"]) is None


def test_the_plain_check_loads_no_library_but_yaml_and_that_of_the_forms() -> None:
    code = (
        "import sys; from pqlkit.cli.plain_check import plain_check\n"
        "assert plain_check(['validate', 'definitions']) == 0\n"
        "heavy = {'typer', 'rich', 'polars', 'narwhals', 'numpy'}\n"
        "sys.stderr.write('LOADED ' + ' '.join(sorted(heavy & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "LOADED "
