"""The clustered log-rank test: the plain one where rows are alone, and honest where they go together."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.statistics.clustered_log_rank import clustered_log_rank
from pqlkit.statistics.survival import log_rank
from tests.statistics.life_tables import from_rows


def drawn(rng: np.random.Generator, clusters: int, size: int) -> tuple[np.ndarray, ...]:
    """Draw rows whose pace is their cluster's, in groups that say nothing, followed for two units of time."""
    label = np.repeat(np.arange(clusters), size)
    pace = rng.gamma(0.5, 2.0, clusters)[label]
    first = (rng.random(clusters) < 0.4)[label]
    days = rng.exponential(1.0, len(label)) / np.maximum(pace, 1e-9)
    return np.minimum(days, 2.0), days <= 2.0, first, label


def test_with_rows_alone_it_is_nearly_the_plain_test() -> None:
    rng = np.random.default_rng(1)
    days = rng.exponential(1.0, 4_000) * np.where(np.arange(4_000) < 2_000, 1.0, 1.1)
    done, first = days <= 1.5, np.arange(4_000) < 2_000
    seen = np.minimum(days, 1.5)
    plain = log_rank([from_rows(seen[side], done[side]) for side in (first, ~first)])
    robust = clustered_log_rank(seen, done, first, np.arange(4_000))
    assert plain.statistic is not None
    assert robust.statistic == pytest.approx(plain.statistic, rel=0.03)


def test_the_group_that_is_named_first_does_not_matter() -> None:
    days, done, first, label = drawn(np.random.default_rng(2), 200, 3)
    one, other = (clustered_log_rank(days, done, side, label).p_value for side in (first, ~first))
    assert one == pytest.approx(other, rel=1e-9)


def test_its_numerator_is_observed_less_expected() -> None:
    days, done, first, _ = drawn(np.random.default_rng(3), 60, 1)
    expected = 0.0
    for time in np.unique(days[done]):
        risk, converting = days >= time, (days == time) & done
        expected += converting.sum() * (risk & first).sum() / risk.sum()
    two = np.where(np.arange(len(days)) % 2 == 0, 0, 1)
    found = clustered_log_rank(days, done, first, two)
    parts = np.array([0.0, 0.0])
    for row, (at, ended, own) in enumerate(zip(days, done, first, strict=True)):
        for time in np.unique(days[done]):
            risk = days >= time
            share = (risk & first).sum() / risk.sum()
            hazard = ((days == time) & done).sum() / risk.sum()
            parts[two[row]] += (ended and at == time) * (own - share) - (at >= time) * (own - share) * hazard
    assert parts.sum() == pytest.approx((done & first).sum() - expected, abs=1e-9)
    assert found.statistic == pytest.approx(parts.sum() ** 2 / (2 * (parts**2).sum()), rel=1e-9)


def test_rows_that_go_together_reject_as_rarely_as_they_should() -> None:
    rng = np.random.default_rng(4)
    naive, robust = 0, 0
    for _ in range(300):
        days, done, first, label = drawn(rng, 150, 6)
        plain = log_rank([from_rows(days[side], done[side]) for side in (first, ~first)]).p_value
        naive += plain is not None and plain < 0.05
        found = clustered_log_rank(days, done, first, label).p_value
        robust += found is not None and found < 0.05
    assert robust <= 27  # 5 % of 300, with room for chance: at most 9 %
    assert naive >= 60  # the plain test takes six rows of one for six


def test_nothing_to_compare_is_no_answer() -> None:
    for days, done, first, label in (
        ([], [], [], []),
        ([1, 2], [0, 0], [0, 1], [0, 1]),
        ([1, 2], [1, 1], [1, 1], [0, 1]),
        ([1, 2], [1, 1], [0, 1], [0, 0]),
    ):
        assert clustered_log_rank(days, done, first, label).p_value is None


def test_nobody_of_one_group_is_left_at_any_conversion() -> None:
    assert clustered_log_rank([1, 1, 5, 6], [0, 0, 1, 1], [1, 1, 0, 0], range(4)).p_value is None
