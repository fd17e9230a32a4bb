"""The timeline of one entity: what happened, and by when it is over."""

from __future__ import annotations

import pytest

from pqlkit.durations import DAY
from pqlkit.scoring.timeline import Happening, timeline
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START
from tests.scoring.test_scoring import WIDTH, WITHIN, criterion
from tests.scoring.test_scoring import definition as meaning


@pytest.mark.parametrize(("shift", "over"), [(-1, False), (0, True)])
def test_a_window_is_over_at_its_very_end(shift, over):
    as_of = START + WIDTH + shift
    people = in_memory([{"id": "a", "anchor": START}], [("a", "login", START + DAY)], as_of=as_of)
    story = timeline(people, 0, meaning(criterion("login", 2, WITHIN)))
    assert (Happening.OVER in {moment.what for moment in story.moments}) is over
