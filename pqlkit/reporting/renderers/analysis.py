"""The analysis for people: where upgrades fall, who was looked at, which behaviours differ, what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.analysis.tiers import HYPOTHESES_BELOW, Tier
from pqlkit.inert import visible
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.population.stays import is_expansion
from pqlkit.reporting.records.analysis import behaviour, record
from pqlkit.reporting.renderers.cohorts import cohorts
from pqlkit.reporting.renderers.layout import fit, spread, styled, wrapped
from pqlkit.reporting.renderers.tabular import flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.timing import notes, timing
from pqlkit.reporting.renderers.words import compact, day, interval, month, named, percent, ratio, sparkline, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.association import Association, Step
    from pqlkit.analysis.bend import Shape
    from pqlkit.analysis.fewer import Fewer
    from pqlkit.analysis.hypotheses import Hypotheses
    from pqlkit.analysis.metering import Meter
    from pqlkit.analysis.observation import Observed
    from pqlkit.analysis.value_metric import ValueMetric
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.rate import Rate

SENTENCE: Final = "Says who upgrades, not why."
NO_DIFFERENCE: Final = 1.2
SIGNIFICANT: Final = 0.05
NAME: Final = 21
LADDER: Final = 8
LESS: Final = 5
"""Behaviours after which fewer convert, and of those that are not monotone, on a terminal."""
ROWS: Final = 10
"""Behaviours that a terminal shows unless told otherwise."""
_HIDDEN: Final = frozenset({"meter", "part-of-conversion", "follows-conversion", "near-deterministic", "rare"})


def as_json(analysis: Analysis) -> str:
    """Give ``pqlkit/analysis/2``."""
    return to_json(record(analysis))


def as_csv(analysis: Analysis) -> str:
    """Give one row per behaviour, nested keys joined with dots, without the curve."""
    rows = []
    for association in analysis.behaviours:
        row = flat({key: value for key, value in behaviour(association).items() if key not in {"curve", "shown"}})
        rows.append({**row, "flags": " ".join(association.flags), "alike": " ".join(association.alike)})
    columns = list(rows[0]) if rows else ["event", "measure", "window", "threshold"]
    return to_csv(rows, columns)


def as_markdown(analysis: Analysis, top: int = 20) -> str:
    """Give the behaviours that differ as a table for a document, and the sentence about causes."""
    header = ["behaviour", "window", "at least", "does", "with", "without", "times [95 %]", "allowing for activity"]
    rows = [_cells(association, analysis) for association in winners(analysis)[:top]]
    if is_little(analysis):
        said = f"{analysis.observed.converters} usable upgrades: no behaviours are ranked, it would find luck."
        return f"{said}\n\n{_base_line(analysis)}\n\n{SENTENCE}\n"
    return f"{to_markdown(rows, header, right=range(2, 8))}\n{_base_line(analysis)}\n\n{SENTENCE}\n"


def as_table(analysis: Analysis, top: int = ROWS, *, by: bool = False) -> RenderableType:
    """Give what the terminal shows: at most about 40 lines of 80 columns, and the cohorts where they were asked for.

    Parameters
    ----------
    analysis
        What was found.
    top
        Behaviours to show.
    by
        Whether cohorts were asked for: else a terminal leaves them out.
    """
    from rich.console import Group
    from rich.text import Text

    lines = [*_upgrades(analysis), "", *_population(analysis), ""]
    if is_little(analysis):
        lines += [*_little(analysis), *_compared(analysis)]
    else:
        lines += [*_behaviours(analysis, top), *(_compared(analysis) or _ladder(analysis))]
    lines += cohorts(analysis) if by else []
    lines += [*_left_out(analysis), "", f"{SENTENCE} Next: {_next(analysis)}"]
    return Group(*[styled(Text(line)) for line in lines])


def is_little(analysis: Analysis) -> bool:
    """Say whether there are too few upgrades for a search: then what was written down is tested, and nothing is ranked."""
    return analysis.tier in {Tier.DESCRIBE, Tier.HYPOTHESES}


def _upgrades(analysis: Analysis) -> list[str]:
    observed = analysis.observed
    places, snapshots = observed.snapshots.places, observed.snapshots
    began = f"events from {day(observed.population.history_from)}"
    lines = [spread("UPGRADES", f"as of {day(observed.population.as_of)}, {began}")]
    rows = f"{places.rows:,} rows   {places.first:,} first upgrades"
    for count, what in (
        (places.repeats, "repeats"),
        (places.filtered, "filtered"),
        (places.unknown_entity, "of unknown ids"),
    ):
        rows += f"   {count:,} {what}" if count else ""
    lines += [*wrapped(rows, "  "), *timing(analysis)]
    where = places_in_words(snapshots)
    for key, text in where.items():
        if getattr(places, key):
            lines.append(f"  {getattr(places, key):>9,}  {text}{'   <- used here' if key == 'used' else ''}")
    if snapshots.reason:
        lines += wrapped(snapshots.reason, "  ")
    return lines + [line for text in notes(analysis) for line in wrapped(text, "  ", "    ")]


def places_in_words(snapshots: Snapshots) -> dict[str, str]:
    """Say where first conversions went: the place's name in the JSON -> words."""
    longest, conversion_window = snapshots.design.longest, snapshots.design.conversion_window
    every = snapshots.design.kind is DesignKind.EVERY
    return {
        "used": f"within {conversion_window} of a snapshot{' of an active one' if every else ''}",
        "before_history": f"before there are {longest} of history",
        "before_first_snapshot": "before the first snapshot",
        "gap": f"within {snapshots.design.gap} of the snapshot (gap)",
        "not_retained": "did not stay",
        "dormant": f"within {conversion_window} of a snapshot of a dormant one",
        "later": "after every conversion window",
        "in_progress": "too recent to judge",
        "ineligible": "not eligible",
        "customer_already": "customers before they began",
        "invalid": "clock faults",
        "deleted": "deleted before",
    }


