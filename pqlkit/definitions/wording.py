"""The wording of a name: an event's or property's name as the English that a sales rep would use.

Vendors name events in every style: ``teammate_invited``, ``invited_teammate``, ``inviteTeammate``, ``Trial Started``,
``login``. What does not read as a noun with or without a verb is shown as it is, in quotes: a guess that is wrong is worse
than a name. The same name always gives the same words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pqlkit.inert import visible

if TYPE_CHECKING:
    from pqlkit.typing import Number

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ _.-][A-Za-z0-9]+){0,3}", re.ASCII)
_IDENTIFIER: Final = re.compile(r"[\w.:$-]+")
_LONGEST: Final = 60

_IRREGULAR: Final = {
    "begin": "begun",
    "build": "built",
    "buy": "bought",
    "choose": "chosen",
    "find": "found",
    "give": "given",
    "hit": "hit",
    "keep": "kept",
    "make": "made",
    "pay": "paid",
    "sell": "sold",
    "send": "sent",
    "set": "set",
    "show": "shown",
    "take": "taken",
    "write": "written",
}
_REGULAR: Final = {
    "activate": "activated",
    "add": "added",
    "archive": "archived",
    "assign": "assigned",
    "complete": "completed",
    "configure": "configured",
    "connect": "connected",
    "create": "created",
    "customize": "customized",
    "delete": "deleted",
    "enable": "enabled",
    "finish": "finished",
    "import": "imported",
    "install": "installed",
    "integrate": "integrated",
    "invite": "invited",
    "join": "joined",
    "launch": "launched",
    "link": "linked",
    "open": "opened",
    "publish": "published",
    "remove": "removed",
    "save": "saved",
    "schedule": "scheduled",
    "share": "shared",
    "start": "started",
    "submit": "submitted",
    "update": "updated",
    "upload": "uploaded",
    "use": "used",
    "verify": "verified",
    "view": "viewed",
    "visit": "visited",
}
_PARTICIPLES: Final = {**_IRREGULAR, **_REGULAR}
_ENDINGS: Final = frozenset(_PARTICIPLES.values()) | {"done", "left", "seen", "won"}
_NOT_PARTICIPLES: Final = frozenset({"bed", "embed", "feed", "led", "need", "newsfeed", "red", "seed", "speed", "weed"})
_ACTS: Final = {  # participles whose verb is a noun too
    word: noun for noun, word in _REGULAR.items() if noun in {"import", "install", "invite", "upload", "view", "visit"}
} | {"exported": "export", "downloaded": "download", "clicked": "click", "searched": "search", "upgraded": "upgrade"}
_PARTICLES: Final = frozenset({"in", "out", "up", "on", "off", "down", "by", "to", "from"})
_PLURALS: Final = {
    "person": "people",
    "child": "children",
    "data": "data",
    "feedback": "feedback",
    "activity": "activities",
}
_SINGULARS: Final = {plural: singular for singular, plural in _PLURALS.items()}


@dataclass(frozen=True, slots=True)
class Wording:
    """A name taken apart: ``subject`` ("teammate") and ``done`` ("invited", or None for a plain noun)."""

    subject: str
    done: str | None = None

    @property
    def is_plural(self) -> bool:
        """Whether one event is about several things: ``contacts_imported``."""
        return _is_plural(self.subject)

    @property
    def once(self) -> str:
        """One of them, without an article: ``teammate invited``, ``login``."""
        return f"{self.subject} {self.done}" if self.done else self.subject

    @property
    def many(self) -> str:
        """Several: ``teammates invited``, ``logins``."""
        subject = plural(self.subject)
        return f"{subject} {self.done}" if self.done else subject

    @property
    def act(self) -> str | None:
        """The doing as a noun, where English has one: ``teammate invite``, ``login``."""
        if self.done is None:
            return self.subject
        noun = _ACTS.get(self.done)
        return f"{singular(self.subject)} {noun}" if noun else None


def wording(name: str) -> Wording | None:
    """Take an event's name apart, or give None if it does not read as English.

    Examples
    --------
    >>> wording("invitedTeammate")
    Wording(subject='teammate', done='invited')
    >>> wording("Trial Started").many, wording("login").many, wording("$pageview 🙂")
    ('trials started', 'logins', None)
    """
    spelled = words(name)
    return _taken_apart(spelled.split(" ")) if spelled is not None else None


def words(name: str) -> str | None:
    """Spell a name as separate words, or give None if it does not read as English.

    Examples
    --------
    >>> words("storedBytes"), words("APIKeys"), words("a/b")
    ('stored bytes', 'API keys', None)
    """
    if len(name) > _LONGEST or not _PLAIN.fullmatch(name):
        return None
    parts = re.split(r"[ _.-]+", _HUMP.sub(" ", name))
    return " ".join(part if part.isupper() and len(part) > 1 else part.lower() for part in parts if part)


def _taken_apart(parts: list[str]) -> Wording | None:
    first, last = parts[0], parts[-1]
    if last in _PARTICLES:
        return Wording("login") if parts in (["logged", "in"], ["log", "in"]) else None
    if len(parts) > 1:
        if _is_participle(last):
            return Wording(" ".join(parts[:-1]), last)
        if _is_participle(first):
            return Wording(" ".join(parts[1:]), first)
        if first in _PARTICIPLES:
            return Wording(" ".join(parts[1:]), _PARTICIPLES[first])
    if _is_participle(last) or last.isdigit():
        return None
    return Wording(" ".join(parts))


def _is_participle(word: str) -> bool:
    if word in _ENDINGS:
        return True
    return len(word) > 3 and word.endswith("ed") and not word.endswith("eed") and word not in _NOT_PARTICIPLES


def plural(phrase: str) -> str:
    """Put the last word of a phrase into the plural, if it is not.

    Examples
    --------
    >>> plural("teammate"), plural("batch"), plural("company"), plural("contacts"), plural("day")
    ('teammates', 'batches', 'companies', 'contacts', 'days')
    """
    head, space, word = phrase.rpartition(" ")
    if word in _PLURALS:
        word = _PLURALS[word]
    elif not _is_plural(word):
        if re.search(r"(s|x|z|ch|sh)$", word):
            word += "es"
        elif re.search(r"[^aeiou]y$", word):
            word = f"{word[:-1]}ies"
        else:
            word += "s"
    return head + space + word


def singular(phrase: str) -> str:
    """Put the last word of a phrase into the singular, if it is in the plural.

    Examples
    --------
    >>> singular("contacts"), singular("batches"), singular("companies"), singular("status"), singular("address")
    ('contact', 'batch', 'company', 'status', 'address')
    """
    head, space, word = phrase.rpartition(" ")
    if word in _SINGULARS:
        word = _SINGULARS[word]
    elif _is_plural(word):
        if word.endswith("ies"):
            word = f"{word[:-3]}y"
        else:
            word = word[:-2] if re.search(r"(sses|xes|zes|ches|shes)$", word) else word[:-1]
    return head + space + word


def _is_plural(phrase: str) -> bool:
    word = phrase.rpartition(" ")[2]
    if word in _SINGULARS:
        return True
    return len(word) > 3 and word.endswith("s") and not re.search(r"(ss|us|is)$", word)


def counted(number: Number, singular: str, many: str | None = None, *, more: bool = False) -> str:
    """Say a number of things: ``1 login``, ``2 more logins``.

    Examples
    --------
    >>> counted(1, "day"), counted(1200, "day", more=True)
    ('1 day', '1,200 more days')
    """
    return f"{figure(number)} {'more ' if more else ''}{singular if number == 1 else many or plural(singular)}"


def figure(number: Number) -> str:
    """Write a number for people: thousands apart, at most 6 decimals.

    Examples
    --------
    >>> figure(12000), figure(2.50), figure(1e-6)
    ('12,000', '2.5', '0.000001')
    """
    if isinstance(number, int) or number.is_integer():
        return f"{int(number):,}"
    whole, point, decimals = f"{Decimal(repr(number)):,.6f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}{point}{decimals}" if decimals else whole


def named(name: str) -> str:
    """Show a name from an export as it is, made inert; in quotes unless it is one plain word.

    Examples
    --------
    >>> named("teammate_invited"), named("Trial Started")
    ('teammate_invited', '"Trial Started"')
    """
    shown = visible(name, _LONGEST)
    return shown if _IDENTIFIER.fullmatch(shown) else f'"{shown}"'
