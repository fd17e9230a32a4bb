"""The correlation: which behaviours go with converting, what is left of each after adjustment, and from which threshold on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pqlkit.analysis.tiers import Tier
from pqlkit.definitions.nouns import deed, span
from pqlkit.inert import visible
from pqlkit.reporting.next_command import Invocation, broken, following
from pqlkit.reporting.renderers.layout import WIDEST, spread, table, wrapped
from pqlkit.reporting.renderers.words import (
    about,
    compact,
    doing,
    having_done,
    named,
    percent,
    plural,
    ratio,
    window_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.association import Association
    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.statistics.estimate import Estimate

SENTENCE: Final = "An association: it says who converts, not why."
NO_DIFFERENCE: Final = 1.2
SIGNIFICANT: Final = 0.05
WIDE: Final = 119
"""Columns from which on the adjusted figures stand in the same table."""
COMPARED: Final = 4
"""Behaviours of which the adjusted figures are listed on 80 columns."""
FEWEST: Final = 20
"""Snapshots that a threshold needs to be shown."""
RUNGS: Final = 8
FEW_TRAITS: Final = 2
"""Traits that are named in a sentence."""
_HIDDEN: Final = frozenset({"meter", "part-of-conversion", "follows-conversion", "near-deterministic", "rare"})
_OBVIOUS: Final = frozenset({"activity", "mechanical", "automatic", "part-of-outcome"})
"""Flags of behaviours that answer nothing: being active, reaching a limit, what a machine did."""
_MARKS: Final = {"activity": "activity", "mechanical": "limit event", "automatic": "automatic"}


def is_little(analysis: Analysis) -> bool:
    """Say whether there are too few conversions for a search: then what was written down is tested, and nothing is ranked."""
    return analysis.tier in {Tier.DESCRIBE, Tier.HYPOTHESES}


def winners(analysis: Analysis) -> list[Association]:
    """Give what is shown of the rows that `leading` chooses."""
    return as_shown(leading(analysis))


def leading(analysis: Analysis) -> list[Association]:
    """Choose one row per event: its first of those that go with more conversions, by more than chance and by a size that matters.

    None with too few conversions for a search: the best of many rows would be luck, and one snapshot that did it a rate of 100 %.
    """
    if is_little(analysis):
        return []
    seen: set[tuple[str | None, str]] = set()
    rows = []
    for association in analysis.behaviours:
        key = (association.behaviour.event, "days" if association.behaviour.event is None else "")
        shown = association.as_shown()
        if key not in seen and shown is not None and _differs(shown):
            seen.add(key)
            rows.append(association)
    return rows


def as_shown(rows: Sequence[Association]) -> list[Association]:
    """Give rows at the thresholds that enough snapshots and converters reach, without those that have none."""
    return [shown for row in rows if (shown := row.as_shown()) is not None]


def _differs(association: Association) -> bool:
    return (
        association.q_value is not None
        and association.q_value < SIGNIFICANT
        and (risk(association).low or 0) > NO_DIFFERENCE
        and not _HIDDEN & set(association.flags)
    )


def risk(association: Association) -> Estimate:
    """Give the relative risk, with the interval of rows that go together."""
    return association.table.relative_risk(design_effect=association.design_effect)


def adjusted(association: Association) -> Estimate | None:
    """Give the adjusted relative risk; None where it was not fitted, and for activity itself, which it is adjusted for."""
    effect = association.effect
    if effect is None or effect.relative_risk.value is None or "activity" in association.flags:
        return None
    return effect.relative_risk


def _remains(association: Association) -> bool:
    estimate = adjusted(association)
    return estimate is not None and (estimate.low or 0) > 1


def answer_of(analysis: Analysis) -> Association | None:
    """Choose the behaviour that answers: of those that stay associated after adjustment, the largest adjusted relative risk.

    Where nothing could be adjusted, the closest correlation.
    """
    rows = [row for row in winners(analysis) if not _OBVIOUS & set(row.flags)]
    if any(adjusted(row) is not None for row in rows):
        rows = [row for row in rows if _remains(row)]
    return max(rows, key=lambda row: (_value(adjusted(row)), row.table.phi or 0), default=None)


def _value(estimate: Estimate | None) -> float:
    return 0.0 if estimate is None or estimate.value is None else estimate.value


def headline(analysis: Analysis) -> str:
    """Say which behaviour goes with converting, from which threshold on, and how much more often."""
    row = answer_of(analysis)
    if row is None:
        return f"No behaviour stays associated with converting after adjustment for {allowed_for(winners(analysis))}."
    kind = analysis.observed.population.kind.value
    counts, outcome = row.table, analysis.observed.population.outcome
    window = span(replace(outcome, within=analysis.observed.snapshots.design.conversion_window))
    estimate = risk(row)
    more = (
        f"{estimate.value:.0f} times"
        if estimate.value is not None and estimate.value >= 9.95
        else f"{about(estimate)} times"
    )
    return (
        f"{kind.capitalize()}s {having_done(row.behaviour, row.threshold)} {deed(outcome) or 'converted'} {more} as often as the others: "
        f"{percent(counts.with_.rate)} against {percent(counts.without.rate)} within the next {window}."
    )


def sureness(analysis: Analysis) -> str:
    """Say how sure the headline is; without one, what was strongest."""
    row = answer_of(analysis)
    if row is None:
        strongest = max(winners(analysis), key=lambda shown: shown.table.phi or 0, default=None)
        if strongest is None:
            return (
                f"{plural(analysis.tests, 'test')}, false discovery rate 5%; none goes with more by a size that matters"
            )
        left = adjusted(strongest)
        less = "" if left is None else f"; adjusted {ratio(left)}"
        return f"Strongest: {doing(strongest.behaviour, strongest.threshold)}, relative risk {ratio(risk(strongest))}{less}"
    estimate, left = risk(row), adjusted(row)
    said = f"Relative risk {about(estimate)}, 95% CI {_ends(estimate)}."
    if left is None:
        return f"{said} It could not be adjusted for activity."
    then = f"{about(left)} {_ends(left)} when adjusted for {allowed_for([row])}"
    if about(left) == about(estimate):
        return f"{said} It stays {then}."
    return f"{said} It {'falls' if _value(left) < _value(estimate) else 'rises'} to {then}, and stays above 1."


def _ends(estimate: Estimate) -> str:
    return ratio(estimate).partition(" ")[2]


def answer(analysis: Analysis, call: Invocation, *, rests_on: str, width: int = 79) -> list[str]:
    """Give the first lines: the answer, how sure it is, what it rests on, and what comes next."""
    lines = wrapped(headline(analysis), "", width=width)
    for label, text in (("How sure", sureness(analysis)), ("Rests on", rests_on)):
        lines += wrapped(text, f"  {label:<10}  ", " " * 14, width=width)
    return [*lines, *following([call.next("propose")], width), SENTENCE]


def correlation(analysis: Analysis, call: Invocation, top: int, width: int = 79) -> list[str]:
    """Give the table of behaviours by their correlation with converting, and after it what the table does not say."""
    events = {association.behaviour.event for association in analysis.behaviours}
    every = sorted(winners(analysis), key=lambda row: -(row.table.phi or 0))
    rows = every[:top]
    head = spread(
        "CORRELATION WITH CONVERSION", f"{len(every)} of {len(events)} behaviours are associated (FDR 5%)", width
    )
    if not rows:
        return [head, "  none goes with more conversions by more than chance and by a size that matters"]
    usual = _usual(rows)
    heads, cells = _wide(rows, usual, width) if width >= WIDE else _narrow(rows, usual)
    lines = [head, *table([*heads, *cells], width=width)]
    if len(every) > top:
        more = call.next("analyze", "--top", str(2 * top))
        lines += broken_after(f"... {len(every) - top} more:", more, width)
    total, most = rows[0].table.total, _largest_phi(rows[0])
    limit = (
        ""
        if most is None
        else f" phi cannot exceed {most:.2f} in the first row ({percent(rows[0].table.base.rate)} convert)."
    )
    lines += wrapped(f"Share of {total:,} snapshots.{limit}", "  ", width=width)
    lines += [*_alike(rows, width), *nulls(analysis)]
    return [*lines, *([] if width >= WIDE else _adjusted(rows, width))]


def broken_after(words: str, command: str, width: int) -> list[str]:
    """Set a command line behind some words, or below them where it does not fit."""
    line = f"  {words} {command}"
    return [line] if len(line) <= width else [f"  {words}", *broken(command, "    ", width)]


def _usual(rows: Sequence[Association]) -> str:
    """Name the window that most rows have: it stands in the head, and others beside their names."""
    windows = [window_in_words(row.behaviour) for row in rows]
    return max(dict.fromkeys(windows), key=windows.count)


def _name(row: Association, usual: str) -> str:
    marks = [word for flag, word in _MARKS.items() if flag in row.flags]
    length = row.behaviour.window.length
    other = f", {length.amount} {length.unit}" if length is not None and window_in_words(row.behaviour) != usual else ""
    return doing(row.behaviour, row.threshold) + other + (f" ({', '.join(marks)})" if marks else "")


def _narrow(rows: Sequence[Association], usual: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    heads: list[tuple[str, ...]] = [
        ("", "", "share", "rate", "rate", "relative risk"),
        (f"behaviour {usual}", "phi", "doing", "with", "without", "[95% CI]"),
    ]
    return heads, [
        (
            _name(row, usual),
            _phi(row),
            percent(row.table.share.rate),
            percent(row.table.with_.rate),
            percent(row.table.without.rate),
            ratio(risk(row)),
        )
        for row in rows
    ]


def _wide(rows: Sequence[Association], usual: str, width: int) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Give counts beside rates and the adjusted figures in the same row; on the widest terminals the odds ratios, too."""
    odds = width >= WIDEST
    heads = [("", f"behaviour {usual}"), ("", "phi"), ("converted", "with"), ("converted", "without")]
    heads += [("relative risk", "[95% CI]"), ("adjusted", "[95% CI]"), ("", "q")]
    if odds:
        heads += [("share", "doing"), ("odds ratio", "[95% CI]"), ("adjusted", "[95% CI]")]
    cells = []
    for row in rows:
        counts, left = row.table, adjusted(row)
        cell = [
            _name(row, usual),
            _phi(row),
            f"{counts.a:,}/{counts.n1:,} {percent(counts.with_.rate)}",
            f"{counts.c:,}/{counts.n0:,} {percent(counts.without.rate)}",
            ratio(risk(row)),
            "-" if left is None else ratio(left),
            "-" if row.q_value is None else "<0.001" if row.q_value < 0.001 else f"{row.q_value:.3f}",
        ]
        if odds:
            cell += [
                percent(counts.share.rate),
                ratio(counts.odds_ratio(design_effect=row.design_effect)),
                _odds(row),
            ]
        cells.append(tuple(cell))
    return [tuple(head[place] for head in heads) for place in (0, 1)], cells


