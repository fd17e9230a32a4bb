"""The rule PQL211: the meaning changed, the version did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Compare with the base; where no version is written it is 1."""
    from pqlkit.definitions.changes import changes

    before, after = subject.base, subject.definition
    if before is None or after.version > before.version:
        return
    changed = changes(before, after)
    if not changed and after.version == before.version:
        return
    next_version = before.version + 1 if changed else before.version
    what = f"the meaning changed ({changed[0].text}{_more(len(changed))})" if changed else "the meaning is the same"
    still = "is still" if after.version == before.version else f"went from {before.version} down to"
    yield from _raised(subject, f"{what}, but the version {still} {after.version}", next_version)


def _raised(subject: Subject, message: str, version: int) -> Iterator[Finding]:
    written = ("version",) in subject.document.values
    path = ("version",) if written else ("name",)
    fix = str(version) if written else f"version: {version}\nname"
    yield Finding(path=path, key=not written, message=message, hint=f"write `version: {version}`", fix=fix, safe=True)


def _more(number: int) -> str:
    return f", and {number - 1} more" if number > 1 else ""


RULE = Rule(
    code=Code("PQL211", "version-unchanged"),
    what="With `--base`: entity, anchor, windows, eligible, qualify, outcome or points changed, but the version was not raised.",
    why="Leads, reports and ledgers name a definition by name and version. Two meanings under one version cannot be told "
    "apart next quarter.",
    fix="Raise `version` (`--fix` does it).",
    bad=Example(
        text="""version: 1
qualify: {event: login, at_least: 5, within: 14d}
""",
        base="""pqlkit: 1
name: example
version: 1
entity: user
qualify: {event: login, at_least: 10, within: 14d}
outcome: {within: 30d}
""",
    ),
    good=Example(
        text="""version: 2
qualify: {event: login, at_least: 5, within: 14d}
""",
        base="""pqlkit: 1
name: example
version: 1
entity: user
qualify: {event: login, at_least: 10, within: 14d}
outcome: {within: 30d}
""",
    ),
    check=check,
    need=Need.BASE,
)
