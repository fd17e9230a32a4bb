"""`pqlkit score` and `pqlkit explain` as they are run: files, exit codes, combinations, guards, several definitions."""

from __future__ import annotations

import csv
import io
import json
import shlex

import polars as pl
import pytest

from pqlkit.durations import DAY
from pqlkit.scoring.arms import arms_of
from pqlkit.scoring.lead_file import read_leads
from tests.scoring.nights import START, TEAM, at, date, definition, drawn, new_in, pqlkit, product, score

HOSTILE = "=cmd|'<script>alert(1)</script>\u202e\x1b[31m,\"\n" + "x" * 10_000


@pytest.fixture
def folder(tmp_path):
    product(tmp_path, drawn(5, users=60), conversions=[("u001", at(9)), ("u007", at(30))])
    definition(tmp_path)
    definition(
        tmp_path,
        "qualify: {id: invites, event: invite, at_least: 4, ever: true}\noutcome: {within: 10d}\n",
        name="eager",
    )
    return tmp_path


def names(done):
    return done.out.splitlines()[0].split(",")


CONTRACT = (
    "user_id,lead_id,status,score,band,qualified_at,requalified_at,known_at,newly_qualified,fresh_until,last_active_at,who,owner,met,"
    "criteria,progress,shortfall,missing,evidence,say,arm,invites,logins,definition,definition_version,definition_hash,as_of"
)


def test_a_plain_run_gives_everybody_in_the_contracts_columns(folder):
    done = score(folder, "--format", "csv", day=20)
    assert done.code == 0
    assert done.out.splitlines()[0] == CONTRACT
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len({row["user_id"] for row in rows}) == len(rows) == pl.read_parquet(folder / "users.parquet").height
    assert {row["newly_qualified"] for row in rows} == {""}
    assert "UTC: 4 current, 1 stale (status expired: has met it for longer than 8 days); " in done.err


def test_the_screen_names_leads_with_their_figures_and_near_ones_with_their_way(folder):
    definition(folder, TEAM.replace("cooldown: 5d", "cooldown: 5d, near: {at_least: 50%}"))
    done = score(folder, "--since", "30d", day=20)
    rows = list(csv.DictReader(io.StringIO(score(folder, "--since", "30d", "--format", "csv", day=20).out)))
    lines = done.out.splitlines()
    best = next(row for row in rows if row["status"] == "pql")
    assert lines[lines.index(next(line for line in lines if line.startswith("LEADS, best first"))) + 1].split()[:3] == [
        best["user_id"],
        "score",
        f"{best['score']},",
    ]
    near = next(row for row in rows if row["status"] == "near")
    (told,) = [line for line in lines if line.split()[:1] == [near["user_id"]]]
    assert told.endswith(f"{int(100 * float(near['progress']) + 1e-9)}% of the way")
    assert f"missing: {near['missing']}" in " ".join(" ".join(lines).split())
    assert "expired" not in done.out


