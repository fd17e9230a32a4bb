"""The page of the project file: every key of ``pqlkit.yml``, and every option that may stand in it, from what it is read by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.schema import definition_schema, form_schema
from pqlkit.exports.project_form import ProjectForm
from pqlkit.options.commands import RECORDS, command_options
from tests.documentation.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.options.option import Option

DEFINITION_PAGE: Final = "definition.md"

_HEAD: Final = """\
# The project file: `pqlkit.yml`

This page is written by `make docs` from the forms that the file is read by. `pqlkit init` writes a commented first one;
`pqlkit validate pqlkit.yml` checks it, with line and column of every fault; `pqlkit schema project` is for editors.

Every command takes the `pqlkit.yml` of the folder it runs in, or that of `--project`. Paths in it are counted from its own
folder. An unknown key is an error. An option on the command line wins over its key here, which wins over the default.

```yaml
pqlkit: 1
timezone: Europe/Berlin
exports:
  events: {path: "exports/events/*.jsonl.gz", format: segment}
  users: {path: exports/users.csv, columns: {signed_up_at: Created}}
  conversions:
    path: exports/deals.csv
    rows:
      - {column: Stage, like: ["closed won*"], else: not won}
    columns: {converted_at: Close Date, account_id: Workspace ID}
traits: {fixed: [channel, country]}
outcome: {within: 30d}
propose: {capacity: 50/week}
score: {ledger: leads.ledger, max_age: 36h}
```

A duration is a whole number and `m`, `h`, `d` or `w`; a rate is `15%` or `0.15`.

## Keys
"""

_OPTIONS: Final = """\
## Options of commands

Under a command's name stand its options, with `_` for `-`: `score: {max_age: 36h}`. An option that may be given several times takes a list.

| key | in | type | default | meaning | example |
|---|---|---|---|---|---|"""

_KINDS: Final[Mapping[type, str]] = {bool: "`true` or `false`", int: "whole number", float: "number"}

EXAMPLES: Final[Mapping[str, str]] = {
    "C": "20",
    "COHORT": "channel",
    "CODE": "PQL203",
    "COUNT": "120000",
    "DATE": "2026-01-01",
    "DEFINITION": "definitions/first.yml",
    "DESIGN": "every:28d",
    "DIR": "dataset",
    "DURATION": "14d",
    "EVENT": "report_exported",
    "FILE": "out/leads.csv",
    "FILE_OR_REVISION": "main",
    "FROM..TO": "2024-01-01..2026-12-31",
    "HASH": "5f0c2a91",
    "LEADS": "leads-yesterday.csv",
    "N": "10",
    "N/week": "50/week",
    "NAME": "internal_*",
    "PATH": "exports/events/*.csv",
    "RATE": "15%",
    "SHARE": "5%",
    "TABLE": "conversions",
    "NAME=TYPE": "amount=text",
    "TABLE=NAME": "events=raw.product_events",
    "TABLE.COLUMN=HEADER": "conversions.converted_at=Close Date",
    "TABLE.COLUMN=NAME": "events.timestamp=occurred_at",
    "TRAIT": "plan",
    "URL": "https://hooks.example.com/${TOKEN}",
    "V": "1200",
    "WHEN": "7d",
}
"""What a value may be, by how help shows it."""

_OWN: Final[Mapping[str, str]] = {
    "accounts": "exports/accounts.csv",
    "catalogue": "catalogue.yml",
    "columns": "[account_id, score, reasons]",
    "connection": "WAREHOUSE_URL",
    "contacts": "exports/calls.csv",
    "conversions": "exports/upgrades.csv",
    "definition": "definitions/first.yml",
    "dbt": "models/leads",
    "dialect": "snowflake",
    "entity": "account",
    "exposure": "until-conversion",
    "from_": "bigquery-ga4",
    "gap": "1d",
    "html": "page.html",
    "identities": "exports/identities.csv",
    "keep": "[owner, plan]",
    "key": "email",
    "ledger": "leads.ledger",
    "max_age": "36h",
    "max_criteria": "2",
    "max_new": "200",
    "max_rules": "1000000",
    "measures": "[count, days]",
    "name": "first",
    "min_new": "1",
    "min_rate": "15%",
    "min_recall": "30%",
    "objective": "f1",
    "out": "result.json",
    "out_dir": "definitions/",
    "permutations": "99",
    "preset": "hubspot",
    "properties": "crm-fields.json",
    "rename": "[score=pql_score]",
    "sample": "10%",
    "save": "definitions/ten-logins.yml",
    "spark_remote": "sc://spark.example.com:15002",
    "summary": "run.json",
    "suppress": "customers.txt",
    "table": "events",
    "top": "5",
    "users": "exports/users.csv",
    "windows": "[7d, 28d]",
    "without": "[accounts, conversions.user_id]",
}
"""Examples of options whose value is of no such kind."""


def project_page() -> str:
    """Write the page.

    Examples
    --------
    >>> project_page().splitlines()[0]
    '# The project file: `pqlkit.yml`'
    """
    shared = Reference(definition_schema()).titles
    keys = Reference(form_schema(ProjectForm), dict.fromkeys(shared, DEFINITION_PAGE)).sections()
    return "\n".join([_HEAD, *keys, *_options()]).rstrip() + "\n"


def _options() -> Iterator[str]:
    yield _OPTIONS
    rows: dict[str, list[str]] = {}
    for command in RECORDS:
        for option in command_options(command).values():
            if option.in_project:
                rows.setdefault(_row(option), []).append(command)
    every = sum(len(RECORDS[command]) > 0 for command in RECORDS)
    for row in sorted(rows):
        commands = rows[row]
        yield row.replace(" IN ", f" {', '.join(commands) if len(commands) < every else 'all'} ", 1)


def _row(option: Option) -> str:
    kind = _KINDS.get(option.takes) or (option.metavar or " or ".join(f"`{member.value}`" for member in option.takes))
    default = option.told or ("false" if option.takes is bool else "")
    cells = (f"`{option.name}`", "IN", kind, default, option.says, f"`{option.name}: {example_of(option)}`")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def example_of(option: Option) -> str:
    """Give what may stand under an option's key, as YAML.

    Examples
    --------
    >>> example_of(command_options("propose")["capacity"])
    '50/week'
    """
    if option.takes is bool:
        return "true"
    if option.metavar is None:
        return str(next(member.value for member in option.takes if member is not option.default))
    if option.name == "accounts" and option.takes is int:
        return "500"
    example = _OWN.get(option.name) or EXAMPLES.get(option.metavar)
    if example is None:
        raise LookupError(f"{option.flag} takes {option.metavar}, of which EXAMPLES of {__name__} shows none")
    return example
