"""The promises: what pqlkit must reach on worlds that it has not seen, and what it reached.

Each promise is one function of a seed (or of one world among many), so that a short version runs with the tests and the
full one with ``python -m tests.simulation``. A run gives plain numbers; its summary gives the lines of the results.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from pqlkit.proposal.comparable import Comparison
from pqlkit.proposal.gates import gate
from pqlkit.statistics.rate import Rate
from pqlkit.statistics.stratified import Moments, excess
from tests.simulation.printed import recomputed
from tests.simulation.quiet_years import fading, quiet
from tests.simulation.trial import as_planted, chosen, f1, offered, planted, populated, trial, true_rate
from tests.worlds.by_name import freemium, recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.simulation.trial import Trial

Numbers = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was promised, what was reached, and whether that is enough (None: not a promise)."""

    what: str
    promised: str
    reached: str
    kept: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One letter: a function of a run's number, how many runs make the full study, and the lines that come out."""

    letter: str
    title: str
    runs: int
    run: Callable[[int], Numbers]
    lines: Callable[[Sequence[Numbers]], list[Line]]


def share(hits: int, of: int) -> str:
    """Write a share with its counts and 95 % interval."""
    rate = Rate.of(hits, of)
    if rate.rate is None or rate.low is None or rate.high is None:
        return f"{hits} of {of}"
    return f"{hits} of {of} = {rate.rate:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _total(runs: Sequence[Numbers], key: str) -> float:
    return float(sum(run[key] for run in runs))


# A, E, I: worlds of 20,000 users with a planted rule and every trap.


def easy(seed: int, *, users: int = 20_000) -> Numbers:
    """Search an easy world, and judge its traps and classes."""
    world = recipe(users, 1000 + seed)
    with trial(world) as made:
        numbers = _recovery(made)
        traps, rule = world.truth.traps, {name for name, _, _ in planted(world)}
        flagged = {one.event: one.reason.value for one in made.brief.exclusions.leakage if not one.trait}
        searched = {literal.name for literal in made.brief.search().literals}
        classes = made.brief.observed.snapshots.classes
        ordinary = set(flagged) - {traps.before, traps.after}
        stated = {name: count for name, count in world.truth.classes.items() if count}
        counted = {name: getattr(classes, name) for name in world.truth.classes if getattr(classes, name)}
        return numbers | {
            "leaks": {traps.before, traps.after} <= {s.event for s in made.brief.exclusions.leakage if s.excluded},
            "leak_searched": bool({traps.before, traps.after} & searched),
            "common_best": traps.common in numbers["found"] and traps.common not in rule,
            "ordinary": len(ordinary),
            "classes": stated == counted,
        }


def thin(seed: int, *, users: int = 20_000) -> Numbers:
    """Search a world with a weak rule of three criteria."""
    with trial(recipe(users, 2000 + seed, outcome="thin")) as made:
        numbers = _recovery(made)
        # The proxy accompanies the first true event, and is named as its rival.
        found = {name.removesuffix("_opened") for name in numbers["found"]}
        return numbers | {"same_people": found == {name for name, _, _ in planted(made.world)}}


def _recovery(made: Trial) -> Numbers:
    import_module("scipy.special")  # loaded once a process: not a search's time
    begun = time.process_time()  # the search is one thread: its processor time is what a free core would take
    found = made.brief.search()
    seconds = time.process_time() - begun
    rule = planted(made.world)
    best = chosen(made.brief, found)
    met, later, y = made.held(best), made.later, made.y
    events = {name for name, _, _ in rule}
    names = {literal.name for literal in best}
    return {
        "found": sorted(names),
        "f1": f1(met[later], y[later]) if best else 0.0,
        "true_f1": f1(made.meets[later], y[later]),
        "inside": events <= names,
        "right": events == names,
        "exact": as_planted(best) == rule or bool((met == made.meets).all()),
        "complete": found.complete,
        "seconds": seconds,
    }


