"""Changes of meaning: said in words, told apart from changes of spelling, reviewed against files and git revisions."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.changes import Part, Review, changes
from pqlkit.definitions.documents import check_definition
from pqlkit.definitions.earlier_version import open_base
from pqlkit.definitions.facts import ComparisonFacts, Proportion
from pqlkit.definitions.meaning import meaning
from pqlkit.definitions.model import All, Any, Definition, NOf
from pqlkit.definitions.renderers.json import render_json
from pqlkit.definitions.reviewing import escaped, review_markdown
from pqlkit.definitions.rules.lint_rule import EXAMPLE_DAY, framed
from pqlkit.definitions.validation import validate
from pqlkit.definitions.yaml_source import parse
from pqlkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.definitions.model import Node


def read(text: str) -> Definition:
    definition, found = check_definition(parse(framed(text), "example.yml"))
    assert definition is not None, found
    return definition


def told(before: str, after: str) -> list[str]:
    return [f"{change.part}: {change.text}" for change in changes(read(before), read(after))]


BASE = """\
within: 14d
qualify:
  all:
    - {id: logins, event: login, at_least: 10}
    - {id: invited, event: teammate_invited, at_least: 2, where: {role: admin}}
eligible: [{trait: signup_plan, in: [free, trial]}]
outcome: {within: 30d}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("at_least: 10", "at_least: 5", ["qualify: logins, at least: 10 → 5, looser"]),
        ("at_least: 2", "at_least: 4", ["qualify: invited, at least: 2 → 4, stricter"]),
        ("at_least: 10", "at_least: 10, at_most: 50", ["qualify: logins, at most: none → 50"]),
        ("event: login", "event: [login, sso]", ["qualify: logins, event: login → login or sso"]),
        ("event: login,", "event: login, measure: days,", ["qualify: logins, measure: count → days"]),
        (
            "within: 14d",
            "within: 7d",
            [
                "windows: logins, window: within 14d → within 7d",
                "windows: invited, window: within 14d → within 7d",
            ],
        ),
        ("at_least: 10", "at_least: 10, trailing: 28d", ["windows: logins, window: within 14d → trailing 28d"]),
        (
            "role: admin",
            "role: owner",
            [
                "qualify: invited, where: no longer asks for role equals admin",
                "qualify: invited, where: now asks for role equals owner",
            ],
        ),
        (
            "[free, trial]",
            "[free]",
            [
                "eligible: eligible: no longer asks for signup_plan in free, trial",
                "eligible: eligible: now asks for signup_plan in free",
            ],
        ),
        ("outcome: {within: 30d}", "outcome: {within: 60d}", ["outcome: outcome, conversion window: 30d → 60d"]),
        (
            "outcome: {within: 30d}",
            "outcome: {within: 30d, retained_for: 90d}",
            ["outcome: outcome, retained for: none → 90d"],
        ),
        ("  all:", "  any:", ["qualify: the formula: (logins and invited) → (logins or invited)"]),
        ("within: 14d\n", "within: 14d\nentity: account\n", ["entity: what qualifies: a user → an account"]),
        (
            "within: 14d\n",
            "within: 14d\nanchor: {event: Trial Started}\n",
            ["anchor: the clock starts: at signup → at the first 'Trial Started'"],
        ),
    ],
)
def test_what_changed_is_said_in_words(old: str, new: str, expected: list[str]) -> None:
    assert old in BASE
    assert told(BASE, BASE.replace(old, new, 1)) == expected


def test_criteria_that_come_and_go_are_said_whole() -> None:
    before, after = BASE, BASE.replace("id: invited, event: teammate_invited", "id: shared, event: report_shared")
    first, second = told(before, after)
    assert first.startswith("qualify: no longer asks for ")
    assert "teammate" in first
    assert second.startswith("qualify: now asks for ")


