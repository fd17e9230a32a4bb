"""The dialect of Databricks on a Spark Connect server (Sail, or the one that the environment names), its session in New York."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pqlkit.definitions.model import MeasureKind
from tests.engines.servers import spark_remote
from tests.measures.grid import every_criterion
from tests.measures.oracle import DAY, Rules
from tests.measures.worlds import START, draw_lives
from tests.warehouse.test_criterion import MARCH, compare
from tests.warehouse.test_lead_query import assert_same, product_of
from tests.warehouse.warehouses import Spark

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def spark() -> Iterator[Spark]:
    server = Spark(spark_remote())
    yield server
    server.close()


def test_some_criteria_equal_the_words_of_the_definition(spark):
    assert compare(spark, draw_lives(1, 8), Rules(as_of=START + 15 * DAY), every_criterion()[5::140]) > 5


def test_dates_lie_in_the_projects_zone_where_the_clock_goes_forward(spark):
    days = [criterion for criterion in every_criterion() if criterion.measure.kind is MeasureKind.DAYS]
    rules = Rules(as_of=MARCH + 15 * DAY, zone="Europe/Berlin")
    assert compare(spark, draw_lives(11, 8, start=MARCH), rules, days[::30]) > 3


@pytest.mark.slow
def test_more_criteria_equal_the_words_of_the_definition(spark):
    assert compare(spark, draw_lives(2, 12), Rules(as_of=START + 15 * DAY), every_criterion()[::20]) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crm-trial", "design-tool", "crm-contact-limit", "facebook-friends"])
def test_shipped_definitions_give_the_leads_of_score(spark, name):
    definition, tables, wanted = product_of(name)
    assert_same(spark, definition, tables, wanted=wanted)