def easy_lines(runs: Sequence[Numbers]) -> list[Line]:
    n = len(runs)
    ratio = _total(runs, "f1") / _total(runs, "true_f1")
    inside, exact = int(_total(runs, "inside")), int(_total(runs, "exact"))
    slowest = max(run["seconds"] for run in runs)
    return [
        Line(
            what=f"test F1, mean over {n} seeds",
            promised=">= .98 x the true rule's",
            reached=f"{_total(runs, 'f1') / n:.3f} / {_total(runs, 'true_f1') / n:.3f} = {ratio:.3f}",
            kept=ratio >= 0.98,
        ),
        Line(what="planted events in the rule", promised=">= 90 %", reached=share(inside, n), kept=inside >= 0.9 * n),
        Line(what="exact rule (the same snapshots)", promised="-", reached=share(exact, n), kept=None),
        Line(what="slowest search", promised="<= 1 s", reached=f"{slowest:.2f} s of one core", kept=slowest <= 1),
    ]


def trap_lines(runs: Sequence[Numbers]) -> list[Line]:
    n = len(runs)
    leaks, searched = int(_total(runs, "leaks")), int(_total(runs, "leak_searched"))
    common, ordinary = int(_total(runs, "common_best")), int(_total(runs, "ordinary"))
    classes = int(_total(runs, "classes"))
    return [
        Line(what="both leaks left out", promised="always", reached=f"{leaks} of {n}", kept=leaks == n),
        Line(
            what="a leak among the literals of the search",
            promised="never",
            reached=f"{searched} of {n}",
            kept=not searched,
        ),
        Line(what="the ubiquitous event in the rule", promised="never", reached=f"{common} of {n}", kept=not common),
        Line(
            what="ordinary events flagged or suspect",
            promised="none",
            reached=f"{ordinary} over {n} seeds",
            kept=not ordinary,
        ),
        Line(what="classes equal the truth's", promised="always", reached=f"{classes} of {n}", kept=classes == n),
    ]


def thin_lines(runs: Sequence[Numbers]) -> list[Line]:
    n = len(runs)
    reached, true = _total(runs, "f1") / n, _total(runs, "true_f1") / n
    right = int(_total(runs, "right"))
    return [
        Line(
            what=f"test F1, mean over {n} seeds",
            promised=">= .130 where the true rule has .139 (= .935)",
            reached=f"{reached:.3f} where the true rule has {true:.3f} (= {reached / true:.3f})",
            kept=reached / true >= 0.13 / 0.139,
        ),
        Line(what="events exactly right", promised=">= 85 %", reached=share(right, n), kept=right >= 0.85 * n),
        Line(
            what="the same, its proxy counted as the first true event",
            promised="-",
            reached=share(int(_total(runs, "same_people")), n),
            kept=None,
        ),
    ]


# C: size.


def large(seed: int, *, users: int = 200_000) -> Numbers:
    """Search a large world, and take the memory of its search."""
    import tracemalloc

    with trial(recipe(users, 3000 + seed)) as made:
        numbers = _recovery(made)
        tracemalloc.start()
        made.brief.search()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return numbers | {"megabytes": peak / 1e6}


def large_lines(runs: Sequence[Numbers]) -> list[Line]:
    n = len(runs)
    exact, slowest = int(_total(runs, "exact")), max(run["seconds"] for run in runs)
    most = max(run["megabytes"] for run in runs)
    return [
        Line(what="exact rule", promised="always", reached=f"{exact} of {n}", kept=exact == n),
        Line(what="slowest search", promised="<= 3 s", reached=f"{slowest:.2f} s of one core", kept=slowest <= 3),
        Line(what="memory of the search", promised="< 500 MB", reached=f"{most:.0f} MB", kept=most < 500),
    ]


# F: an additive truth.


