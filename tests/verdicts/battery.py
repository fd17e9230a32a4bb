"""The battery: every misleading world, and the studies over fresh seeds that `make simulate` makes of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from scipy.stats import beta

from tests.simulation.promises import Line, Study, share
from tests.verdicts import calendar_worlds, idle_worlds, measured_worlds, plain_worlds, shape_worlds
from tests.verdicts.recount import recounted
from tests.verdicts.saying import Verdict, said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.promises import Numbers
    from tests.verdicts.saying import World

WORLDS: Final[tuple[World, ...]] = (
    *plain_worlds.WORLDS,
    *shape_worlds.WORLDS,
    *calendar_worlds.WORLDS,
    *measured_worlds.WORLDS,
    *idle_worlds.WORLDS,
)

FRESH: Final = 1_000
"""The studies' first seed: the tests run on those below."""

SEEDS: Final = 20
"""Of each world."""

NULLS: Final = 200
"""Of each kind of nothing."""

ALLOWED: Final = 4
"""Of these may be proposed: the gates let through 1 % of nothing."""


def judged(number: int) -> Numbers:
    """Judge one world at one seed: all worlds at the first seed, then all at the next."""
    seed, place = divmod(number, len(WORLDS))
    world = WORLDS[place]
    return {"world": world.name, "seed": FRESH + seed, "verdict": world.verdict(FRESH + seed)}


def most(of: int, share: float, level: float = 0.05) -> int:
    """Give the largest count of `of` whose one-sided upper limit lies below a share (Clopper and Pearson).

    Examples
    --------
    >>> most(640, 0.05), most(640, 0.02)
    (22, 6)
    """
    return max((count for count in range(of) if beta.ppf(1 - level, count + 1, of - count) < share), default=0)


def verdict_lines(runs: Sequence[Numbers]) -> list[Line]:
    """Say of each world how often the verdict was right, and of all together how often it was not."""
    n = len(runs)
    wrong = sum(run["verdict"] is Verdict.WRONG for run in runs)
    missed = sum(run["verdict"] is not Verdict.RIGHT for run in runs)
    pooled = [
        Line(
            what="not right, all worlds",
            promised=f"at most {most(n, 0.05)} of {n} (surely less than 5 %)",
            reached=share(missed, n),
            kept=missed <= most(n, 0.05),
        ),
        Line(
            what="wrong, all worlds",
            promised=f"at most {most(n, 0.02)} of {n} (surely less than 2 %)",
            reached=share(wrong, n),
            kept=wrong <= most(n, 0.02),
        ),
    ]
    ran = {world.name: [run for run in runs if run["world"] == world.name] for world in WORLDS}
    return [*pooled, *(_of_world(name, own) for name, own in ran.items() if own)]


def _of_world(name: str, runs: Sequence[Numbers]) -> Line:
    n = len(runs)
    right = sum(run["verdict"] is Verdict.RIGHT for run in runs)
    seeds = {
        verdict: ", ".join(str(run["seed"]) for run in runs if run["verdict"] is verdict)
        for verdict in (Verdict.SHORT, Verdict.WRONG)
    }
    others = "".join(f"; {verdict} at seeds {listed}" for verdict, listed in seeds.items() if listed)
    return Line(what=name, promised="more than 16 of 20 right", reached=f"{right} of {n}{others}", kept=right > 0.8 * n)


def null(number: int) -> Numbers:
    """Ask for a rule where there is none: the kinds take turns, and two sizes."""
    names = tuple(idle_worlds.KINDS)
    seed, place = divmod(number, len(names))
    with said(idle_worlds.KINDS[names[place]](FRESH + seed)) as words:
        return {"kind": names[place], "seed": FRESH + seed, "proposed": words.first is not None}


def null_lines(runs: Sequence[Numbers]) -> list[Line]:
    """Say of each kind of nothing how often something was proposed."""
    proposed = Counter(run["kind"] for run in runs if run["proposed"])
    return [
        Line(
            what=f"{kind}: something proposed",
            promised=f"at most {ALLOWED} of {NULLS}",
            reached=share(proposed[kind], of),
            kept=proposed[kind] <= ALLOWED * max(1.0, of / NULLS),
        )
        for kind, of in Counter(run["kind"] for run in runs).items()
    ]


def promise_recounted(number: int) -> Numbers:
    """Count a proposal's promise again with `report`, from the file that `propose` wrote."""
    with said(WORLDS_WITH_A_RULE[number % len(WORLDS_WITH_A_RULE)].make(FRESH + number)) as words:
        return recounted(words)


def recount_lines(runs: Sequence[Numbers]) -> list[Line]:
    """Say how many promises came out to the unit."""
    made = [run for run in runs if run["proposed"]]
    same = sum(run["promised"] == run["reported"] for run in made)
    return [
        Line(
            what="new PQLs, complete and converted, as promised and as reported",
            promised="equal to the unit, of at least ten worlds",
            reached=f"{same} of {len(made)} (of {len(runs)} worlds)",
            kept=same == len(made),
        )
    ]


WORLDS_WITH_A_RULE: Final = tuple(
    world
    for world in WORLDS
    if world.name
    in {
        "many convert in hour one",
        "leak",
        "proxy and precursor",
        "two equal rules",
        "sale month",
        "empty age band",
        "base 0.3 %",
        "base 60 %",
        "bots",
        "users in two accounts",
        "promise under capacity",
        "calls worth their cost",
    }
)

STUDIES: Final = (
    Study(letter="L", title="Misleading worlds", runs=SEEDS * len(WORLDS), run=judged, lines=verdict_lines),
    Study(letter="O", title="Nothing, in five kinds", runs=NULLS * len(idle_worlds.KINDS), run=null, lines=null_lines),
    Study(
        letter="P",
        title="The promise counted again by report",
        runs=len(WORLDS_WITH_A_RULE),
        run=promise_recounted,
        lines=recount_lines,
    ),
)
