"""What pqlkit concludes from worlds that mislead is what a careful analyst would."""

from __future__ import annotations

import pytest

from tests.verdicts.battery import STUDIES, WORLDS, WORLDS_WITH_A_RULE, null_lines, verdict_lines
from tests.verdicts.recount import recounted
from tests.verdicts.saying import Verdict, said

RECOUNTED = WORLDS_WITH_A_RULE[:4]
"""Worlds whose promise is counted again with `report`."""


ALWAYS = (
    "Simpson by a trait",
    "trait filled by the sale",
    "negative only",
    "season",
    "nothing (every)",
    "bots",
    "base 60 %",
)
"""Worlds that `make test` holds, too: the others take `make slow`."""


@pytest.mark.parametrize(
    "world",
    [pytest.param(world, marks=[] if world.name in ALWAYS else [pytest.mark.slow]) for world in WORLDS],
    ids=lambda world: world.name,
)
def test_the_verdict_is_a_careful_analysts(world):
    with said(world.make(0)) as words:
        assert world.judge(words) is Verdict.RIGHT, world.conclusion
        if world in RECOUNTED:
            counts = recounted(words)
            assert counts["proposed"]
            assert counts["promised"] == counts["reported"]


def test_the_worlds_that_are_always_judged_are_of_the_battery():
    assert set(ALWAYS) <= {world.name for world in WORLDS}


def test_the_studies_say_which_worlds_failed_and_at_which_seeds():
    names = [world.name for world in WORLDS]
    runs = [{"world": name, "seed": 1000, "verdict": Verdict.RIGHT} for name in names]
    assert [line.kept for line in verdict_lines(runs)] == [True] * (len(names) + 2)
    runs[3]["verdict"] = Verdict.WRONG
    pooled, wrong, *worlds = verdict_lines(runs)
    assert (pooled.kept, wrong.kept, worlds[3].kept) == (False, False, False)
    assert worlds[3].reached == "0 of 1; wrong at seeds 1000"
    quiet = [{"kind": kind, "seed": 1, "proposed": kind == "age"} for kind in ("once", "age") for _ in range(5)]
    assert [line.kept for line in null_lines(quiet)] == [True, False]
    assert {study.letter for study in STUDIES} == {"L", "O", "P"}