def _population(analysis: Analysis) -> list[str]:
    classes, base, snapshots = analysis.observed.snapshots.classes, analysis.observed.base, analysis.observed.snapshots
    kind = analysis.observed.population.kind.value
    lines = [spread("POPULATION", f"snapshots {snapshots.text}")]
    seen = classes.converted + classes.not_converted
    others = (
        (classes.dormant, "dormant"),
        (classes.early, "converted before a snapshot"),
        (classes.customer_already, "customers already"),
        (classes.unobserved, "before the events begin"),
        (classes.in_progress, "too young"),
        (classes.ineligible, "not eligible"),
        (classes.deleted, "deleted"),
        (classes.invalid, "with clock faults"),
    )
    parts = [f"{seen:,} looked at", *[f"{count:,} {what}" for count, what in others if count]]
    lines += wrapped(f"{classes.entities:,} {who(analysis)} = {' + '.join(parts)}", "  ")
    lines.append(f"  {_base_line(analysis)}")
    lines += _on_the_curve(analysis)
    if base.design_effect > 1:
        lines.append(f"  {_together(kind, analysis)} go together: intervals are those of n / {base.design_effect:.2f}")
    dormant = snapshots.dormant
    if dormant.snapshots:
        share = dormant.converted / dormant.snapshots
        lines.append(
            f"  dormant, apart: {dormant.snapshots:,} snapshots, {dormant.converted:,} upgrades ({percent(share)})"
        )
    return lines


def _on_the_curve(analysis: Analysis) -> list[str]:
    """Give the base rate with those whose conversion window is not over, where there are any."""
    curve, snapshots = analysis.curve, analysis.observed.base.denominator
    if curve.rate.value is None or curve.snapshots <= snapshots:
        return []
    said = f"{percent(curve.rate.value)} {interval(curve.rate.low, curve.rate.high)}"
    return [f"  with {curve.snapshots - snapshots:,} more in progress (Kaplan-Meier): {said}"]


def who(analysis: Analysis) -> str:
    """Name what the classes count: with an outcome of customers, stays at risk, of which an entity may have several."""
    population = analysis.observed.population
    people = f"{population.kind.value}s"
    if not is_expansion(population.outcome):
        return people
    return f"stays at risk of {population.entities['id'].n_unique():,} {people}"


