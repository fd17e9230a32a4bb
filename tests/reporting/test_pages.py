"""The pages: inert, whole, readable by everybody, and with no number that the JSON does not hold."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pqlkit.analysis.analyzing import analyze
from pqlkit.cli.output import plain
from pqlkit.definitions.emitting import emit
from pqlkit.options.settings import Settings
from pqlkit.reporting.pages import analysis as analysis_page
from pqlkit.reporting.pages import drawing, front, heat_map
from pqlkit.reporting.pages import proposal as proposal_page
from pqlkit.reporting.pages import report as report_page
from pqlkit.reporting.pages import trial as trial_page
from pqlkit.reporting.pages.page import templates
from pqlkit.reporting.pages.period_chart import timeline, undrawn
from pqlkit.reporting.pages.style import STYLE
from pqlkit.reporting.renderers import analysis, proposal, report, trial
from pqlkit.reporting.renderers.report_sentences import (
    against_baseline,
    chosen_on,
    headline,
    how_judged,
    next_steps,
    which_rate,
)
from tests.analysis.hand_made import definition, part
from tests.reporting import worlds
from tests.tools import needs

KINDS = ("analysis", "proposal", "trial", "report", "reports")
CHARTS = {"analysis": 10, "proposal": 2, "trial": 3, "report": 5, "reports": 10}
EVERY = pytest.mark.parametrize("kind", KINDS)
BOTH = pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
SCRIPT = Path(analysis_page.__file__).parent / "templates" / "explorer.js"
VOID = {"meta", "br", "hr", "input"}
KNOWN = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "footer",
        "section",
        "h1",
        "h2",
        "h3",
        "p",
        "b",
        "span",
        "bdi",
        "data",
        "time",
        "div",
        "figure",
        "figcaption",
        "details",
        "summary",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "label",
        "select",
        "option",
        "input",
        "output",
        "dl",
        "dt",
        "dd",
        "li",
        "script",
        "svg",
        "g",
        "path",
        "line",
        "text",
        "rect",
    ]
)


@cache
def page(kind: str, hostile: bool) -> str:
    found = worlds.results(hostile)
    return {
        "analysis": lambda: analysis_page.as_page(found.analysis),
        "proposal": lambda: proposal_page.as_page(found.proposal),
        "trial": lambda: trial_page.as_page(found.trial),
        "report": lambda: report_page.as_page([found.report]),
        "reports": lambda: report_page.as_page([found.report, found.other]),
    }[kind]()


@cache
def figures(kind: str, hostile: bool) -> Any:
    found = worlds.results(hostile)
    return json.loads(
        {
            "analysis": lambda: analysis.as_json(found.analysis),
            "proposal": lambda: proposal.as_json(found.proposal),
            "trial": lambda: trial.as_json(found.trial),
            "report": lambda: report.as_json(found.report),
            "reports": lambda: report.several_as_json([found.report, found.other]),
        }[kind]()
    )


class Reader(HTMLParser):
    """Collects elements, attributes, and the text outside drawings, figures of data, names and sentences of the result."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[tuple[str, str]] = []
        self.values: list[float] = []
        self.words: list[str] = []
        self.said: list[str] = []
        self.misnested: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "data":
            self.values.append(float(found["value"] or "nan"))
        if tag not in VOID:
            self.open.append((tag, found.get("class") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop()[0] != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        inside = {tag for tag, _ in self.open}
        classes = {name for _, names in self.open for name in names.split()}
        if "said" in classes:
            self.said.append(data)
        elif not inside & {"svg", "data", "time", "style", "script", "title", "h1"} and "name" not in classes:
            self.words.append(data)


@cache
def read(kind: str, hostile: bool) -> Reader:
    reader = Reader()
    reader.feed(page(kind, hostile))
    reader.close()
    return reader


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def numbers(value: Any) -> set[float]:
    if isinstance(value, dict):
        return set().union(*map(numbers, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(numbers, value)) if value else set()
    return {float(value)} if isinstance(value, int | float) and not isinstance(value, bool) else set()


@EVERY
@BOTH
def test_every_number_on_the_page_is_in_the_json(kind: str, hostile: bool) -> None:
    reader = read(kind, hostile)
    assert len(reader.values) > 20
    assert set(reader.values) <= numbers(figures(kind, hostile))
    # What is no figure of the result: the level of the intervals, days of the cohorts' table, how many definitions.
    loose = [word for word in reader.words if re.search(r"\d", re.sub(r"95 %|by day \d+", "", word))]
    assert loose == []
    warnings = json.dumps(figures(kind, hostile), ensure_ascii=False)
    assert all(json.dumps(text, ensure_ascii=False)[1:-1] in warnings for text in reader.said if len(text) < 900)


def test_a_board_is_told_what_became_of_near_misses_and_what_to_do() -> None:
    shown = figures("report", False)
    text = re.sub(r"<[^>]+>", "", page("report", False))
    misses = shown["near_misses"]
    assert f"{misses['qualified']['numerator']} of {misses['qualified']['denominator']}: " in text
    assert "Near is 80% of the way, active in 14 days. Nobody is near now." in text
    assert (
        "Has it fallen? 2025-Q1 against the baseline, 2024-Q4 (98 of 309, 31.7%): no fall: one of 12.3 points or more is ruled out"
        in text
    )
    assert text.index("What to do next") < text.index("Funnel, all")
    assert "Product-qualified lead (PQL): A user who" in text
    assert "24 a week" in text
    assert "Keep the rule: nothing says that it does less in 2025-Q1." in text
    assert "81 of 252 customers were never PQLs: look at what they did instead." in text
    assert "contacted" not in " ".join(next_steps(shown))  # there is no table of contacts


def test_an_analysis_answers_first_and_says_how_sure_it_is_and_what_comes_next() -> None:
    text = re.sub(r"<[^>]+>", "", page("analysis", False))
    answer = "Users with 4+ invite in the first 7 days converted 15 times as often as the others: 55.0% against 3.8%"
    order = [
        answer,
        "How sure",
        "Relative risk 14.7, 95% CI [11.1, 19.4]",
        "Rests on",
        "1,800 snapshots of 1,800 users",
    ]
    order += ["Next", "pqlkit propose", "Correlation with conversion", "After adjustment", "Thresholds and windows"]
    order += ["Conversion since signup", "Excluded", "Where conversions happen", "Method"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_proposal_answers_first_and_keeps_both_clocks_apart() -> None:
    text = re.sub(r"<[^>]+>", "", page("proposal", False))
    later = figures("proposal", False)["candidates"][0]["qualifications"]["holdout"]
    order = [
        "A user qualifies when",
        "How sure",
        f"{later['converted']} of {later['qualified']}",
        "Next",
        "pqlkit score -d",
    ]
    order += [
        "Later test period, from qualifying",
        "Later test period, at snapshots",
        "Will it hold?",
        "Alternatives",
        "Method",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_the_numbers_of_rules_stand_apart_from_each_other_and_from_the_points() -> None:
    close = [front.Place(mark=str(n), recall=0.3 + n / 500, rate=0.2, kind=front.LATER) for n in range(1, 5)]
    for across in (drawing.ROOMY, drawing.PHONE):
        labels = front._labels(close, 0.5, 0.3, across)
        spots = [(0.9 * across * label["recall"] / 0.5, 320 * label["rate"] / 0.3) for label in labels]
        assert len({label["mark"] for label in labels}) == 4
        assert min(front._apart(one, two) for one, two in pairwise(sorted(spots))) >= 10


def test_a_heat_map_shows_phi_and_frames_the_closest_cell() -> None:
    shown = figures("analysis", False)
    row = next(one for one in shown["behaviours"] if (one["event"], one["window"]) == ("invite", "7d"))
    phis = {step["threshold"]: step["phi"] for step in row["curve"]}
    grid = heat_map.cells([row])
    assert {cell.threshold: cell.step["phi"] for cell in grid} == phis
    assert [cell.threshold for cell in grid if cell.best] == [max(phis, key=lambda threshold: phis[threshold])] == [4]
    assert phis[4] == row["phi"]


def test_the_curve_of_all_adds_up_with_the_population() -> None:
    shown = figures("analysis", False)
    everybody = shown["since_start"]
    assert (everybody["converted"], everybody["snapshots"]) == (252, 1_800)
    months = [row for row in shown["cohorts"] if row["by"] == "signup_month"]
    assert everybody["members"] == sum(row["members"] for row in months) == 1_800
    last = everybody["curve"][-1]
    assert last["converted_share"] == pytest.approx(252 / 1_800)
    assert last["low"] < last["converted_share"] < last["high"]


def test_a_key_named_as_a_method_is_read_and_no_function_is_shown() -> None:
    shown = {"clear": ": no clear change", "update": 3}
    assert templates().from_string("{{ f.clear }}{{ f.update }}").render(f=shown) == ": no clear change3"
    with pytest.raises(TypeError, match="not <built-in method clear"):
        templates().from_string("{{ f.clear }}").render(f={})


def test_what_to_do_follows_from_what_was_found() -> None:
    shown = json.loads(json.dumps(figures("report", False)))
    fell = {"value": -0.1, "low": -0.2, "high": -0.01}
    shown["periods"][-1]["drift"].update(verdict="rate-fell", p_value=0.001, rate_difference=fell)
    share = {"numerator": 1, "denominator": 40, "rate": 0.025, "low": 0.0, "high": 0.1}
    shown["contacted"] = {
        "before": share,
        "after": share,
        "after_later": {**share, "denominator": 31},
        "never": {**share, "denominator": 60},
    }
    shown["arms"] = {"contact": share}
    shown["near_misses"].update(now=3, in_reach=1, qualified={**share, "numerator": 2, "denominator": 3, "rate": 2 / 3})
    assert next_steps(shown)[:4] == [
        "The rate fell in 2025-Q1: choose the rule again on what came since.",
        "60 of 140 new PQLs with a complete window were contacted by nobody.",
        "Of the 40 first contacted after qualifying, 31 had waited for more than 3 days.",
        "Now 3 users are near; 1 lacks at most 10% or one step. Of those near before, 2 of 3 became PQLs anyway, so that a nudge "
        "could add less than one.",
    ]
    shown["near_misses"].update(
        now=14, in_reach=14, qualified={**share, "numerator": 20, "denominator": 29, "rate": 20 / 29}
    )
    assert next_steps(shown)[3].endswith("20 of 29 became PQLs anyway, so that a nudge could add at most about 4.")
    shown["near_misses"].update(qualified={**share, "numerator": 0, "denominator": 0, "rate": None})
    assert next_steps(shown)[3].endswith("all lack at most 10% or one step. A nudge could add at most 14 PQLs.")
    shown["periods"][-1]["drift"]["verdict"] = "share-changed"
    assert next_steps(shown)[0].startswith("In 2025-Q1 share qualifying changed")


def test_a_board_is_told_which_of_the_rates_to_quote() -> None:
    shown = json.loads(json.dumps(figures("report", False)))
    assert which_rate(shown) == ""  # all followed alike: one rate
    funnel = shown["funnel"]
    funnel["pql_to_customer"]["rate"], funnel["to_date"]["pql_customers"]["rate"] = 0.192, 0.436
    funnel["cohort"]["pql_customers"]["rate"], funnel["snapshot"]["with"]["rate"] = 0.338, 0.226
    assert which_rate(shown) == (
        "Quote 19.2%: of every new PQL, followed for 30 days. The other rates of this report count otherwise: 43.6% of all PQLs "
        "so far became customers, at any time since, so that it rises as they age; 33.8% of those that became PQLs within 14 days "
        "of signing up did, within 44 days of it; 22.6% of those that met the rule 14 days after they began, new or not, did within 30 days."
    )


def test_a_board_is_told_on_which_leads_the_rule_was_chosen() -> None:
    shown = json.loads(json.dumps(figures("report", False)))
    assert chosen_on(shown) == ""  # no evidence
    later = {"numerator": 109, "denominator": 528, "rate": 109 / 528, "low": 0.174, "high": 0.243}
    dates = {"from": "2025-04-28", "through": "2026-03-16", "later_from": "2026-04-20"}
    shown["chosen_on"] = {**dates, "leads": 606, "later": later}
    assert chosen_on(shown) == (
        "The rule was chosen on 606 PQLs of 2025-04-28 to 2026-03-16, whose rate can flatter it. Of those from 2026-04-20 on, "
        "109 of 528 became customers: 20.6% [17.4, 24.3]."
    )
    shown["chosen_on"]["later"] = {**later, "numerator": 0, "denominator": 0}
    assert chosen_on(shown).endswith("Of those from 2026-04-20 on none is complete.")


def test_customers_that_are_in_no_figure_are_said_in_the_headline() -> None:
    shown = json.loads(json.dumps(figures("report", False)))
    shown["funnel"]["left_out"] = [{"reason": "x", "entities": 99, "customers": n} for n in (93, 16)]
    assert headline(shown, why="Method")[-2:] == [
        "81 of 252 customers (32.1%) were never PQLs; 171 (67.9%) became one in the 30 days before converting.",
        "109 more customers are in no figure: see Method.",
    ]


def test_a_fall_is_ruled_out_by_what_came_or_would_have_shown() -> None:
    newest = json.loads(json.dumps(figures("report", False)))["periods"][-1]
    newest["drift"].update(missed_fall=0.06, detectable_fall=0.09)
    assert against_baseline(newest).startswith("no fall: one of 6.0 points or more is ruled out")
    newest["drift"].update(missed_fall=0.06, detectable_fall=0.06)
    assert against_baseline(newest).startswith("none found; a fall of 6.0 points would have shown")


def test_the_timeline_draws_whole_intervals_and_names_the_periods_it_leaves_out() -> None:
    first, last = json.loads(json.dumps(figures("report", False)))["periods"]
    young = {**last, "period": "2025-Q2", "drift": {**last["drift"], "verdict": "in-progress"}}
    few = {**young, "pql_to_customer": {"numerator": 2, "denominator": 6, "rate": 2 / 6, "low": 0.097, "high": 0.7}}
    assert undrawn([first, last, few]) == "Not drawn, because fewer than 20 are complete: 2025-Q2."
    assert "2025-Q2" not in timeline([first, last, few], "x")
    more = {**few, "pql_to_customer": {**few["pql_to_customer"], "denominator": 20}}
    assert undrawn([first, last, more]) == ""
    assert "70%" in timeline([first, last, more], "x")  # the axis goes as far as the interval


def test_why_more_leads_may_need_a_larger_fall_is_said() -> None:
    shown = json.loads(json.dumps(figures("report", False)))
    assert how_judged(shown) == (
        "A fall is told only where it stands at a level of 0.10%: twelve verdicts a year may together be wrong in 5%."
    )
    shown["periods"][-1]["drift"]["comparable"] = 150.2
    assert (
        "the 225 complete PQLs of 2025-Q1 are worth 150. So among more PQLs, if they are older, a fall"
        in how_judged(shown)
    )
    shown["periods"][-1]["drift"].update(verdict=None)
    assert how_judged(shown) == ""


@EVERY
@BOTH
def test_the_page_asks_for_nothing_and_runs_nothing(kind: str, hostile: bool) -> None:
    reader, text = read(kind, hostile), page(kind, hostile)
    assert {tag for tag, _ in reader.tags} <= KNOWN
    for _, attributes in reader.tags:
        assert not {name for name in attributes if name.startswith("on")}
        assert not attributes.keys() & {"src", "href", "xlink:href", "srcset", "action", "data", "poster", "style"}
        assert "url(" not in " ".join(value or "" for value in attributes.values())
    blocks = [{"type": "application/json", "id": "figures"}]
    ours = [{"type": "application/json", "id": "counts"}, *blocks, {}]
    assert [found for tag, found in reader.tags if tag == "script"] == (ours if kind == "analysis" else blocks)
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    code = re.findall(r"<script>(.*?)</script>", text, re.S)
    assert code == ([SCRIPT.read_text(encoding="utf-8").strip()] if kind == "analysis" else [])
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch|XMLHttp|import\b", "".join(code)
    )
    runs = "".join(f"script-src {digest(each)}; " for each in code)
    policy = next(found["content"] for tag, found in reader.tags if tag == "meta" and "http-equiv" in found)
    assert policy == f"default-src 'none'; {runs}style-src {digest(style[1])}; base-uri 'none'; form-action 'none'"
    assert "http:" not in text
    assert "https:" not in text
    assert reader.misnested == []
    assert reader.open == []


@EVERY
@BOTH
def test_whoever_does_not_see_the_charts_gets_them_as_words_and_tables(kind: str, hostile: bool) -> None:
    reader = read(kind, hostile)
    pictures = [found for tag, found in reader.tags if found.get("role") == "img"]
    assert len(pictures) >= CHARTS[kind]
    assert all((found["aria-label"] or "").strip() for found in pictures)
    assert sum(tag == "svg" for tag, _ in reader.tags) == 2 * len(pictures)  # once for a page, once for a phone
    headers = [found for tag, found in reader.tags if tag == "th"]
    assert {found["scope"] for found in headers} == {"col", "row"}
    assert sum(tag == "table" for tag, _ in reader.tags) == sum(tag == "caption" for tag, _ in reader.tags)
    assert sum(tag == "figure" for tag, _ in reader.tags) == sum(tag == "details" for tag, _ in reader.tags)
    assert [found.get("lang") for tag, found in reader.tags if tag == "html"] == ["en"]
    ids = [found["id"] for _, found in reader.tags if "id" in found]
    assert ids == (["explorer", "counts", "figures"] if kind == "analysis" else ["figures"])


def contrast(one: str, two: str) -> float:
    """WCAG 2.2: (lighter + 0.05) / (darker + 0.05)."""

    def luminance(colour: str) -> float:
        full = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
        parts = [int(full[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", range(2), ids=["light", "dark"])
def test_text_and_marks_stand_out_in_light_and_dark(theme: int) -> None:
    themes = [dict(re.findall(r"--(\w+):(#\w+)", rule)) for rule in re.findall(r":root\{([^}]*)\}", STYLE)]
    colours = themes[theme]
    for paper in (colours["paper"], colours["tint"]):
        assert contrast(colours["ink"], paper) >= 7
        assert contrast(colours["soft"], paper) >= 4.5
    for mark in (*drawing.COLOURS, drawing.GREY):
        assert contrast(mark, colours["paper"]) >= 3


def test_figures_in_a_heat_map_can_be_read() -> None:
    for rate in (0.0, 0.2, 0.5, 0.74, 0.76, 0.9, 1.0):
        stops = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in heat_map.SHADES]
        lower, share = (0, 2 * rate) if rate < 0.5 else (1, 2 * rate - 1)
        mixed = [round(a + share * (b - a)) for a, b in zip(stops[lower], stops[lower + 1], strict=True)]
        cell = "#" + "".join(f"{part:02x}" for part in mixed)
        assert contrast(cell, heat_map.ink(rate)) >= 3.8


@EVERY
def test_the_data_block_is_the_json_of_what_is_shown(kind: str) -> None:
    block = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page(kind, True), re.S)
    assert block is not None
    assert not re.search("[<>&]", block[1])
    shown, whole = json.loads(block[1]), figures(kind, True)
    for key in whole.keys() - {"behaviours", "search"}:
        assert shown[key] == whole[key], key
    assert all(row in whole["behaviours"] for row in shown.get("behaviours", []))


@pytest.mark.parametrize("kind", ["analysis", "report"])
def test_the_same_result_gives_the_same_bytes(kind: str) -> None:
    first = page(kind, True)
    assert page.__wrapped__(kind, True) == first


def browsed(chromium: str, address: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let a browser open a page, run what runs there, and write down what came of it."""
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    command = [chromium, *options.split(), "--disable-component-update", f"--user-data-dir={folder / 'profile'}"]
    command += ["--virtual-time-budget=3000", "--enable-logging=stderr", "--dump-dom", address]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.parametrize("kind", ["analysis", "proposal", "reports"])
def test_a_browser_shows_the_charts_and_runs_no_name(kind: str, tmp_path: Path) -> None:
    chromium = needs("chromium")
    path = tmp_path / "page.html"
    path.write_text(page(kind, True), encoding="utf-8")
    done = browsed(chromium, path.as_uri(), tmp_path)
    reader = Reader()
    reader.feed(done.stdout)
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title[1] != "owned"
    assert sum(tag == "svg" for tag, _ in reader.tags) >= 2 * CHARTS[kind]
    assert {tag for tag, _ in reader.tags} <= KNOWN
    assert "CONSOLE" not in done.stderr
    assert re.sub(r"\s", "", worlds.SCRIPT.replace("<", "&lt;").replace(">", "&gt;"))[:10] in done.stdout


def test_the_page_of_little_data_says_what_can_be_seen_and_tests_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "inviters.yml").write_text(emit(worlds.definition(worlds.PLAIN, 3)), encoding="utf-8")
    people = worlds.population(worlds.PLAIN)
    few = replace(people, project=replace(people.project, definitions=tmp_path))
    found = analyze(few, Settings(snapshots="once:14d", given=definition(part("long", 6))))
    text = analysis_page.as_page(found)
    assert found.hypotheses is not None
    assert "usable conversions. No search: it would find luck." in text
    assert "Your own definitions, tested exactly" in text
    shown = plain(analysis.as_table(found))
    assert shown.startswith("TOO FEW CONVERSIONS TO SEARCH: 35 usable of 50 needed")
    assert "pqlkit explain --converters" in shown
    assert "no behaviours are ranked" in analysis.as_markdown(found)
    for ranked in ("CORRELATION", "Behaviours before an upgrade"):
        assert ranked not in text + shown + analysis.as_markdown(found)
