"""The sentence: what an entity did and what it lacks, in the words of `pqlkit.definitions.describing`, as SQL.

The words of a number are asked of `describing` for one and for many, and the number in them becomes the measured one. A warehouse has no
thousands separators: 1200 stays 1200.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from pqlkit.definitions.describing import evidence, missing
from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref
from pqlkit.definitions.wording import figure
from pqlkit.warehouse import dialect as sql
from pqlkit.warehouse.predicates import added, both, truth
from pqlkit.warehouse.steps import column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pqlkit.definitions.model import Node
    from pqlkit.options.warehouse import SqlDialect
    from pqlkit.typing import Number
    from pqlkit.warehouse.distances import Distances

_MANY: Final = 7_654_321
_OTHERS: Final = 1_234_567


class Sentences:
    """Writes the words of a definition over the step of standings."""

    def __init__(self, dialect: SqlDialect, distances: Distances) -> None:
        self._dialect, self._distances = dialect, distances

    def evidence(self) -> exp.Expr:
        """Say what was done: ``4 teammates invited; active on 6 days``; null where there is nothing to say."""
        return _joined([self._done(leaf) for leaf in self._distances.parts], "; ")

    def missing(self, node: Node) -> exp.Expr:
        """Say what is lacking, in natural units; null where nothing is, or only time."""
        words = self._lacking(node, inner=False)
        return exp.case().when(exp.Not(this=exp.paren(self._distances.done(node))), words)

    def _done(self, leaf: Criterion | Ref) -> exp.Expr:
        value = self._value(leaf)
        words = _counted(partial(evidence, leaf), value, self._figure(leaf, value))
        return exp.case().when(exp.NEQ(this=value.copy(), expression=sql.whole(0)), words)

    def _value(self, leaf: Criterion | Ref) -> exp.Expr:
        return column(self._distances.columns[leaf.id].value, "s")

    def _figure(self, leaf: Criterion | Ref, value: exp.Expr) -> exp.Expr:
        """Write a number: whole numbers as such."""
        whole = exp.cast(value.copy(), "bigint", dialect=str(self._dialect))
        if _counts(leaf):
            return sql.as_text(self._dialect, whole)
        is_whole = exp.EQ(this=value.copy(), expression=exp.Floor(this=value.copy()))
        rounded = sql.real(self._dialect, sql.decimal(self._dialect, value.copy(), places=6))
        chain = exp.case().when(is_whole, sql.as_text(self._dialect, whole))
        return chain.else_(sql.as_text(self._dialect, rounded))

    # ------------------------------------------------------------ what is lacking

    def _lacking(self, node: Node, *, inner: bool) -> exp.Expr:
        match node:
            case Criterion() | Ref():
                names = self._distances.columns[node.id]
                waits = both(
                    [
                        exp.EQ(this=column(names.is_held, "s"), expression=sql.whole(0)),
                        exp.EQ(this=column(names.can, "s"), expression=sql.whole(1)),
                    ]
                )
                return exp.case().when(waits, self._lack(node))
            case Not():
                return _nothing()
            case All(parts=parts):
                return self._several(parts, "; ")
            case Any(parts=parts):
                return self._alternatives(parts, self._several(parts, " or "), inner=inner)
            case NOf(n=n, parts=parts):
                met = added([truth(self._distances.done(part)) for part in parts])
                rest = exp.Sub(this=sql.whole(n), expression=exp.paren(met))
                each = [sql.as_text(self._dialect, rest), sql.text(" of: "), self._several(parts, ", ")]
                words = (
                    exp.case()
                    .when(exp.GT(this=rest.copy(), expression=sql.whole(1)), _texts(each))
                    .else_(self._several(parts, " or "))
                )
                return self._alternatives(parts, words, inner=inner)

    def _several(self, parts: Sequence[Node], separator: str) -> exp.Expr:
        return _joined([self._part(part) for part in parts], separator)

    def _part(self, part: Node) -> exp.Expr:
        words = self._lacking(part, inner=True)
        if isinstance(part, Criterion | Ref | Not):
            return words
        return exp.case().when(exp.Not(this=exp.paren(self._distances.done(part))), words)

    def _alternatives(self, parts: Sequence[Node], words: exp.Expr, *, inner: bool) -> exp.Expr:
        """Put several alternatives inside something else into parentheses."""
        if not inner:
            return words
        said = [truth(exp.Not(this=exp.Is(this=self._part(part), expression=exp.null()))) for part in parts]
        wrapped = _texts([sql.text("("), words, sql.text(")")])
        return exp.case().when(exp.GT(this=added(said), expression=sql.whole(1)), wrapped).else_(words.copy())

    def _lack(self, leaf: Criterion | Ref) -> exp.Expr:
        """Say what one criterion lacks."""
        value = self._value(leaf)
        if isinstance(leaf, Ref):
            if leaf.users_at_least is None:
                return sql.text(missing(leaf, None) or "")
            lack = exp.Sub(this=sql.whole(leaf.users_at_least), expression=value)
            return _counted(
                lambda number: missing(replace(leaf, users_at_least=int(number)), 0), lack, self._figure(leaf, lack)
            )
        if leaf.at_least is None:
            return self._too_much(leaf, value)
        least = self._distances.threshold(leaf, leaf.at_least)
        chain = exp.case()
        if not isinstance(least, exp.Literal | exp.Neg):
            unknown = exp.Is(this=least, expression=exp.null())
            chain = chain.when(unknown, sql.text(missing(leaf, 0) or ""))
        if leaf.measure.kind.facts.null_without_events:
            plain = replace(leaf, at_least=_MANY, at_most=None)
            chain = chain.when(exp.Is(this=value.copy(), expression=exp.null()), sql.text(missing(plain, None) or ""))
        lacks = exp.LT(this=value.copy(), expression=least.copy())
        chain = chain.when(
            lacks, self._more(leaf, value, exp.paren(exp.Sub(this=least.copy(), expression=value.copy())))
        )
        return chain.else_(self._too_much(leaf, value)) if leaf.at_most is not None else chain

    def _more(self, leaf: Criterion, value: exp.Expr, lack: exp.Expr) -> exp.Expr:
        """Say how much more it takes; "more" only where there is something already."""

        def say(number: Number, before: Number) -> str | None:
            return missing(replace(leaf, at_least=number + before, at_most=None), before)

        if leaf.measure.kind.facts.null_without_events:
            return _filled(
                say(_MANY, _OTHERS) or "", {_MANY: self._figure(leaf, lack), _OTHERS: self._figure(leaf, value)}
            )
        first = _counted(lambda number: say(number, 0), lack, self._figure(leaf, lack))
        again = _counted(lambda number: say(number, 1), lack, self._figure(leaf, lack))
        return exp.case().when(exp.EQ(this=value.copy(), expression=sql.whole(0)), first).else_(again)

    def _too_much(self, leaf: Criterion, value: exp.Expr) -> exp.Expr:
        most = self._distances.threshold(leaf, leaf.at_most)
        over = exp.paren(exp.Sub(this=value.copy(), expression=most))
        told = missing(replace(leaf, at_least=None, at_most=_OTHERS), _OTHERS + _MANY) or ""
        words = _filled(told, {_MANY: self._figure(leaf, over), _OTHERS + _MANY: self._figure(leaf, value)})
        return exp.case().when(exp.GT(this=value.copy(), expression=most.copy()), words)


def unwrapped(text: exp.Expr) -> exp.Expr:
    """Take parentheses off that stand alone: there is nothing that they keep alternatives apart from."""
    inner = exp.Substring(
        this=text, start=sql.whole(2), length=exp.Sub(this=exp.Length(this=text.copy()), expression=sql.whole(2))
    )
    none = [
        exp.EQ(this=exp.StrPosition(this=inner.copy(), substr=sql.text(sign)), expression=sql.whole(0)) for sign in "()"
    ]
    begins = exp.EQ(this=exp.Left(this=text.copy(), expression=sql.whole(1)), expression=sql.text("("))
    ends = exp.EQ(this=exp.Right(this=text.copy(), expression=sql.whole(1)), expression=sql.text(")"))
    return exp.case().when(both([begins, ends, *none]), inner).else_(text.copy())


def _counts(leaf: Criterion | Ref) -> bool:
    """Whether all numbers of a criterion are whole: what is counted, and what it is compared with."""
    if isinstance(leaf, Ref):
        return True
    bounds = [bound for bound in (leaf.at_least, leaf.at_most) if bound is not None]
    whole = all(isinstance(bound, int | float) and bound == int(bound) for bound in bounds)
    return whole and not leaf.measure.kind.scaled


def _counted(say: Callable[[Number], str | None], value: exp.Expr, shown: exp.Expr) -> exp.Expr:
    """Say a number of things: one of them, or many."""
    many = _filled(say(_MANY) or "", {_MANY: shown})
    return exp.case().when(exp.EQ(this=value.copy(), expression=sql.whole(1)), sql.text(say(1) or "")).else_(many)


def _filled(text: str, figures: dict[int, exp.Expr]) -> exp.Expr:
    """Put measured numbers where the figures stand that a text was asked for with."""
    pieces: list[exp.Expr | str] = [text]
    for number, shown in sorted(figures.items(), reverse=True):
        split: list[exp.Expr | str] = []
        for piece in pieces:
            if not isinstance(piece, str):
                split.append(piece)
                continue
            for place, part in enumerate(piece.split(figure(number))):
                split += [shown.copy(), part] if place else [part]
        pieces = split
    return _texts([sql.text(piece) if isinstance(piece, str) else piece for piece in pieces if piece != ""])


def _texts(parts: Sequence[exp.Expr]) -> exp.Expr:
    """Join texts; null where one of them is."""
    joined = parts[0]
    for part in parts[1:]:
        joined = exp.DPipe(this=joined, expression=part, safe=False)
    return joined


def _joined(parts: Sequence[exp.Expr], separator: str) -> exp.Expr:
    """Join what there is of some texts; null where there is none."""
    if len(parts) == 1:
        return parts[0]
    each = [exp.Coalesce(this=_texts([sql.text(separator), part]), expressions=[sql.text("")]) for part in parts]
    rest = exp.Substring(this=_texts(each), start=sql.whole(len(separator) + 1))
    return exp.Nullif(this=rest, expression=sql.text(""))


def _nothing() -> exp.Expr:
    return exp.cast(exp.null(), exp.DataType.Type.TEXT)
