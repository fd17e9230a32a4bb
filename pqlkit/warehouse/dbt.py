"""The dbt model: a definition's query as a model with its sources, tests and docs."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import yaml

from pqlkit.definitions.describing import describe
from pqlkit.definitions.emitting import definition_hash
from pqlkit.definitions.phrases import phrase
from pqlkit.exports.tables import HISTORY
from pqlkit.warehouse.lead_query import query_of
from pqlkit.warehouse.naming import TABLES, Naming

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.definitions.model import Definition
    from pqlkit.exports.project import Project
    from pqlkit.options.warehouse import SqlOptions
    from pqlkit.warehouse.lead_query import LeadQuery

STATUSES: Final = (*("customer", "ineligible", "pql", "expired", "lapsed", "near", "missed", "started", "inactive"),)
"""Where an entity may stand; see `pqlkit.scoring.lead`."""

_HEAD: Final = """\
-- Written by pqlkit sql --dbt from the definition {name}; change that, not this.
{{{{ config(materialized='table') }}}}

"""

_NIGHTLY_HEAD: Final = """\
-- Written by pqlkit sql --dbt --incremental from the definition {name}; change that, not this.
-- One row per lead. A run reads everything, keeps known_at of the leads that are there, and adds the others.
{{{{ config(materialized='incremental', unique_key='lead_id', on_schema_change='fail') }}}}

SELECT
{columns},
{{% if is_incremental() %}}
  l.status = 'pql' AND k.known_at IS NULL AS newly_qualified,
  COALESCE(k.known_at, CASE WHEN l.status IN ('pql', 'expired') THEN l.as_of END) AS known_at
{{% else %}}
  FALSE AS newly_qualified,
  l.as_of AS known_at
{{% endif %}}
FROM (
"""

_NIGHTLY_TAIL: Final = """\
) AS l
{% if is_incremental() %}
LEFT JOIN {{ this }} AS k ON k.lead_id = l.lead_id
{% endif %}
WHERE l.lead_id IS NOT NULL
"""

_SINCE: Final = "{{ var('since', '1970-01-01T00:00:00Z') }}"


def dbt_files(definition: Definition, project: Project, options: SqlOptions) -> dict[str, str]:
    """Write a model: the text of each file by its name.

    Parameters
    ----------
    definition, project, options
        As of `pqlkit.warehouse.lead_query.query_of`.

    Raises
    ------
    DefinitionError
        The query cannot say something.
    UsageError
        An option cannot be read.
    """
    naming = Naming.of(options, project)
    # Stand-ins that nothing in a definition can be called, so that only tables and the moment become Jinja.
    mark = hashlib.sha256(definition_hash(definition).encode()).hexdigest()[:12]
    names = (*TABLES, *(f"{HISTORY}{name}" for name in project.traits.history))
    sources = {name: f"pqlkit_{_slug(name)}_{mark}" for name in names}
    query = query_of(definition, project, options, naming=replace(naming, tables=sources), since=f"since_{mark}")
    text = inert(query.sql).replace(f"since_{mark}", _SINCE)
    for name, stand_in in sources.items():
        text = text.replace(stand_in, f"{{{{ source('{_source_of(naming, name)}', '{_slug(name)}') }}}}")
    model = f"leads_{definition.name.replace('-', '_')}"
    if options.incremental:
        told = [name for name in query.columns if name != "newly_qualified"]
        columns = ",\n".join(f"  l.{naming.quoted(name)}" for name in told)
        whole = _NIGHTLY_HEAD.format(name=definition.name, columns=columns) + text + "\n" + _NIGHTLY_TAIL
    else:
        whole = _HEAD.format(name=definition.name) + text + "\n"
    return {
        f"{model}.sql": whole,
        f"{model}.yml": _schema(definition, query, naming, model, nightly=options.incremental),
        f"{model}.md": _docs(definition, model),
    }


def inert(text: str) -> str:
    """Keep what a definition is made of from being read as Jinja.

    Examples
    --------
    >>> inert("{{ x }} {% y %}")
    "{{ '{{' }} x }} {{ '{%' }} y %}"
    """
    pieces: list[str] = []
    while text:
        sign = text[:2]
        pieces.append(f"{{{{ '{sign}' }}}}" if sign in {"{{", "{%", "{#"} else text[0])
        text = text[2:] if sign in {"{{", "{%", "{#"} else text[1:]
    return "".join(pieces)


def _slug(table: str) -> str:
    """Name a table as dbt does: that of a history has a dot."""
    return "".join(letter if letter.isalnum() else "_" for letter in table)


def _source_of(naming: Naming, table: str) -> str:
    """Name the dbt source of a table: that of its schema."""
    schema = naming.table(table).db
    return f"pqlkit_{schema.lower()}" if schema.isidentifier() else "pqlkit"


def _schema(definition: Definition, query: LeadQuery, naming: Naming, model: str, *, nightly: bool) -> str:
    """Write ``schema.yml``: the sources, and the model's columns with their tests."""
    key = f"{definition.entity.value}_id"
    tests: dict[str, list[Any]] = {
        key: ["not_null"] if nightly else ["unique", "not_null"],
        "lead_id": ["unique", *(["not_null"] if nightly else [])],
        "status": ["not_null", {"accepted_values": {"values": list(STATUSES)}}],
        "as_of": ["not_null"],
    }
    told = dict(query.columns) | (
        {"known_at": "When a run first told it as a pql, or saw that it was too late; null = not yet."}
        if nightly
        else {}
    )
    columns = [
        {"name": name, "description": inert(says), **({"data_tests": tests[name]} if name in tests else {})}
        for name, says in told.items()
    ]
    description = f'{{{{ doc("{model}") }}}}'
    document = {
        "version": 2,
        "sources": _sources(query, naming),
        "models": [{"name": model, "description": description, "columns": columns}],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _sources(query: LeadQuery, naming: Naming) -> list[Mapping[str, Any]]:
    sources: dict[str, dict[str, Any]] = {}
    for name in query.tables:
        table = naming.table(name)
        source = sources.setdefault(_source_of(naming, name), {"name": _source_of(naming, name), "tables": []})
        source["schema"] = table.db or "{{ target.schema }}"
        if table.catalog:
            source["database"] = table.catalog
        called = _slug(name)
        source["tables"].append({"name": called, **({"identifier": table.name} if table.name != called else {})})
    return list(sources.values())


def _docs(definition: Definition, model: str) -> str:
    """Write the page of the model."""
    from pqlkit.definitions.model import leaves

    told = [definition.title or definition.name, describe(definition), definition.rationale or ""]
    criteria = "\n".join(f"* `{leaf.id}`: {phrase(leaf)}" for leaf in leaves(definition.qualify))
    text = "\n\n".join(inert(part) for part in (*filter(None, told), criteria))
    return f"{{% docs {model} %}}\n{text}\n{{% enddocs %}}\n"
