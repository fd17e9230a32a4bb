"""The alert: new leads as one JSON message, with text that Slack shows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from pqlkit.scoring.card import cards
from pqlkit.scoring.lead_file import spelled
from pqlkit.scoring.ledger import Alert
from pqlkit.scoring.summary import spelled_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.scoring.news import News

SCHEMA: Final = "pqlkit/alert/2"
BATCH: Final = 20
"""Leads per message."""

_LONGEST: Final = 35_000
"""Characters of text in a message: Slack cuts at 40,000."""


def alerts(news: News) -> list[Alert]:
    """Make the messages about a night's new leads: those that were not queued before and are not in the control arm.

    Parameters
    ----------
    news
        The night's.

    Returns
    -------
    list of Alert
        Each body is UTF-8 JSON: ``schema``, ``key``, ``definition``, ``definition_version``, ``as_of``, ``batch``,
        ``batches``, ``text`` (for people; Slack's special characters escaped) and ``leads`` (the rows of the list, with
        ``new_because`` and ``card``). The key is made of the definition and the starts, so that it is the same however
        often the night is run.
    """
    import polars as pl

    leads = news.leads
    queued = news.starts.filter("queued").select(pl.col("id"), "on")
    rows = news.new.filter(pl.col(leads.key).cast(pl.String).is_in(queued.get_column("id").implode()))
    starts = dict(queued.iter_rows())
    pieces = list(rows.iter_slices(BATCH)) if rows.height else []
    return [_alert(news, piece, starts, number, len(pieces)) for number, piece in enumerate(pieces, start=1)]


def _alert(news: News, rows: pl.DataFrame, starts: dict[str, int], number: int, count: int) -> Alert:
    leads = news.leads
    ids = [str(lead) for lead in rows.get_column(leads.key).to_list()]
    named = sorted((lead, starts[lead]) for lead in ids)
    key = hashlib.blake2b(
        json.dumps([leads.definition.name, leads.definition.entity.value, named]).encode(), digest_size=16
    ).hexdigest()
    told = cards(leads, rows)
    records = [{**row, "card": card} for row, card in zip(spelled(rows.drop("changed")).to_dicts(), told, strict=True)]
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "key": key,
        "definition": leads.definition.name,
        "definition_version": leads.definition.version,
        "as_of": spelled_moment(leads.population.as_of),
        "batch": number,
        "batches": count,
        "text": text(leads.definition.title or leads.definition.name, told),
        "leads": records,
    }
    return Alert(key=key, leads=rows.height, body=json.dumps(body, ensure_ascii=False, allow_nan=False).encode())


def text(title: str, told: Sequence[Sequence[str]]) -> str:
    r"""Write cards as a message for people.

    ``&``, ``<`` and ``>`` are escaped as Slack asks, so that no name in the data can mention a channel or hide a link.

    Examples
    --------
    >>> text("Teams", [["<!channel> Ltd   HOT", "4 invited"]])
    '1 new lead: Teams\n\n&lt;!channel&gt; Ltd   HOT\n  4 invited'
    """
    from pqlkit.inert import visible

    head = f"{len(told)} new lead{'' if len(told) == 1 else 's'}: {visible(title, 200)}"
    blocks = ["\n".join([card[0], *(f"  {line}" for line in card[1:])]) for card in told]
    whole = "\n\n".join([head, *blocks])
    escaped = whole.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped if len(escaped) <= _LONGEST else escaped[:_LONGEST] + "\n…"
