from __future__ import annotations

import threading
import time

import pytest

from pqlkit.measures.parallel import worked


@pytest.mark.parametrize("hands", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(hands):
    def slow_first(number):
        time.sleep(0.02 if number == 0 else 0.0)
        return number * 10

    assert list(worked(slow_first, iter(range(9)), hands=hands)) == [number * 10 for number in range(9)]


def test_several_are_at_work_at_once():
    both = threading.Barrier(2, timeout=30)  # one hand alone would wait here for ever
    assert list(worked(lambda _: both.wait() >= 0, range(4), hands=2)) == [True] * 4


@pytest.mark.parametrize("hands", [1, 3])
def test_items_are_taken_no_further_ahead_than_there_are_hands(hands):
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    results = worked(lambda number: number, items(), hands=hands)
    assert next(results) == 0
    assert len(taken) <= hands
    del results  # closes it
    assert len(taken) <= hands


@pytest.mark.parametrize("hands", [1, 2])
def test_what_the_work_raises_is_raised_where_its_result_would_come(hands):
    def work(number):
        if number == 2:
            raise ValueError("two")
        return number

    results = worked(work, range(5), hands=hands)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_nothing_is_done_for_no_items():
    assert list(worked(lambda number: number, [])) == []
