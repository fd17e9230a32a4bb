"""The project file: the `pqlkit.yml` that lies beside what the demo writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def canonical_project(tables: Mapping[str, str], *, entity: str, history: bool) -> str:
    """Write a project file for canonical Parquet: `tables` maps an export's name to its path."""
    exports = "".join(f"  {name}: {{path: {path}}}\n" for name, path in tables.items())
    traits = "traits: {fixed: [country, channel]"
    traits += ", history: {plan: plan_history.parquet}}\n" if history else "}\n"
    return f"pqlkit: 1\ntimezone: UTC\nentity: {entity}\nexports:\n{exports}{traits}outcome: {{within: 30d}}\n"
