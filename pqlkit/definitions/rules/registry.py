"""The registry: every rule there is, found by the names of the files beside this one, and its page."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pqlkit.definitions.rules.lint_rule import Need
from pqlkit.errors import UsageError, suggestion

if TYPE_CHECKING:
    from pqlkit.definitions.rules.lint_rule import Example, Rule


@cache
def modules() -> dict[str, str]:
    """Map each code to the module that holds its rule, in order of the codes; nothing is imported."""
    stems = sorted(path.stem for path in Path(__file__).parent.glob("pql[0-9]*_*.py"))
    return {stem.split("_")[0].upper(): f"{__package__}.{stem}" for stem in stems}


@cache
def rule(code: str) -> Rule:
    """Find one rule by its code, in any case.

    Raises
    ------
    UsageError
        There is no such rule; the nearest code or name is named.
    """
    known = modules()
    name = known.get(code.upper()) or next(
        (m for m in known.values() if m.endswith("_" + code.replace("-", "_"))), None
    )
    if name is None:
        raise UsageError(f"there is no rule {code}", hint=suggestion(code.upper(), known, "write one of docs/rules.md"))
    rule: Rule = import_module(name).RULE
    return rule


def rules(group: str = "") -> tuple[Rule, ...]:
    """Give all rules in order of their codes, or those of a group (``"2"``)."""
    return tuple(rule(code) for code in modules() if code.startswith(f"PQL{group}"))


def checks(*needs: Need) -> tuple[Rule, ...]:
    """Give the rules with a check of their own whose need is among `needs`."""
    group = "" if Need.DATA in needs else "2"
    return tuple(rule for rule in rules(group) if rule.check is not None and rule.need in needs)


def page(rule: Rule, *, level: int = 1) -> str:
    """Write the page of a rule as Markdown, under a heading of `level`."""
    code = rule.code
    parts = [
        f"{'#' * level} {code.code} {code.name}",
        f"{code.severity.value.capitalize()}. {rule.what}",
        f"**Why is this bad?** {rule.why}",
        "**Example**",
        _shown(rule.bad),
        "**Use instead**",
        _shown(rule.good),
        f"**How to fix.** {rule.fix}",
    ]
    if ignorable(rule):
        parts.append(f"To allow it in one place, end that line with `# pqlkit: ignore {code.code}`.")
    return "\n\n".join(parts) + "\n"


def ignorable(rule: Rule) -> bool:
    """Say whether a comment can silence the rule: a file that cannot be read as a definition cannot be allowed."""
    return rule.check is not None


def explain(code: str) -> str:
    """Give the page of a code, for ``pqlkit validate --explain CODE``.

    Raises
    ------
    UsageError
        There is no such rule.
    """
    return page(rule(code))


def _shown(example: Example) -> str:
    blocks = [f"```yaml\n{example.text.rstrip()}\n```"]
    blocks += [example.note] if example.note else []
    blocks += [f"beside\n\n```yaml\n{other.rstrip()}\n```" for other in example.beside]
    if example.base is not None:
        blocks.append(f"where the base says\n\n```yaml\n{example.base.rstrip()}\n```")
    return "\n\n".join(blocks)