def additive(seed: int, *, users: int = 20_000) -> Numbers:
    """Fit the points card to an additive world, and hold it to the true score."""
    from sklearn.metrics import roc_auc_score

    from pqlkit.proposal.fit_view import FitView
    from pqlkit.proposal.menu import standings_of
    from pqlkit.proposal.points import points_card
    from pqlkit.proposal.points_definition import best_cut
    from tests.proposal.found import total

    with trial(recipe(users, 4000 + seed, outcome="additive")) as made:
        found = made.brief.search()
        cube, y, later = made.brief.observed.cube, made.y, made.later
        card = points_card(found)
        assert card is not None
        best = chosen(made.brief, found)
        standings = standings_of(made.brief, found, FitView.of(made.brief, found.literals))
        first = standings.first()
        return {
            "points": float(roc_auc_score(y[later], total(cube, card)[later])),
            "true": float(roc_auc_score(y[later], made.chance[later])),
            "rule": float(roc_auc_score(y[later], made.held(best)[later])) if best else 0.5,
            "preferred": first is not None and best_cut(card, standings, first) is not None,
        }


def additive_lines(runs: Sequence[Numbers]) -> list[Line]:
    n = len(runs)
    points, true, rule = (_total(runs, key) / n for key in ("points", "true", "rule"))
    preferred = int(_total(runs, "preferred"))
    return [
        Line(
            what=f"AUC of the points, mean over {n} seeds",
            promised=">= .98 x the true score's",
            reached=f"{points:.3f} / {true:.3f} = {points / true:.3f}; the rule {rule:.3f}",
            kept=points >= 0.98 * true,
        ),
        Line(what="points preferred to the rule", promised="-", reached=f"{preferred} of {n}", kept=None),
    ]


# G: nothing is there.

SIZES = (2_000, 5_000, 2_000, 5_000, 20_000)
BASES = (0.015, 0.04, 0.2)


