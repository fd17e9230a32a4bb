from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.errors import DataError
from pqlkit.exports import json_lines
from pqlkit.exports import text_stream as text
from pqlkit.exports.json_lines import read_json_lines


def read(content: bytes):
    rows, lines, rejected = [], [], []
    for batch in read_json_lines(io.BytesIO(content)):
        rows += batch.frame.rows(named=True)
        lines += batch.lines.to_list()
        rejected += [(bad.line, bad.reason.split(":")[0], bad.row) for bad in batch.rejected]
    return rows, lines, rejected


def test_nested_keys_are_flattened_with_dots():
    rows, lines, _ = read(b'{"a": 1, "p": {"q": {"r": 1.5}, "s": "t"}}\n\n{"p": {"q": null}}\n')
    assert rows == [{"a": 1, "p.q.r": 1.5, "p.s": "t"}, {"a": None, "p.q.r": None, "p.s": None}]
    assert lines == [1, 3]


def test_half_a_line_costs_itself_alone():
    rows, lines, rejected = read(b'{"a": 1}\n{"a": \n{"a": 3}\n{"a": 4')
    assert [row["a"] for row in rows] == [1, 3]
    assert lines == [1, 3]
    assert [(line, reason) for line, reason, _ in rejected] == [(2, "not JSON"), (4, "not JSON")]
    assert rejected[0][2] == '{"a": '


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1, 2]", "not a JSON object"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\x00"}', "a NUL byte"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "nested too deep"),
    ],
)
def test_lines_that_are_no_rows_say_why(line, reason):
    rows, _, rejected = read(b'{"a": 1}\n' + line + b"\n")
    assert len(rows) == 1
    assert [(number, why) for number, why, _ in rejected] == [(2, reason)]


def test_values_of_unlike_types_become_text():
    rows, _, _ = read(b'{"a": 1}\n{"a": "x"}\n{"a": true}\n{"a": 2.0}\n{"a": 12345678901234567890}\n')
    assert [row["a"] for row in rows] == ["1", "x", "true", "2", "12345678901234567890"]


def test_lists_are_json_text():
    rows, _, _ = read('{"a": [1, "ü", {"b": 2}]}\n'.encode())
    assert rows == [{"a": '[1,"ü",{"b":2}]'}]


def test_of_two_ways_to_one_name_the_first_value_counts():
    rows, _, _ = read(b'{"a.b": 1, "a": {"b": 2}}\n{"a": {"b": 3}}\n')
    assert [row["a.b"] for row in rows] == [1, 3]


def keyed(keys: int, rows: int) -> bytes:
    return "".join(f'{{"u": {i}, "p": {{"k{i % keys}": {i}}}}}\n' for i in range(rows)).encode()


@pytest.mark.parametrize("rows", [2_100, 4_000])
def test_ids_as_keys_are_refused_before_a_table_is_made_of_them(rows):
    with pytest.raises(DataError, match=r"more than 2,000 different keys, as if keys held ids: p\.k") as told:
        read(keyed(rows, rows))
    assert "jq -c 'del(.p)'" in (told.value.hint or "")


def test_keys_are_counted_over_all_chunks_of_a_file(monkeypatch):
    monkeypatch.setattr(text, "CHUNK", 16 * 1024)
    with pytest.raises(DataError, match="more than 2,000 different keys"):
        read(keyed(2_100, 2_100))


def test_rows_of_many_keys_are_read_in_blocks_to_the_same_rows_and_lines(monkeypatch):
    content = b"\n" + keyed(300, 1_000) + b"\n{half\n" + keyed(300, 5).rstrip(b"\n")
    whole = read(content)
    monkeypatch.setattr(json_lines, "_CELLS", 30_000)
    assert sum(1 for _ in read_json_lines(io.BytesIO(content))) > 5
    rows, lines, rejected = read(content)
    filled = [[{k: v for k, v in row.items() if v is not None} for row in each] for each in (whole[0], rows)]
    assert filled[0] == filled[1]
    assert (lines, rejected) == whole[1:]


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([0.5, 2.0]), st.sampled_from(["x", "1"])
)
objects = st.fixed_dictionaries({}, optional={"a": scalars, "b": st.fixed_dictionaries({}, optional={"c": scalars})})


@settings(max_examples=80, deadline=None)
@given(st.lists(objects, min_size=1, max_size=8))
def test_polars_and_the_line_by_line_way_agree(rows):
    content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    fast = json_lines._read(content, 1)
    slow = json_lines._one_by_one(content, 1)
    assert fast.lines.to_list() == slow.lines.to_list()

    def values(batch):
        filled = [name for name in batch.frame.columns if batch.frame[name].null_count() < batch.frame.height]
        return batch.frame.select(sorted(filled)).rows(named=True)

    assert values(fast) == values(slow)


def test_chunks_do_not_change_line_numbers(monkeypatch):
    content = b"".join(b'{"a": %d}\n' % number for number in range(50))
    whole = read(content)
    monkeypatch.setattr(text, "CHUNK", 33)
    assert read(content) == whole


@pytest.mark.parametrize("every", [1, 5])
def test_keys_are_counted_in_all_lines_where_some_have_many(every):
    lines = [b'{"a": 1, "k%d": 2}' % (number - number % every) for number in range(1500)]
    assert json_lines._count_keys(lines) == 1 + 1500 // every