def test_points_are_told_by_id() -> None:
    before = (
        "within: 14d\nqualify: [{id: a, event: x}, {id: b, event: z}]\nscore: {points: {a: 60, b: 40}, pql_at: 60}\n"
    )
    after = before.replace("a: 60, b: 40", "a: 50, b: 50").replace("pql_at: 60", "pql_at: 50")
    assert told(before, after) == [
        "points: points to qualify: 60 → 50, looser",
        "points: points for a: 60 → 50",
        "points: points for b: 40 → 50",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("within: 14d", "within: 2w"),
        ("id: logins,", ""),
        ("id: logins", "id: something_else"),
        ("[free, trial]", "[trial, free]"),
        ("role: admin", "role: {in: [admin]}"),
        ("at_least: 10", "at_least: 10.0"),
        ("at_least: 10", "at_least: 10, say: Ask how it went."),
        ("within: 14d", "within: 14d\ntitle: Other words\nowner: you\nversion: 9"),
        ("    - {id: logins, event: login, at_least: 10}", "    - all: [{id: logins, event: login, at_least: 10}]"),
    ],
)
def test_spelling_is_no_meaning(old: str, new: str) -> None:
    assert old in BASE
    assert told(BASE, BASE.replace(old, new, 1)) == []


def test_a_ref_whose_target_changed_changed_too() -> None:
    def standing_on(times: int) -> Definition:
        target = read(f"kind: milestone\nname: activated\nqualify: {{event: project, at_least: {times}, within: 7d}}\n")
        text = framed("qualify: {ref: activated}\n")
        definition, _ = check_definition(parse(text, "example.yml"), lambda name: target)
        assert definition is not None
        return definition

    assert [c.text for c in changes(standing_on(1), standing_on(2))] == [
        "activated, which this refers to, changed its meaning"
    ]


leaf = st.builds(
    lambda name, times: read(f"qualify: {{event: {name}, at_least: {times}, within: 14d}}\n").qualify,
    st.sampled_from(["a", "b", "c", "d"]),
    st.integers(1, 3),
)
trees = st.recursive(
    leaf,
    lambda inner: st.lists(inner, min_size=2, max_size=3).flatmap(
        lambda parts: st.sampled_from(
            [All(parts=tuple(parts)), Any(parts=tuple(parts)), NOf(n=2, parts=(*parts, parts[0]))]
        )
    ),
    max_leaves=6,
)


def shuffled(node: Node) -> Node:
    match node:
        case All(parts=parts):
            return All(parts=tuple(reversed([shuffled(part) for part in parts])))
        case Any(parts=parts):
            return Any(parts=tuple(reversed([shuffled(part) for part in parts])))
        case NOf(n=n, parts=parts):
            return NOf(n=n, parts=tuple(reversed([shuffled(part) for part in parts])))
        case _:
            return node