def _odds(row: Association) -> str:
    return "-" if row.adjusted is None or row.adjusted.value is None or adjusted(row) is None else ratio(row.adjusted)


def _phi(row: Association) -> str:
    return "-" if row.table.phi is None else f"{row.table.phi:.2f}"


def _largest_phi(row: Association) -> float | None:
    """Give the largest phi that a table with the same margins can have."""
    share, base = row.table.share.rate, row.table.base.rate
    if not share or not base or share == 1 or base == 1:
        return None
    low, high = sorted((share, base))
    return float((low * (1 - high) / (high * (1 - low))) ** 0.5)


def _alike(rows: Sequence[Association], width: int) -> list[str]:
    """Name the groups of events that cannot be told apart, the ones on the screen first in each."""
    on_screen = {str(row.behaviour.event) for row in rows}
    groups = sorted({tuple(sorted((str(row.behaviour.event), *row.alike))) for row in rows if row.alike})
    told = []
    for group in groups[:3]:
        names = [visible(name, 60) for name in sorted(group, key=lambda name: (name not in on_screen, name))]
        left = f"{len(names) - 4} more" if len(names) > 4 else names.pop()
        told.append(f"{', '.join(names[:4])} and {left}")
    return wrapped(f"Done by nearly the same: {'; '.join(told)}.", "  ", "    ", width=width) if told else []