def _together(kind: str, analysis: Analysis) -> str:
    """Say whose snapshots are not independent: one entity's where they overlap, else those of users who share an account."""
    age = analysis.observed.snapshots.design.kind is DesignKind.AGE
    return f"snapshots of one {kind}" if age or kind != "user" else "users of one account"


def _base_line(analysis: Analysis) -> str:
    base = analysis.observed.base
    text = base_counts(analysis.observed)
    return text if base.rate is None else f"{text}: {percent(base.rate)} {interval(base.low, base.high)}"


def base_counts(observed: Observed) -> str:
    """Say how many snapshots there are, and how many of them were followed by an upgrade."""
    base, design = observed.base, observed.snapshots.design
    # Snapshots at ages overlap, and several may be followed by the same upgrade.
    upgrades = "followed by an upgrade" if design.kind is DesignKind.AGE else "upgrades"
    people = observed.converters
    whose = "" if people == base.numerator else f" ({people:,} {observed.population.kind.value}s)"
    return f"{base.denominator:,} snapshots, {base.numerator:,} {upgrades}{whose} in {design.conversion_window}"


def _little(analysis: Analysis) -> list[str]:
    from pqlkit.statistics.power import detectable_relative_risk

    usable = analysis.observed.converters
    lines = [f"SMALL DATA: {usable} usable upgrades. No search: it would find luck."]
    power = detectable_relative_risk(usable, 0.25) if usable else None
    seen = (
        f"With {usable}, a behaviour of every fourth snapshot shows only if it multiplies the rate by {times(power)} or more. "
        if power is not None
        else ""
    )
    opens = analysis.search_opens
    pace = f": about {month(opens)} at this pace" if opens is not None else ""
    lines += wrapped(f"{seen}Search starts at {HYPOTHESES_BELOW}{pace}.", "  ")
    lines += _hypotheses(analysis)
    every = analysis.observed.snapshots.places.first
    return [*lines, f"READ YOUR {every:,}: pqlkit explain --converters   (one screen each, worth an hour)"]


def _hypotheses(analysis: Analysis) -> list[str]:
    """Show what the written definitions did, and which of them gives leads already."""
    hypotheses, folder = analysis.hypotheses, analysis.observed.population.project.definitions.name
    if hypotheses is None:
        return []
    if not hypotheses.tested:
        lines = [f"YOUR HYPOTHESES: none in {visible(folder, 30)}/"]
        return [*lines, *_untested(hypotheses), '  write one: pqlkit try "EVENT >= 3 in 14d" --save FILE']
    lines = [
        f"YOUR HYPOTHESES ({visible(folder, 30)}/*.yml; {len(hypotheses.tested)} tested, Holm)",
        f"  {'':<24} {'with':>15} {'without':>15} {'times [95 %]':>15}",
    ]
    words = {"more": "yes", "fewer": "less", "open": "?"}
    for hypothesis in hypotheses.tested:
        risk = hypothesis.relative_risk
        lines.append(
            f"  {visible(hypothesis.definition.name, 24):<24} {_ratio(hypothesis.table.with_):>15} {_ratio(hypothesis.table.without):>15} "
            f"{ratio(risk, gap=''):>15} {words[hypothesis.verdict]:>4}"
        )
    lines += _untested(hypotheses)
    for hypothesis in hypotheses.tested:
        if hypothesis.verdict == "more":
            pace = hypothesis.pqls_per_week.median
            about = "" if pace is None else f"   (about {pace:.0f} a week)"
            path = hypothesis.definition.path or f"{folder}/{hypothesis.definition.name}.yml"
            lines += wrapped(f"USE NOW: pqlkit score -d {visible(str(path), 200)}{about}", "")
    return lines


def _untested(hypotheses: Hypotheses) -> list[str]:
    return [
        line
        for name, reason in hypotheses.left_out[:5]
        for line in wrapped(f"not tested: {visible(name, 40)} {visible(reason, 200)}", "  ", "    ")
    ]


def _ratio(value: Rate) -> str:
    return f"{value.numerator:,}/{value.denominator:,} {percent(value.rate)}"


