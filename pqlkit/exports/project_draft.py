"""The draft: a proposed project file as commented YAML that reads back as what was sniffed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

import yaml

from pqlkit.columns import EVENT
from pqlkit.exports.guessing import Guess
from pqlkit.exports.mapping import Column, Match
from pqlkit.exports.preset import preset
from pqlkit.exports.questions import ONLY_EVENT
from pqlkit.exports.sources.address import scheme
from pqlkit.exports.status_columns import status_text
from pqlkit.exports.tables import CONVERSIONS, EMAIL, NAMES
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pqlkit.exports.questions import Question
    from pqlkit.exports.sniffing import Sniffed

_BARE: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$/-]*", re.ASCII)
_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
_SHOWN: Final = 40


def project_text(sniffed: Sniffed, folder: Path) -> str:
    """Write a commented ``pqlkit.yml`` (to lie in `folder`) that `pqlkit.exports.project.read_project` accepts."""
    return "\n".join(_lines(sniffed, folder)) + "\n"


def _lines(sniffed: Sniffed, folder: Path) -> Iterator[str]:
    yield "# Proposed by `pqlkit init` from a look at the exports. Read it, correct it, then:"
    yield "# pqlkit load --out dataset, pqlkit analyze --data dataset"
    for note in sniffed.notes:
        yield f"# - {visible(note, 400)}"
    for text in sniffed.to_do:
        yield f"# TO DO: {visible(text, 400)}"
    yield "pqlkit: 1"
    yield "timezone: UTC                    # for dates and weeks; instants are always kept in UTC"
    yield "entity: auto                     # auto | user | account"
    yield "exports:"
    for name in NAMES:
        if name in sniffed.sources:
            yield f"  {name}:"
            yield from (f"    {line}" for line in _source(name, sniffed, folder))
    if CONVERSIONS not in sniffed.sources:
        yield "  # conversions: {path: upgrades.csv, match: user_id}     # user_id, converted_at; or match: email"
    yield from _traits(sniffed)
    yield from _events(sniffed)
    yield '# population: [{trait: email, not_matching: "@ourcompany\\\\.com$"}]   # own staff and bots, out of every command'
    yield "outcome: {within: 30d}           # what counts as success, and how soon"
    if CONVERSIONS not in sniffed.sources:
        yield "# outcome: {within: 30d, event: NAME}    # without a conversions export: the event that is the upgrade"
    yield "definitions: definitions/"


def _source(name: str, sniffed: Sniffed, folder: Path) -> Iterator[str]:
    source = sniffed.sources[name]
    questions = [question for question in sniffed.questions if question.table == name]
    if source.connection is not None:
        yield f"connection: {{env: {source.connection}}}     # the environment variable with the server's address"
    else:
        yield f"path: {quoted(_relative(source.path[0], folder))}"
    for key, value in (("table", source.table), ("query", source.query), ("sheet", source.sheet)):
        if value is not None:
            yield f"{key}: {quoted(value)}"
    if source.format is not None:
        yield f"format: {source.format}             # how this vendor names things; `columns:` overrules it"
        if source.timezone != (preset(source.format).timezone or "UTC"):
            yield f"timezone: {quoted(source.timezone)}"
        elif preset(source.format).timezone is None:
            yield "# timezone: Europe/Berlin     # of whoever exported: its times have none of their own; default: UTC"
    if source.columns or questions:
        yield "columns:"
        yield from (f"  {quoted(key)}: {_column(value)}" for key, value in source.columns.items())
        yield from (f"  {line}" for question in questions for line in _choice(question))
    if source.lookups:
        yield "lookups:                      # second exports that say whose the rows are"
        yield from (f"  {quoted(key)}: {quoted(_relative(paths[0], folder))}" for key, paths in source.lookups.items())
    if source.match is not Match.USER_ID:
        words = {Match.EMAIL: "user by e-mail address", Match.DOMAIN: "account by its domain"}[source.match]
        yield f"match: {source.match}                 # rows find their {words}"
    if name == CONVERSIONS:
        yield from _statuses(sniffed)
        yield "complete_through: null       # the last date this export is complete for, if it ends before the events"


def _choice(question: Question) -> Iterator[str]:
    """Write a question as commented lines of which one is to be taken."""
    yield f"# Which of these is {question.what}? Take the # off one line:"
    for header, values in question.options.items():
        some = " · ".join(values)
        guess = question.guesses.get(header, Guess())
        some += f", or {guess.other}: check it" if guess.other is not None else ""
        written = _column(Column(names=(header,), format=guess.form))
        yield f"# {quoted(question.column)}: {written}" + (f"   # {visible(some, 120)}" if some else "")
    if question.column == EVENT:
        yield f"# {EVENT}: {_column(Column(constant=ONLY_EVENT))}   # none of them: every row is called {ONLY_EVENT!r}"


def _statuses(sniffed: Sniffed) -> Iterator[str]:
    """Draft rules of rows: a person strikes out the values that are no upgrades."""
    if not sniffed.statuses:
        return
    yield "# Which rows are conversions? Strike out the values that are none, and take the # off:"
    yield "# rows:"
    for name, counts in sniffed.statuses.items():
        values = ", ".join(quoted(value) for value in counts)
        yield f"#   - {{column: {quoted(name)}, in: [{values}], else: {quoted('not a conversion: ' + visible(name, 40))}}}   # {visible(status_text(name, counts), 200)}"


def _relative(path: str, folder: Path) -> str:
    if scheme(path) is not None:
        return path
    absolute = os.path.abspath(path)  # noqa: PTH100 - a glob is no path to resolve
    try:
        return os.path.relpath(absolute, folder.resolve())
    except ValueError:
        return absolute


def _column(column: Column) -> str:
    if column.absent:
        return "null             # none of the columns that may be it finds anybody"
    if column.constant is not None:
        return f"{{constant: {quoted(column.constant)}}}"
    names = [quoted(name) for name in column.names]
    where = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    stated = {"format": column.format}
    if column.notation is not None:
        stated |= {"decimal": column.notation.decimal, "thousands": column.notation.thousands}
    keys = [f"{key}: {quoted(value)}" for key, value in stated.items() if value is not None]
    return f"{{{', '.join([f'column: {where}', *keys])}}}" if keys else where


def _traits(sniffed: Sniffed) -> Iterator[str]:
    fixed = [name for name in sniffed.traits if name == EMAIL or name.startswith(("signup_", "country", "channel"))]
    others = [name for name in sniffed.traits if name not in fixed]
    if not sniffed.traits:
        return
    yield "# Traits hold today's values. Name those that never change after signup `fixed`; only they can be used"
    yield "# for the past. The others are `current`."
    yield f"traits: {{fixed: [{', '.join(map(quoted, fixed))}]}}"
    if others:
        shown = ", ".join(visible(name, 40) for name in others[:_SHOWN])
        yield f"# not declared, so current: {shown}{' ...' if len(others) > _SHOWN else ''}"


def _events(sniffed: Sniffed) -> Iterator[str]:
    shown = ", ".join(visible(name, 40) for name in list(sniffed.seen)[:_SHOWN])
    if sniffed.seen:
        names = f"{len(sniffed.seen)} event name{'' if len(sniffed.seen) == 1 else 's'}"
        yield f"# {names}: {shown}{' ...' if len(sniffed.seen) > _SHOWN else ''}"
    if not sniffed.events:
        yield "# events: {email_delivered: {automatic: true}, limit_warning: {mechanical: true}}"
        return
    yield "events:                          # automatic: no person did it; mechanical: comes before a conversion by construction"
    for name, note in sniffed.events.items():
        words = [word for word, on in (("automatic", note.automatic), ("mechanical", note.mechanical)) if on]
        key = quoted(name)
        mapping = "{" + ", ".join(f"{word}: true" for word in words) + "}"
        yield f"  {key}: {mapping}" if len(key) < 1000 else f"  ? {key}\n  : {mapping}"


def quoted(text: str) -> str:
    r"""Write text as YAML: bare where every reader takes it for text, else in double quotes.

    Examples
    --------
    >>> quoted("user_id"), quoted("no"), quoted('a "b"'), quoted("Gerät")
    ('user_id', '"no"', '"a \\"b\\""', '"Gerät"')
    """
    if len(text) < 200 and _BARE.fullmatch(text) and text.lower() not in _WORDS:
        return text
    # What cannot be seen, like marks that turn the direction of writing, is written as an escape.
    plain = text.isprintable()
    return yaml.safe_dump(text, default_style='"', allow_unicode=plain, width=1_000_000_000).rstrip("\n")