def test_where_nothing_says_who_is_new_the_next_command_does_and_runs_as_printed(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for options, file in (
        ([], "leads.csv"),
        (["--out", "all.csv"], "new-leads.csv"),
        (["--ledger", "l", "--out", "night.csv"], "new-leads.csv"),
    ):
        done = pqlkit("score", "-d", "team.yml", "--as-of", date(20), *options)
        assert done.code == 0
        assert ("first run: nothing is new yet. To hand over" in done.err) == ("--ledger" in options)
        said = (done.out + done.err).replace("\\\n", "")
        (line,) = [line for line in said.splitlines() if "--since 7d" in line]
        words = shlex.split(line[line.index("pqlkit score") :])
        assert words[-4:] == ["--since", "7d", "--out", file]
        assert pqlkit(*words[1:]).code == 0
        listed = read_leads(folder / file)
        week = at(20) - 7 * DAY
        fresh = listed.filter(
            pl.col("status") == "pql",
            pl.coalesce("requalified_at", "qualified_at")
            .str.to_datetime(time_unit="us", time_zone="UTC")
            .dt.epoch("us")
            > week,
        )
        assert (
            listed.filter(pl.col("newly_qualified") == "true")
            .get_column("user_id")
            .sort()
            .equals(fresh.get_column("user_id").sort())
        )
        assert fresh.height


def test_where_the_runs_before_or_since_say_who_is_new_no_other_command_is_named(folder):
    ledger = ("--ledger", folder / "l", "--out", folder / "night.csv")
    assert "nothing is new yet" not in score(folder, *ledger, "--since", "3d", day=10).err
    assert "--since" not in score(folder, *ledger, day=11).err
    assert "--since" not in score(folder, "--since", "3d", "--out", folder / "a.csv", day=11).err
    assert "--since 3d" in score(folder, "--since", "3d", day=11).out.replace("\\\n    ", "")


@pytest.mark.parametrize("form", ["csv", "json", "table", "markdown"])
def test_the_same_input_gives_the_same_bytes_and_stdout_is_data(folder, form):
    first, second = (score(folder, "--format", form, day=20) for _ in range(2))
    assert first.out == second.out != ""
    assert "as of" in first.err
    if form == "json":
        document = json.loads(first.out)
        assert document["schema"] == "pqlkit/leads/2"
        assert document["as_of"] == "2026-01-21T00:00:00Z"
        assert list(document["leads"][0]) == CONTRACT.split(",")
    if form == "table":
        assert all(len(line) <= 80 for line in first.out.splitlines())


def test_a_split_of_the_export_and_another_row_order_give_the_same_file(folder, tmp_path):
    assert score(folder, "--out", folder / "a.csv", day=20).code == 0
    events = pl.read_parquet(folder / "events.parquet")
    (folder / "events.parquet").unlink()
    (folder / "parts").mkdir()
    shuffled = events.sample(fraction=1.0, shuffle=True, seed=3)
    shuffled.head(50).write_parquet(folder / "parts" / "1.parquet")
    shuffled.slice(50).write_parquet(folder / "parts" / "2.parquet")
    text = (folder / "pqlkit.yml").read_text().replace("events.parquet", "parts/*.parquet")
    (folder / "pqlkit.yml").write_text(text)
    assert score(folder, "--out", folder / "b.csv", day=20).code == 0
    assert (folder / "a.csv").read_bytes() == (folder / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only-new"], "--only-new needs earlier leads"),
        (["--only-new", "--since", "7d"], "--only-new needs earlier leads"),
        (["--notify", "https://x"], "--notify needs --ledger"),
        (["--ledger", "l", "--previous", "p.csv"], "both say what was before"),
        (["--ledger", "l", "--only-new", "--all"], "contradict"),
        (["--max-new", "3x"], "need the nights before"),
        (["--previous", "p.csv", "--max-new", "3x"], "need the nights before"),
        (["--min-new", "3"], "need to know who is new"),
        (["--max-new", "many", "--since", "3d"], "'many' is not a number of leads"),
        (["--since", "week"], "--since: 'week' is not a duration"),
        (["--control", "20"], "'20' is not a share"),
        (["--preset", "hubspott"], "did you mean hubspot?"),
        (["--columns", "scor"], "did you mean score?"),
        (["--rename", "score"], "'score' is not old=new"),
        (["--keep", "countri"], "no trait 'countri'"),
        (["--previous", "missing.csv"], "there is no file missing.csv"),
        (["--suppress", "missing.txt"], "cannot read missing.txt"),
        (["--out", "leads.xlsx"], "cannot tell the format of leads.xlsx"),
        (["--max-age", "1.5h"], "is not a duration"),
    ],
)
def test_what_cannot_be_obeyed_is_exit_code_2(folder, options, said, monkeypatch):
    monkeypatch.chdir(folder)
    done = score(folder, *options, day=20)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert not (folder / "leads.csv").exists()