def winners(analysis: Analysis) -> list[Association]:
    """Give what is shown of the rows that `leading` chooses."""
    return _as_shown(leading(analysis))


def leading(analysis: Analysis) -> list[Association]:
    """Choose one row per event: its first of those that go with more upgrades, by more than chance and by a size that matters.

    None with too few upgrades for a search: the best of many rows would be luck, and one snapshot that did it a rate of 100 %.
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


def _as_shown(rows: Sequence[Association]) -> list[Association]:
    """Give rows at the thresholds that enough snapshots and converters reach, without those that have none."""
    return [shown for row in rows if (shown := row.as_shown()) is not None]


def _differs(association: Association) -> bool:
    risk = association.table.relative_risk(design_effect=association.design_effect)
    return (
        association.q_value is not None
        and association.q_value < SIGNIFICANT
        and (risk.low or 0) > NO_DIFFERENCE
        and not _HIDDEN & set(association.flags)
    )


def _behaviours(analysis: Analysis, top: int) -> list[str]:
    events = {association.behaviour.event for association in analysis.behaviours}
    shown = winners(analysis)
    every = analysis.observed.snapshots.design.kind is DesignKind.EVERY
    conversion_window = str(analysis.observed.snapshots.design.conversion_window)
    head = spread("BEHAVIOURS before an upgrade", f"{len(shown)} of {len(events)} associated with more")
    if not shown:
        lines = [
            head,
            "  none goes with more upgrades by more than chance and by a size that matters",
            *_nulls(analysis),
        ]
        return [*lines, *meters(analysis.meters), *_kinds(analysis), *fewer(analysis.fewer), *_shapes(analysis)]
    fitted = any(
        association.adjusted is not None and association.adjusted.value is not None for association in shown[:top]
    )
    over, under = (" allow.", "  act.*") if fitted else ("", "")
    lines = [
        head,
        f"  {'behaviour':<{NAME}}  {'last' if every else 'in':>4}    at  does  {'upgrade in ' + conversion_window:<14} {'times [95 %]':>15}{over}",
        f"  {'':<{NAME}}       least          with without {'':>15}{under}",
    ]
    lines += [_line(association, fitted=fitted) for association in shown[:top]]
    if len(shown) > top:
        lines.append(f"  ... {len(shown) - top} more: --top {2 * top}")
    lines += _nulls(analysis)
    lines += _same_people(shown[:top])
    lines += _contacted(analysis, shown[0])
    lines += _explained(shown[:top])
    marks = []
    if any("mechanical" in association.flags for association in shown[:top]):
        marks.append("M mechanical")
    if any("automatic" in association.flags for association in shown[:top]):
        marks.append("A automatic")
    if fitted:
        marks.append(f"* odds ratio allowing for {_allowed_for(shown[:top])}")
    lines.append(f"  chi-squared or exact test, FDR 5% over {analysis.tests:,} tests; relative risk above 1.2")
    lines += wrapped("   ".join(marks), "  ", "  ") if marks else []
    return [*lines, *meters(analysis.meters), *_kinds(analysis), *fewer(analysis.fewer), *_shapes(analysis)]


def meters(rows: Sequence[Meter]) -> list[str]:
    """List what is billed apart, by how far ahead it can be seen: using it and paying are one thing."""
    lines = []
    for row in rows:
        told = "as pqlkit.yml says" if row.declared else "as amounts show"
        if row.correlation is not None:
            told += f" (rank correlation {row.correlation:.2f} over {row.conversions:,} conversions)"
        ahead = "" if row.days_ahead is None else f"; first used {row.days_ahead:.0f} days before paying (median)"
        lines += wrapped(f"Limit event: {named(row.behaviour, 60)} is what is billed, {told}{ahead}", "  ", "    ")
    return lines


def _kinds(analysis: Analysis) -> list[str]:
    """Say which kind of an event goes with upgrading, among those who did the event."""
    if not analysis.kinds:
        return []
    lines = ["", spread("WHICH KIND of an event", "among those who did it, as often; FDR, FCR 5%")]
    for row in analysis.kinds[:LESS]:
        test, risk = row.test, row.relative_risk
        table = test.table
        lines += wrapped(
            f"{percent(table.with_.rate)} of {table.n1:,} against {percent(table.without.rate)} of the other {table.n0:,} "
            f"({percent(test.event_rate)} of all), {ratio(risk)} times as often: {visible(test.expression, 200)}",
            "  ",
            "    ",
        )
    return lines


def fewer(rows: Sequence[Fewer]) -> list[str]:
    """List what goes with fewer upgrades, each with the hypothesis to test."""
    if not rows:
        return []
    lines = ["", spread("FEWER UPGRADES among the active", "Mantel-Haenszel test over activity")]
    lines.append(f"  {'behaviour':<{NAME}}  {'in':>4}    at  does   with without   {'times [95 %]':>13} allow.")
    for row in rows[:LESS]:
        table, risk = row.table, None if row.effect is None else row.effect.relative_risk
        lines.append(
            f"  {fit(named(row.behaviour), NAME)}  {row.behaviour.window.length!s:>4} {compact(row.threshold):>5} "
            f"{percent(table.share.rate):>5} {percent(table.with_.rate):>6} {percent(table.without.rate):>6} "
            f"{ratio(row.relative_risk, gap=''):>16} {times(None if risk is None else risk.value):>6}"
        )
        told = f"{command(row)}   ({table.a:,} of {table.n1:,}, {row.expected:,.0f} expected)"
        lines += [f"    {told}"] if len(told) <= 76 else wrapped(told, "    ", "    ")
    return lines


def command(row: Fewer) -> str:
    """Give the command that tests a behaviour's absence."""
    import shlex

    return f"pqlkit try {shlex.quote(visible(row.expression, 400))}"


