"""Adjusted effects: the planted events come first, and the figures are those of an unpenalised model with robust errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from pqlkit.analysis import adjustment
from pqlkit.analysis.adjustment import Sample
from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.associations import Levels, associations
from pqlkit.definitions.model import Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.measures.behaviour import GRID, Behaviour, Cube
from pqlkit.options.settings import Settings
from tests.simulation.trial import planted, populated
from tests.worlds.by_name import recipe

adjust: Any = adjustment.adjust


def rule_effect(*given: Any, **more: Any) -> Any:
    found = adjustment.rule_effect(*given, **more)
    return None if found is None else found.odds_ratio


def behaviour(event: str, days: int = 14) -> Behaviour:
    return Behaviour(event=event, measure=Measure(), window=Window(kind=WindowKind.WITHIN, length=Duration(days, "d")))


def cube_of(columns: dict[str, np.ndarray]) -> Cube:
    rows, levels, offsets = [], [], [0]
    for counts in columns.values():
        level = np.searchsorted(np.array(GRID), counts, side="right").astype(np.uint8)
        rows.append(np.flatnonzero(level).astype(np.uint32))
        levels.append(level[level > 0])
        offsets.append(offsets[-1] + len(rows[-1]))
    return Cube(
        behaviours=tuple(behaviour(name) for name in columns),
        snapshots=len(next(iter(columns.values()))),
        offsets=np.array(offsets),
        rows=np.concatenate(rows),
        levels=np.concatenate(levels),
    )


@pytest.fixture(scope="module")
def confounded():
    """Activity makes both "busy" and converting likely; only "true" adds to it. Two snapshots an entity."""
    rng = np.random.default_rng(5)
    entity = np.repeat(np.arange(3000), 2)
    activity = np.repeat(rng.normal(size=3000), 2)
    columns = {name: rng.poisson(np.exp(0.8 * activity)) for name in ("busy", "other", "true")}
    shift = -3.2 + 0.8 * activity + 1.2 * (columns["true"] >= 2)
    y = rng.random(len(entity)) < 1 / (1 + np.exp(-shift))
    frame = pl.DataFrame({"y": y, "entity": entity, "block": entity % 3, "age_band": np.zeros(len(entity), np.int8)})
    return cube_of(columns), frame


def met(cube: Cube, index: int, threshold: int) -> np.ndarray:
    values = np.zeros(cube.snapshots)
    rows, levels = cube.column(index)
    values[rows] = np.array([0, *GRID])[levels]
    return values >= threshold


def values(cube: Cube, index: int) -> np.ndarray:
    dense = np.zeros(cube.snapshots)
    rows, levels = cube.column(index)
    dense[rows] = np.array([0, *GRID])[levels]
    return dense


def test_a_rows_figure_is_that_of_statsmodels(confounded):
    cube, frame = confounded
    y = frame["y"].to_numpy()
    assert y.sum() * 10 > (~y).sum()  # everybody is in the sample: the figures can be compared exactly
    found = associations(Levels.of(cube, y), rare_below=(1, 1), flags={})
    adjusted = adjust(found, cube, frame)
    commonest = frame["block"].value_counts().sort("count", "block", descending=[True, False])["block"][0]
    blocks = [b for b in (0, 1, 2) if b != commonest]
    for index, one in enumerate(adjusted):
        others = sum(values(cube, other) for other in range(3) if other != index)
        design = np.column_stack(
            [np.ones(len(y)), met(cube, index, one.threshold), np.log1p(others)]
            + [(frame["block"].to_numpy() == b) for b in blocks]
        ).astype(float)
        fit = sm.Logit(y.astype(float), design).fit(disp=0)
        assert one.adjusted.value == pytest.approx(np.exp(fit.params[1]), rel=1e-4)
        assert one.adjusted.low < one.adjusted.value < one.adjusted.high


def test_what_only_goes_with_activity_shrinks_towards_one_and_what_adds_to_it_does_not(confounded):
    cube, frame = confounded
    found = associations(Levels.of(cube, frame["y"].to_numpy()), rare_below=(1, 1), flags={})
    by_name = {one.behaviour.event: one for one in adjust(found, cube, frame)}
    busy: Any
    true: Any
    busy, true = by_name["busy"], by_name["true"]
    assert busy.table.odds_ratio().low > 1.2
    assert busy.adjusted.low < 1.25
    assert true.adjusted.low > 2
    assert abs(true.order) > abs(busy.order)


def test_errors_are_by_cluster(confounded):
    cube, frame = confounded
    rule = met(cube, 2, 2)
    alone = rule_effect(rule, {"true"}, cube, frame)
    twice = pl.concat([frame, frame])
    doubled = Cube(
        behaviours=cube.behaviours,
        snapshots=2 * cube.snapshots,
        offsets=2 * cube.offsets,
        rows=np.concatenate([np.concatenate([r, r + cube.snapshots]) for r, _ in map(cube.column, range(3))]).astype(
            np.uint32
        ),
        levels=np.concatenate([np.concatenate([level, level]) for _, level in map(cube.column, range(3))]),
    )
    # Every snapshot a second time, by the same entities: nothing is learnt, so the interval must not shrink.
    again = rule_effect(np.concatenate([rule, rule]), {"true"}, doubled, twice)
    assert again.value == pytest.approx(alone.value, rel=1e-6)
    assert again.low == pytest.approx(alone.low, rel=1e-3)
    labels = np.arange(twice.height)
    naive = rule_effect(np.concatenate([rule, rule]), {"true"}, doubled, twice, clusters=labels)
    assert naive.low > again.low * 1.02


def test_only_the_asked_rows_count(confounded):
    cube, frame = confounded
    rule, half = met(cube, 2, 2), np.arange(cube.snapshots) < cube.snapshots // 2
    part = rule_effect(rule, {"true"}, cube, frame, rows=half)
    changed = frame.with_columns(y=pl.when(pl.Series(half)).then("y").otherwise(~pl.col("y")))
    assert rule_effect(rule, {"true"}, cube, changed, rows=half).value == pytest.approx(part.value)
    assert rule_effect(rule, {"true"}, cube, frame, rows=np.zeros(cube.snapshots, bool)) is None


def test_too_few_converters_a_parameter_is_not_fitted(confounded):
    cube, frame = confounded
    few = frame.with_columns(y=pl.col("y") & (pl.int_range(pl.len()) < 60))
    found = rule_effect(met(cube, 2, 2), {"true"}, cube, few)
    assert found.value is None
    assert found.undefined == "too-few"


def test_the_threshold_that_people_are_shown_has_a_figure_of_its_own(confounded):
    cube, frame = confounded
    levels = Levels.of(cube, frame["y"].to_numpy())
    plain = associations(levels, rare_below=(1, 1), flags={})
    floored = associations(levels, rare_below=(2_500, 1), flags={})
    moved = [i for i, one in enumerate(floored) if one.dependable and one.dependable.threshold != one.threshold]
    assert moved
    found = adjust(floored, cube, frame)
    for index in moved:
        shown = floored[index].as_shown()
        assert shown is not None
        wanted = adjust([shown if i == index else one for i, one in enumerate(plain)], cube, frame)[index].adjusted
        assert found[index].as_shown().adjusted == wanted
        assert found[index].adjusted == adjust(plain, cube, frame)[index].adjusted != wanted


def test_the_sample_takes_all_converters_and_ten_others_each():
    frame = pl.DataFrame(
        {
            "y": [n < 20 for n in range(5000)],
            "entity": range(5000),
            "block": [n % 2 for n in range(5000)],
            "age_band": [0] * 5000,
        }
    )
    sample = Sample.of(frame)
    assert (int(sample.y.sum()), len(sample.y)) == (20, 220)
    assert np.array_equal(Sample.of(frame).snapshots, sample.snapshots)
    assert len(Sample.of(frame, least=1_000).y) == 1_020


def test_the_model_of_a_rule_sees_everybody_where_few_convert(confounded):
    cube, frame = confounded
    rare = frame.with_columns(y=pl.col("y") & (pl.int_range(pl.len()) % 8 == 0), entity=pl.int_range(pl.len()))
    y = rare["y"].to_numpy()
    assert y.sum() * 10 < (~y).sum() / 2
    rule = met(cube, 2, 2)
    others = sum(values(cube, other) for other in (0, 1))
    blocks = [rare["block"].to_numpy() == block for block in (1, 2)]
    design = np.column_stack([np.ones(len(y)), rule, np.log1p(others), *blocks]).astype(float)
    whole = sm.Logit(y.astype(float), design).fit(disp=0)
    assert rule_effect(rule, {"true"}, cube, rare).value == pytest.approx(np.exp(whole.params[1]), rel=1e-4)


@pytest.fixture(scope="module")
def analysed():
    """Analyse worlds by the recipe: their events, in order of adjusted effect."""
    found = []
    for seed in (71,):
        world = recipe(12_000, seed)
        with populated(world) as people:
            result = analyze(people, Settings(snapshots="once:14d"))
        events = list(dict.fromkeys(one.behaviour.event for one in result.behaviours if one.adjusted is not None))
        lift = sorted(result.behaviours, key=lambda one: -(one.curve[0].table.lift or 0))
        found.append((world, events, list(dict.fromkeys(one.behaviour.event for one in lift)), result))
    return found


def test_planted_events_come_first_by_adjusted_effect(analysed):
    for world, events, _, _ in analysed:
        true = {name for name, _, _ in planted(world)}
        # Its proxy may stand between them: it is all but the same behaviour.
        assert true <= set(events[: len(true) + 1])


def test_by_lift_of_having_done_it_at_all_they_would_not(analysed):
    places = [by_lift.index(name) for world, _, by_lift, _ in analysed for name, _, _ in planted(world)]
    assert max(places) > 5


def test_the_ubiquitous_event_and_activity_are_not_among_them(analysed):
    for world, events, _, result in analysed:
        assert world.truth.traps.common not in events[:3]
        assert None not in events
        assert replace(result, warnings=()).behaviours[0].adjusted.low > 1


def test_accounts_are_adjusted_for_how_many_of_their_users_were_active():
    users = Measure(kind=MeasureKind.USERS)
    short, long = (Window(kind=WindowKind.WITHIN, length=Duration(days, "d")) for days in (7, 14))
    cube = Cube(
        behaviours=(
            Behaviour(event=None, measure=users, window=short),
            Behaviour(event=None, measure=users, window=long),
            Behaviour(event="x", measure=users, window=long),
        ),
        snapshots=4,
        offsets=np.array([0, 1, 4, 5]),
        rows=np.array([0, 0, 1, 3, 2], dtype=np.uint32),
        levels=np.array([1, 1, 3, 9, 2], dtype=np.uint8),
    )
    frame = pl.DataFrame(
        {"entity": [0, 1, 2, 3], "y": [True, False, False, False], "block": [0] * 4, "age_band": [0] * 4}
    )
    sample = Sample.of(frame)
    sized = sample.sized(cube)
    assert sized.adjusters.shape == (4, sample.adjusters.shape[1] + 1)
    assert sized.adjusters[:, -1].tolist() == np.log1p([1, 3, 0, 10]).tolist()  # level 9 of the grid is ten
    counted = replace(cube, behaviours=tuple(replace(one, measure=Measure()) for one in cube.behaviours))
    assert sample.sized(counted).adjusters.shape == sample.adjusters.shape


def quartered(*parts: tuple[int, int, int, int]) -> tuple[np.ndarray, Cube, pl.DataFrame]:
    """2x2 tables (a, b, c, d) of the snapshots of one quarter each; one event that nobody's rule names, always done."""
    met, y, block = (
        np.concatenate(column)
        for column in zip(
            *(
                (
                    np.repeat([True, True, False, False], cells),
                    np.repeat([True, False, True, False], cells),
                    np.full(sum(cells), number),
                )
                for number, cells in enumerate(parts)
            ),
            strict=True,
        )
    )
    frame = pl.DataFrame({"y": y, "entity": np.arange(len(y)), "block": block, "age_band": np.zeros(len(y), np.int8)})
    return met, cube_of({"other": np.ones(len(y), dtype=int)}), frame


