"""The sentences of a report: the answer, and what was found of each period, from the figures of its JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pqlkit.durations import Duration
from pqlkit.reporting.renderers.words import chance, interval, percent, points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.typing import Json

SAME_AGE: Final = 0.95
"""Leads that are worth so much of their number beside the baseline's are as old as these."""


def headline(figures: Mapping[str, Any], *, why: str = "") -> list[str]:
    """Say what a board asks first: the rate, whether it changed, and how many customers were never PQLs.

    Parameters
    ----------
    figures
        ``pqlkit/report/2``.
    why
        Where it is said why some customers are in no figure.
    """
    words = figures["words"]
    rate, counted = figures["funnel"]["pql_to_customer"], figures["qualifications"]
    if not counted["starts"]:
        unrated = f" ({counted['unrated']:,} did before its windows were full of events)" if counted["unrated"] else ""
        return [f"Nobody met the rule{unrated}: there is no rate."]
    if rate["rate"] is None and counted["too_soon"]:
        return [
            f"The windows of all new {words['leads']} end before the day on which most conversions come: there is no rate (see the "
            "warning)."
        ]
    if rate["rate"] is None:
        return [f"None of the new {words['leads']} has had the conversion window yet: there is no rate."]
    again = f" (some {figures['entity']}s more than once)" if counted["entities"] < counted["starts"] else ""
    return [
        f"{percent(rate['rate'])} of new {words['leads']} {words['success']} within {window(figures)}: {rate['numerator']:,} of "
        f"{rate['denominator']:,}, 95% CI {interval(rate['low'], rate['high'])}{again}.",
        *newest(figures),
        *([] if figures["after"] is not None else [*_never(figures), *_uncounted(figures, why)]),
    ]


def _never(figures: Mapping[str, Any]) -> list[str]:
    """Say how many customers were never PQLs, and how many became one shortly before they converted; nothing without customers."""
    words, to_date, recall = figures["words"], figures["funnel"]["to_date"], figures["funnel"]["recall"]
    never, customers = to_date["other_customers"]["numerator"], to_date["customers"]
    if not customers:
        return []
    said = f"{never:,} of {customers:,} {words['who']} ({percent(never / customers)}) were never {words['leads']}"
    if recall["denominator"] != customers:
        return [f"{said}."]
    return [
        f"{said}; {recall['numerator']:,} ({percent(recall['rate'])}) became one in the {window(figures)} before converting."
    ]


def _uncounted(figures: Mapping[str, Any], why: str) -> list[str]:
    """Say how many customers are in no figure, and where it is said why."""
    more = sum(part["customers"] for part in figures["funnel"]["left_out"])
    return [f"{more:,} more {figures['words']['who']} are in no figure{f': see {why}' if why else ''}."] if more else []


def window(figures: Mapping[str, Any], *, snapshots: bool = False) -> str:
    """Say the conversion window: ``28 days``; with an outcome that begins later ``60 to 90 days``.

    Parameters
    ----------
    figures
        ``pqlkit/report/2``.
    snapshots
        That of the snapshots, which are whole weeks apart where they follow one another, not that of qualifications.
    """
    end = in_words(str((figures["funnel"]["snapshot"] if snapshots else figures)["conversion_window"]))
    return end if figures["after"] is None else f"{in_words(figures['after']).removesuffix(' days')} to {end}"


def in_words(text: str) -> str:
    """Write a duration out: ``28 days``.

    Examples
    --------
    >>> in_words("28d"), in_words("something else")
    ('28 days', 'something else')
    """
    return Duration.parse(text).in_words if re.fullmatch(r"\d+[mhdw]", text) else text


def when(figures: Mapping[str, Any]) -> str:
    """Say when it was looked who met the rule: ``every 28 days``, ``14 days after they began``.

    Parameters
    ----------
    figures
        ``pqlkit/report/2``.
    """
    kind, _, spans = figures["snapshots"].partition(":")
    told = ", ".join(in_words(span) for span in spans.split(","))
    return f"every {told}" if kind == "every" else f"{told} after they began"


def times_as_often(figures: Mapping[str, Any]) -> str:
    """Give the two rates that the ratio at snapshots is of: ``22.6% against 1.6%``."""
    sides = figures["funnel"]["snapshot"]
    return f"{percent(sides['with']['rate'])} against {percent(sides['without']['rate'])}"


def newest(figures: Mapping[str, Any]) -> list[str]:
    """Say what became of the newest complete period since the one before it; nothing where there are not two."""
    complete = [row for row in figures["periods"] if row["mature"]]
    if len(complete) < 2 or not complete[-1]["change"]:
        return []
    before, now = complete[-2:]
    change = now["change"]
    more = now["starts"] - before["starts"]
    than = "as many as" if not more else f"{abs(more):,} {'more' if more > 0 else 'fewer'} than"
    rates = [f"{row['period']}: {percent(row['pql_to_customer']['rate'])}" for row in (now, before)]
    return [
        f"{', '.join(rates)}, {points(change['value'], change['low'], change['high'])}{'' if is_clear(change) else ', no clear change'}.",
        f"{now['starts']:,} new {figures['words']['leads']} in {now['period']} ({now['per_week']:.0f} a week; {figures['pqls_per_week']['median']:.0f} in the median "
        f"week so far), {than} in {before['period']}.",
    ]


