"""The timeline of one entity: what happened, and by when it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from polars.testing import assert_frame_equal

from pqlkit.definitions.model import EntityKind, Measure, MeasureKind
from pqlkit.durations import DAY
from pqlkit.engines.factory import EngineName
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.options.data import ExtentOptions
from pqlkit.population.population import population_of
from pqlkit.scoring.scoring import score
from pqlkit.scoring.timeline import Happening, alone, timeline
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


@pytest.mark.usefixtures("spark_server")
@pytest.mark.parametrize("kind", [MeasureKind.COUNT, MeasureKind.SUM])
def test_a_lead_told_alone_is_the_lead_of_the_list(tmp_path, kind):
    """Its account's events, of its users and those without one, and nobody else's; also where others have fractions."""
    lines = ["user_id,account_id,event,timestamp,amount"]
    for day, (user, account, amount) in enumerate(
        [("u1", "a", 1), ("u2", "b", 1.5), ("", "a", 2), ("u1", "", 3), ("u3", "c", 4), ("u2", "", 5)], start=2
    ):
        lines.append(f"{user},{account},login,2026-01-{day:02},{amount}")
    users = "user_id,account_id,signed_up_at\nu1,a,2026-01-01\nu2,b,2026-01-01\nu4,d,2026-01-01\n"
    (tmp_path / "e.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "u.csv").write_text(users)
    project = with_sources(events=str(tmp_path / "e.csv"), users=str(tmp_path / "u.csv"))
    measure = Measure(kind=kind, property="amount" if kind is MeasureKind.SUM else None)
    asked = replace(criterion("login", 2, WITHIN), measure=measure)
    definition = replace(meaning(asked), entity=EntityKind.ACCOUNT)
    for engine in EngineName:
        people = population_of(open_dataset(project), project, ExtentOptions(engine=engine), definition=definition)
        whole = score(people, definition).frame
        for entity, name in people.entities.select("entity", "id").rows():
            own = score(alone(people, entity, definition), definition).frame
            assert_frame_equal(own.filter(account_id=name), whole.filter(account_id=name))