def test_a_quarter_in_which_nobody_converted_takes_no_figure_away():
    """40 do and 20 convert, 60 do not and 10 convert; 10 more are of a quarter without a converter."""
    met_it, cube, frame = quartered((20, 20, 10, 50), (0, 4, 0, 6))
    found = adjustment.rule_effect(met_it, {"own"}, cube, frame)
    assert found is not None
    assert found.odds_ratio.value == pytest.approx(5.0)
    assert found.odds_ratio.low == pytest.approx(1.98, abs=0.01)
    assert found.odds_ratio.high == pytest.approx(12.6, abs=0.01)
    assert found.relative_risk.value == pytest.approx(3.0)
    assert (found.left_out, found.penalised) == (10, False)


def test_the_commonest_quarter_may_be_the_one_without_a_converter():
    met_it, cube, frame = quartered((0, 60, 0, 200), (20, 20, 10, 50), (5, 0, 7, 0))
    found = adjustment.rule_effect(met_it, {"own"}, cube, frame)
    assert found is not None
    assert found.odds_ratio.value == pytest.approx(5.0)
    assert found.left_out == 272


def test_where_nobody_else_converted_firths_figure_stands():
    met_it, cube, frame = quartered((22, 74, 0, 899))
    found = adjustment.rule_effect(met_it, {"own"}, cube, frame)
    assert found is not None
    assert found.penalised
    assert found.odds_ratio.value == pytest.approx(22.5 * 899.5 / (74.5 * 0.5), rel=0.25)  # 220 of 973 were drawn
    assert found.odds_ratio.low is not None
    assert 50 < found.odds_ratio.low < 100
    assert found.relative_risk.low is not None
    assert found.relative_risk.low > 40


