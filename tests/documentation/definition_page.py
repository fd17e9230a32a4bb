"""The page of definition files: how one is read, every key, and the language of ``pqlkit try``, from what files are read by."""

from __future__ import annotations

import re
from typing import Final

from pqlkit.definitions import expression
from pqlkit.definitions.phrases import phrase
from pqlkit.definitions.schema import definition_schema
from tests.documentation.reference import NODES, Reference

_HEAD: Final = """\
# Definition files

This page is written by `make docs` from the forms that files are read by. `pqlkit try HYPOTHESIS --save FILE` and `pqlkit propose`
write definitions; `pqlkit validate` checks them, with line and column of every fault, and `pqlkit validate --describe FILE` says one
in plain English. `pqlkit schema` is for editors.

One file is one definition. Unknown keys are errors. Needed are `pqlkit`, `name`, `entity`, `qualify` and `outcome: {within: ...}`.

```yaml
pqlkit: 1
name: crm-trial
version: 3
title: Trial users who brought their contacts and built a pipeline
owner: growth@example.com
status: active
entity: user
within: 14d
eligible:
  - {trait: signup_plan, in: [free, trial]}
  - {trait: email, not_matching: "@example\\\\.com$"}
qualify:
  all:
    - {id: contacts, event: contacts_imported, measure: {sum: contacts}, at_least: 50, say: Ask how the import went.}
    - {event: pipeline_created}
    - {id: login_days, event: login, measure: days, at_least: 5}
outcome: {within: 30d, where: {amount: {at_least: 2}}}
lead: {fresh_for: 30d, cooldown: 90d}
expect: {rate: {at_least: 15%}}
```

## How a criterion is read

A criterion measures an event over a window and holds while the value is at least `at_least` (and at most `at_most`).

| window | the events that count at a moment t | holds |
|---|---|---|
| `within: 14d` | from the anchor on, for 14 days, up to and including t | from the event at which the bound is reached, for good |
| `rolling: 7d` | those later than t - 7 days, up to and including t | the same: reached is reached |
| `trailing: 28d` | those later than t - 28 days, up to and including t | exactly while the value satisfies the bound: it can lapse, and come back |
| `ever: true` | all up to and including t | as `within` |

A criterion without a window has the definition's `within`; without both it is an error. `at_most`, and `not`, need a window that ends:
`within` (judged at its end) or `trailing`. `last` is measured under `within` or `ever`.

- `count` counts events, `days` calendar dates in the project's time zone, `users` the users of an account who did it,
  `{distinct_events: true}` different events, `{distinct: PROPERTY}` different values, `{sum: ...}` and `{max: ...}` what they say, and
  `{last: ...}` is the newest value. With no event, the first six are 0; `max` and `last` are nothing, and meet no bound.
- Nothing after the conversion counts, nothing after `as_of`, and an event at the very moment of the conversion does not either.
- A missing property fails a test, and passes the opposite one (`not_in`, `not_matching`).
- `{percent: 80, of: {trait: contacts_limit}}` as a bound is a share of a limit. A limit that is missing or not above 0 is not met.
- Traits are today's values, so only those that are `fixed` in the project file, or have a `history` there, say anything about the
  past; others are refused unless `--trust-current` names them.

An entity **qualifies** at the first moment, from its anchor on, at which the whole formula holds; it may qualify again once it has been out
for `lead: {cooldown: ...}`. Points instead of yes and no: `score: {points: {contacts: 60, pipeline: 40}, pql_at: 60}` over a plain list of criteria.

## Keys
"""

_NODES: Final = f"""\
### {NODES}

A node has exactly one of `event` (a criterion), `ref`, `all`, `any`, `n_of` and `not`. All hold together, one is enough, so many are
enough, or it must not hold.

```yaml
qualify:
  n_of:
    n: 2
    of:
      - {{event: teammate_invited}}
      - {{event: integration_connected}}
      - {{ref: activated, measure: users, at_least: 3}}
```
"""

_TRY: Final = """\
## The language of `pqlkit try`

A formula on one line. Terms without a window take the one that the line names, if it names one; else the longest of `--windows`. Without a
bound, once is enough. `in` is `within`. Words of the language may be written in capitals; measures and `any` may not.

```ebnf
{grammar}
```

{lexis}

What it cannot say is written in a file: other conditions, limits, ranges, several events of one criterion, `n_of`, refs, points.

| written | read |
|---|---|
{examples}
"""

EXAMPLES: Final = (
    "login >= 10 in 14d",
    "login >= 10 in 14d and teammate_invited >= 2",
    "teammate_invited >= 4 trailing 28d",
    "days(login) >= 5 rolling 7d",
    "users(report_exported) >= 3 in 30d",
    "messages_sent >= 2000 ever",
    "distinct_events(any) >= 5 in 14d",
    "distinct(friend_added.friend_id) >= 7 in 10d",
    "sum(contacts_imported.contacts) >= 50 in 14d",
    'design_shared[with = "collaborator"] >= 1 in 14d',
    "(report_exported or dashboard_shared >= 3) and not plan_downgraded in 30d",
    '"Deal Created"[amount >= 1000, stage = open] >= 2 trailing 84d',
)
"""Lines of the language, as the page shows them."""


def definition_page() -> str:
    """Write the page.

    Examples
    --------
    >>> definition_page().splitlines()[0]
    '# Definition files'
    """
    root, *sections = "\n".join(Reference(definition_schema()).sections()).split("\n### ")
    keys = [root, _NODES, *(f"### {section}" for section in sections)]
    return "\n".join([_HEAD, *keys, _language()]).rstrip() + "\n"


def grammar() -> str:
    """Give the grammar of expressions, one rule a line."""
    return "\n".join(re.findall(r"^    (\w+ += .+)$", expression.__doc__ or "", re.M))


def _language() -> str:
    text = expression.__doc__ or ""
    lexis = text[text.index("\n``any``") :].strip().replace("``", "`")
    examples = "\n".join(f"| `{line}` | {phrase(expression.parse_expression(line))} |" for line in EXAMPLES)
    return _TRY.format(grammar=grammar(), lexis=lexis, examples=examples)
