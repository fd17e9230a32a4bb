"""Cohorts: Kaplan-Meier and the log-rank test against statsmodels, drawn only as far as a cohort has been seen."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from pqlkit.analysis.cohorts import DAYS, UNKNOWN, band_names, bands_of, cohort_order, cohorts
from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.snapshots.snapshots import snapshots_of
from tests.analysis.canonical import in_memory
from tests.simulation.trial import populated
from tests.worlds.by_name import recipe


@pytest.fixture(scope="module")
def people():
    with populated(recipe(3_000, 61)) as found:
        yield found


@pytest.fixture(scope="module")
def by_quarter(people):
    return cohorts(people, snapshots_of(people, "once:14d"), "signup_quarter")


def lives(people):
    """Give duration in days, converted, and quarter of each entity that was no customer before its anchor."""
    frame = people.entities.filter(people.entities["anchor"].is_not_null())
    anchor, converted = frame["anchor"].to_numpy(), frame["converted"].to_numpy()
    done = ~np.isnan(converted.astype(float))
    end = np.where(done, np.nan_to_num(converted.astype(float)), people.as_of)
    kept = end >= anchor
    quarters = [
        f"{str(at)[:4]}-Q{(int(str(at)[5:7]) + 2) // 3}"
        for at in anchor.astype("datetime64[us]").astype("datetime64[D]")
    ]
    return ((end - anchor) / DAY)[kept], done[kept], np.array(quarters)[kept]


def test_curves_are_those_of_statsmodels(people, by_quarter):
    days, done, quarter = lives(people)
    assert len(by_quarter.cohorts) >= 4
    for one in by_quarter.cohorts:
        inside = quarter == one.cohort
        assert one.entities == int(inside.sum())
        theirs = SurvfuncRight(days[inside], done[inside].astype(int))
        for point in one.curve:
            at = np.searchsorted(theirs.surv_times, point.day, side="right")
            left = theirs.surv_prob[at - 1] if at else 1.0
            assert point.converted_share == pytest.approx(1 - left, abs=1e-12)
            assert point.low <= point.converted_share <= point.high


def test_a_curve_ends_where_too_few_are_followed(people, by_quarter):
    days, _, quarter = lives(people)
    lengths = []
    for one in by_quarter.cohorts:
        mine = days[quarter == one.cohort]
        needed = max(10, len(mine) // 10)
        seen = [day for day in DAYS if (mine >= day).sum() >= needed]
        assert [point.day for point in one.curve] == seen
        lengths.append(len(seen))
    assert lengths[-1] < lengths[0]  # the newest cohort is drawn less far


def test_log_rank_is_statsmodels(people, by_quarter):
    days, done, quarter = lives(people)
    _, p_value = survdiff(days, done.astype(int), quarter)
    assert by_quarter.p_value == pytest.approx(p_value, rel=1e-9)


def test_rates_add_up_to_the_populations(people, by_quarter):
    seen = snapshots_of(people, "once:14d")
    assert sum(one.rate.denominator for one in by_quarter.cohorts) == seen.frame.height
    assert sum(one.rate.numerator for one in by_quarter.cohorts) == int(seen.frame["y"].sum())


def test_by_a_trait_null_is_a_cohort_of_its_own_and_comes_last():
    made = in_memory(
        [{"id": f"u{n}", "anchor": 0} for n in range(4)],
        as_of=90 * DAY,
        fixed={"channel": ["ads", None, "zoo", "ads"]},
    )
    found = cohorts(made, snapshots_of(made, "once:14d"), "channel")
    assert [(one.cohort, one.entities) for one in found.cohorts] == [("ads", 2), ("zoo", 1), (UNKNOWN, 1)]
    assert found.p_value is None  # nobody converted: nothing to compare


def test_weeks_are_those_of_the_zone():
    # Sunday 23:30 UTC is Monday in Amsterdam.
    sunday = 1_735_515_000_000_000  # 2024-12-29T23:30Z
    for zone, week in (("UTC", "2024-W52"), ("Europe/Amsterdam", "2025-W01")):
        made = in_memory([{"id": "a", "anchor": sunday}], as_of=sunday + 90 * DAY, zone=zone)
        (one,) = cohorts(made, snapshots_of(made, "once:14d"), "signup_week").cohorts
        assert one.cohort == week


def test_customers_before_their_anchor_are_in_no_curve():
    rows = [{"id": f"u{n:02}", "anchor": 5 * DAY, "converted": None} for n in range(20)]
    made = in_memory([*rows, {"id": "x", "anchor": 5 * DAY, "converted": 4 * DAY}], as_of=90 * DAY)
    (one,) = cohorts(made, snapshots_of(made, "once:14d"), "signup_month").cohorts
    assert one.entities == 20
    assert one.curve[0].converted_share == 0


def test_an_unknown_trait_and_too_many_cohorts_are_refused():
    made = in_memory(
        [{"id": f"u{n:03}", "anchor": 0} for n in range(201)],
        as_of=90 * DAY,
        fixed={"channel": [str(n) for n in range(201)]},
    )
    seen = snapshots_of(made, "once:14d")
    with pytest.raises(UsageError, match="no such trait") as error:
        cohorts(made, seen, "chanel")
    assert "channel" in str(error.value.hint)
    with pytest.raises(UsageError, match="201 cohorts"):
        cohorts(made, seen, "channel")


def test_bands_stand_in_the_order_of_their_numbers() -> None:
    names = [*band_names((5.0, 20.0, 100.0)), UNKNOWN]
    assert sorted(sorted(names), key=cohort_order) == names
    assert bands_of("seats:20,5", ["seats"]) == ("seats", (5.0, 20.0))
    for text in ("seats:", "seats:many", "seats:1,nan", "rows:5"):
        assert bands_of(text, ["seats"]) is None