def _shapes(analysis: Analysis) -> list[str]:
    """Say which behaviours are not monotone, those at zero that convert as often as the top first."""
    shown = sorted(analysis.shapes[:LESS], key=lambda shape: not shape.as_often)
    return [
        line
        for as_often in (True, False)
        if (alike := [shape for shape in shown if shape.as_often is as_often])
        for line in wrapped(not_monotone(alike), "  ", "    ")
    ]


def not_monotone(shapes: Sequence[Shape]) -> str:
    """Say of behaviours that those at zero convert as often (or all of them more often than the middle only)."""
    said = "as often" if shapes[0].as_often else "more often than the middle"
    return f"Not monotone, those at zero convert {said}: {'; '.join(_stretches(shape) for shape in shapes)}"


def _stretches(shape: Shape) -> str:
    most = shape.threshold - 1
    middle = "1" if most == 1 else f"1 to {most:,}"
    return (
        f"{named(shape.behaviour, 40)} in {shape.behaviour.window.length} {percent(shape.none.rate)} at 0, "
        f"{percent(shape.some.rate)} at {middle}, {percent(shape.much.rate)} from {shape.threshold:,} on"
    )


def _contacted(analysis: Analysis, first: Association) -> list[str]:
    """Say how many who did the first had been contacted before: then the call may be what both follow."""
    counted = analysis.contacted_before(first)
    if counted is None:
        return []
    return wrapped(
        f"Contacts: {counted[0]:,} of {counted[1]:,} snapshots with {named(first.behaviour, 40)} had been contacted before",
        "  ",
        "    ",
    )


def _allowed_for(shown: Sequence[Association]) -> str:
    """Name what the adjusted figures allow for."""
    traits = sorted({trait for row in shown if row.effect is not None for trait in row.effect.traits})
    names = ["activity", "age", *(visible(trait, 30) for trait in traits)]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _explained(shown: Sequence[Association]) -> list[str]:
    """Say which behaviours a fixed trait explains: the figures without it and with it."""
    lines = []
    for association in shown:
        effect = association.effect
        if effect is None or effect.without_traits is None or not (effect.explained or effect.untold):
            continue
        said = "explained by" if effect.explained else "not told apart from"
        names = " and ".join(visible(trait, 30) for trait in effect.traits)
        before = effect.without_traits.relative_risk
        lines += wrapped(
            f"{named(association.behaviour, 60)}: {said} {names}: adjusted {ratio(effect.relative_risk)} times as often, "
            f"without {names} {ratio(before)}",
            "  ",
            "    ",
        )
    return lines


