"""The change point: found where an effect changes, and rarely where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.statistics.change_point import change_point
from pqlkit.statistics.stratified import Moments


def moments(y, *, first: int = 0, cluster=None, season=None) -> Moments:
    size = len(y)
    labels = np.arange(first, first + size) if cluster is None else cluster
    nothing = np.zeros(size, dtype=np.int64)
    return Moments(y=np.asarray(y), cluster=labels, strata=[nothing if season is None else season, nothing])


def test_a_fall_is_found_near_its_place():
    random = np.random.default_rng(2)
    kind = moments(random.random(800) < np.repeat([0.3, 0.12], [500, 300]))
    found = change_point(kind, moments(random.random(8_000) < 0.05, first=800))
    assert found is not None
    assert found.place == pytest.approx(500, abs=60)
    assert found.z > 3
    assert found.p_value == 1 / 200


def test_a_rise_has_the_other_sign():
    random = np.random.default_rng(3)
    kind = moments(random.random(800) < np.repeat([0.1, 0.3], [300, 500]))
    found = change_point(kind, moments(random.random(8_000) < 0.05, first=800))
    assert found is not None
    assert found.z < -3


def test_a_season_that_all_share_is_no_change():
    random = np.random.default_rng(4)
    late, others_late = np.arange(800) >= 400, np.arange(8_000) % 2 == 1
    kind = moments(random.random(800) < np.where(late, 0.36, 0.12), season=late.astype(np.int64))
    rest = moments(
        random.random(8_000) < np.where(others_late, 0.15, 0.05), first=800, season=others_late.astype(np.int64)
    )
    found = change_point(kind, rest)
    assert found is not None
    assert found.p_value > 0.05
    flat = change_point(moments(kind.y), moments(rest.y, first=800))
    assert flat is not None
    assert flat.p_value < 0.05


@pytest.mark.parametrize("together", [1, 8])
def test_where_nothing_changes_chance_is_rarely_taken_for_a_change(together):
    """Leads in clusters of `together` that convert as one; what is expected is known from 400 others, 40 of whom convert."""
    few = 0
    for seed in range(80):
        random = np.random.default_rng([5, seed])
        owner = np.repeat(np.arange(400 // together), together)[random.permutation(400)]
        kind = moments((random.random(400 // together) < 0.25)[owner], cluster=owner)
        rest = moments(random.random(400) < 0.1, first=1_000, season=None)
        found = change_point(kind, rest, seed=seed)
        few += found is not None and found.p_value <= 0.05
    assert few <= 0.05 * 80 + 5


def test_noise_of_few_others_is_no_change():
    """Others differ by season by chance alone: 40 of each of ten seasons, one in ten of whom converts."""
    few = 0
    for seed in range(80):
        random = np.random.default_rng([6, seed])
        season = np.repeat(np.arange(10), 60)
        kind = moments(random.random(600) < 0.3, season=season)
        rest = moments(random.random(400) < 0.1, first=1_000, season=np.repeat(np.arange(10), 40))
        found = change_point(kind, rest, seed=seed)
        few += found is not None and found.p_value <= 0.05
    assert few <= 0.05 * 80 + 5


def test_too_few_conversions_show_no_change():
    random = np.random.default_rng(7)
    others = moments(random.random(2_000) < 0.05, first=900)
    assert change_point(moments(np.arange(300) % 20 == 0), others) is None
    assert change_point(moments(np.zeros(100, dtype=bool)), others) is None
    assert change_point(moments(np.zeros(0, dtype=bool)), others) is None