def _adjusted(rows: Sequence[Association], width: int) -> list[str]:
    """Set the relative risks beside what is left of them after adjustment."""
    fitted = sorted((row for row in rows if adjusted(row) is not None), key=lambda row: -_value(adjusted(row)))
    if not fitted:
        return []
    kept = [row for row in fitted if _remains(row)]
    listed, others = kept[:COMPARED] or fitted[:COMPARED], kept[COMPARED:]
    usual = _usual(rows)
    head = spread(f"ADJUSTED for {allowed_for(fitted)}", f"{len(kept)} of {len(fitted)} remain associated", width)
    heads = [("relative risks", "unadjusted [95% CI]", "adjusted [95% CI]")]
    cells = [(_name(row, usual), ratio(risk(row)), ratio(adjusted(row) or risk(row))) for row in listed]
    lines = ["", head, *table([*heads, *cells], width=width)]
    if others:
        values = [_value(adjusted(row)) for row in others]
        ends = f"{min(values):.1f} and {max(values):.1f}"
        lines += wrapped(f"{len(others)} more lie between {ends}.", "  ", width=width)
    gone = [row for row in fitted if not _remains(row) and row not in listed]
    if gone:
        said = ", ".join(
            f"{visible(str(row.behaviour.event), 60)} {ratio(adjusted(row) or risk(row))}" for row in gone[:3]
        )
        more = ", ..." if len(gone) > 3 else ""
        lines += wrapped(f"The interval of {len(gone)} holds 1: {said}{more}", "  ", width=width)
    traits = _traits(fitted)
    return lines + (
        wrapped(f"Fixed traits: {', '.join(traits)}.", "  ", width=width) if len(traits) > FEW_TRAITS else []
    )


