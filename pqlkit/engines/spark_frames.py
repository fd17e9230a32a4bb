"""The frames of Spark's plans: they know the names of their columns without asking the server.

Narwhals asks a frame for its columns at every join, grouping and concatenation. Spark Connect answers that from the server, to
which it sends the whole plan so far: a plan of two hundred steps would take two hundred round trips, each longer than the one
before. All of these steps say themselves what they name their columns. Where one does not, the server is asked after all.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

import narwhals as nw
from narwhals._spark_like.dataframe import SparkLikeLazyFrame
from narwhals._spark_like.namespace import SparkLikeNamespace
from narwhals._utils import Implementation, Version

from pqlkit.engines.spark_client import expressions, plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pqlkit.typing import LazyFrame

_SAME: Final = (plan.Filter, plan.Sort, plan.Limit, plan.Deduplicate, plan.NADrop, plan.SetOperation)
"""Steps that have the columns of what they read; a union those of its first part."""

_KNOWN: WeakKeyDictionary[plan.LogicalPlan, list[str]] = WeakKeyDictionary()


def narwhals(native: Any, names: list[str] | None = None) -> LazyFrame:
    """Show Spark's own frame to Narwhals; `names` are its columns, where they are known."""
    if names is not None:
        _KNOWN[native._plan] = names
    frame = _Frame(native, version=Version.MAIN, implementation=Implementation.PYSPARK_CONNECT)
    return cast("LazyFrame", nw.from_native(cast("Any", frame)))


class _Frame(SparkLikeLazyFrame):
    """A frame of Narwhals that finds its columns' names in the plan."""

    @property
    def columns(self) -> list[str]:
        if self._cached_columns is None:
            self._cached_columns = _names(cast("Any", self._native_frame)._plan) or list(super().columns)
        return self._cached_columns

    def __narwhals_namespace__(self) -> SparkLikeNamespace:
        return _Namespace(version=self._version, implementation=self._implementation)


class _Namespace(SparkLikeNamespace):
    """Concatenates frames whose columns are known."""

    def concat(self, items: Iterable[SparkLikeLazyFrame], *, how: Any) -> SparkLikeLazyFrame:
        frames = list(items)
        if how != "vertical" or any(frame.columns != frames[0].columns for frame in frames):
            return super().concat(frames, how=how)
        parts: list[Any] = [frame._native_frame for frame in frames]
        native = reduce(lambda both, other: both.union(other), parts)
        return frames[0]._with_native(native)


def _names(step: plan.LogicalPlan | None) -> list[str] | None:
    """Read the names of a step's columns off the plan; None where it does not say."""
    if step is None or step in _KNOWN:
        return None if step is None else _KNOWN[step]
    names = _said(step)
    if names is not None:
        _KNOWN[step] = names
    return names


def _said(step: plan.LogicalPlan) -> list[str] | None:
    if isinstance(step, _SAME):
        return _names(step._child)
    if isinstance(step, plan.Project):
        return _all_named(step._columns)
    if isinstance(step, plan.Aggregate):
        return _all_named([*step._grouping_cols, *step._aggregate_cols])
    if isinstance(step, plan.WithColumns):
        known = _names(step._child)
        return None if known is None else [*known, *(name for name in step._columnNames if name not in known)]
    if isinstance(step, plan.Drop):
        known, gone = _names(step._child), [column for column in step._columns if isinstance(column, str)]
        return None if known is None or len(gone) < len(step._columns) else [name for name in known if name not in gone]
    return None


def _all_named(columns: Iterable[Any]) -> list[str] | None:
    names = [_name(column._expr) for column in columns]
    return None if None in names else cast("list[str]", names)


def _name(expression: Any) -> str | None:
    if isinstance(expression, expressions.ColumnAlias):
        return str(expression._alias[-1])
    if isinstance(expression, expressions.ColumnReference):
        name = expression._unparsed_identifier
        return str(name) if name.isidentifier() else None
    return None
