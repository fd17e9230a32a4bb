"""The reasons: what was done, what is missing, and what to say, in words, for every entity."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit.definitions.describing import evidence, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Criterion, Definition, Ref
    from pqlkit.scoring.nearness import Standing

JOIN = "; "


def evidence_column(parts: Sequence[Criterion | Ref], values: NDArray[np.float64]) -> pl.Series:
    """Say what each entity did: ``4 teammates invited; active on 6 days``; criteria at 0 or undefined say nothing."""
    columns = [_worded(values[:, i], partial(_evidence, leaf)) for i, leaf in enumerate(parts)]
    return _joined("evidence", columns, len(values))


def missing_column(definition: Definition, standing: Standing, lead: pl.Series) -> pl.Series:
    """Say what each entity lacks, in natural units: ``2 more teammate invites; 1 login``, or ``... or ...`` where one will do.

    Parameters
    ----------
    definition, standing
        The formula, and how everybody stands towards it.
    lead
        Whom nothing is lacking: who qualifies or has converted.

    Returns
    -------
    Series
        Null for these, where only time is lacking, and where nothing helps any more.
    """
    from pqlkit.scoring.nearness import lacking

    if not len(lead):
        return pl.Series("missing", [], dtype=pl.String)
    texts = [pl.lit(_missing(leaf, standing, i)) for i, leaf in enumerate(standing.parts)]
    words, _, _ = lacking(definition.qualify, texts, standing)
    hopeless = pl.Series(np.isinf(standing.need))
    text = pl.select(pl.when(~(lead | hopeless)).then(words).alias("missing")).to_series()
    # Parentheses keep alternatives apart from what else is lacking; alone they say nothing.
    alone = text.str.contains(r"^\([^()]*\)$")
    text = pl.select(pl.when(alone).then(text.str.slice(1, text.str.len_chars() - 2)).otherwise(text)).to_series()
    return text.alias("missing").replace("", None)


def say_column(parts: Sequence[Criterion | Ref], held: NDArray[np.bool_]) -> pl.Series:
    """Give the rep's sentence of the first criterion that is met and has one."""
    chain = pl.lit(None, pl.String)
    for i, leaf in reversed(list(enumerate(parts))):
        if leaf.say is not None:
            chain = pl.when(pl.Series(held[:, i])).then(pl.lit(leaf.say)).otherwise(chain)
    values = pl.select(chain.alias("say")).to_series()
    return values if len(values) == len(held) else pl.Series("say", [None] * len(held), dtype=pl.String)


def _missing(leaf: Criterion | Ref, standing: Standing, position: int) -> pl.Series:
    """Word what each entity lacks of one criterion; where the bound is a share of a limit, of its own limit."""
    values, limits = standing.values[:, position], standing.limits[:, position]
    if np.isnan(limits).all():
        return _worded(values, partial(missing, leaf))
    pairs = pl.DataFrame({"value": values, "limit": limits}).fill_nan(None)
    distinct = pairs.unique(maintain_order=True)
    texts = [missing(leaf, _plain(value), limit=_plain(limit)) for value, limit in distinct.iter_rows()]
    worded = distinct.with_columns(pl.Series("text", texts, dtype=pl.String))
    joined = pairs.join(worded, on=["value", "limit"], how="left", nulls_equal=True, maintain_order="left")
    return joined.get_column("text")


def _evidence(leaf: Criterion | Ref, value: int | float | None) -> str | None:
    return evidence(leaf, value) if value else None


def _worded(values: NDArray[np.float64], say: Callable[[int | float | None], str | None]) -> pl.Series:
    """Word each distinct value once."""
    distinct, place = np.unique(values, return_inverse=True)  # NaN is one value, the last
    texts = [say(_plain(value)) for value in distinct.tolist()]
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(place.ravel(), dtype=pl.UInt32))


def _plain(value: float | None) -> int | float | None:
    if value is None or np.isnan(value):
        return None
    return int(value) if value == int(value) else value


def _joined(name: str, columns: Sequence[pl.Series], height: int) -> pl.Series:
    if not height:
        return pl.Series(name, [], dtype=pl.String)
    frame = pl.DataFrame({str(i): column for i, column in enumerate(columns)})
    joined = pl.concat_str(pl.all(), separator=JOIN, ignore_nulls=True)
    text = frame.select(joined.alias(name)).to_series()
    return text.replace("", None)