def _same_people(shown: Sequence[Association]) -> list[str]:
    """Name the first groups of events that cannot be told apart, the ones on the screen first in each."""
    on_screen = {str(association.behaviour.event) for association in shown}
    groups = sorted(
        {
            tuple(sorted((str(association.behaviour.event), *association.alike)))
            for association in shown
            if association.alike
        }
    )
    lines = []
    for group in groups[:3]:
        names = sorted(group, key=lambda name: (name not in on_screen, name))
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        lines += wrapped(f"Same people: {' ~ '.join(visible(name, 24) for name in names[:4])}{more}", "  ", "    ")
    return lines


def _cells(association: Association, analysis: Analysis) -> list[str]:
    table = association.table
    risk = table.relative_risk(design_effect=association.design_effect)
    adjusted = association.adjusted.value if association.adjusted else None
    total = table.total
    return [
        named(association.behaviour, 60),
        str(association.behaviour.window.length),
        f"{association.threshold:,}",
        percent(table.n1 / total) if total else "-",
        f"{table.a:,} of {table.n1:,}: {percent(table.with_.rate)}",
        f"{table.c:,} of {table.n0:,}: {percent(table.without.rate)}",
        ratio(risk),
        "(is)" if "activity" in association.flags else times(adjusted),
    ]


def _line(association: Association, *, fitted: bool) -> str:
    table, mark = (
        association.table,
        "M" if "mechanical" in association.flags else "A" if "automatic" in association.flags else " ",
    )
    risk = table.relative_risk(design_effect=association.design_effect)
    adjusted = (
        "(is)"
        if "activity" in association.flags
        else times(association.adjusted.value if association.adjusted else None)
    )
    allowing = f" {adjusted:>5}" if fitted else ""
    return (
        f"  {fit(named(association.behaviour), NAME)}{mark} {association.behaviour.window.length!s:>4} {compact(association.threshold):>5} "
        f"{percent(table.share.rate):>5} {percent(table.with_.rate):>6} {percent(table.without.rate):>6} "
        f"{ratio(risk, gap=''):>16}{allowing}"
    )


def _nulls(analysis: Analysis) -> list[str]:
    """Show plainly what makes no difference: intervals that hold 1 and are narrow."""
    best: dict[str, Association] = {}
    for value in _as_shown(analysis.behaviours):
        event = value.behaviour.event
        if event is None or _HIDDEN & set(value.flags):
            continue
        rival = best.get(event)
        if rival is None or (value.q_value or 1) < (rival.q_value or 1):
            best[event] = value
    nulls = [value for value in best.values() if value.q_value is not None and value.q_value >= SIGNIFICANT]
    nulls.sort(key=lambda value: (-(value.table.a + value.table.b), value.behaviour.event or ""))
    texts = []
    for value in nulls[:4]:
        risk = value.table.relative_risk(design_effect=value.design_effect)
        if risk.low is None or risk.high is None or not risk.low <= 1 <= risk.high:
            continue
        texts.append(f"{named(value.behaviour, 24)} {ratio(risk)}")
    if not texts:
        return []
    more = f", {len(nulls) - 4} more" if len(nulls) > 4 else ""
    return wrapped(f"No difference: {', '.join(texts)}{more}", "  ")


def _ladder(analysis: Analysis) -> list[str]:
    """Show every threshold of the first behaviour, the sparkline over the rates."""
    shown = [winner for winner in winners(analysis) if winner.behaviour.event is not None and len(winner.curve) > 1]
    if not shown:
        return []
    first = shown[0]
    steps = _rungs([step for step in first.curve if step.table.n1 >= 20], first.threshold)
    if len(steps) < 2:
        return []
    window = first.behaviour.window
    rates = [step.table.with_.rate for step in steps]
    return [
        "",
        f"{named(first.behaviour, 40)}, {'in the last' if window.kind.value == 'trailing' else 'in the first'} {window.length}",
        "  at least            " + "".join(f"{compact(step.threshold):>7}" for step in steps),
        "  upgrade             " + "".join(f"{percent(step.table.with_.rate):>7}" for step in steps),
        "                      " + "".join(f"{mark:>7}" for mark in sparkline(rates)),
        "  snapshots           " + "".join(f"{percent(step.table.n1 / step.table.total):>7}" for step in steps),
        f"  none of it: {percent(first.curve[0].table.without.rate)} of {first.curve[0].table.n0:,}",
    ]


