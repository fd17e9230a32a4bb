from __future__ import annotations

import re

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.pattern import LONGEST, MOST_REPEATS, PatternError, check
from pqlkit.measures.patterns import portable


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "plain text",
        "@example\\.com$",
        "^(a|b)+?$",
        "(?i)free|trial",
        "(?:x){2,5}",
        "[a-z0-9_.-]+@",
        "[^\\w\\s]",
        "[[:alpha:]]",
        "\\d{4}-\\d{2}",
        "\\pL\\p{Lu}\\x41\\x{1F642}",
        "é|🙂",
        "(?i:a)b",
        f"a{{{MOST_REPEATS}}}",
        "a" * LONGEST,
    ],
)
def test_common_patterns_are_accepted(pattern: str) -> None:
    check(pattern)


@pytest.mark.parametrize(
    ("pattern", "position", "message"),
    [
        ("a(?=b)", 1, "look-around '(?='"),
        ("a(?<!b)", 1, "look-around '(?<!'"),
        ("(a)\\1", 3, "back-references"),
        ("(?P<x>a)", 0, "named groups"),
        ("(?P=x)", 0, "named groups"),
        ("(?>a)", 0, "the group"),
        ("a++", 2, "nothing to repeat"),
        ("*a", 0, "nothing to repeat"),
        ("(", 1, "never closed"),
        (")", 0, "closes nothing"),
        ("[a", 0, "never closed"),
        ("[]", 0, "empty class"),
        ("[z-a]", 4, "runs backwards"),
        ("[a&&b]", 2, "must be escaped"),
        ("[a[b]]", 2, "must be escaped"),
        ("a{2,1}", 1, "counts down"),
        ("a{,3}", 1, "must be written"),
        ("((a{20}){20})", 8, "repeats too much"),
        ("a{1001}", 1, "repeats too much"),
        ("\\bword", 0, "not the same in every engine"),
        ("a\\", 1, "escapes nothing"),
        ("\\Z", 0, "not available"),
        ("\\k", 0, "not available"),
        ("(" * 30 + ")" * 30, 20, "nested more than"),
        ("a" * (LONGEST + 1), LONGEST, "may have"),
    ],
)
def test_the_rest_is_refused_where_it_stands(pattern: str, position: int, message: str) -> None:
    with pytest.raises(PatternError, match=re.escape(message)) as caught:
        check(pattern)
    assert caught.value.position == position


PIECES = (
    *("a", "b", "B", "1", ".", "\\d", "\\w", "\\s", "\\D", "\\W", "[a-c]", "[^x]", "[\\w.-]", "[[:alpha:]]", "[\\d-]"),
    *("(", "(?:", "(?i:", ")", ")", "*", "+", "?", "{2}", "{1,5}", "{3,}", "{200}", "|", "^", "$", "\\b", "\\.", "\\-"),
    *("\\x41", "\\pL", "\\p{Lu}", "(?i)", "é", "{", "}", "]", "-", "&&", "\\1", "(?=", "[a-", "\\/", "\\@", "\\ ", "~"),
)
TEXTS = ("abc x1", "AB\n_é9", "", "aaa", "b-1.", "٣ K")


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join))
def test_what_is_accepted_means_the_same_to_polars_and_duckdb(pattern: str) -> None:
    try:
        check(pattern)
    except PatternError:
        return
    spelled = portable(pattern)
    polars = pl.Series(TEXTS).str.contains(spelled).to_list()
    query = "select list(regexp_matches(t, $pattern) order by i) from (select unnest($texts) t, unnest(range(6)) i)"
    rows = duckdb.execute(query, {"pattern": spelled, "texts": list(TEXTS)}).fetchone()
    assert rows is not None
    assert polars == rows[0]
