from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from datetime import date

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.yaml_source import DEEPEST, LARGEST, MOST, Document, Mark, Surprise, parse


def found(document: Document) -> list[tuple[str, int, int]]:
    return [(fault.code, fault.line, fault.column) for fault in document.diagnostics]


def value(text: str) -> object:
    document = parse(f"key: {text}", "file.yml")
    assert not document.diagnostics
    assert isinstance(document.data, dict)
    return document.data["key"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("'yes'", "yes"),
        ('"12:30"', "12:30"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1.50", 1.5),
        ("1.5e+3", 1500.0),
        ("2027-01-31", date(2027, 1, 31)),
        ("15%", "15%"),
        ("14d", "14d"),
        ("1.2.3", "1.2.3"),
        ("5f0c2a91", "5f0c2a91"),
        ("a-b_c", "a-b_c"),
    ],
)
def test_bare_text_is_read_by_the_core_rules(text: str, expected: object) -> None:
    result = value(text)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("yes", "true"),
        ("No", "false"),
        ("on", "true"),
        ("OFF", "false"),
        ("y", "true"),
        ("12:30", "a number in base 60"),
        ("010", "the number 8"),
        ("0o17", "the number 15"),
        ("08", "a number"),
        ("1_000", "a number"),
        ("0x1F", "a number"),
        ("1e3", "a number"),
        ("-.5", "a number"),
        (".nan", "infinity or not a number"),
        ("1.0e+999", "infinity"),
        ("2026-02-30", "a date that does not exist"),
        ("2026-01-01T10:00:00Z", "a moment in time"),
        ("99999999999999999999", "a number"),
    ],
)
def test_surprises_keep_their_text_and_say_what_others_read(text: str, meaning: str) -> None:
    result = value(text)
    assert isinstance(result, Surprise)
    assert (str(result), result.meaning) == (text, meaning)


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"[-+.]?[0-9yYnNoOxXbB_.:eE-]{1,8}[a-z%]?", fullmatch=True))
def test_text_without_a_flag_means_the_same_to_yaml_1_1(text: str) -> None:
    try:
        theirs = yaml.safe_load(f"- {text}")[0]
    except (yaml.YAMLError, ValueError):
        return
    mine = parse(f"- {text}", "file.yml").data
    assert isinstance(mine, list)
    if isinstance(mine[0], dict):  # "0:" is a key without a value, and keys are text
        assert isinstance(theirs, dict)
    elif not isinstance(mine[0], Surprise):
        assert mine[0] == theirs
        assert type(mine[0]) is type(theirs)


def test_keys_are_text_and_flagged_alike() -> None:
    data = parse("{on: 1, 404: 2, 2026-01-01: 3, null: 4, plain: 5}", "file.yml").data
    assert isinstance(data, dict)
    assert list(data) == ["on", "404", "2026-01-01", "null", "plain"]
    assert [getattr(key, "meaning", None) for key in data] == ["true", "a number", "a date", "nothing", None]


def test_every_key_and_value_has_its_place() -> None:
    text = textwrap.dedent(
        """\
        # a comment
        name: 'crm'
        "🙂": {event: login, at_least: 5}
        list:
          - |
            text
            more

        # between
          - [a,
             b]
        empty:
        """
    )
    document = parse(text, "file.yml")
    assert document.mark(("name",)) == Mark(2, 7, 2, 12)
    assert document.key(("name",)) == Mark(2, 1, 2, 5)
    assert document.mark(("🙂", "at_least")) == Mark(3, 31, 3, 32)  # columns count characters, not bytes
    assert document.key(("🙂", "at_least")) == Mark(3, 21, 3, 29)
    assert document.mark(("list", 0)) == Mark(5, 5, 7, 9)
    assert document.mark(("list", 1)) == Mark(10, 5, 11, 8)
    assert document.mark(("list",)) == Mark(5, 3, 11, 8)
    assert document.mark(("empty",)) == Mark(12, 7, 12, 7)
    assert document.key(("list", 1, 0)) == Mark(10, 6, 10, 7)
    assert document.mark(("list", 9, "gone")) == document.mark(("list",))
    assert document.key(("nowhere",)) == document.mark(())


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_editors_do(newline: str) -> None:
    document = parse(newline.join(["a: 1", "", "b: {c: 2}"]).encode(), "file.yml")
    assert document.mark(("b", "c")) == Mark(3, 8, 3, 9)