def test_the_adjusted_relative_risk_is_that_of_statsmodels(confounded):
    """Standardised over those who meet it, its error by a numerical derivative and the clustered covariance of statsmodels."""
    cube, frame = confounded
    y, rule, entity = frame["y"].to_numpy().astype(float), met(cube, 2, 2), frame["entity"].to_numpy()
    found: Any = adjustment.rule_effect(rule, {"true"}, cube, frame)
    others = np.log1p(values(cube, 0) + values(cube, 1))
    block = frame["block"].to_numpy()
    design = np.column_stack([np.ones(len(y)), rule, others, block == 1, block == 2]).astype(float)
    fit = sm.Logit(y, design).fit(disp=0, cov_type="cluster", cov_kwds={"groups": entity, "df_correction": False})

    def log_ratio(beta: np.ndarray) -> float:
        without = design[rule].copy()
        without[:, 1] = 0
        expit = lambda log_odds: 1 / (1 + np.exp(-log_odds))  # noqa: E731
        return float(np.log(expit(design[rule] @ beta).sum() / expit(without @ beta).sum()))

    steps = np.eye(5) * 1e-5
    slope = np.array([(log_ratio(fit.params + s) - log_ratio(fit.params - s)) / 2e-5 for s in steps])
    error = np.sqrt(slope @ fit.cov_params() @ slope)
    assert found is not None
    assert found.relative_risk.value == pytest.approx(np.exp(log_ratio(fit.params)), rel=1e-5)
    assert np.log(found.relative_risk.high / found.relative_risk.low) == pytest.approx(2 * 1.959964 * error, rel=2e-3)
    assert found.relative_risk.value < found.odds_ratio.value