def which_rate(figures: Mapping[str, Any]) -> str:
    """Say which rate to quote, and what the others that this report shows count; nothing where there is no other.

    Parameters
    ----------
    figures
        ``pqlkit/report/2``.
    """
    words, funnel = figures["words"], figures["funnel"]
    quoted, cohort = percent(funnel["pql_to_customer"]["rate"]), funnel["cohort"]
    ever, young = (part["pql_customers"].get("rate") for part in (funnel["to_date"], cohort))
    soon, by = in_words(cohort["pql_within"]), in_words(cohort["customer_by"])
    others = [
        (ever, f"of all {words['leads']} so far {words['success']}, at any time since, so that it rises as they age"),
        (young, f"of those that became {words['leads']} within {soon} of signing up did, within {by} of it"),
        (
            funnel["snapshot"]["with"]["rate"],
            f"of those that met the rule {'on a date' if figures['snapshots'].startswith('every') else when(figures)}, new or not, did within {window(figures, snapshots=True)}",
        ),
    ]
    told = [f"{percent(rate)} {what}" for rate, what in others if rate is not None and percent(rate) != quoted]
    if quoted == "-" or not told:
        return ""
    return (
        f"Quote {quoted}: of every new {words['lead']}, followed for {window(figures)}. The other rates of this report count "
        f"otherwise: {'; '.join(told)}."
    )


def chosen_on(figures: Mapping[str, Any]) -> str:
    """Say on how many leads the rule was chosen, and the rate of those that came later; or nothing.

    Parameters
    ----------
    figures
        ``pqlkit/report/2``.
    """
    chosen, words = figures["chosen_on"], figures["words"]
    if not chosen:
        return ""
    later = chosen["later"]
    told = (
        f"The rule was chosen on {chosen['leads']:,} {words['leads']} of {chosen['from']} to {chosen['through']}, whose rate can flatter it. Of "
        f"those from {chosen['later_from']} on"
    )
    if not later["denominator"]:
        return f"{told} none is complete."
    return (
        f"{told}, {later['numerator']:,} of {later['denominator']:,} {words['success']}: {percent(later['rate'])} "
        f"{interval(later['low'], later['high'])}."
    )


def how_judged(figures: Mapping[str, Any]) -> str:
    """Say why a fall has to be so large to be told, and why it may have to be larger where there are more leads; or nothing."""
    told = newest_told(figures["periods"])
    if told is None or not told["drift"]["comparable"]:
        return ""
    drift, leads = told["drift"], figures["words"]["leads"]
    level = (
        f"A fall is told only where it stands at a level of {percent(drift['level'])}: twelve verdicts a year may together be "
        "wrong in 5%."
    )
    if drift["comparable"] > SAME_AGE * told["judged"]:
        return level
    return (
        f"{level} And only {figures['entity']}s of the same ages are compared: beside the baseline, the {told['judged']:,} "
        f"complete {leads} of {told['period']} are worth {drift['comparable']:,.0f}. So among more {leads}, if they are older, a fall may "
        "have to be larger to show."
    )


def is_clear(change: Mapping[str, Any]) -> bool:
    """Say whether the interval of a change leaves no change out; without a change there is nothing to doubt."""
    return not change or change["low"] > 0 or change["high"] < 0


def against_baseline(period: Mapping[str, Any]) -> str:
    """Say what was found of a period, and what could have been missed.

    Parameters
    ----------
    period
        One of the report's ``periods``.
    """
    drift: Mapping[str, Json] = period["drift"]
    p = "" if drift["p_value"] is None else f", {chance(float(str(drift['p_value'])))}"
    part = "" if period["mature"] else f", at {period['judged']:,} of {period['starts']:,} complete"
    so_far = f"still in progress: {period['pql_to_customer']['denominator']:,} of {period['starts']:,} complete"
    match drift["verdict"]:
        case "no-change-found":
            return f"{_none_found(period['drift'])}{part}"
        case "too-few-to-tell":
            shows = period["drift"]["detectable_fall"]
            return "too few leads to see a fall by half" + (
                f": it shows from {100 * shows:.1f} points" if shows else ""
            )
        case "in-progress":
            return so_far
        case "rate-fell":
            fall = period["drift"]["rate_difference"]
            return f"rate fell, {points(fall['value'], fall['low'], fall['high'])}{p}{part}"
        case "others-changed":
            return f"others' rate changed{p}{part}"
        case "share-changed":
            return f"share qualifying changed{p}{part}"
        case _ if period["baseline"]:
            return "the baseline"
        case _:
            return "before the baseline" if period["mature"] else so_far


