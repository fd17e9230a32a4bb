from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.definitions.wording import Wording, counted, figure, named, plural, singular, wording, words
from tests.definitions.strategies import names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("teammate_invited", Wording("teammate", "invited")),
        ("invited_teammate", Wording("teammate", "invited")),
        ("InviteTeammate", Wording("teammate", "invited")),
        ("Trial Started", Wording("trial", "started")),
        ("message.sent", Wording("message", "sent")),
        ("send-message", Wording("message", "sent")),
        ("API_key_created", Wording("API key", "created")),
        ("login", Wording("login")),
        ("logged_in", Wording("login")),
        ("page_view", Wording("page view")),
        ("news_feed", Wording("news feed")),
        ("signed_up", None),
        ("submitted", None),
        ("page_2", None),
        ("$pageview", None),
        ("Clicked: Buy", None),
        ("created <b>", None),
        ("événement", None),
        ("one_two_three_four_five", None),
        ("x" * 61, None),
    ],
)
def test_names_are_taken_apart_or_left_alone(name: str, expected: Wording | None) -> None:
    assert wording(name) == expected


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("login", "logins"),
        ("batch", "batches"),
        ("box", "boxes"),
        ("company", "companies"),
        ("day", "days"),
        ("person", "people"),
        ("API key", "API keys"),
        ("address", "addresses"),
    ],
)
def test_singular_and_plural(one: str, many: str) -> None:
    assert plural(one) == many
    assert plural(many) == many
    assert singular(many) == one
    assert singular(one) == one


def test_numbers_agree_with_their_nouns() -> None:
    assert counted(1, "user") == "1 user"
    assert counted(0, "user") == "0 users"
    assert counted(2, "person", more=True) == "2 more people"
    assert counted(1, "trial started", "trials started") == "1 trial started"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (12000, "12,000"), (-5, "-5"), (2.5, "2.5"), (3.0, "3"), (1234.5, "1,234.5"), (0.1, "0.1"), (1e16, "10,000,000,000,000,000"), (1e-9, "0")],
)  # fmt: skip
def test_numbers_are_written_for_people(number: float, text: str) -> None:
    assert figure(number) == text


@given(names)
def test_any_name_is_shown_on_one_short_line(name: str) -> None:
    shown = named(name)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} or c == "\u200d" for c in shown)
    assert len(shown) <= 62
    apart = wording(name)
    assert apart is None or (apart.once.isprintable() and apart.many.isprintable())


@given(st.from_regex(r"[a-z]{2,8}(_[a-z]{2,8}){0,2}", fullmatch=True))
def test_the_words_are_those_of_the_name(name: str) -> None:
    assert words(name) == name.replace("_", " ")