def test_a_sample_gives_the_relative_risk_of_all(monkeypatch):
    """Of 40,000 that did not convert a tenth is drawn; the relative risk is that of everybody."""
    met_it, cube, frame = quartered((300, 2_700, 400, 36_600))
    monkeypatch.setattr(adjustment, "CONTROLS", 6)
    found = adjustment.rule_effect(met_it, {"own"}, cube, frame)
    assert found is not None
    assert found.relative_risk.value == pytest.approx((300 / 3_000) / (400 / 37_000), rel=0.12)


def test_a_trait_that_explains_a_rule_is_allowed_for():
    """Within each channel the rule says nothing; partners meet it and convert more often."""
    met_it, cube, frame = quartered((90, 210, 10, 23), (10, 190, 90, 1710))
    channel = frame["block"]
    flat = frame.with_columns(block=pl.lit(0))
    found = adjustment.rule_effect(met_it, {"own"}, cube, flat, traits={"channel": channel})
    assert found is not None
    assert found.traits == ("channel",)
    assert found.without_traits is not None
    assert found.without_traits.odds_ratio.low is not None
    assert found.without_traits.odds_ratio.low > 3
    assert (found.explained, found.untold) == (True, False)
    assert found.odds_ratio.value == pytest.approx(1.0, abs=0.05)
    assert found.relative_risk.value == pytest.approx(1.0, abs=0.05)