def test_without_a_definition_and_with_twins_exit_code_2(folder):
    assert "needs a definition" in pqlkit("score", "-p", folder / "pqlkit.yml").err
    done = score(folder, "-d", folder / "team.yml", day=20)
    assert (done.code, "two of the definitions are called team" in done.err) == (2, True)


def test_options_stand_in_the_project_file_and_the_command_line_wins(folder):
    text = (folder / "pqlkit.yml").read_text()
    (folder / "pqlkit.yml").write_text(text + "score: {columns: [user_id, score], all: true, format: csv}\n")
    assert names(score(folder, day=20)) == ["user_id", "score"]
    assert names(score(folder, "--columns", "status", day=20)) == ["status"]


def test_by_default_a_list_with_a_ledger_holds_leads_near_ones_and_changes(folder):
    for day in (18, 20):
        assert score(folder, "--ledger", folder / "l", "--out", folder / f"{day}.csv", day=day).code == 0
    everybody = {day: read_status(score(folder, "--format", "csv", day=day).out) for day in (18, 20)}
    expected = {
        user
        for user, status in everybody[20].items()
        if status in ("pql", "near") or status != everybody[18].get(user, status)
    }
    table = read_leads(folder / "20.csv")
    assert set(table.get_column("user_id")) == expected
    assert score(folder, "--ledger", folder / "m", "--all", "--out", folder / "all.csv", day=20).code == 0
    assert set(read_leads(folder / "all.csv").get_column("user_id")) == set(everybody[20])


def read_status(text):
    return {row["user_id"]: row["status"] for row in csv.DictReader(io.StringIO(text))}


def test_previous_works_night_after_night_without_a_ledger(folder):
    """The same leads are new as with a ledger."""
    before: str | None = None
    for day in (16, 18, 20, 24):
        assert score(folder, "--ledger", folder / "l", "--out", folder / "with.csv", day=day).code == 0
        options: list[object] = ["--previous", folder / before, "--all"] if before is not None else []
        before = f"without{day}.csv"
        assert score(folder, *options, "--out", folder / before, day=day).code == 0
        if day > 16:
            assert new_in(folder / before) == new_in(folder / "with.csv")
    only = score(folder, "--previous", folder / "without20.csv", "--only-new", "--format", "csv", day=24)
    assert set(read_status(only.out)) == new_in(folder / "with.csv")


@pytest.mark.parametrize("name", ["p.parquet", "p.jsonl", "p.json", "p.csv"])
def test_every_format_can_be_the_previous_list(folder, name):
    assert score(folder, "--out", folder / name, day=20).code == 0
    found = score(folder, "--previous", folder / name, "--only-new", "--format", "csv", day=27)
    assert found.code == 0
    assert score(folder, "--out", folder / "reference.csv", day=20).code == 0
    other = score(folder, "--previous", folder / "reference.csv", "--only-new", "--format", "csv", day=27)
    assert found.out == other.out
    assert read_status(found.out)


def test_a_rerun_of_a_night_tells_nobody_again_and_a_skipped_one_loses_nobody(folder):
    for day in (10, 11, 12, 13, 14, 15):
        score(folder, "--ledger", folder / "nightly", "--out", folder / "n.csv", day=day)
    seen: list[str] = []
    for day in (10, 12, 12, 15, 15, 12):
        score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=day)
        seen += sorted(new_in(folder / "leads.csv"))
    assert len(seen) == len(set(seen)) > 0


def test_only_new_holds_new_leads_without_the_control_arm(folder):
    score(folder, "--ledger", folder / "l", day=10)
    done = score(folder, "--ledger", folder / "l", "--control", "50%", "--only-new", "--format", "csv", day=20)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert rows
    assert {(row["newly_qualified"], row["arm"]) for row in rows} == {("true", "contact")}
    arms = arms_of(folder / "l")
    assert set(arms.filter(pl.col("arm") == "contact").get_column("id")) == {row["user_id"] for row in rows}
    assert "control" in arms.get_column("arm").to_list()
    assert arms.schema == {"id": pl.String, "on": pl.Int64, "arm": pl.String}
    assert arms_of(folder / "l", "other").is_empty()