def nothing(number: int) -> Numbers:
    """Search a world in which everybody has the same chance; sizes and base rates take turns."""
    users, base = SIZES[number % 5], BASES[number // 5 % 3]
    with trial(recipe(users, 5000 + number, outcome="none", base_rate=base)) as made:
        if made.brief.observed.y.sum() < 50:
            return {"users": users, "base": base, "proposed": False, "searched": False}
        _, candidates = offered(made)
        return {"users": users, "base": base, "proposed": bool(candidates), "searched": True}


def nothing_lines(runs: Sequence[Numbers]) -> list[Line]:
    hits, n = int(_total(runs, "proposed")), len(runs)
    lines = [
        Line(what=f"something proposed, {n} worlds", promised="<= 5 %", reached=share(hits, n), kept=hits <= 0.05 * n)
    ]
    cells = Counter((run["users"], run["base"]) for run in runs)
    for (users, base), size in sorted(cells.items()):
        part = [run for run in runs if (run["users"], run["base"]) == (users, base)]
        refused = sum(not run["searched"] for run in part)
        what = f"{users:,} users, base {base:.1%}" + (f" ({refused} with too few to search)" if refused else "")
        reached = share(int(_total(part, "proposed")), size)
        lines.append(Line(what=what, promised="-", reached=reached, kept=None))
    return lines


# H: drift.

DRIFTS: tuple[str | None, ...] = ("effect", "volume", None)
VERDICTS = {"effect": "rate-fell", "volume": "share-changed", None: "no-change-found"}


def drifting(number: int, *, users: int = 20_000) -> Numbers:
    """Report on the planted rule where its effect, its volume or nothing changes halfway."""
    from pqlkit.rates.periods import newest_judged
    from pqlkit.rates.report import report

    drift = DRIFTS[number % 3]
    world = recipe(users, 6000 + number, drift=drift)  # type: ignore[arg-type]
    assert world.truth.rule is not None
    with populated(world) as people:
        result = report(people, world.truth.rule)
    newest = newest_judged(result.periods)
    verdict = None if newest is None or newest.drift is None else newest.drift.verdict.value
    return {"drift": drift, "verdict": verdict, "right": verdict == VERDICTS[drift]}


def drift_lines(runs: Sequence[Numbers]) -> list[Line]:
    lines = []
    for drift in DRIFTS:
        part = [run for run in runs if run["drift"] == drift]
        right = int(_total(part, "right"))
        others = Counter(run["verdict"] for run in part if not run["right"])
        said = "".join(f"; {count} x {verdict}" for verdict, count in sorted(others.items(), key=str))
        lines.append(
            Line(
                what=f"{drift or 'no'} drift is called {VERDICTS[drift]}",
                promised=">= 90 %",
                reached=share(right, len(part)) + said,
                kept=right >= 0.9 * len(part),
            )
        )
    return lines


# I: what is printed.


def printed(seed: int, *, users: int = 20_000) -> Numbers:
    """Propose, and count every printed snapshot figure again from the exports with SQL."""
    from pqlkit.options.search import ProposeOptions
    from pqlkit.options.settings import Settings
    from pqlkit.proposal.proposing import propose
    from pqlkit.reporting.records.proposal import record

    world = recipe(users, 1000 + seed)
    with populated(world) as people:
        result = propose(people, Settings(snapshots="once:14d"), ProposeOptions(permutations=0))
        gaps = recomputed(world, result, record(result))
    return {"figures": len(gaps), "gap": max(gaps, default=0.0), "candidates": len(result.candidates)}


def printed_lines(runs: Sequence[Numbers]) -> list[Line]:
    figures, worst = int(_total(runs, "figures")), max(run["gap"] for run in runs)
    return [
        Line(
            what=f"{figures} printed test figures and intervals recounted",
            promised="equal to 1e-9",
            reached=f"largest difference {worst:.1e}",
            kept=worst <= 1e-9 and figures > 0,
        )
    ]


# J: coverage of the promise.


def promise_kept(number: int) -> Numbers:
    """Search a small world and ask whether the interval of the later snapshots holds the rule's true rate.

    The true rate is that of whoever may come: the mean chance of those who meet the rule among 10,000 other users of the same
    product. Over the world's own snapshots it would be a little nearer to what these snapshots did, and intervals would seem too wide.
    """
    users, base = ((2_000, 0.2), (8_000, 0.04), (4_000, 0.08))[number % 3]
    with trial(recipe(users, 7000 + number, base_rate=base)) as made:
        found = made.brief.search()
        best = chosen(made.brief, found)
        if not best or made.brief.parts.first is None:
            return {"said": False}
        met, later = made.held(best), made.later
        qualified, converted = int((met & later).sum()), int((met & later & made.y).sum())
        entity = made.brief.entities
        sides = [
            Moments(y=made.y[rows], cluster=entity[rows], strata=[np.zeros(int(rows.sum()), dtype=np.int64)])
            for rows in (met & later, ~met & later)
        ]
        compared = Comparison(active=excess(*sides), adjusted=None, newest=None)
        verdict = gate(compared, starts=qualified, weeks=1.0)
        rate = Rate.of(converted, qualified)
        true = true_rate(recipe(10_000, 7000 + number, base_rate=base), best)
        if rate.low is None or rate.high is None:
            return {"said": False}
        return {
            "said": True,
            "passed": verdict.passed,
            "covered": rate.low <= true <= rate.high,
            "below": true < rate.low,
        }


def promise_lines(runs: Sequence[Numbers]) -> list[Line]:
    said = [run for run in runs if run["said"]]
    passed = [run for run in said if run["passed"]]
    covered, of = int(_total(passed, "covered")), len(passed)
    everything = int(_total(said, "covered"))
    below = int(_total(passed, "below"))
    return [
        Line(
            what="95 % interval covers the true rate (rules that passed the gate)",
            promised="93 to 97 %",
            reached=share(covered, of),
            kept=0.93 * of <= covered <= 0.97 * of,
        ),
        Line(
            what="the same, the gate ignored",
            promised="-",
            reached=share(everything, len(said)),
            kept=None,
        ),
        Line(what="the true rate lies below the interval", promised="-", reached=share(below, of), kept=None),
    ]


# K: the freemium world.


def freemium_world(seed: int, *, accounts: int = 60_000) -> Numbers:
    """Search the freemium world; count its conversions, and its PQL conversion rate twice."""
    from pqlkit.proposal.promise import promise, started
    from pqlkit.rates.report import report

    world = freemium(accounts, 8000 + seed)
    with trial(world, snapshots="every:28d") as made:
        found = made.brief.search()
        best = chosen(made.brief, found)
        places = made.brief.observed.snapshots.places
        parts = [
            name for name in places.__slots__ if name not in {"rows", "first", "repeats", "filtered", "unknown_entity"}
        ]
        whole = (
            places.rows == places.first + places.repeats + places.filtered + places.unknown_entity
            and places.first == sum(getattr(places, name) for name in parts)
            and places.rows == world.conversions.height
        )
        rule = world.truth.rule
        assert rule is not None
        starts = started(made.population, rule)
        here = promise(made.population, starts, first=-(2**62), before=None).rate
        there = report(made.population, rule).funnel.pql_to_customer
        truth = planted(world)
        return {
            "exact": as_planted(best) == truth,
            "events": {name for name, _, _ in truth} == {literal.name for literal in best},
            "found": sorted(map(list, as_planted(best))),
            "conserved": whole,
            "same": (here.numerator, here.denominator) == (there.numerator, there.denominator),
        }


def freemium_lines(runs: Sequence[Numbers]) -> list[Line]:
    n = len(runs)
    exact, events = int(_total(runs, "exact")), int(_total(runs, "events"))
    whole, same = int(_total(runs, "conserved")), int(_total(runs, "same"))
    return [
        Line(what="exact rule", promised=">= 90 %", reached=share(exact, n), kept=exact >= 0.9 * n),
        Line(what="events exactly right", promised="-", reached=share(events, n), kept=None),
        Line(what="every conversion in one place", promised="always", reached=f"{whole} of {n}", kept=whole == n),
        Line(
            what="PQL conversion rate = report's, to the unit",
            promised="always",
            reached=f"{same} of {n}",
            kept=same == n,
        ),
    ]


# M, N: gates that are read every night.


def quiet_lines(runs: Sequence[Numbers]) -> list[Line]:
    n, alarms = len(runs), int(_total(runs, "alarm"))
    said = Counter(verdict for run in runs for verdict in run["said"])
    told = "".join(f"; {verdict} in {count}" for verdict, count in sorted(said.items()))
    return [
        Line(
            what="years with an alarm, read every week",
            promised="at most 4 of 40",
            reached=share(alarms, n) + told,
            kept=alarms <= 0.1 * n,
        )
    ]


def fading_lines(runs: Sequence[Numbers]) -> list[Line]:
    n, caught = len(runs), int(_total(runs, "caught"))
    return [
        Line(
            what="seen once half of the first quarter is complete",
            promised=">= 17 of 20",
            reached=share(caught, n),
            kept=caught >= 0.85 * n,
        )
    ]


STUDIES = (
    Study(letter="A", title="20,000 users, an easy rule", runs=20, run=easy, lines=easy_lines),
    Study(letter="B", title="20,000 users, a thin rule", runs=20, run=thin, lines=thin_lines),
    Study(letter="C", title="200,000 users", runs=2, run=large, lines=large_lines),
    Study(letter="E", title="Traps (the worlds of A)", runs=20, run=easy, lines=trap_lines),
    Study(letter="F", title="An additive truth", runs=10, run=additive, lines=additive_lines),
    Study(letter="G", title="Nothing is there", runs=405, run=nothing, lines=nothing_lines),
    Study(letter="H", title="Drift", runs=300, run=drifting, lines=drift_lines),
    Study(letter="I", title="What is printed", runs=4, run=printed, lines=printed_lines),
    Study(letter="J", title="Promises hold", runs=1000, run=promise_kept, lines=promise_lines),
    Study(letter="K", title="The freemium world", runs=20, run=freemium_world, lines=freemium_lines),
    Study(letter="M", title="Years in which nothing changes", runs=40, run=quiet, lines=quiet_lines),
    Study(letter="N", title="An effect that ends", runs=20, run=fading, lines=fading_lines),
)
