"""The split is by time, cuts no instant, and keeps every outcome window of the fit part before the holdout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.durations import DAY
from pqlkit.proposal.split import Split, SplitKind, since, split


def make(cutoff: Any, y: Any = None, *, conversion_window: int = 0, **options: Any) -> Split:
    cutoff = np.asarray(cutoff, dtype=np.int64)
    y = np.ones(len(cutoff), dtype=bool) if y is None else np.asarray(y, dtype=bool)
    defaults: dict[str, Any] = {"block": np.zeros(len(cutoff), dtype=np.int64), "enough": 0, "too_few": 0}
    return split(cutoff, cutoff + conversion_window, y, **(defaults | options))


def test_the_newest_quarter_tests():
    parts = make(np.arange(100))
    assert (parts.kind, parts.first) == (SplitKind.TIME, 75)
    assert np.flatnonzero(parts.holdout).tolist() == list(range(75, 100))
    assert np.flatnonzero(parts.fit).tolist() == list(range(75))


def test_one_instant_is_never_split():
    parts = make([1] * 60 + [2] * 20 + [3] * 20)
    assert (parts.first, parts.holdout.sum(), parts.fit.sum()) == (2, 40, 60)


def test_it_is_widened_for_converters_to_at_most_half():
    y = np.arange(100) % 2 == 0
    assert make(np.arange(100), y, enough=20).holdout.sum() == 40
    assert make(np.arange(100), y, enough=80).holdout.sum() == 50


def test_the_whole_outcome_window_lies_before_the_holdout():
    parts = make(np.arange(100), conversion_window=10)
    # Cutoff 65 ends at 75, the first holdout cutoff itself: not before it.
    assert np.flatnonzero(parts.fit).tolist() == list(range(65))
    assert not (parts.fit & parts.holdout).any()


def test_too_few_converters_cross_fit_by_block():
    y = np.arange(100) % 2 == 0
    parts = make(np.arange(100), y, too_few=26, enough=200, block=np.arange(100) // 30)
    assert (parts.kind, parts.first) == (SplitKind.CROSS_FITTED, None)
    assert parts.folds.tolist() == (np.arange(100) // 30).tolist()
    assert parts.fit.all()
    assert make(np.arange(100), y, too_few=25, enough=200).kind is SplitKind.TIME


def test_one_block_is_cut_into_stretches_with_equal_converters():
    y = np.arange(200) % 4 == 0
    parts = make(np.arange(200), y, too_few=1_000)
    assert [int((y & (parts.folds == fold)).sum()) for fold in range(5)] == [10] * 5
    assert (np.diff(parts.folds) >= 0).all()


def test_a_stated_date_is_never_widened():
    parts = make(np.arange(100), holdout_from=95, enough=50, too_few=50)
    assert (parts.kind, parts.first, parts.holdout.sum(), parts.fit.sum()) == (SplitKind.TIME, 95, 5, 95)


@pytest.mark.parametrize("cutoff", [[], [5] * 10])
def test_nothing_to_split(cutoff):
    parts = make(cutoff, too_few=1)
    assert parts.kind is SplitKind.CROSS_FITTED
    assert parts.folds.tolist() == [0] * len(cutoff) or len(set(parts.folds.tolist())) == 1


@given(
    cutoff=st.lists(st.integers(0, 30), min_size=1, max_size=80),
    conversion_window=st.integers(0, 5),
    enough=st.integers(0, 50),
    data=st.data(),
)
def test_laws(cutoff, conversion_window, enough, data):
    y = np.array(data.draw(st.lists(st.booleans(), min_size=len(cutoff), max_size=len(cutoff))))
    parts = make(cutoff, y, conversion_window=conversion_window, enough=enough)
    times = np.array(cutoff)
    assert 2 * parts.holdout.sum() <= len(cutoff)
    assert not (parts.fit & parts.holdout).any()
    if parts.holdout.any():
        assert parts.first == times[parts.holdout].min()
        assert (times[~parts.holdout] < parts.first).all()
        assert ((times + conversion_window < parts.first) == parts.fit).all()
    order = data.draw(st.permutations(range(len(cutoff))))
    again = make(times[order], y[order], conversion_window=conversion_window, enough=enough)
    assert again.first == parts.first
    np.testing.assert_array_equal(again.fit, parts.fit[order])


def test_a_converter_with_several_snapshots_is_counted_at_its_last():
    # One person converts after snapshots 60 to 99, another after 10.
    y = np.zeros(100, dtype=bool)
    y[60:] = y[10] = True
    last = np.zeros(100, dtype=bool)
    last[99] = last[10] = True
    assert make(np.arange(100), y, too_few=2).kind is SplitKind.TIME
    assert make(np.arange(100), y, counts=last, too_few=2).kind is SplitKind.CROSS_FITTED
    assert make(np.arange(100), y, counts=last, too_few=1).kind is SplitKind.TIME


def test_cross_fitting_can_be_asked_for():
    parts = make(np.arange(100), too_few=float("inf"))
    assert parts.kind is SplitKind.CROSS_FITTED


def dated(n: int = 400):
    cutoff = np.arange(n) * DAY
    y = np.arange(n) % 4 == 0
    block = cutoff // (90 * DAY)
    return cutoff, y, block


def test_what_came_before_a_moment_chooses_nothing():
    cutoff, y, block = dated()
    parts = split(cutoff, cutoff + 30 * DAY, y, block=block, too_few=10, enough=20)
    assert parts.first is not None
    later = since(parts, cutoff, y, 100 * DAY, block=block, counts=y, too_few=10)
    assert (later.kind, later.first) == (SplitKind.TIME, parts.first)
    assert cutoff[later.fit].min() == 100 * DAY
    assert (later.holdout == parts.holdout).all()
    assert (later.fit <= parts.fit).all()


@pytest.mark.parametrize(("moment", "known_later", "too_few"), [(350, False, 10), (100, True, 10), (100, False, 1_000)])
def test_a_moment_that_the_holdout_knew_or_that_leaves_too_little_is_cross_fitted(moment, known_later, too_few):
    cutoff, y, block = dated()
    parts = split(cutoff, cutoff + 30 * DAY, y, block=block, too_few=10, enough=20)
    later = since(parts, cutoff, y, moment * DAY, block=block, counts=y, known_later=known_later, too_few=too_few)
    assert (later.kind, later.first) == (SplitKind.CROSS_FITTED, None)
    late = cutoff >= moment * DAY
    assert (later.fit == late).all()
    assert (later.holdout == late).all()
    assert (later.folds[~late] == -1).all()
    assert len(np.unique(later.folds[late])) >= 2
