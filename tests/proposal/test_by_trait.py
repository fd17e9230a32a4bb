"""A rule by trait: one test a trait, and "holds only for" where the rest surely does not follow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqlkit.proposal.by_trait import by_traits
from pqlkit.statistics.contingency import Contingency


def seen(**cells: tuple[int, int, int, int]) -> tuple[Any, np.ndarray, pl.Series]:
    """Snapshots of one 2x2 table (a, b, c, d) a value of the trait: what is observed, who meets the rule, the values."""
    met, y = (
        np.concatenate([np.repeat(pattern, counts) for counts in cells.values()])
        for pattern in ([True, True, False, False], [True, False, True, False])
    )
    values = pl.Series([name for name, counts in cells.items() for _ in range(sum(counts))])

    def table(met: np.ndarray, part: np.ndarray) -> Contingency:
        return Contingency.of(
            qualified=int((met & part).sum()),
            converted=int((met & part & y).sum()),
            entities=int(part.sum()),
            converters=int((y & part).sum()),
        )

    return SimpleNamespace(y=y, clusters=np.arange(len(y)), table=table), met, values


def split(**cells: tuple[int, int, int, int]) -> Any:
    observed, met, values = seen(**cells)
    [trait] = by_traits(observed, met, np.ones(len(met), dtype=bool), {"channel": values})
    return trait


def test_a_rule_that_works_for_one_value_alone_holds_only_for_it():
    trait = split(partner=(120, 280, 20, 380), web=(40, 760, 50, 750), ads=(20, 380, 22, 378))
    assert trait.p_adjusted < 0.001
    assert trait.only_for == ("partner",)
    assert trait.rest.relative_risk == pytest.approx(60 / (40 + 20 * 400 / 400 * 1.1 + 10), rel=0.2)
    assert trait.rest.high < 1.5


def test_where_the_rest_may_follow_it_is_not_said():
    trait = split(partner=(120, 280, 20, 380), web=(6, 94, 6, 94))
    assert trait.p_adjusted < 0.05
    assert trait.only_for == ()
    assert trait.rest.high >= 1.5


def test_a_rule_that_works_for_all_is_not_said_to_differ():
    trait = split(partner=(60, 140, 10, 190), web=(30, 70, 5, 95))
    assert (trait.only_for, trait.rest) == ((), None)
    assert trait.p_adjusted > 0.05


def test_each_trait_is_one_test_of_as_many_as_there_are():
    observed, met, values = seen(partner=(60, 340, 20, 380), web=(45, 355, 40, 360))
    whole = np.ones(len(met), dtype=bool)
    alone: Any
    [alone] = by_traits(observed, met, whole, {"channel": values})
    other = pl.Series(np.where(np.arange(len(met)) % 2, "a", "b"))
    one: Any
    one, _ = by_traits(observed, met, whole, {"channel": values, "other": other})
    assert one.p_value == alone.p_value == alone.p_adjusted
    assert one.p_adjusted == pytest.approx(2 * alone.p_adjusted)


def test_rare_values_are_taken_together_and_missing_ones_are_a_value():
    observed, met, values = seen(partner=(60, 340, 20, 380), tiny=(2, 3, 1, 4), small=(1, 3, 2, 3))
    holes = values.to_frame("v").with_columns(
        v=pl.when((pl.col("v") == "partner") & (pl.int_range(pl.len()) % 2 == 0)).then(None).otherwise("v")
    )["v"]
    [trait] = by_traits(observed, met, np.ones(len(met), dtype=bool), {"channel": holes})
    assert [group.name for group in trait.groups] == ["partner", "missing", "other values"]
    assert sum(group.table.total for group in trait.groups) == len(met)
