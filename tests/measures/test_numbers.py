"""What counts as a number, and how patterns and limits are spelled for every engine."""

from __future__ import annotations

import random
import re
from fractions import Fraction

import narwhals as nw
import polars as pl
import pytest

from pqlkit.definitions.model import Limit
from pqlkit.engines import ENGINES
from pqlkit.measures.limits import NEVER, Need
from pqlkit.measures.numbers import number, scaled
from pqlkit.measures.patterns import portable
from tests.engines.servers import started

TEXTS = {
    "1": 1.0, " 2.5 ": 2.5, "+3": 3.0, "-.5": -0.5, "1e3": 1000.0, "5.": 5.0, "1_000": None, "1,5": None, "": None, "e3": None,
    "nan": None, "inf": None, "12abc": None, "0x10": None, "１": None, "1e999": None, "--1": None, "9" * 60: None,
}  # fmt: skip


@pytest.mark.parametrize("name", ENGINES)
def test_text_is_parsed_or_null(name):
    run = started(name)
    frame = run.lift(pl.DataFrame({"i": range(len(TEXTS)), "x": list(TEXTS)}))
    found = run.collect(frame.select("i", number("x", nw.String()).alias("x"))).sort("i")
    assert found.get_column("x").to_list() == list(TEXTS.values())


@pytest.mark.parametrize("name", ENGINES)
def test_numbers_are_millionths_rounded_half_up(name):
    run = started(name)
    values = [0.1, 2.5e-7, 5e-7, -5e-7, -0.1, 1e12, 9.3e12, -9.3e12, float("nan"), float("inf"), None]
    frame = run.lift(pl.DataFrame({"i": range(len(values)), "x": values}))
    found = run.collect(frame.select("i", scaled(number("x", nw.Float64())).alias("x"))).sort("i")
    most = 9_200_000_000_000_000_000
    wanted = [100_000, 0, 1, 0, -100_000, 10**18, most, -most, None, None, None]
    assert found.get_column("x").to_list() == wanted


def test_needs_of_a_limit_are_exact():
    dice = random.Random(1)
    limits = [dice.choice([dice.randint(1, 10**7), dice.randint(1, 9 * 10**18), 1, 999_999]) for _ in range(300)]
    frame = nw.from_native(pl.DataFrame({"x": limits}))
    for percent in (80, 12.5, 100, 0.0001, 150):
        for upper in (False, True):
            need = Need.of(Limit(percent=percent, property="p"), upper=upper)
            assert need is not None
            found = frame.select(need.of_limit(nw.col("x")).alias("n")).to_native().get_column("n").to_list()
            for limit, value in zip(limits, found, strict=True):
                exact = Fraction(str(percent)) * limit / 100
                if exact < 9 * 10**18:
                    assert (value <= exact < value + 1) if upper else (value - 1 < exact <= value)


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_that_is_not_positive_is_never_met(limit):
    for upper in (False, True):
        need = Need.of(Limit(percent=80, number=limit), upper=upper)
        assert need is not None
        assert need.constant == (-NEVER if upper else NEVER)


@pytest.mark.parametrize(
    "pattern", [r"\d+", r"[\w.]+@", r"^[[]", r"a\.b", r"[^\s]x", r"\W", r"[]a]", r"[a&&b]", r"[[:alpha:]]+1"]
)
def test_patterns_mean_the_same_on_every_engine(pattern):
    texts = ["5", "٣", "a.b", "é@", "e@", "[", "]", "&", " x", "\u00a0x", "ab", "a1", "_", "aXb", ""]
    answers = []
    for name in ENGINES:
        run = started(name)
        frame = run.lift(pl.DataFrame({"i": range(len(texts)), "x": texts}))
        found = run.collect(frame.select("i", nw.col("x").str.contains(portable(pattern)).alias("y"))).sort("i")
        answers.append(found.get_column("y").to_list())
    assert answers[0] == answers[1]
    if "[:" not in pattern and "&&" not in pattern and pattern != "^[[]":
        assert answers[0] == [re.search(pattern, text, re.ASCII) is not None for text in texts]