def test_traits_enter_as_long_as_there_are_converters_enough_and_rare_values_are_one():
    met_it, cube, frame = quartered((30, 60, 20, 300))
    telling = np.where(frame["y"].to_numpy(), np.arange(410) % 3 == 0, np.arange(410) % 10 == 0).astype(np.int64)
    many = np.arange(410) % 50
    found = adjustment.rule_effect(
        met_it, {"own"}, cube, frame, traits={"many": pl.Series(many), "telling": pl.Series(telling)}
    )
    assert found is not None
    assert found.traits == ("telling",)
    only = adjustment.rule_effect(met_it, {"own"}, cube, frame, traits={"many": pl.Series(many)})
    assert only is not None
    assert (only.traits, only.without_traits) == ((), None)


def test_a_wide_interval_that_holds_one_explains_nothing():
    """The rule says as much within each channel as over all, of few: with the channel its interval holds 1, without it does not."""
    met_it, cube, frame = quartered((15, 60, 22, 130), (13, 52, 20, 120))
    flat = frame.with_columns(block=pl.lit(0))
    found = adjustment.rule_effect(met_it, {"own"}, cube, flat, traits={"channel": frame["block"]})
    assert found is not None
    assert found.traits == ("channel",)
    assert not found.explained


def test_behaviours_are_allowed_for_fixed_traits_too():
    """Partners take the tour and convert; within a channel the tour says nothing, `true` does in each."""
    rng = np.random.default_rng(11)
    partner = rng.random(4_000) < 0.3
    columns = {
        "tour": rng.poisson(np.where(partner, 2.0, 0.1)),
        "true": rng.poisson(0.5, 4_000),
        "other": rng.poisson(1.0, 4_000),
    }
    y = rng.random(4_000) < np.where(partner, 0.25, 0.03) * np.where(columns["true"] >= 1, 1.6, 0.7)
    frame = pl.DataFrame({"y": y, "entity": np.arange(4_000), "block": 0, "age_band": np.zeros(4_000, np.int8)})
    cube = cube_of(columns)
    listed = associations(Levels.of(cube, y), rare_below=(1, 1), flags={})
    channel = pl.Series(np.where(partner, "partner", "web"))
    by_name = {row.behaviour.event: row.effect for row in adjust(listed, cube, frame, traits={"channel": channel})}
    assert {name: (effect.traits, effect.explained) for name, effect in by_name.items() if name != "other"} == {
        "tour": (("channel",), True),
        "true": (("channel",), False),
    }
    assert by_name["tour"].without_traits.odds_ratio.low > 2
    assert by_name["tour"].odds_ratio.low < 1
    assert by_name["true"].odds_ratio.low > 1.3
    # Without traits nothing changes.
    plain = {row.behaviour.event: row.effect for row in adjust(listed, cube, frame)}
    assert plain["tour"].odds_ratio == by_name["tour"].without_traits.odds_ratio
    assert (plain["tour"].traits, plain["tour"].without_traits) == ((), None)
