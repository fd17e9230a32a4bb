from __future__ import annotations

import polars as pl
import pytest

from pqlkit.definitions.yaml_source import parse
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.mapping import Column, Source
from pqlkit.exports.notation import CONTINENTAL, ENGLISH, PLAIN, Notation
from pqlkit.exports.nulls import NULL_VALUES
from pqlkit.exports.numerals import as_written_by_programs, notation_of
from pqlkit.exports.project import Project, check_project, read_project
from pqlkit.exports.project_draft import project_text
from pqlkit.exports.sniffing import sniff

DAY = "2026-01-01"


@pytest.mark.parametrize(
    ("texts", "notation", "numbers"),
    [
        (["1,200.00", "20"], ENGLISH, [1200.0, 20.0]),
        (["$1,234.50", "$ 7", "-$2", "($3.50)"], ENGLISH, [1234.5, 7.0, -2.0, -3.5]),
        (["12,50", "7"], CONTINENTAL, [12.5, 7.0]),
        (["29,00 €", "1.234,56 €"], CONTINENTAL, [29.0, 1234.56]),
        (["1 234,5", "1\u202f234\u202f567,00 kr"], CONTINENTAL, [1234.5, 1234567.0]),
        (["1\u2019200.50", "CHF 3.00"], PLAIN, [1200.5, 3.0]),
        (["1,234,567"], ENGLISH, [1234567.0]),
        (["12.5", "1e3", "USD 4", ".5"], PLAIN, [12.5, 1000.0, 4.0, 0.5]),
        (["1.200", "3"], PLAIN, [1.2, 3.0]),
        (["n/a", "2,5"], CONTINENTAL, [None, 2.5]),
    ],
)
def test_a_columns_notation_is_told_from_the_column_as_a_whole(texts, notation, numbers):
    values = pl.Series(texts)
    assert notation_of(values, NULL_VALUES) == notation
    read = as_written_by_programs(values, notation).cast(pl.Float64, strict=False)
    assert read.to_list() == numbers


@pytest.mark.parametrize(
    "texts", [["1,200.00", "12,50"], ["12,50", "12.5.2026"], ["pro"], ["1,2,3"], ["n/a"], ["12,34,567"]]
)
def test_without_one_notation_for_all_there_is_none(texts):
    assert notation_of(pl.Series(texts), NULL_VALUES) is None


@pytest.mark.parametrize(
    ("texts", "amounts"),
    [
        (["1,200.00", "$20", "NULL"], [1200.0, 20.0, None]),
        (["1.234,56 €", "12,50", "-"], [1234.56, 12.5, None]),
        (["12", "13", ""], [12, 13, None]),
    ],
)
def test_amounts_are_numbers_in_the_notation_that_all_have(exports, kind, table_rows, texts, amounts):
    events = exports.written(kind, "events", user_id=["u"], event=["a"], timestamp=[DAY])
    sold = exports.written(kind, "conversions", user_id=["1", "2", "3"], converted_at=[DAY] * 3, amount=texts)
    dataset = open_dataset(events=events, conversions=sold)
    assert [amount for (amount,) in table_rows(dataset, "conversions", "amount")] == amounts


def test_amounts_in_several_notations_stay_text(exports, kind, table_rows):
    events = exports.written(kind, "events", user_id=["u"], event=["a"], timestamp=[DAY])
    sold = exports.written(
        kind, "conversions", user_id=["1", "2"], converted_at=[DAY] * 2, amount=["1,200.00", "12,50"]
    )
    dataset = open_dataset(events=events, conversions=sold)
    assert table_rows(dataset, "conversions", "amount") == [("1,200.00",), ("12,50",)]


def test_a_stated_notation_reads_a_column_of_any_file(exports, kind, table_rows):
    events = exports.written(
        kind, "events", user_id=["u"] * 4, event=list("abcd"), timestamp=[DAY] * 4, size=["1.200", "2,5", "n/a", "3"]
    )
    column = Column(names=("size",), notation=CONTINENTAL)
    dataset = open_dataset(Project(exports={"events": Source(path=(events,), columns={"size": column})}))
    assert table_rows(dataset, "events", "event", "size") == [("a", 1200.0), ("b", 2.5), ("c", None), ("d", 3.0)]
    assert dataset.intake.tables["events"].null_values == {"size": {"n/a": 1}}


def test_what_a_stated_notation_cannot_read_is_no_number_of_another(exports, table_rows):
    path = exports.write("events.csv", f'user_id,event,timestamp,size\nu,a,{DAY},1.5\nu,b,{DAY},"2,5"\nu,c,{DAY},big\n')
    column = Column(names=("size",), notation=CONTINENTAL)
    dataset = open_dataset(Project(exports={"events": Source(path=(path,), columns={"size": column})}))
    assert table_rows(dataset, "events", "event", "size") == [("a", None), ("b", "2.5"), ("c", "big")]


def test_a_sources_notation_holds_for_its_columns_of_numbers_alone(exports, table_rows):
    path = exports.write("u.csv", f"user_id;signed_up_at;seats;name\n1;{DAY};1.200,5;1.2.3\n2;{DAY};3;b\n")
    events = exports.write("e.csv", f"user_id,event,timestamp\n1,a,{DAY}\n")
    users = Source(path=(path,), notation=Notation.stated(decimal=",", thousands=None))
    dataset = open_dataset(Project(exports={"events": Source(path=(events,)), "users": users}))
    assert table_rows(dataset, "users", "seats", "name") == [(1200.5, "1.2.3"), (3.0, "b")]


def test_init_states_the_notation_and_the_file_reads_back(exports, tmp_path):
    events = exports.write("e.csv", f"user_id,event,timestamp\n1,a,{DAY}\n")
    users = exports.write("u.csv", f'user_id,signed_up_at,seats,ratio\n1,{DAY},"1,200","0,5"\n2,{DAY},12,"1,25"\n')
    sold = exports.write("c.csv", f'user_id,converted_at,price\n1,{DAY},"1.234,56 €"\n')
    sniffed = sniff(events, users=users, conversions=sold)
    assert any("'1,200'" in note and "check it" in note for note in sniffed.notes)
    text = project_text(sniffed, tmp_path)
    assert 'amount: {column: price, decimal: ",", thousands: "."}' in text
    project = read_project(exports.write("pqlkit.yml", text))
    assert project.exports["users"].columns["seats"] == Column(names=("seats",), notation=ENGLISH)
    assert project.exports["users"].columns["ratio"] == Column(names=("ratio",), notation=CONTINENTAL)


def test_points_that_may_stand_between_thousands_are_a_doubt(exports):
    events = exports.write("e.csv", f"user_id,event,timestamp,size,ratio\n1,a,{DAY},1.200,0.5\n2,a,{DAY},2.500,1.250\n")
    notes = [note for note in sniff(events).notes if "between thousands" in note]
    assert len(notes) == 1
    assert "'1.200' in 'size'" in notes[0]


def test_a_sign_is_one_character():
    _, found = check_project(parse("{pqlkit: 1, exports: {events: {path: e.csv, decimal: ab}}}", "pqlkit.yml"))
    assert [one.hint for one in found] == ['write "," or "."']
