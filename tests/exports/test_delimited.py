from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.errors import DataError
from pqlkit.exports import delimited, row_bounds
from pqlkit.exports import text_stream as text
from pqlkit.exports.delimited import read_delimited, sniff_separator


def read(content: bytes, **options):
    rows, lines, rejected = [], [], []
    for batch in read_delimited(io.BytesIO(content), "f.csv", **options):
        rows += batch.frame.rows()
        lines += batch.lines.to_list()
        rejected += [(bad.line, bad.reason) for bad in batch.rejected]
    return rows, lines, rejected


def test_rows_carry_the_line_on_which_they_begin():
    rows, lines, rejected = read(b'a,b\n1,2\n\n3,"x\ny"\n4,5\n')
    assert rows == [("1", "2"), ("3", "x\ny"), ("4", "5")]
    assert lines == [2, 4, 6]
    assert rejected == []


def test_every_bad_row_has_its_line_and_reason():
    content = b"a,b\n1,2\n3\n4,5,6\n7,\x00\n8,9\n"
    rows, lines, rejected = read(content)
    assert rows == [("1", "2"), ("8", "9")]
    assert lines == [2, 6]
    assert rejected == [
        (3, "1 field where the header has 2"),
        (4, "3 fields where the header has 2"),
        (5, "a NUL byte"),
    ]


def test_a_stray_quote_costs_its_own_row_alone():
    rows, lines, rejected = read(b'a,b,c\n1,"abc,x\n2,def,y\n3,"ghi,z\n4,"q\nr",w\n5,5" disk,v\n')
    assert rows == [("2", "def", "y"), ("4", "q\nr", "w"), ("5", '5" disk', "v")]
    assert lines == [3, 5, 7]
    assert [line for line, _ in rejected] == [2, 4]


def test_an_empty_field_is_null_quoted_or_not():
    assert read(b'a,b,c\n,"",x\n')[0] == [(None, None, "x")]


def test_windows_line_ends_and_a_missing_last_newline():
    assert read(b'a,b\r\n1,2\r\n"3",4')[0] == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_told_from_the_lines(separator):
    content = f'a{separator}b\n1{separator}"x{separator}y"\n'.encode()
    assert read(content)[0] == [("1", f"x{separator}y")]


def test_a_decimal_comma_does_not_pass_for_a_separator():
    assert sniff_separator("id;amount\na;1,5\nb;2,5\nc;3,5\n") == ";"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\né,1\n".encode(), "é"),
        ("a,b\né,1\n".encode("utf-8-sig"), "é"),
        ("a,b\né,1\n".encode("latin-1"), "é"),
        ("a,b\né,1\n".encode("utf-16"), "é"),
        ("a,b\né,1\n".encode("utf-16-be"), None),
    ],
)
def test_encodings_are_told_from_the_bytes(content, expected):
    if expected is None:
        rows, _, _ = read(b"\xfe\xff" + content)
        expected = "é"
    else:
        rows, _, _ = read(content)
    assert rows == [(expected, "1")]


def test_in_a_utf8_file_the_rows_that_are_not_are_rejected():
    rows, _, rejected = read("a,b\né,1\nü,2\nö,3\n".encode() + b"\xe9,4\n")
    assert [row[1] for row in rows] == ["1", "2", "3"]
    assert rejected == [(5, "not UTF-8")]


def test_doubled_columns_are_called_by_their_places():
    batches = list(read_delimited(io.BytesIO(b"a,b,b\n1,2,3\n"), "file.csv"))
    assert batches[0].frame.columns == ["a", "b (column 2)", "b (column 3)"]


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"   \n"])
def test_a_file_without_anything_is_empty(content):
    with pytest.raises(DataError, match="the file is empty"):
        read(content)


def test_a_header_alone_has_no_rows():
    assert read(b"a,b\n") == ([], [], [])


def test_a_cell_of_ten_megabytes_is_a_row_like_any_other():
    rows, lines, _ = read(b"a,b\n1," + b"x" * 10_000_000 + b"\n2,y\n")
    assert [len(row[1]) for row in rows] == [10_000_000, 1]
    assert lines == [2, 3]


def test_a_row_beyond_the_limit_is_rejected_and_the_next_is_read(monkeypatch):
    for module in (delimited, row_bounds, text):
        monkeypatch.setattr(module, "LONGEST_ROW", 1000)
    monkeypatch.setattr(text, "CHUNK", 400)
    rows, lines, rejected = read(b"a,b\n1," + b"x" * 5000 + b"\n2,y\n3," + b"z" * 997 + b"\n")
    assert rows == [("2", "y"), ("3", "z" * 997)]
    assert lines == [3, 4]
    assert [line for line, _ in rejected] == [2]


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), max_size=12), st.integers(8, 200), st.booleans())
def test_what_pythons_csv_writes_is_read_back_whatever_the_chunks(table, chunk, quoted):
    table = [row for row in table if any(row)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "CHUNK", chunk)
        rows, lines, rejected = read(out.getvalue().encode(), separator=",", encoding="utf-8")
    assert rejected == []
    assert rows == [tuple(cell or None for cell in row) for row in table]
    expected, line = [], 2
    for row in table:
        expected.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    assert lines == expected