def test_the_share_of_the_control_arm_is_what_was_asked_and_grows_without_moving_anybody(tmp_path):
    from pqlkit.scoring.arms import arm_column
    from tests.analysis.canonical import in_memory

    population = in_memory([{"id": f"user-{i}", "anchor": START} for i in range(20_000)], as_of=START)
    small, large = arm_column(population, 0.2), arm_column(population, 0.3)
    assert abs(small.to_list().count("control") - 4_000) < 240
    assert ((small == "control") & (large == "contact")).sum() == 0
    assert (arm_column(population, 0.0) == "contact").all()
    assert (arm_column(population, 1.0) == "control").all()


def test_colleagues_share_an_arm(tmp_path):
    people = [{"user_id": f"u{i}", "signed_up_at": START, "account_id": f"team{i % 7}"} for i in range(70)]
    product(
        tmp_path, [(f"u{i}", name, START + i) for i in range(70) for name in ("invite",) * 4 + ("login",)], users=people
    )
    definition(tmp_path, "qualify: {id: invites, event: invite, at_least: 1, ever: true}\noutcome: {within: 10d}\n")
    done = score(tmp_path, "--control", "40%", "--format", "csv", day=3)
    arms = {row["user_id"]: row["arm"] for row in csv.DictReader(io.StringIO(done.out))}
    assert set(arms.values()) == {"contact", "control"}
    assert all(arms[f"u{i}"] == arms[f"u{i % 7}"] for i in range(70))


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        (["--max-new", "1"], "more than --max-new 1"),
        (["--min-new", "1000"], "fewer than --min-new 1000"),
        (["--max-age", "1h"], "hours old, more than --max-age 1h"),
    ],
)
def test_a_guard_holds_the_list_back_and_the_next_night_has_it_all(folder, guard, said):
    score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=10)
    score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=10.1)
    old, ledger = (folder / "leads.csv").read_bytes(), (folder / "l").read_bytes()
    options = ["--ledger", folder / "l", "--out", folder / "leads.csv", "--summary", folder / "run.json"]
    late = 60 if "--max-age" in guard else 27
    done = score(folder, *options, *guard, day=late)
    assert done.code == 1
    assert said in done.err
    assert (folder / "leads.csv").read_bytes() == old
    assert (folder / "l").read_bytes() == ledger
    assert (folder / "leads.held.csv").is_file()
    assert said in json.loads((folder / "run.json").read_text())["runs"][0]["breaches"][0]
    assert score(folder, *options, day=27).code == 0
    assert new_in(folder / "leads.csv")
    assert not (folder / "leads.held.csv").exists()  # they are in the list


def test_a_flood_is_held_to_what_is_usual(tmp_path):
    qualifying = [("invite", 0), ("invite", 0.1), ("invite", 0.2), ("login", 0), ("login", 1)]
    burst = [(f"u{i:02d}", name, at((3 if i == 0 else 8) + day)) for i in range(20) for name, day in qualifying]
    product(tmp_path, [*burst, ("early", "login", at(0))])
    definition(tmp_path)
    night = ["--ledger", tmp_path / "l", "--out", tmp_path / "leads.csv", "--max-new", "3x"]
    assert [score(tmp_path, *night[:-2], day=1).code, score(tmp_path, *night, day=5).code] == [0, 0]
    done = score(tmp_path, *night, day=10)
    assert done.code == 1
    assert "19 new leads, more than --max-new 3x (6, " in done.err
    assert "the median 1 of the last night" in done.err


def test_the_age_of_the_newest_event_skips_the_projects_days_off(folder):
    night = ["--max-age", "36h", "--min-new", "1", "--since", "1d", "--out", folder / "leads.csv"]
    assert score(folder, *night, day=60).code == 1
    project = folder / "pqlkit.yml"
    project.write_text(project.read_text() + "calendar: {days_off: [2026-02-01..2026-03-01]}\n")
    assert score(folder, *night, day=60).code == 0