def _none_found(drift: Mapping[str, Any]) -> str:
    """Say which fall cannot be: what came leaves none so large possible, or one so large would have been seen."""
    size, shown = 100 * drift["missed_fall"], drift["detectable_fall"]
    if shown is None or drift["missed_fall"] < shown:
        return f"no fall: one of {size:.1f} points or more is ruled out"
    return f"none found; a fall of {size:.1f} points would have shown"


def baseline(periods: Sequence[Mapping[str, Any]]) -> str:
    """Say the rate of the baseline, taken together: ``2025-Q1 to 2025-Q4 (84 of 460, 18.3%)``; nothing without a baseline."""
    rows = [row for row in periods if row["baseline"]]
    if not rows:
        return ""
    since = " to ".join(dict.fromkeys((rows[0]["period"], rows[-1]["period"])))
    hits, complete = (sum(row["pql_to_customer"][part] for row in rows) for part in ("numerator", "denominator"))
    return f"{since} ({hits:,} of {complete:,}, {percent(hits / complete)})" if complete else since


def judged(periods: Sequence[Mapping[str, Any]]) -> str:
    """Say what was found in the newest period of which enough is complete, against which."""
    told, since = newest_told(periods), baseline(periods)
    if told is None or not since:
        return "No period is old enough to be compared with one before it."
    return f"Has it fallen? {told['period']} against the baseline, {since}: {against_baseline(told)}."


def newest_told(periods: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Give the newest period of which something is told against the baseline."""
    told = [row for row in periods if row["drift"]["verdict"] not in (None, "in-progress")]
    return told[-1] if told else None


def near_then(figures: Mapping[str, Any]) -> str:
    """Say when those were near of whom it is told what became of them."""
    misses = figures["near_misses"]
    dates = ", ".join(date[:10] for date in reversed(misses["dates"]))
    return f"near on {dates}, followed for {in_words(str(figures['conversion_window']))} each"


def near_now(figures: Mapping[str, Any]) -> str:
    """Say who is near now, and how many leads a nudge would add."""
    misses, now = figures["near_misses"], figures["near_misses"]["now"]
    if not now:
        return "Nobody is near now."
    who = f"{figures['entity']} is near" if now == 1 else f"{figures['entity']}s are near"
    words, reach, before = figures["words"], misses["in_reach"], misses["qualified"]
    lack = f"{reach:,} {'lacks' if reach == 1 else 'lack'}" if reach < now else "it lacks" if now == 1 else "all lack"
    told = f"Now {now:,} {who}; {lack} at most 10% or one step"
    if not reach:
        return f"{told}."
    if not before["denominator"]:
        return f"{told}. A nudge could add at most {reach:,} {words['lead' if reach == 1 else 'leads']}."
    net = reach * (1 - before["rate"])
    most = f"at most about {net:.0f}" if net >= 1 else "less than one"
    return (
        f"{told}. Of those near before, {before['numerator']:,} of {before['denominator']:,} became {words['leads']} anyway, so that a "
        f"nudge could add {most}."
    )


def near_means(figures: Mapping[str, Any]) -> str:
    """Say what near means: ``80% of the way, active in 14 days``."""
    misses = figures["near_misses"]
    return f"{100 * misses['at_least']:.6g}% of the way, active in {in_words(misses['active_within'])}"


def next_steps(figures: Mapping[str, Any]) -> list[str]:
    """Say what the figures leave to be done: a rule that does less, leads that nobody called, near misses, customers no rule found."""
    words, newest_period = figures["words"], newest_told(figures["periods"])
    steps = []
    if newest_period is not None:
        steps.append(_about_the_rule(newest_period))
    contacted = figures["contacted"]
    if contacted:
        never = contacted["never"]
        total = never["denominator"] + contacted["before"]["denominator"] + contacted["after"]["denominator"]
        steps.append(
            f"{never['denominator']:,} of {total:,} new {words['leads']} with a complete window were contacted by nobody."
        )
        after, late = contacted["after"]["denominator"], contacted["after_later"]["denominator"]
        if late:
            steps.append(
                f"Of the {after:,} first contacted after qualifying, {late:,} had waited for more than 3 days."
            )
    if not figures["arms"]:
        steps.append(
            "To learn whether calls help, leave one in five alone, drawn by lot, and compare: pqlkit score --control 20%."
        )
    if figures["near_misses"]["now"]:
        steps.append(near_now(figures))
    others = figures["funnel"]["to_date"]["other_customers"]
    if others and others["numerator"]:
        customers = figures["funnel"]["to_date"]["customers"]
        steps.append(
            f"{others['numerator']:,} of {customers:,} {words['who']} were never {words['leads']}: look at what they did instead."
        )
    return steps


def _about_the_rule(period: Mapping[str, Any]) -> str:
    match period["drift"]["verdict"]:
        case "rate-fell":
            return f"The rate fell in {period['period']}: choose the rule again on what came since."
        case "others-changed" | "share-changed":
            return f"In {period['period']} {against_baseline(period)}: look at who signs up now, and at what they are asked to do."
        case _:
            return f"Keep the rule: nothing says that it does less in {period['period']}."