@given(trees, trees)
@settings(max_examples=60, deadline=None)
def test_no_change_is_said_exactly_when_the_meaning_is_one(first: Node, second: Node) -> None:
    import dataclasses

    plain = read("name: example\n")
    a, b, c = (dataclasses.replace(plain, qualify=node) for node in (first, second, shuffled(first)))
    assert changes(a, c) == ()
    assert (changes(a, b) == ()) == (meaning(a) == meaning(b))


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three definitions and a milestone on `main`; on the working tree one changed, one moved, one gone, one new."""
    folder = tmp_path / "definitions"
    folder.mkdir()
    git(tmp_path, "init", "-q", "-b", "main")
    (folder / "changed.yml").write_text(framed(BASE + "name: changed\nversion: 1\n"))
    (folder / "same.yml").write_text(framed(BASE + "name: same\n"))
    (folder / "gone.yml").write_text(framed(BASE + "name: gone\n"))
    (folder / "standing.yml").write_text(framed("name: standing\nqualify: {ref: activated}\n"))
    milestone = "kind: milestone\nname: activated\nqualify: {event: project, within: 7d}\n"
    (folder / "activated.yml").write_text(framed(milestone))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    (folder / "changed.yml").write_text(
        framed(BASE.replace("at_least: 10", "at_least: 5") + "name: changed\nversion: 1\n")
    )
    (folder / "same.yml").rename(folder / "moved.yml")
    (folder / "gone.yml").unlink()
    (folder / "new.yml").write_text(framed(BASE + "name: new\n"))
    (folder / "activated.yml").write_text(framed(milestone.replace("7d", "14d") + "version: 2\n"))
    return tmp_path


def test_a_revision_is_a_base(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    report = validate(["definitions"], today=EXAMPLE_DAY, base="main")
    assert report.reviews is not None
    assert {review.name: len(review.changes) for review in report.reviews} == {
        "activated": 1,
        "changed": 1,
        "gone": 0,
        "new": 0,
        "standing": 1,
    }
    raised = {review.name: review.version_raised for review in report.reviews}
    assert raised == {"activated": True, "changed": False, "gone": False, "new": False, "standing": False}
    assert [(d.path, d.code) for d in report.diagnostics] == [
        ("definitions/changed.yml", "PQL211"),
        ("definitions/standing.yml", "PQL211"),
    ]
    markdown = review_markdown(report.reviews)
    assert "**changed** (definitions/changed.yml): version 1, **not raised**" in markdown
    assert "**gone** (definitions/gone.yml): removed (was version 1)\n\nNobody qualifies by it any more" in markdown


def test_a_file_and_a_folder_are_bases_too(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "old.yml").write_text(framed(BASE + "name: changed\n"))
    path = repository / "definitions" / "changed.yml"
    for base in (other, other / "old.yml"):
        report = validate([path], today=EXAMPLE_DAY, base=str(base))
        assert [d.code for d in report.diagnostics] == ["PQL211"]


@pytest.mark.parametrize(
    "base", ["nowhere", "--output=/tmp/x", "-h", "main --all", "main;id", "$(id)", "", "HEAD:x", "a\0b"]
)
def test_what_is_no_base_is_refused(base: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(UsageError, match="neither a file, a folder, nor a git revision"):
        open_base(base, ["definitions"])


def test_outside_a_repository_there_are_no_revisions(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither"):
        open_base("main", [str(tmp_path)])


def test_a_base_with_faults_is_told_not_compared(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    path = repository / "definitions" / "broken.yml"
    path.write_text("pqlkit: 1\nqualify: [\n")
    git(repository, "add", "definitions/broken.yml")
    git(repository, "commit", "-q", "-m", "broken", "definitions/broken.yml")
    path.write_text(framed(BASE + "name: broken\n"))
    report = validate(["definitions/broken.yml"], today=EXAMPLE_DAY, base="main")
    assert report.reviews is not None
    (review,) = report.reviews
    assert review.unreadable
    assert "nothing can be compared" in review_markdown(report.reviews)


def test_figures_stand_beside_the_words() -> None:
    rate = Proportion(numerator=104, denominator=1210, low=0.0714, high=0.103)
    comparison = ComparisonFacts(
        entities=9000,
        both=1000,
        entered=210,
        left=40,
        before=rate,
        after=rate,
        pqls_per_week_before=137,
        pqls_per_week_after=150,
    )
    before, after = read(BASE), read(BASE.replace("at_least: 10", "at_least: 5"))
    review = Review(path="a.yml", before=before, after=after, changes=changes(before, after), comparison=comparison)
    markdown = review_markdown([review])
    said = "8.6 % (104 of 1,210; 7.1 to 10.3 %)"
    assert "Of 9,000 users, 210 enter and 40 leave." in markdown
    assert "| users that qualify | 1,040 | 1,210 |" in markdown
    assert f"| qualifications followed by a conversion within 30 days | {said} | {said} |" in markdown
    assert "| new leads a week (median) | 137 | 150 |" in markdown
    assert "**not raised**" in markdown


def test_a_review_is_data_too(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    content = json.loads(render_json(validate(["definitions"], today=EXAMPLE_DAY, base="main")))
    changed = next(review for review in content["reviews"] if review["name"] == "changed")
    assert changed["changes"] == [
        {"part": "qualify", "text": "logins, at least: 10 → 5, looser", "before": "10", "after": "5"}
    ]
    assert (changed["version_before"], changed["version_after"], changed["version_raised"]) == (1, 1, False)
    assert content["review_markdown"].startswith("### What changes in meaning\n")


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "[click](http://evil)",
        "| a | b |",
        "@everyone",
        "`code`",
        "# head",
        "a\n\n# b",
        "![x](y)",
    ],
)
def test_hostile_names_are_plain_in_markdown(text: str) -> None:
    shown = escaped(text)
    assert "\n" not in shown
    assert "<" not in shown.replace("<!-- -->", "")
    assert "@everyone" not in shown
    for special in "[]|`#!":
        assert shown.count(special) == shown.count("\\" + special) + shown.count("<!-- -->") * (special == "!")


def test_every_part_of_the_meaning_has_a_name() -> None:
    assert [part.value for part in Part] == ["entity", "anchor", "windows", "eligible", "qualify", "outcome", "points"]