def test_a_guard_that_is_kept_changes_nothing(folder):
    score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=10)
    guards = ["--max-new", "100", "--min-new", "1", "--max-age", "9000d"]
    assert score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", *guards, day=20).code == 0


def test_suppressed_ids_are_listed_but_not_new(folder):
    score(folder, "--ledger", folder / "l", day=10)
    shown = score(folder, "--previous", baseline(folder), "--only-new", "--format", "csv", day=20)
    users = sorted(read_status(shown.out))
    (folder / "ours.csv").write_text("name,user_id\nX," + users[0] + "\n")
    done = score(
        folder, "--ledger", folder / "l", "--suppress", folder / "ours.csv", "--only-new", "--format", "csv", day=20
    )
    assert sorted(read_status(done.out)) == users[1:]


def baseline(folder):
    score(folder, "--out", folder / "baseline.csv", day=10)
    return folder / "baseline.csv"


def test_several_definitions_fill_a_folder_and_say_whom_they_share(folder):
    out = folder / "lists"
    done = pqlkit(
        "score",
        "-p",
        folder / "pqlkit.yml",
        "-d",
        folder / "team.yml",
        "-d",
        folder / "eager.yml",
        "--out",
        out,
        "--ledger",
        folder / "l",
        "--summary",
        folder / "run.json",
        "--as-of",
        "2026-01-21",
    )
    assert done.code == 0
    assert sorted(p.name for p in out.iterdir()) == ["eager.csv", "overlap.json", "team.csv"]
    leads = {
        name: set(table.filter(pl.col("status") == "pql").get_column("user_id"))
        for name in ("team", "eager")
        for table in [read_leads(out / f"{name}.csv")]
    }
    found = {
        tuple(row["definitions"]): row["leads"] for row in json.loads((out / "overlap.json").read_text())["overlap"]
    }
    assert found == {
        key: len(who)
        for key, who in {
            ("team",): leads["team"] - leads["eager"],
            ("eager",): leads["eager"] - leads["team"],
            ("team", "eager"): leads["team"] & leads["eager"],
        }.items()
        if who
    }
    summary = json.loads((folder / "run.json").read_text())
    assert [run["definition"] for run in summary["runs"]] == ["team", "eager"]
    for run in summary["runs"]:
        rows = pl.read_csv(out / f"{run['definition']}.csv", infer_schema=False)
        assert (run["rows"], run["leads"]) == (rows.height, rows.filter(pl.col("status") == "pql").height)
    assert summary["overlap"] == json.loads((out / "overlap.json").read_text())["overlap"]


def test_several_definitions_need_a_folder(folder):
    both = ["-d", folder / "eager.yml"]
    assert "name a folder" in score(folder, *both, "--format", "csv", day=20).err
    (folder / "file.csv").write_text("")
    assert "--out is a folder" in score(folder, *both, "--out", folder / "file.csv", day=20).err


def test_a_long_csv_is_split_and_a_later_short_one_leaves_no_parts(folder, monkeypatch):
    import pqlkit.scoring.night as module

    monkeypatch.setattr(module, "ROWS", 20)
    assert score(folder, "--out", folder / "leads.csv", day=20).code == 0
    parts = sorted(p.name for p in folder.glob("leads*"))
    assert parts[:2] == ["leads.csv", "leads.part2.csv"]
    assert len(parts) > 2
    tables = [pl.read_csv(folder / name, infer_schema=False) for name in parts]
    monkeypatch.undo()
    assert score(folder, "--out", folder / "leads.csv", day=20).code == 0
    whole = pl.read_csv(folder / "leads.csv", infer_schema=False)
    assert pl.concat(tables).sort("user_id").equals(whole.sort("user_id"))
    assert [p.name for p in folder.glob("leads*")] == ["leads.csv"]


