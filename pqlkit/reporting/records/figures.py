"""Figures: numbers and moments as the JSON contract writes them.

Counts, rates and intervals keep full precision; model-based figures have 4 significant digits; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.typing import Json, Microseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at: Microseconds | None) -> str | None:
    """Write an instant as ISO 8601 in UTC, with microseconds only where there are some.

    Examples
    --------
    >>> moment(0), moment(1_500_000), moment(None)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000Z', None)
    """
    if at is None:
        return None
    return (_EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def modelled(value: float | None) -> float | None:
    """Round a model-based figure to 4 significant digits.

    Examples
    --------
    >>> modelled(1.234567), modelled(0.000123456), modelled(None)
    (1.235, 0.0001235, None)
    """
    return None if value is None else float(f"{value:.4g}")


def counts(record: object) -> dict[str, Json]:
    """Write a frozen record of counts as its fields, in their order."""
    from dataclasses import asdict

    return asdict(record)  # type: ignore[call-overload,no-any-return]
