"""The evidence: what a definition file keeps of counts, rates and dates."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.observation import observe
from pqlkit.durations import DAY
from pqlkit.options.settings import Settings
from pqlkit.proposal.evidence_figures import figures, rounded, span
from pqlkit.statistics.rate import Rate
from tests.analysis.canonical import in_memory


@pytest.mark.parametrize(("value", "kept"), [(None, None), (0.12344, 0.1234), (1.0, 1.0)])
def test_four_decimals(value, kept):
    assert rounded(value) == kept


def test_counts_stay_beside_the_rate():
    found: Any = figures(Rate.of(127, 480))
    assert (found["qualified"], found["converted"], found["rate"]) == (480, 127, 0.2646)
    assert found["low"] < found["rate"] < found["high"]
    assert figures(Rate.of(0, 0)) == {"qualified": 0, "converted": 0, "rate": None, "low": None, "high": None}


def test_dates_are_those_of_the_first_and_last_cutoff():
    people = [{"id": f"u{n}", "anchor": n * DAY} for n in range(3)]
    seen = observe(in_memory(people, [("u0", "e", 1)], as_of=90 * DAY), Settings(snapshots="once:14d"))
    assert span(seen, np.array([True, True, True])) == {"start": date(1970, 1, 15), "through": date(1970, 1, 17)}
    assert span(seen, np.array([False, True, False])) == {"start": date(1970, 1, 16), "through": date(1970, 1, 16)}
    assert span(seen, np.zeros(3, dtype=bool)) == {"start": None, "through": None}
