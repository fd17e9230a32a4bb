"""A product that changed: since when a rule does less, what is chosen after it, and how that is labelled."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from pqlkit.durations import DAY
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project
from pqlkit.options.data import ExtentOptions
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal.proposing import propose
from pqlkit.proposal.split import SplitKind
from pqlkit.reporting.records.proposal import record
from pqlkit.reporting.renderers.proposal import as_table
from tests.analysis.hand_made import definition, part
from tests.verdicts.product import START, Product

pytestmark = pytest.mark.slow

ONCE = Settings(snapshots="once:14d")
CHANGED = START + 270 * DAY
LATER = START + 420 * DAY


@pytest.fixture(scope="module")
def people():
    """Projects foretell a quarter for nine months and 8 % since; since then an assistant foretells 30 %."""
    product = Product(seed=[77], users=5_000, days=500.0, ripe=45.0)
    rng, late = product.rng, product.age > 270
    product.usual()
    keen = rng.random(product.users) < 0.2
    asks = late & (rng.random(product.users) < 0.2)
    product.event(
        "project_created", np.where(keen, rng.integers(3, 7, product.users), rng.integers(0, 3, product.users))
    )
    product.event("assistant_asked", np.where(asks, rng.integers(2, 5, product.users), 0))
    rate = np.where(asks, 0.3, np.where(keen, np.where(late, 0.08, 0.25), 0.04))
    product.convert(rng.random(product.users) < rate)
    with TemporaryDirectory() as folder:
        project = read_project(product.tables().cut().write(Path(folder)))
        yield population_of(open_dataset(project), project, ExtentOptions(as_of=product.as_of))


def proposed(people, settings=ONCE, **wishes: Any):
    return propose(people, settings, ProposeOptions(permutations=0, **wishes))


@pytest.fixture(scope="module")
def usual(people):
    in_use = definition(part("project_created", 3))
    return proposed(people, against=in_use, holdout_from=LATER)


def screen(proposal) -> str:
    text = StringIO()
    Console(width=80, file=text).print(as_table(proposal))
    return " ".join(text.getvalue().split())


def test_the_fall_of_the_old_rule_is_dated_and_the_new_one_proposed(usual):
    words, change = usual.changes[0]
    assert words.startswith("project_created")
    assert change.fell
    assert abs(change.since - CHANGED) < 45 * DAY
    assert change.before.rate > 0.18 > 0.14 > change.after.rate
    assert usual.candidates[0].definition.name.startswith("assistant-asked")
    assert all("assistant" not in words for words, change in usual.changes if change.fell)


def test_the_best_rule_of_what_came_since_is_told_beside_it(usual):
    assert usual.refit.words.startswith("assistant_asked")
    assert usual.refit.rate.rate == pytest.approx(0.2, abs=0.06)
    text = screen(usual)
    change = usual.changes[0][1]
    rates = f"({change.before.rate:.0%} -> {change.after.rate:.0%})"
    assert f"the effect fell since {change.quarter} {rates}: refit from then" in text
    assert "best rule of what came since (cross-validated): assistant_asked" in text
    assert "pqlkit propose --learn-from 2023-" in text
    written: Any = record(usual)
    assert written["changes"][0]["fell"]
    assert written["refit"]["rule"] == usual.refit.words
    assert written["learned_from"] is None


def test_a_definition_in_use_is_told_what_the_rule_would_change(usual):
    new = usual.replacement
    assert new.change is not None
    assert new.change.fell
    assert new.only_new.rate > 2 * new.only_old.rate
    assert new.both.denominator + new.only_new.denominator == usual.candidates[0].promised.rate.denominator
    assert "the rule instead of" in screen(usual)


def test_where_nothing_else_is_offered_the_refit_is_and_says_what_it_is(people):
    """Hardly any of the assistant's days choose: what they choose holds no more, and what came since has no later period."""
    found = proposed(people, against=definition(part("project_created", 3)))
    assert found.changes[0][1].fell
    assert found.candidates[0].definition.name.startswith("assistant-asked")
    assert (found.split.kind, found.read, found.refit) == (SplitKind.CROSS_FITTED, 2, None)
    assert found.fit.first >= found.changes[0][1].since
    assert any(words.startswith("project_created") for words, _ in found.rejected)
    evidence = found.candidates[0].definition.evidence.holdout
    assert (evidence.independent, evidence.times_read) == (False, 2)
    text = screen(found)
    assert "CROSS-VALIDATED: too few conversions" in text or "CROSS-VALIDATED on snapshots since" in text
    assert "the effect fell since" in text
    # The definition in use is looked at from its beginning, whatever the rule was chosen on.
    assert found.replacement.change.fell


def test_to_learn_from_a_date_before_the_holdout_leaves_it_to_test(people, usual):
    found = proposed(people, learn_from=CHANGED, holdout_from=LATER)
    assert (found.split.kind, found.split.first) == (SplitKind.TIME, LATER + 14 * DAY)
    assert found.fit.first >= CHANGED + 14 * DAY > usual.fit.first
    assert (found.read, found.refit) == (1, None)
    assert found.candidates[0].definition.name.startswith("assistant-asked")
    assert found.candidates[0].read.on.min() >= CHANGED
    learned: Any = record(found)["learned_from"]
    assert learned.startswith("2023-10-12")


def test_to_learn_from_a_date_inside_the_holdout_is_cross_validated_and_read_once_more(people):
    found = proposed(people, learn_from=LATER - 60 * DAY, holdout_from=LATER - 90 * DAY)
    assert (found.split.kind, found.read) == (SplitKind.CROSS_FITTED, 2)
    assert found.fit.first >= LATER - 60 * DAY
    assert found.cross_fitted.leads["on"].min() >= LATER - 60 * DAY
    assert found.candidates[0].definition.name.startswith("assistant-asked")
