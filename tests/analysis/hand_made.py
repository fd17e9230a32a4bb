"""Definitions made by hand, for tests that need one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.model import Criterion, Definition, EntityKind, Outcome, Window, WindowKind
from pqlkit.durations import Duration

if TYPE_CHECKING:
    from pqlkit.definitions.model import Condition, Node


def part(event: str, at_least: int = 1, *, days: int = 14, kind: WindowKind = WindowKind.WITHIN) -> Criterion:
    return Criterion(id=event, events=(event,), at_least=at_least, window=Window(kind=kind, length=Duration(days, "d")))


def definition(node: Node, *, eligible: tuple[Condition, ...] = (), name: str = "made") -> Definition:
    return Definition(
        name=name,
        title=name,
        entity=EntityKind.USER,
        qualify=node,
        eligible=eligible,
        outcome=Outcome(within=Duration(30, "d")),
    )
