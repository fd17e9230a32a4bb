"""Reviewing: the changes of definitions as a Markdown block for a pull request, and as data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.facts import LeftBecause
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pqlkit.definitions.changes import Review
    from pqlkit.definitions.facts import ComparisonFacts, Proportion
    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Json

_SPECIAL: Final = re.compile(r"([\\`*{}\[\]#!|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


_REASONS: Final[Mapping[LeftBecause, str]] = {
    LeftBecause.NOT_ELIGIBLE: "{number} meet the new version, too, but from an earlier moment on, at which they were not eligible",
    LeftBecause.NO_SIGNUP: "{number} meet the new version, too, but are not counted by it: not eligible, or what they did"
    " first is not in the data",
}


def review_markdown(reviews: Sequence[Review]) -> str:
    """Render reviews as a Markdown block fit for a pull-request comment.

    Names and values in it are escaped: they cannot make links, images, tables, HTML or mentions. Within a word an
    underscore is plain text, and stays, so that the block reads well in a terminal too.
    """
    if not reviews:
        return "No definition changed its meaning.\n"
    parts = ["### What changes in meaning"]
    for review in reviews:
        parts.append(_heading(review))
        parts.append(_body(review))
        if review.comparison is not None:
            parts += _compared(review, review.comparison)
    return "\n\n".join(parts) + "\n"


def review_record(review: Review) -> Json:
    """Give a review as data for JSON output."""
    record: dict[str, Json] = {
        "path": review.path,
        "name": review.name,
        "version_before": review.before.version if review.before is not None else None,
        "version_after": review.after.version if review.after is not None else None,
        "version_raised": review.version_raised,
        "changes": [
            {"part": change.part.value, "text": change.text, "before": change.before, "after": change.after}
            for change in review.changes
        ],
    }
    if review.comparison is not None:
        record["comparison"] = _comparison_record(review.comparison)
    return record


def escaped(text: str) -> str:
    r"""Make any text plain in Markdown.

    Examples
    --------
    >>> escaped("<b>*a* @team")
    '&lt;b&gt;\\*a\\* @<!-- -->team'
    """
    plain = visible(text, 500).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Backslashes do not stop a mention or a bare link; an empty comment inside them does.
    return (
        _SPECIAL.sub(r"\\\1", plain)
        .replace("@", "@<!-- -->")
        .replace("://", ":<!-- -->//")
        .replace("www.", "www<!-- -->.")
    )


def _heading(review: Review) -> str:
    name = f"**{escaped(review.name)}** ({escaped(review.path)})"
    if review.unreadable:
        return f"{name}: the base has this file with faults, so nothing can be compared"
    if review.before is None:
        return f"{name}: new, version {review.after.version if review.after is not None else '?'}"
    if review.after is None:
        return f"{name}: removed (was version {review.before.version})"
    before, after = review.before.version, review.after.version
    versions = f"version {before}" if before == after else f"version {before} → {after}"
    if review.changes and not review.version_raised:
        versions += ", **not raised**"
    return f"{name}: {versions}"


def _body(review: Review) -> str:
    if review.before is None and review.after is not None:
        from pqlkit.definitions.describing import describe

        return f"> {escaped(describe(review.after))}"
    if review.after is None:
        return "Nobody qualifies by it any more: its leads and its line in reports end."
    lines = [f"- {change.part.value}: {escaped(change.text)}" for change in review.changes]
    return "\n".join(lines) if lines else "_Nothing that changes who qualifies, or what counts as success._"


def _compared(review: Review, facts: ComparisonFacts) -> Iterator[str]:
    """Say who enters and leaves, then what the figures do; every rate with its counts, conversion window and 95 % interval."""
    after, before = review.after, review.before
    whom = f"{after.entity}s" if after is not None else "entities"
    yield f"Of {facts.entities:,} {whom}, {_number(facts.entered)} enter and {_number(facts.left)} leave."
    if facts.left_because:
        why = [_REASONS[because].format(number=f"{number:,}") for because, number in facts.left_because.items()]
        yield f"Of those who leave, {'; '.join(why)}."
    rows = [(f"{whom} that qualify", f"{facts.both + facts.left:,}", f"{facts.both + facts.entered:,}")]
    rows.append(
        (
            f"qualifications followed by a conversion{_conversion_window(before, after)}",
            _rate(facts.before),
            _rate(facts.after),
        )
    )
    if facts.left_rate is not None or facts.entered_rate is not None:
        rows.append(("the same, of those who leave or enter", _rate(facts.left_rate), _rate(facts.entered_rate)))
    if facts.pqls_per_week_before is not None and facts.pqls_per_week_after is not None:
        rows.append(("new leads a week (median)", f"{facts.pqls_per_week_before:g}", f"{facts.pqls_per_week_after:g}"))
    yield "\n".join(["| | before | after |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])
    if review.before is not None:
        yield "_In brackets: counts, and the 95 % interval. One of them may qualify more than once._"


def _number(number: int) -> str:
    return f"{number:,}" if number else "none"


def _conversion_window(before: Definition | None, after: Definition | None) -> str:
    """Name the conversion window, both if it changed."""
    known = [d.outcome.within.in_words for d in (before, after) if d is not None and d.outcome is not None]
    return f" within {' (before), '.join(dict.fromkeys(known))}" if known else ""


def _rate(rate: Proportion | None) -> str:
    if rate is None or rate.value is None:
        return "none" if rate is None or rate.denominator == 0 else "not known"
    known = rate.low is not None and rate.high is not None
    interval = f"; {100 * rate.low:.1f} to {100 * rate.high:.1f} %" if known else ""  # type: ignore[operator]
    return f"{100 * rate.value:.1f} % ({rate.numerator:,} of {rate.denominator:,}{interval})"


def _comparison_record(facts: ComparisonFacts) -> Json:
    return {
        "entities": facts.entities,
        "both": facts.both,
        "entered": facts.entered,
        "left": facts.left,
        "left_because": {because.value: number for because, number in facts.left_because.items()},
        "before": _rate_record(facts.before),
        "after": _rate_record(facts.after),
        "entered_rate": _rate_record(facts.entered_rate),
        "left_rate": _rate_record(facts.left_rate),
        "pqls_per_week_before": facts.pqls_per_week_before,
        "pqls_per_week_after": facts.pqls_per_week_after,
    }


def _rate_record(rate: Proportion | None) -> Json:
    if rate is None:
        return None
    return {
        "numerator": rate.numerator,
        "denominator": rate.denominator,
        "rate": rate.value,
        "low": rate.low,
        "high": rate.high,
    }