def test_hostile_names_are_inert_everywhere(tmp_path):
    people = [
        {"user_id": HOSTILE, "signed_up_at": START, "name": HOSTILE},
        {"user_id": "b", "signed_up_at": START, "name": "B"},
    ]
    events = [(HOSTILE, name, START + i) for i, name in enumerate(["invite"] * 4 + [HOSTILE])]
    product(tmp_path, events, users=people, conversions=[("b", at(2))])
    definition(tmp_path, "qualify: {id: invites, event: invite, at_least: 3, ever: true}\noutcome: {within: 10d}\n")
    assert score(tmp_path, "--keep", "name", "--out", tmp_path / "leads.csv", day=3).code == 0
    (first, *_) = csv.DictReader(io.StringIO((tmp_path / "leads.csv").read_bytes().decode(), newline=""))
    assert first["user_id"] == first["name"] == "'" + HOSTILE
    for form in ("table", "markdown", "json", "csv"):
        for done in (
            score(tmp_path, "--format", form, day=3),
            pqlkit("explain", HOSTILE, "-p", tmp_path / "pqlkit.yml", "-d", tmp_path / "team.yml", "--format", form),
            pqlkit("explain", "--converters", "-p", tmp_path / "pqlkit.yml", "--format", form),
        ):
            assert done.code == 0, done.err
            if form in ("table", "markdown", "json"):
                assert "\x1b" not in done.out
            if form in ("table", "markdown"):
                assert "\u202e" not in done.out
            if form != "csv":
                assert "<script>" not in done.out or form == "table"
            if form == "table":
                assert all(len(line) <= 80 for line in done.out.splitlines())


def explain(folder, *arguments):
    return pqlkit("explain", "-p", folder / "pqlkit.yml", *arguments)


def test_explain_tells_when_each_criterion_was_met(folder):
    table = {row["user_id"]: row for row in csv.DictReader(io.StringIO(score(folder, "--format", "csv", day=20).out))}
    who = next(user for user, row in table.items() if row["status"] == "pql")
    done = explain(folder, who, "-d", folder / "team.yml", "--as-of", "2026-01-20", "--format", "json")
    document = json.loads(done.out)
    assert document["schema"] == "pqlkit/lead/2"
    qualified = [one["at"] for one in document["timeline"] if one["what"] == "qualified"]
    assert document["lead"]["qualified_at"] == qualified[0]
    met = {one["name"]: one["at"] for one in document["timeline"] if one["what"] == "met" and one["at"] <= qualified[0]}
    assert max(met.values()) == qualified[0]
    shown = explain(folder, who, "-d", folder / "team.yml", "--as-of", "2026-01-20")
    assert "** QUALIFIES" in shown.out
    assert "(3 needed in 10 days)" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert len(shown.out.splitlines()) <= 45


@pytest.mark.parametrize(
    ("criterion", "status", "reason"),
    [
        ("{event: invite, at_least: 2, trailing: 3d}", "lapsed", "1 invite this week"),
        ("{event: invite, at_least: 2, ever: true}", "customer", "4 invites in 7 days to 7 Jan"),
        ("{event: any, measure: days, at_least: 9, within: 6d}", "missed", "active on 3 of 4 days to 4 Jan"),
    ],
)
def test_explain_gives_time_frames_whatever_the_status(tmp_path, criterion, status, reason):
    events = [("a", "invite", at(day)) for day in (0.5, 1.5, 3.5, 6.5)]
    bought = [("a", at(9))] if status == "customer" else []
    product(tmp_path, events, users=[{"user_id": "a", "signed_up_at": START}], conversions=bought)
    definition(tmp_path, f"qualify: {criterion}\noutcome: {{within: 10d}}\n")
    day = "2026-01-09T12:00:00Z" if status == "lapsed" else "2026-03-10"
    done = explain(tmp_path, "a", "-d", tmp_path / "team.yml", "--as-of", day, "--format", "json")
    lead = json.loads(done.out)["lead"]
    assert (lead["status"], lead["evidence"]) == (status, reason)


