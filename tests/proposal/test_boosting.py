"""The model is the same in a process of its own, and nothing of the process is left."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pqlkit.proposal import boosting
from pqlkit.proposal.boosting import Boosting, boosted


def asked(snapshots: int = 3_000):
    random = np.random.default_rng(8)
    levels = random.integers(0, 12, (snapshots, 9)).astype(np.uint8)
    y = random.random(snapshots) < 1 / (1 + np.exp(3 - 0.3 * levels[:, 0] - 0.2 * levels[:, 4]))
    return {"levels": levels[:2_000], "y": y[:2_000], "read": levels[2_000:], "seed": 5}, y[2_000:]


@pytest.fixture
def apart(monkeypatch):
    monkeypatch.setattr(boosting, "APART", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def test_it_ranks_what_it_has_not_seen():
    given, later = asked()
    fitted, read = boosted(**given)
    assert (fitted.shape, read.shape) == ((2_000,), (1_000,))
    assert roc_auc_score(later, read) > 0.7


@pytest.mark.usefixtures("apart")
def test_in_a_process_of_its_own_it_is_the_same_to_the_bit():
    given, _ = asked()
    with Boosting(**given) as model:
        assert model._process is not None
        found = model.scores()
    for one, other in zip(found, boosted(**given), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("apart")
def test_a_process_that_comes_to_nothing_is_made_up_for(monkeypatch):
    given, _ = asked()
    monkeypatch.setattr("sys.executable", "/bin/false")
    with Boosting(**given) as model:
        found = model.scores()
        assert model._process is not None
        assert model._process.returncode == 1
    np.testing.assert_array_equal(found[1], boosted(**given)[1])


@pytest.mark.usefixtures("apart")
def test_left_early_nothing_is_left():
    given, _ = asked()
    with pytest.raises(KeyboardInterrupt), Boosting(**given) as model:
        assert model._folder is not None
        folder = model._folder
        assert folder.exists()
        raise KeyboardInterrupt
    assert model._process is not None
    assert model._process.returncode is not None
    assert not folder.exists()


@pytest.mark.parametrize(("cores", "least"), [(1, 0), (2, 1 << 40)])
def test_with_one_core_or_little_to_do_no_process_is_begun(monkeypatch, cores, least):
    monkeypatch.setattr(boosting, "APART", least)
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    given, _ = asked()
    with Boosting(**given) as model:
        assert model._process is None
        assert len(model.scores()[1]) == 1_000
