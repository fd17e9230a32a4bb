"""The way towards points: over the richest open criteria, as many as still have to be met."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.definitions.model import All, Criterion, Definition, EntityKind, Score, Window, WindowKind
from pqlkit.scoring.progress import Way, points_way


def test_the_richest_open_criteria_count_and_no_more_than_are_needed():
    names = ("rich", "middle", "poor")
    parts = tuple(Criterion(id=name, events=(name,), window=Window(kind=WindowKind.EVER)) for name in names)
    definition = Definition(
        name="d",
        entity=EntityKind.USER,
        qualify=All(parts=parts),
        outcome=None,
        score=Score(points={"rich": 50, "middle": 30, "poor": 20}, pql_at=50),
    )

    def way(share: float, lack: float) -> Way:
        return Way(share=np.full(3, share), lack=np.full(3, lack), open=np.full(3, 1))

    holds = np.zeros((3, 3), dtype=bool)
    ways = [way(0.5, 4.0), way(0.2, 2.0), way(0.9, 1.0)]
    told = points_way(definition, ways, holds, np.array([1.0, 2.0, np.inf]))
    # One: rich alone. Two: rich and middle, by their points. What cannot be done any more has no share.
    assert told.share.tolist() == pytest.approx([0.5, (25 + 6) / 80, np.nan], nan_ok=True)
    assert told.lack.tolist() == [4.0, 6.0, 0.0]
    assert told.open.tolist() == [1, 2, 0]
