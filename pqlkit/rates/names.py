"""The name of each of several reports: its definition's, with the version or the file where two have the same."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Definition


def told_apart(definitions: Sequence[Definition]) -> list[str]:
    """Name definitions so that no two have the same name.

    Parameters
    ----------
    definitions
        In the order in which they are shown.

    Returns
    -------
    list of str
        The plain name where it is the only one of its kind; ``first v2`` where versions tell two apart, else
        ``first (drafts/first.yml)``; the same file given twice is counted: ``first (drafts/first.yml, 2)``.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from pqlkit.definitions.folders import load_definition
    >>> from pqlkit.shipped import shipped
    >>> one = load_definition(shipped("definitions") / "activated.yml")
    >>> other = replace(one, name="rollout")
    >>> told_apart([one, other]), told_apart([one, replace(one, version=7)])
    (['activated', 'rollout'], ['activated v1', 'activated v7'])
    >>> told_apart([replace(one, path="a.yml"), replace(one, path="b.yml"), replace(one, path="b.yml")])
    ['activated (a.yml)', 'activated (b.yml)', 'activated (b.yml, 2)']
    """
    plain = [definition.name for definition in definitions]
    versions = [f"{definition.name} v{definition.version}" for definition in definitions]
    names = []
    for place, definition in enumerate(definitions):
        if plain.count(plain[place]) == 1:
            names.append(plain[place])
        elif versions.count(versions[place]) == 1:
            names.append(versions[place])
        else:
            names.append(f"{definition.name} ({definition.path or 'no file'})")
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[place] = f"{name.removesuffix(')')}, {seen[name]})"
    return names
