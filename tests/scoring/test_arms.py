"""Who is left alone: a share of all, drawn by a hash of the id."""

from __future__ import annotations

import zlib

import pytest

from pqlkit.scoring.arms import PARTS, SALT, arm_column
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START


@pytest.mark.parametrize(("share", "arm"), [(0.2501, "control"), (0.25, "contact"), (0.2499, "contact")])
def test_a_share_holds_the_parts_below_it_and_not_its_own_end(share, arm):
    """Part 2,500 of 10,000 is the first that a share of a quarter leaves out: a quarter is 2,500 parts, from 0 on."""
    parts = {number: zlib.crc32(f"{SALT}u{number}".encode()) % PARTS for number in range(200_000)}
    edge = next(number for number, part in parts.items() if part == 2_500)
    people = in_memory([{"id": f"u{edge}", "anchor": START}], as_of=START + 1)
    assert arm_column(people, share).to_list() == [arm]
