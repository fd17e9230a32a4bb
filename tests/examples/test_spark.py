"""The example on Spark: its lines run on a server, print what they print without one, and its project file is a project file."""

from __future__ import annotations

import re
import shlex
import shutil
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest

from pqlkit.cli.app import run
from pqlkit.definitions.yaml_source import parse
from pqlkit.demo.exporting import write_exports
from pqlkit.demo.product import make_product
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import check_project
from pqlkit.options.commands import command_options
from tests.engines.servers import started

if TYPE_CHECKING:
    from pqlkit.engines.spark import SparkEngine

HERE = Path(__file__).parents[2] / "examples" / "spark"
LINES = re.findall(r"^pqlkit (?!demo).*$", (HERE / "README.md").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("line", LINES)
def test_every_line_names_options_of_its_command(line):
    _, command, *words = shlex.split(line)
    known = {option.flag for option in command_options(command).values()} | {"--engine"}
    shorts = {option.short for option in command_options(command).values()}
    assert {word for word in words if word.startswith("--")} <= known
    assert {word for word in words if re.fullmatch(r"-\w", word)} <= shorts
    assert "spark" in words


def test_the_project_file_has_no_faults():
    project, faults = check_project(parse((HERE / "lake.yml").read_text(encoding="utf-8"), "lake.yml"))
    assert faults == []
    assert project is not None
    assert project.exports["events"].table == "lake.product.events"


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """A small sample product as the demo leaves it, and the tables that ``lake.yml`` names, under names without dots."""
    folder = tmp_path_factory.mktemp("lake")
    write_exports(make_product(accounts=250, seed=1), folder, form="parquet")
    (folder / "definitions").mkdir()
    shutil.copy(
        HERE.parent / "sample-product" / "definitions" / "team-rollout.yml", folder / "definitions" / "first.yml"
    )
    with chdir(folder):
        assert run(["load", "--out", "dataset", "--quiet"]) == 0
    lake = (HERE / "lake.yml").read_text(encoding="utf-8")
    (folder / "lake.yml").write_text(re.sub(r"lake\.(\w+)\.(\w+)", r"lake_\1_\2", lake), encoding="utf-8")
    return folder


@pytest.mark.usefixtures("spark_server")
@pytest.mark.parametrize("line", LINES)
def test_every_line_prints_what_it_prints_without_a_server(product, line, monkeypatch, capsys):
    monkeypatch.chdir(product)
    _, *words = shlex.split(line)
    here = ["polars" if word == "spark" else word for word in words]
    if "-p" in words:
        show_tables(product)
        here[here.index("lake.yml")] = "here.yml"
    codes, printed = [], []
    for asked in (here, words):
        codes.append(run(asked))
        told = capsys.readouterr()
        assert codes[-1] in {0, 1}, told.err  # 1 = `validate` has findings
        # The next command names the engine and the project file.
        printed.append(told.out.replace("--engine polars", "--engine spark").replace("here.yml", "lake.yml"))
    assert codes[0] == codes[1]
    assert printed[0] == printed[1]
    assert printed[0]


def show_tables(product: Path) -> None:
    """Register what the demo wrote under the names and with the columns that ``lake.yml`` has; ``here.yml`` names files of them."""
    lake = (product / "lake.yml").read_text(encoding="utf-8").replace("engine: spark", "engine: polars")
    (product / "here.yml").write_text(re.sub(r"table: (\w+)", r"path: \1.parquet", lake), encoding="utf-8")
    session = cast("SparkEngine", started("spark")).session
    tables = {"events": "product_events", "users": "product_users", "conversions": "billing_upgrades"}
    for name, there in tables.items():
        frame = open_dataset(data=product / "dataset").tables[name].scan().collect()
        frame = frame.with_columns(pl.selectors.by_dtype(pl.Categorical, pl.Enum).cast(pl.String))
        if name == "events":
            frame = frame.rename({"user_id": "distinct_id", "timestamp": "occurred_at"})
        frame.write_parquet(product / f"lake_{there}.parquet")
        plain = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        session.createDataFrame(plain).createOrReplaceTempView(f"lake_{there}")
