"""The steps: named queries, each with a comment in the definition's words, that become one statement."""

from __future__ import annotations

import re
from functools import lru_cache
from textwrap import wrap
from typing import TYPE_CHECKING, Final, cast

from sqlglot import exp, parse_one

from pqlkit.options.warehouse import SqlDialect

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIMPLE: Final = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_RESERVED: Final = frozenset(
    """
    aes128 aes256 all allowoverwrite analyse analyze and anti any array as asc assert_rows_modified asymmetric at
    authorization backup between binary blanksasnull both by bytedict case cast check cluster collate collation column
    concurrently connect connection constraint contains create credentials cross cube current current_catalog current_date
    current_role current_schema current_time current_timestamp current_user database default deferrable define deflate
    defrag delete delta desc describe distinct distribute do drop else emptyasnull enable encode encrypt encryption end enum
    escape except exclude exists explicit extract false fetch filter following for foreign freeze from full function
    globaldict128 globaldict256 globaldict64k grant group grouping groups gscluster gzip hash having identity if ignore
    ilike in increment initially inner insert intersect interval into is isnull issue join lateral leading left like limit
    localtime localtimestamp lookup luns lzo merge minus mostly13 mostly32 mostly8 natural new no not notnull null nulls of
    off offline offset oid old on only open option or order organization outer over overlaps parallel partition percent
    permissions pivot placing plan preceding primary proto qualify range raw readratio recover references regexp rejectlog
    resort respect restore returning revoke right rlike rollup row rows sample schema select semi session_user set show
    similar snapshot some sort start struct sysdate symmetric system table tablesample tag tdes text255 text32k then time
    timestamp to top trailing treat true trigger truncatecolumns try_cast unbounded union unique unnest unpivot update user
    using values variadic verbose view wallet when whenever where window with within without
    """.split()  # noqa: SIM905 - a word list
)
"""Words that one of the dialects keeps for itself."""

_TIGHT: Final = (exp.Binary, exp.Not, exp.Neg, exp.Is, exp.Between)
_LOOSE: Final = (exp.Binary, exp.Not)


def identifier(name: str) -> exp.Identifier:
    """Write a name: as it is where it is a plain lower-case word (a warehouse may fold it), else in quotes."""
    plain = _SIMPLE.fullmatch(name) is not None and name not in _RESERVED
    return exp.to_identifier(name, quoted=not plain)


def column(name: str, table: str | None = None) -> exp.Column:
    """Write a column of the query's own or of a table."""
    return exp.Column(this=identifier(name), table=exp.to_identifier(table) if table else None)


def table(name: str, alias: str | None = None) -> exp.Table:
    """Write the name of a step as a table."""
    short = exp.TableAlias(this=exp.to_identifier(alias)) if alias is not None else None
    return exp.Table(this=identifier(name), alias=short)


class Steps:
    """The steps of one statement.

    Parameters
    ----------
    dialect
        Whose SQL is written.
    """

    def __init__(self, dialect: SqlDialect) -> None:
        self.dialect = dialect
        self._steps: dict[str, tuple[str, exp.Query]] = {}
        self._recursive_columns: dict[str, list[str]] = {}

    def __contains__(self, name: str) -> bool:
        """Whether there is a step of this name."""
        return name in self._steps

    def add(self, name: str, says: str, query: exp.Query) -> str:
        """Add a step; give the name it got (a number is added where another has it)."""
        unique, number = name, 1
        while unique in self._steps:
            number += 1
            unique = f"{name}_{number}"
        self._steps[unique] = (" ".join(says.split()), query)
        return unique

    def add_recursive(self, name: str, says: str, query: exp.Query) -> str:
        """Add a step that reads itself by its name."""
        added = self.add(name, says, query)
        self._recursive_columns[added] = query.named_selects
        return added

    def fill(self, name: str, says: str, query: exp.Query) -> None:
        """Write a step anew, in its place."""
        self._steps[name] = (says, query)

    def plan(self, template: str, /, **parts: exp.Expr | str) -> exp.Select:
        """Make a query from a constant template.

        Parameters
        ----------
        template
            SQL, in which names that begin with an underscore stand for parts.
        parts
            Name without its underscore -> an expression, or the name of a table, an alias or a column.
        """
        query = _parsed(template, str(self.dialect)).copy()
        filled = query.transform(lambda node: _filled(node, parts), copy=False)
        return cast("exp.Select", filled)

    def expression(self, template: str, /, **parts: exp.Expr | str) -> exp.Expr:
        """Make an expression from a constant template, as `plan` does."""
        return cast("exp.Expr", self.plan(f"SELECT {template}", **parts).expressions[0])

    def tables(self, query: exp.Query) -> set[tuple[str, str, str]]:
        """Name the tables that the steps and a last query read, those of steps included: name, schema, catalogue."""
        queries = [*(step for _, step in self._steps.values()), query]
        return {(table.name, table.db, table.catalog) for each in queries for table in each.find_all(exp.Table)}

    def statement(self, query: exp.Query) -> str:
        """Write the steps, each below what it says, and the last query."""
        steps = ",\n\n".join(
            "\n".join([*(f"-- {line}" for line in wrap(says, 100)), self._written(name, step)])
            for name, (says, step) in self._steps.items()
        )
        return f"WITH{' RECURSIVE' if self._recursive_columns else ''}\n\n{steps}\n\n{self._sql(query)}"

    def _written(self, name: str, step: exp.Query) -> str:
        """Write one step: by sqlglot, for texts keep the line breaks that are theirs."""
        alone = exp.select("1").with_(self._alias(name), as_=step)
        return self._sql(alone).removeprefix("WITH ").removesuffix("\nSELECT\n  1")

    def _alias(self, name: str) -> exp.TableAlias:
        """Name a step; Redshift wants to know the columns of one that reads itself."""
        columns = self._recursive_columns.get(name, ()) if self.dialect is SqlDialect.REDSHIFT else ()
        return exp.TableAlias(this=identifier(name), columns=[identifier(each) for each in columns])

    def _sql(self, query: exp.Query) -> str:
        return query.sql(dialect=str(self.dialect), pretty=True)


@lru_cache(maxsize=512)
def _parsed(template: str, dialect: str) -> exp.Expr:
    return parse_one(template, dialect=dialect)


def _filled(node: exp.Expr, parts: Mapping[str, exp.Expr | str]) -> exp.Expr:
    if isinstance(node, exp.Column) and not node.table:
        part = parts.get(node.name.removeprefix("_")) if node.name.startswith("_") else None
        if isinstance(part, exp.Expression):
            whole = part.copy()
            return (
                exp.paren(whole, copy=False) if isinstance(node.parent, _TIGHT) and isinstance(whole, _LOOSE) else whole
            )
    if isinstance(node, exp.Identifier) and node.this.startswith("_"):
        part = parts.get(node.this.removeprefix("_"))
        if isinstance(part, str):
            return identifier(part)
    return node
