"""The page of lint rules: every rule's own page, by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.rules.registry import page, rules

if TYPE_CHECKING:
    from pqlkit.definitions.rules.lint_rule import Rule

GROUPS: Final = {"1": "Form", "2": "Meaning", "3": "Against data"}
"""What the first digit of a code says."""


def rules_page() -> str:
    """Write the page."""
    parts = [
        "# Rules\n",
        "What `pqlkit validate` says, generated from the rules themselves (`make docs`). Errors make the exit code 1, warnings",
        "only with `--strict`. `pqlkit validate --explain PQL203` prints one page.\n",
        "| code | name | severity |\n|---|---|---|",
    ]
    parts += [f"| [{r.code.code}](#{_anchor(r)}) | {r.code.name} | {r.code.severity.value} |" for r in rules()]
    for group, title in GROUPS.items():
        parts.append(f"\n## {title}: PQL{group}xx\n")
        parts.append("\n".join(page(rule, level=3) for rule in rules(group)))
    return "\n".join(parts)


def _anchor(rule: Rule) -> str:
    return f"{rule.code.code} {rule.code.name}".lower().replace(" ", "-")