def test_explain_names_the_nearest_entity(folder):
    done = explain(folder, "u0005", "-d", folder / "team.yml")
    assert (done.code, done.out) == (2, "")
    assert "there is no user 'u0005'" in done.err
    assert "did you mean u0" in done.err
    assert explain(folder).code == 2
    assert explain(folder, "u001").code == 2
    assert explain(folder, "u001", "--converters").code == 2


def test_converters_count_what_came_strictly_before_the_upgrade(folder):
    done = explain(folder, "--converters", "--format", "json")
    document = json.loads(done.out)
    assert [one["id"] for one in document["converters"]] == ["u007", "u001"]
    events = pl.read_parquet(folder / "events.parquet").with_columns(pl.col("timestamp").dt.timestamp("us"))
    for one, day in zip(document["converters"], (30, 9), strict=True):
        before = events.filter(pl.col("user_id") == one["id"], pl.col("timestamp") < at(day))
        assert {row["event"]: row["count"] for row in one["before"]} == dict(before.group_by("event").len().iter_rows())
        for row in one["before"]:
            assert sum(row[name] for name in ("earlier", "28-21d", "21-14d", "14-7d", "7-1d", "<1d")) == row["count"]
    assert explain(folder, "--converters").out.startswith("CONVERTERS, what they did")


def test_a_version_change_is_told_in_the_summary(folder):
    score(folder, "--ledger", folder / "l", "--out", folder / "leads.csv", day=20)
    definition(folder, TEAM.replace("at_least: 3", "at_least: 1").replace("at_least: 2", "at_least: 1"), version=2)
    night = ["--ledger", folder / "l", "--out", folder / "leads.csv", "--summary", folder / "run.json"]
    done = score(folder, *night, day=20.5)
    assert "because the definition changed" in done.err
    run = json.loads((folder / "run.json").read_text())["runs"][0]
    assert (run["new_because_definition"], run["held"] > 0) == (0, True)
    score(folder, *night, "--accept-change", run["hash"], day=20.5)
    after = json.loads((folder / "run.json").read_text())["runs"][0]
    assert (after["new_because_definition"], after["held"]) == (run["held"], 0)


def test_an_event_that_is_called_otherwise_by_now_is_said(folder):
    """A renamed event is 0 for everybody: nobody is a lead any more, and of ``at most`` everybody."""
    said = "warning: {}: the data has no event '{}': everybody counts as never having done it; "
    asked = {
        "typo": "qualify: {event: invit, at_least: 2, within: 14d}\n",
        "quiet": "qualify: {event: support_ticket, at_most: 0, trailing: 14d}\n",
        "either": "qualify: {any: [{event: invit, within: 14d}, {event: invite, within: 14d}]}\n",
        "fine": "qualify: {event: invite, at_least: 2, within: 14d}\n",
    }
    for name, text in asked.items():
        definition(folder, f"{text}outcome: {{within: 10d}}\n", name=name)
    project, made = ("-p", folder / "pqlkit.yml"), folder / "made"
    assert pqlkit("load", *project, "--out", made).code == 0
    for where in ((), ("--data", made)):
        told = {
            name: pqlkit("score", *project, *where, "-d", folder / f"{name}.yml", "--as-of", "2026-01-21").err
            for name in asked
        }
        assert said.format("typo", "invit") + "did you mean invite?" in told["typo"].replace("\n  ", " ")
        assert said.format("quiet", "support_ticket") + "it has" in told["quiet"].replace("\n  ", " ")
        assert "the data has no event" not in told["fine"]
        # Where names are not written down, they are looked for only where it matters to everybody.
        assert ("the data has no event" in told["either"]) is bool(where)
    shown = pqlkit("report", *project, "--data", made, "-d", folder / "typo.yml", "--as-of", "2026-01-21")
    assert "Nobody met the rule: there is no rate." in shown.out
    assert "the data has no event 'invit'" in shown.out + shown.err
