"""The path key: what the folders above a file say of all its rows, as Hive, Spark and Athena write them."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final
from urllib.parse import unquote

_KEY: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)=(?P<value>.*)", re.DOTALL)
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"


def path_keys(file: str) -> dict[str, str | None]:
    """Read the keys and values in the names of the folders right above a file.

    Examples
    --------
    >>> path_keys("exports/day=2026-01-01/account_id=a%201/part-0.parquet")
    {'day': '2026-01-01', 'account_id': 'a 1'}
    """
    above = reversed(file.replace("\\", "/").split("/")[:-1])
    keys = list(takewhile(lambda match: match is not None, (_KEY.fullmatch(part) for part in above)))
    named = ((match["name"], unquote(match["value"])) for match in reversed(keys) if match is not None)
    return {name: None if value == _NO_VALUE else value for name, value in named}