def test_a_byte_order_mark_moves_nothing() -> None:
    document = parse(b"\xef\xbb\xbfa: 1", "file.yml")
    assert document.data == {"a": 1}
    assert document.key(("a",)) == Mark(1, 1, 1, 2)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("a: 1\nb: 2\na: 3\n", [("PQL106", 3, 1)]),
        ("x: {a: 1, a: 2, a: 3}", [("PQL106", 1, 11), ("PQL106", 1, 17)]),
        ("a: [1\nb: 2", [("PQL102", 2, 2)]),
        ("a:\n\t- b", [("PQL102", 2, 1)]),
        ("a: b: c", [("PQL102", 1, 5)]),
        ("a: 'open", [("PQL102", 1, 9)]),
        ("a: \x00", [("PQL102", 1, 4)]),
        (b"a: \xff", [("PQL102", 1, 4)]),
        ("a: \ud800", [("PQL102", 1, 4)]),
        ("ab: \x07bell", [("PQL102", 1, 5)]),
        ("a: 1\n---\nb: 2", [("PQL102", 2, 1)]),
        ("{[a]: 1, b: 2}", [("PQL102", 1, 2)]),
        ("a: &x 1\nb: *x", [("PQL116", 1, 4), ("PQL116", 2, 4)]),
        ("a: !!python/object/apply:os.system [ls]", [("PQL116", 1, 4)]),
        ("a: !str 1", [("PQL116", 1, 4)]),
        ("<<: {a: 1}", [("PQL116", 1, 1)]),
        ("[" * 51 + "]" * 51, [("PQL112", 1, 51)]),
        ("a: " + "x" * LARGEST, [("PQL111", 1, 1)]),
        ("[" + "a," * MOST + "b]", [("PQL111", 1, 2 * MOST + 2)]),
    ],
)
def test_faults_have_a_code_and_a_place(text: str | bytes, faults: list[tuple[str, int, int]]) -> None:
    assert found(parse(text, "file.yml")) == faults


def test_what_cannot_be_trusted_is_not_given() -> None:
    for text in ("a: [1", "a: *x", "[" * 60, b"\xff"):
        document = parse(text, "file.yml")
        assert document.broken
        assert document.data is None
    document = parse("a: 1\na: 2", "file.yml")  # a duplicate key is a fault, and the first stands
    assert not document.broken
    assert document.data == {"a": 1}


def test_the_limits_themselves_are_allowed() -> None:
    deep = parse("[" * DEEPEST + "]" * DEEPEST, "file.yml")
    assert not deep.diagnostics
    assert not parse("# " + "x" * (LARGEST - 2), "file.yml").diagnostics
    assert not parse("[" + "a," * (MOST - 2) + "b]", "file.yml").diagnostics


def test_the_value_of_a_refused_key_is_read_but_kept_nowhere() -> None:
    document = parse("a: {x: 1}\na: {y: [1, {z: 2}]}\nb: 3", "file.yml")
    assert document.data == {"a": {"x": 1}, "b": 3}
    assert ("a", "y") not in document.values
    document = parse("? {k: [1]}\n: {v: 2}\nb: 3", "file.yml")
    assert document.data == {"b": 3}


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("ab: -[]{}\"'\n\t#&*!|>%@`,?~01yes\x00\x85\u2028🙂"), max_size=60) | st.binary(max_size=60)
)
def test_it_never_raises_and_every_place_lies_in_the_file(text: str | bytes) -> None:
    document = parse(text, "file.yml")
    lines = document.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for mark in [*document.values.values(), *document.keys.values()]:
        assert (1, 1) <= (mark.line, mark.column) <= (mark.end_line, mark.end_column)
        assert mark.end_line <= len(lines)
        assert mark.end_column <= len(lines[mark.end_line - 1]) + 1
    assert document.data is None or not document.broken


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
        ),
        max_leaves=8,
    )
)
def test_it_reads_what_another_writer_wrote(data: object) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    document = parse(text, "file.yml")
    if yaml.safe_load(text) != data:
        return  # the other writer leaves U+0085 bare, and no reader gives it back
    assert document.data == data


BOMBS = {
    "brackets": "b'[' * 1_000_000",
    "braces": "b'{' * 1_000_000",
    "dashes": "b'- ' * 500_000",
    "questions": "b'? ' * 500_000",
    "anchors": "b'&a ' * 300_000",
    "mixed": "b'- {a: [' * 120_000",
    "lines": "b'[\\n' * 500_000",
    "laughs": "('a: &a [x,x,x,x,x,x,x,x,x]\\n' + ''.join(f'{c}: &{c} [' + ','.join(['*' + p] * 9) + ']\\n'"
    " for p, c in zip('abcdefgh', 'bcdefghi'))).encode()",
    "quotes": "b'\"' * 1_000_000",
    "block": "b'a: |\\n' + b' \\n' * 500_000",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_faults_and_not_crashes(bomb: str) -> None:
    """In a process of its own: libyaml's own composer dies of the first with a stack overflow."""
    code = f"""
import resource, time
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
from pqlkit.definitions.yaml_source import parse
started = time.process_time()
document = parse({BOMBS[bomb]}, "bomb.yml")
assert time.process_time() - started < 5, "too slow"
# Not ru_maxrss: a child inherits its parent's peak through exec.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
assert peak < 400_000, "too large"
print(sorted({{fault.code for fault in document.diagnostics}}))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    assert set(re.findall("PQL1..", run.stdout)) <= {"PQL102", "PQL106", "PQL111", "PQL112", "PQL116"}