def allowed_for(shown: Sequence[Association]) -> str:
    """Name what the adjusted figures allow for; of many traits how many they are."""
    traits = _traits(shown)
    if len(traits) > FEW_TRAITS:
        return f"activity, age and {len(traits)} fixed traits"
    names = ["activity", "age", *traits]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _traits(shown: Sequence[Association]) -> list[str]:
    return [
        visible(trait, 60)
        for trait in sorted({trait for row in shown if row.effect is not None for trait in row.effect.traits})
    ]


def thresholds(analysis: Analysis, width: int = 79) -> list[str]:
    """Show phi at every threshold and in every window of the answer's behaviour, and the rate in its own window."""
    first = answer_of(analysis) or next(iter(sorted(winners(analysis), key=lambda row: -(row.table.phi or 0))), None)
    if first is None or first.behaviour.event is None:
        return []
    rows = [
        row
        for row in analysis.behaviours
        if (row.behaviour.event, row.behaviour.measure, row.behaviour.where)
        == (first.behaviour.event, first.behaviour.measure, first.behaviour.where)
    ]
    rows.sort(key=lambda row: 0 if row.behaviour.window.length is None else row.behaviour.window.length.microseconds)
    own = next(row for row in rows if row.behaviour.window == first.behaviour.window)
    values = {step.threshold: step for step in own.curve if step.table.n1 >= FEWEST}
    chosen = _rungs(list(values), first.threshold, RUNGS if width < WIDE else 2 * RUNGS)
    if len(chosen) < 2:
        return []
    best = (own.behaviour.window, first.threshold)
    cells = [("at least", *(compact(threshold) for threshold in chosen))]
    for row in rows:
        steps = {step.threshold: step for step in row.curve if step.table.n1 >= FEWEST}
        figures = (
            "-"
            if threshold not in steps
            else f"{'*' if (row.behaviour.window, threshold) == best else ''}{steps[threshold].table.phi or 0:.2f}"
            for threshold in chosen
        )
        cells.append((window_in_words(row.behaviour).removeprefix("in the "), *figures))
    length = own.behaviour.window.length
    over = "" if length is None else f", {length.in_words}"
    cells.append((f"rate{over}", *(percent(values[threshold].table.with_.rate) for threshold in chosen)))
    cells.append(("snapshots", *(f"{values[threshold].table.n1:,}" for threshold in chosen)))
    none = own.curve[0].table
    title = f"THRESHOLD of {_subject(first.behaviour)}: phi"
    return [
        "",
        *wrapped(f"{title}  (* in the answer, - under {FEWEST} snapshots)", "", "  ", width=width),
        *table(cells, width=width),
        f"  none of it: {percent(none.without.rate)} of {none.n0:,}",
    ]


def _subject(behaviour: Behaviour) -> str:
    return named(behaviour, 80)


def _rungs(thresholds: list[int], best: int, most: int) -> list[int]:
    """Choose so many thresholds as fit, spread over all of them, the first and the best among them."""
    if len(thresholds) <= most:
        return thresholds
    places = {round(index * (len(thresholds) - 1) / (most - 1)) for index in range(most)}
    at = thresholds.index(best) if best in thresholds else 0
    if at not in places:
        nearest = min(places - {0}, key=lambda place: abs(place - at))
        places = places - {nearest} | {at}
    return [thresholds[index] for index in sorted(places)]


def nulls(analysis: Analysis) -> list[str]:
    """Show plainly what makes no difference: intervals that hold 1 and are narrow."""
    best: dict[str, Association] = {}
    for value in as_shown(analysis.behaviours):
        event = value.behaviour.event
        if event is None or _HIDDEN & set(value.flags):
            continue
        rival = best.get(event)
        if rival is None or (value.q_value or 1) < (rival.q_value or 1):
            best[event] = value
    without = [value for value in best.values() if value.q_value is not None and value.q_value >= SIGNIFICANT]
    without.sort(key=lambda value: (-(value.table.a + value.table.b), value.behaviour.event or ""))
    texts = []
    for value in without[:4]:
        ends = risk(value)
        if ends.low is None or ends.high is None or not ends.low <= 1 <= ends.high:
            continue
        texts.append(f"{named(value.behaviour, 80)} {ratio(ends)}")
    if not texts:
        return []
    more = f", {len(without) - 4} more" if len(without) > 4 else ""
    return wrapped(f"No difference (relative risk): {', '.join(texts)}{more}", "  ", "    ")