def _rungs(steps: Sequence[Step], best: int) -> list[Step]:
    """Choose so many thresholds as fit, spread over all of them, the first and the best among them."""
    if len(steps) <= LADDER:
        return list(steps)
    places = {round(index * (len(steps) - 1) / (LADDER - 1)) for index in range(LADDER)}
    at = next((index for index, step in enumerate(steps) if step.threshold == best), 0)
    if at not in places:
        nearest = min(places - {0}, key=lambda place: abs(place - at))
        places = places - {nearest} | {at}
    return [steps[index] for index in sorted(places)]


def _compared(analysis: Analysis) -> list[str]:
    """Set the events of ``--compare`` beside each other, the best first."""
    if not analysis.comparison:
        return []
    lines = [
        "",
        spread("VALUE METRICS compared", "AUC 0.5 tells nothing, 1 everything"),
        f"  {'':<22} {'in':>4}  {'AUC [95 %]':<18} {'behind the best':<18} {'of upgr.':>8}",
    ]
    for value_metric in analysis.comparison:
        behind = value_metric.difference
        gap = "-" if behind is None else f"{_area(behind.value)} [{_area(behind.low)}, {_area(behind.high)}]"
        area = f"{_area(value_metric.area.value)} [{_area(value_metric.area.low)}, {_area(value_metric.area.high)}]"
        lines.append(
            f"  {fit(named(value_metric.behaviour), 22)} {value_metric.behaviour.window.length!s:>4}  {area:<18} {gap:<18} "
            f"{percent(value_metric.recall.rate):>8}"
        )
    lines += [line for value_metric in analysis.comparison for line in _unsteady(value_metric)]
    rising = [named(value_metric.behaviour, 24) for value_metric in analysis.comparison if value_metric.monotonic]
    return lines + (
        wrapped(f"More never goes with fewer upgrades: {', '.join(rising)}", "  ", "    ") if rising else []
    )


def _area(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _unsteady(value_metric: ValueMetric) -> list[str]:
    """Say where a metric does not tell as much everywhere."""
    lines = []
    if value_metric.breaks_at is not None:
        lines.append(
            f"  {named(value_metric.behaviour, 24)}: from {value_metric.breaks_at:,} on, more of it goes with fewer upgrades"
        )
    for kind in value_metric.stability:
        if kind.stable is False:
            parts = [part for part in value_metric.parts if part.by == kind.by and part.area.value is not None]
            shown = ", ".join(f"{visible(part.name, 16)} {_area(part.area.value)}" for part in parts[:6])
            lines += wrapped(
                f"{named(value_metric.behaviour, 24)}: the AUC differs by {visible(kind.by, 24)}: {shown}", "  ", "    "
            )
    return lines


def _left_out(analysis: Analysis) -> list[str]:
    observed = analysis.observed
    lines: list[str] = []
    for suspect in observed.leakage:
        name = visible(suspect.event, 24)
        state = "kept on request" if suspect.kept else suspect.reason.value
        short = suspect.evidence.split(";")[0]
        lines += wrapped(f"{name:<24} {state}: {short}", "  ", "    ")
    current = [name for name, kind in observed.population.traits.kinds.items() if kind.value == "current"]
    if current:
        shown = ", ".join(visible(name, 24) for name in current[:6])
        lines += wrapped(f"traits {shown}: today's value, no history", "  ", "    ")
    return ["", spread("LEFT OUT (reason)", "overrule: --keep-event"), *lines] if lines else []


def _next(analysis: Analysis) -> str:
    if is_little(analysis):
        return 'pqlkit try "EVENT >= 3 in 14d"'
    return "pqlkit propose"
