"""The worked example of the page on proposals is what `pqlkit propose` finds in the sample product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pqlkit import ProposeOptions, Settings, as_record, load, open_dataset, population_of, propose, read_project
from pqlkit.demo.exporting import write_exports
from pqlkit.demo.product import make_product
from pqlkit.options.commands import DemoOptions

PAGE = (Path(__file__).parents[2] / "docs/proposal.md").read_text(encoding="utf-8")
EXAMPLE = " ".join(PAGE.split("## One example")[1].split("\n## ")[0].split())


@pytest.mark.slow
def test_the_worked_example_is_what_the_sample_product_shows(tmp_path):
    asked = DemoOptions()
    write_exports(make_product(accounts=asked.accounts, seed=asked.seed), tmp_path)
    project = read_project(tmp_path / "pqlkit.yml")
    load(project, tmp_path / "dataset")
    found: Any = as_record(propose(population_of(open_dataset(project), project), Settings(), ProposeOptions()))
    first = found["candidates"][0]
    chosen, later, others = first["chosen_by"], first["qualifications"]["holdout"], first["compared"]
    recall, test = first["recall"], found["selection"]
    for words in (
        f"{first['definition']['evidence']['data']['snapshots']:,} times, 28 days apart",
        f"{found['search']['rules'] / 1e6:.1f} million rules",
        f"this one gave {chosen['qualifications']:,} up to March 2026, and {chosen['converted']:,} of them became customers",
        f"{later['qualified']:,} leads had their 28 days: {later['converted']:,} of them became customers, {later['rate']:.1%}",
        f"did not meet the rule, became customers in {others['active']['others_rate']:.1%} of cases",
        f"The leads did so {others['active']['relative_risk']:.1f} times as often",
        f"in the week before, {others['adjusted']['relative_risk']:.1f} times",
        f"{test['permutations']} times. None of the {test['permutations']} came to as much",
        f"Of {recall['conversions']:,} conversions in those months {recall['qualified']:,} ({recall['qualified'] / recall['conversions']:.0%})",
    ):
        assert words in EXAMPLE, words
    assert test["as_good"] == 0
    criteria = first["definition"]["qualify"]["all"]
    assert [(rule["event"], rule["at_least"]) for rule in criteria] == [
        ("teammate_invited", 4),
        ("integration_connected", 2),
    ]
