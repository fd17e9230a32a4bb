"""The face of a result: what a REPL, a notebook and `print` show of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pqlkit.analysis.analyzing import Analysis
from pqlkit.inert import visible
from pqlkit.population.population import Population
from pqlkit.proposal.proposed import Proposal
from pqlkit.proposal.trying import Trial
from pqlkit.reporting.renderers import analysis, proposal, report, trial
from pqlkit.reporting.renderers.correlation import SENTENCE, answer_of, headline, is_little, risk, sureness
from pqlkit.reporting.renderers.layout import plain
from pqlkit.reporting.renderers.words import day, doing, ratio
from pqlkit.scoring.scoring import Leads

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.statistics.rate import Rate

ROWS = 10
"""Rows of a table that a notebook shows."""


def short(result: object) -> str:
    """Name a result with its most telling figures."""
    figures = " ".join(f"{name}={value}" for name, value in _figures(result).items())
    return f"<{type(result).__name__} {figures}>"


def _figures(result: object) -> dict[str, object]:
    match result:
        case Analysis():
            kind, best = result.observed.population.kind.value, answer_of(result)
            figures: dict[str, object] = {
                f"{kind}s": result.observed.snapshots.frame.get_column("entity").n_unique(),
                "snapshots": result.observed.base.denominator,
                "converted": result.observed.base.numerator,
            }
            if best is not None:
                named = f"{doing(best.behaviour, best.threshold)}, {best.behaviour.window.length or 'ever'}"
                figures |= {"top": repr(named), "rr": ratio(risk(best))}
            return figures
        case Trial():
            counts = result.table
            return {"text": repr(visible(result.text, 60)), "with": _rate(counts.with_), "without": _rate(counts.without), "rr": ratio(counts.relative_risk())}  # fmt: skip
        case Proposal():
            names = [visible(candidate.definition.name, 40) for candidate in result.candidates]
            return {"candidates": names, "snapshots": result.observed.base.denominator}
        case Population():
            return {f"{result.kind.value}s": result.entities.height, "as_of": day(result.as_of)}
        case Leads():
            return {
                "definition": visible(result.definition.name, 40),
                f"{result.population.kind.value}s": result.frame.height,
            }
        case _:
            whole: Any = result
            return {"definition": visible(whole.definition.name, 40), "periods": len(whole.periods)}


def _rate(value: Rate) -> str:
    return f"{value.numerator}/{value.denominator}"


def screen(result: object) -> str:
    """Give the screen of 80 columns."""
    match result:
        case Analysis():
            return plain(analysis.as_table(result))
        case Trial():
            return plain(trial.as_table(result))
        case Proposal():
            return plain(proposal.as_table(result))
        case Population():
            return short(result)
        case Leads():
            return str(result.frame)
        case _:
            whole: Any = result
            return plain(report.as_table(whole))


def html(result: object) -> str:
    """Give the answer and the first table of an analysis, the frame of leads, and the screen of the others."""
    match result:
        case Analysis() if not is_little(result):
            rows = [analysis.cells(row) for row in analysis.winners(result)[:ROWS]]
            return str(
                Markup("<p><b>{}</b> {}</p>{}<p>{}</p>").format(
                    headline(result), sureness(result), _table(analysis.HEADER, rows), SENTENCE
                )
            )
        case Leads():
            return str(result.frame.head(ROWS)._repr_html_())
        case _:
            return str(Markup("<pre>{}</pre>").format(screen(result)))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    heads = Markup("").join(Markup("<th>{}</th>").format(head) for head in header)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(heads, body)


def frame(result: object) -> pl.DataFrame:
    """Give the rows that ``--format csv`` writes."""
    import polars as pl

    match result:
        case Leads():
            return result.frame
        case Analysis():
            text = analysis.as_csv(result)
        case Proposal():
            text = proposal.as_csv(result)
        case _:
            whole: Any = result
            text = report.as_csv([whole])
    return pl.read_csv(io.BytesIO(text.encode()), infer_schema_length=None, glob=False)
