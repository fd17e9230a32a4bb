"""The analysis for people: the answer, which behaviours go with converting, what was excluded, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.analysis.tiers import HYPOTHESES_BELOW
from pqlkit.definitions.expression import expression
from pqlkit.inert import visible
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.population.stays import is_expansion
from pqlkit.reporting.next_command import Invocation, broken, following
from pqlkit.reporting.records.analysis import behaviour, record
from pqlkit.reporting.renderers.cohorts import cohorts
from pqlkit.reporting.renderers.correlation import (
    SENTENCE,
    adjusted,
    answer,
    correlation,
    headline,
    is_little,
    risk,
    sureness,
    thresholds,
)
from pqlkit.reporting.renderers.correlation import (
    winners as winners,
)
from pqlkit.reporting.renderers.layout import columns_of, fit, spread, styled, wrapped
from pqlkit.reporting.renderers.layout import table as table_of
from pqlkit.reporting.renderers.tabular import escape_markdown, flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.timing import after_the_snapshot, half_came, notes
from pqlkit.reporting.renderers.words import day, doing, interval, month, named, percent, plural, ratio, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.association import Association
    from pqlkit.analysis.bend import Shape
    from pqlkit.analysis.fewer import Fewer
    from pqlkit.analysis.hypotheses import Hypotheses
    from pqlkit.analysis.metering import Meter
    from pqlkit.analysis.observation import Observed
    from pqlkit.analysis.value_metric import ValueMetric
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.rate import Rate

LESS: Final = 5
"""Behaviours after which fewer convert, and of those that are not monotone, on a terminal."""
PACES: Final = 3
"""Events whose pace a terminal describes."""
HEADER: Final = [
    "behaviour",
    "window",
    "at least",
    "phi",
    "doing",
    "with",
    "without",
    "relative risk [95% CI]",
    "adjusted",
]
CLASSES: Final = {
    "dormant": "dormant",
    "early": "converted first",
    "customer_already": "already customers",
    "unobserved": "before the data",
    "in_progress": "too young",
    "ineligible": "not eligible",
    "deleted": "deleted",
    "invalid": "with clock faults",
}
"""Where those went that are in no snapshot: the class's name in the JSON -> words."""
ROWS: Final = 10
"""Behaviours that a terminal shows unless told otherwise."""


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
    if is_little(analysis):
        said = f"{analysis.observed.converters} usable conversions: no behaviours are ranked, it would find luck."
        return f"{said}\n\n{_base_line(analysis)}\n\n{SENTENCE}\n"
    rows = [cells(association) for association in winners(analysis)[:top]]
    said = escape_markdown(f"{headline(analysis)} {sureness(analysis)}", 4_000)
    return f"{said}\n\n{to_markdown(rows, HEADER, right=range(2, 9))}\n{_base_line(analysis)}\n\n{SENTENCE}\n"


def as_table(
    analysis: Analysis, top: int = ROWS, *, by: bool = False, call: Invocation | None = None, width: int = 80
) -> RenderableType:
    """Give what the terminal shows: the answer first, bookkeeping last.

    Parameters
    ----------
    analysis
        What was found.
    top
        Behaviours to show.
    by
        Whether cohorts were asked for: else a terminal leaves them out.
    call
        How the command was called: commands that are printed repeat it.
    width
        Columns of the terminal.
    """
    from rich.console import Group
    from rich.text import Text

    call, columns = call or Invocation(), columns_of(width)
    if is_little(analysis):
        lines = [*_little(analysis, call, columns), *_compared(analysis)]
    else:
        lines = [
            *answer(analysis, call, rests_on=rests_on(analysis), width=columns),
            "",
            *correlation(analysis, call, top, columns),
            *_besides(analysis, call, top),
            *(_compared(analysis) or thresholds(analysis, columns)),
        ]
    lines += cohorts(analysis, columns) if by else []
    lines += [*_excluded(analysis), "", *_conversions(analysis), "", *_population(analysis)]
    return Group(*[styled(Text(line)) for line in lines])


def rests_on(analysis: Analysis) -> str:
    """Count the snapshots, whose they are, and the conversions after them."""
    observed, base = analysis.observed, analysis.observed.base
    looked_at = observed.snapshots.frame.get_column("entity").n_unique()
    said = f"{plural(base.denominator, 'snapshot')} of {plural(looked_at, observed.population.kind.value)}"
    return f"{said}, {_converted(observed)}"


def _converted(observed: Observed) -> str:
    """Count the conversions; snapshots at ages overlap, and several may be followed by the same one."""
    base, people = observed.base, observed.converters
    if people == base.numerator:
        return plural(people, "conversion")
    return f"{base.numerator:,} followed by a conversion ({plural(people, observed.population.kind.value)})"


def _conversions(analysis: Analysis) -> list[str]:
    """Say where the first conversions happened, those that the analysis used first."""
    places, snapshots = analysis.observed.snapshots.places, analysis.observed.snapshots
    others = ((places.repeats, "repeats"), (places.filtered, "filtered"), (places.unknown_entity, "of unknown ids"))
    counted = ", ".join(f"{count:,} {what}" for count, what in others if count)
    lines = [spread("WHERE CONVERSIONS HAPPEN", f"{places.first:,} first ones of {plural(places.rows, 'row')}")]
    lines += [f"  {counted}"] if counted else []
    half = half_came(analysis)
    lines += [f"  {half[:1].upper()}{half[1:]}"] if half is not None else []
    used = f"   <- analysed, {percent(places.used / places.first, 0)}" if places.first else ""
    for key, text in places_in_words(snapshots).items():
        if getattr(places, key):
            lines.append(f"  {getattr(places, key):>7,}  {text}{used if key == 'used' else ''}")
    after = after_the_snapshot(analysis)
    lines += wrapped(after, "  ", "    ") if after is not None else []
    return lines + [line for text in notes(analysis) for line in wrapped(text, "  ", "    ")]


def places_in_words(snapshots: Snapshots) -> dict[str, str]:
    """Say where first conversions went: the place's name in the JSON -> words."""
    longest, conversion_window = snapshots.design.longest, snapshots.design.conversion_window
    active = " of an active one" if snapshots.design.kind is DesignKind.EVERY else ""
    return {
        "used": f"within {conversion_window.in_words} of a snapshot{active}",
        "before_history": f"before {longest.in_words} of events",
        "before_first_snapshot": "before the first snapshot",
        "gap": f"within {snapshots.design.gap.in_words} of the snapshot (gap)",
        "not_retained": "did not stay",
        "dormant": "dormant at the snapshot",
        "later": "after every conversion window",
        "in_progress": "window still in progress",
        "ineligible": "not eligible",
        "customer_already": "already customers at signup",
        "invalid": "clock faults",
        "deleted": "deleted before",
    }


def _population(analysis: Analysis) -> list[str]:
    classes, base, snapshots = analysis.observed.snapshots.classes, analysis.observed.base, analysis.observed.snapshots
    kind = analysis.observed.population.kind.value
    population = analysis.observed.population
    lines = [spread("POPULATION", f"as of {day(population.as_of)}, events from {day(population.history_from)}")]
    seen = classes.converted + classes.not_converted
    others = [(getattr(classes, key), text) for key, text in CLASSES.items()]
    parts = [f"{seen:,} in snapshots", *[f"{count:,} {what}" for count, what in others if count]]
    lines += wrapped(f"{classes.entities:,} {who(analysis)} = {' + '.join(parts)}", "  ")
    lines += wrapped(f"Snapshots {snapshots.text}: {_base_line(analysis)}", "  ")
    lines += wrapped(snapshots.reason[:1].upper() + snapshots.reason[1:], "  ") if snapshots.reason else []
    lines += _on_the_curve(analysis)
    if base.design_effect > 1:
        lines.append(f"  {_together(kind, analysis)} go together: intervals are those of n / {base.design_effect:.2f}")
    dormant = snapshots.dormant
    if dormant.snapshots:
        share = dormant.converted / dormant.snapshots
        lines.append(
            f"  Dormant, apart: {plural(dormant.snapshots, 'snapshot')}, {plural(dormant.converted, 'conversion')} ({percent(share)})"
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
    """Say how many snapshots there are, and how many of them were followed by a conversion."""
    window = observed.snapshots.design.conversion_window.in_words
    return f"{plural(observed.base.denominator, 'snapshot')}, {_converted(observed)} within {window}"


def _little(analysis: Analysis, call: Invocation, width: int) -> list[str]:
    from pqlkit.statistics.power import detectable_relative_risk

    usable, opens = analysis.observed.converters, analysis.search_opens
    pace = f" (about {month(opens)})" if opens is not None else ""
    lines = wrapped(f"TOO FEW CONVERSIONS TO SEARCH: {usable} usable of {HYPOTHESES_BELOW} needed{pace}.", "", "  ")
    power = detectable_relative_risk(usable, 0.25) if usable else None
    if power is not None:
        lines += wrapped(
            f"A behaviour of every fourth snapshot shows only from a relative risk of {times(power)}.", "  "
        )
    lines += [f"  Rests on    {rests_on(analysis)}", *_hypotheses(analysis)]
    commands = [*_usable(analysis, call), call.next("explain", "--converters")]
    return [*lines, *following(commands, width), SENTENCE]


def _usable(analysis: Analysis, call: Invocation) -> list[str]:
    """Give the command that takes the leads of the first written definition that is surely associated; else, one to write down."""
    hypotheses = analysis.hypotheses
    sure = [] if hypotheses is None else [tested for tested in hypotheses.tested if tested.verdict == "more"]
    if sure:
        return [call.next("score", "-d", visible(str(sure[0].definition.path or "definitions/NAME.yml"), 200))]
    first = next((row for row in analysis.behaviours if row.behaviour.event is not None), None)
    return [] if first is None else [call.next("try", expression(first.behaviour.criterion(at_least=first.threshold)))]


def _hypotheses(analysis: Analysis) -> list[str]:
    """Show what the written definitions did."""
    hypotheses, folder = analysis.hypotheses, analysis.observed.population.project.definitions.name
    if hypotheses is None:
        return []
    if not hypotheses.tested:
        return [f"YOUR DEFINITIONS: none in {visible(folder, 60)}/", *_untested(hypotheses)]
    words = {"more": "associated", "fewer": "with fewer", "open": "too few to tell"}
    rows = [("definition", "with", "without", "relative risk", "Holm, 5%")]
    for hypothesis in hypotheses.tested:
        pace = hypothesis.pqls_per_week.median
        about = f", {pace:.0f} a week" if pace is not None and hypothesis.verdict == "more" else ""
        rows.append(
            (
                visible(hypothesis.definition.name, 60),
                _ratio(hypothesis.table.with_),
                _ratio(hypothesis.table.without),
                ratio(hypothesis.relative_risk),
                f"{words[hypothesis.verdict]}{about}",
            )
        )
    tested = plural(len(hypotheses.tested), "definition")
    return [
        f"YOUR DEFINITIONS ({tested} of {visible(folder, 60)}/ tested, at snapshots)",
        *table_of(rows),
        *_untested(hypotheses),
    ]


def _untested(hypotheses: Hypotheses) -> list[str]:
    return [
        line
        for name, reason in hypotheses.left_out[:5]
        for line in wrapped(f"not tested: {visible(name, 60)} {visible(reason, 200)}", "  ", "    ")
    ]


def _ratio(value: Rate) -> str:
    return f"{value.numerator:,} of {value.denominator:,} {percent(value.rate)}"


def _besides(analysis: Analysis, call: Invocation, top: int) -> list[str]:
    """Give what stands below the table of behaviours: what makes no difference, contacts, traits, kinds, what fewer convert after."""
    shown = sorted(winners(analysis), key=lambda row: -(row.table.phi or 0))[:top]
    return [
        *(_contacted(analysis, shown[0]) if shown else []),
        *_explained(shown),
        *meters(analysis.meters),
        *_kinds(analysis),
        *fewer(analysis.fewer, call),
        *_shapes(analysis),
        *_paces(analysis),
    ]


def meters(rows: Sequence[Meter]) -> list[str]:
    """List what is billed apart, by how far ahead it can be seen: using it and paying are one thing."""
    lines = []
    for row in rows:
        told = "as pqlkit.yml says" if row.declared else "as amounts show"
        if row.correlation is not None:
            told += f" (rank correlation {row.correlation:.2f} over {row.conversions:,} conversions)"
        ahead = "" if row.days_ahead is None else f"; first used {row.days_ahead:.0f} days before paying (median)"
        lines += wrapped(f"Limit event: {named(row.behaviour, 80)} is what is billed, {told}{ahead}", "  ", "    ")
    return lines


def _kinds(analysis: Analysis) -> list[str]:
    """Say which kind of an event goes with converting, among those who did the event."""
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


def fewer(rows: Sequence[Fewer], call: Invocation | None = None) -> list[str]:
    """List what goes with fewer conversions, each with the hypothesis to test."""
    if not rows:
        return []
    heads = [
        ("", "share", "rate", "rate", "relative risk", ""),
        ("behaviour", "doing", "with", "without", "[95% CI]", "adjusted"),
    ]
    cells, lines = [], ["", spread("LESS LIKELY TO CONVERT, of those as active", "Mantel-Haenszel test over activity")]
    for row in rows[:LESS]:
        table, risk = row.table, None if row.effect is None else row.effect.relative_risk
        length = row.behaviour.window.length
        cells.append(
            (
                f"{doing(row.behaviour, row.threshold)}{'' if length is None else f', {length}'}",
                percent(table.share.rate),
                percent(table.with_.rate),
                percent(table.without.rate),
                ratio(row.relative_risk),
                times(None if risk is None else risk.value),
            )
        )
    lines += table_of([*heads, *cells])
    lines.append("  To test that not doing it tells:")
    for row in rows[:LESS]:
        said = f"    ({row.table.a:,} of {row.table.n1:,} who did it converted, {row.expected:,.0f} expected)"
        lines += [*broken(command(row, call), "    "), *wrapped(said.strip(), "      ")]
    return lines


def command(row: Fewer, call: Invocation | None = None) -> str:
    """Give the command that tests a behaviour's absence."""
    return (call or Invocation()).next("try", visible(row.expression, 400))


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
        f"{named(shape.behaviour, 80)} in {shape.behaviour.window.length} {percent(shape.none.rate)} at 0, "
        f"{percent(shape.some.rate)} at {middle}, {percent(shape.much.rate)} from {shape.threshold:,} on"
    )


def _paces(analysis: Analysis) -> list[str]:
    """Describe what those did who lately do more or less than they used to."""
    told = [
        f"{'any event' if row.event is None else visible(row.event, 40)} {_ratio(row.faster)} at 1.5 times or more, "
        f"{_ratio(row.same)} in between, {_ratio(row.slower)} at half or less"
        for row in analysis.paces[:PACES]
    ]
    if not told:
        return []
    said = "Pace, the last week against the mean of the four before (described, not tested)"
    return wrapped(f"{said}: {'; '.join(told)}", "  ", "    ")


def _contacted(analysis: Analysis, first: Association) -> list[str]:
    """Say how many who did the first had been contacted before: then the call may be what both follow."""
    counted = analysis.contacted_before(first)
    if counted is None:
        return []
    return wrapped(
        f"Contacts: {counted[0]:,} of {counted[1]:,} snapshots with {named(first.behaviour, 80)} had been contacted before",
        "  ",
        "    ",
    )


def _explained(shown: Sequence[Association]) -> list[str]:
    """Say which behaviours a fixed trait explains: the figures without it and with it."""
    lines = []
    for association in shown:
        effect = association.effect
        if effect is None or effect.without_traits is None or not (effect.explained or effect.untold):
            continue
        said = "explained by" if effect.explained else "not told apart from"
        names = " and ".join(visible(trait, 60) for trait in effect.traits)
        before = effect.without_traits.relative_risk
        lines += wrapped(
            f"{named(association.behaviour, 80)}: {said} {names}: adjusted {ratio(effect.relative_risk)} times as often, "
            f"without {names} {ratio(before)}",
            "  ",
            "    ",
        )
    return lines


def cells(association: Association) -> list[str]:
    """Give a behaviour's row of a table, as `HEADER` names them."""
    counts, left = association.table, adjusted(association)
    return [
        named(association.behaviour, 80),
        str(association.behaviour.window.length),
        f"{association.threshold:,}",
        "-" if counts.phi is None else f"{counts.phi:.2f}",
        percent(counts.share.rate),
        f"{counts.a:,} of {counts.n1:,}: {percent(counts.with_.rate)}",
        f"{counts.c:,} of {counts.n0:,}: {percent(counts.without.rate)}",
        ratio(risk(association)),
        "(is activity)" if "activity" in association.flags else "-" if left is None else ratio(left),
    ]


def _compared(analysis: Analysis) -> list[str]:
    """Set the events of ``--compare`` beside each other, the best first."""
    if not analysis.comparison:
        return []
    lines = [
        "",
        spread("VALUE METRICS compared", "AUC 0.5 tells nothing, 1 everything"),
        f"  {'':<22} {'in':>4}  {'AUC [95 %]':<18} {'behind the best':<18} {'recall':>8}",
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
    rising = [named(value_metric.behaviour, 80) for value_metric in analysis.comparison if value_metric.monotonic]
    return lines + (
        wrapped(f"More never goes with fewer conversions: {', '.join(rising)}", "  ", "    ") if rising else []
    )


def _area(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _unsteady(value_metric: ValueMetric) -> list[str]:
    """Say where a metric does not tell as much everywhere."""
    lines = []
    if value_metric.breaks_at is not None:
        lines += wrapped(
            f"{named(value_metric.behaviour, 80)}: from {value_metric.breaks_at:,} on, more of it goes with fewer conversions",
            "  ",
            "    ",
        )
    for kind in value_metric.stability:
        if kind.stable is False:
            parts = [part for part in value_metric.parts if part.by == kind.by and part.area.value is not None]
            shown = ", ".join(f"{visible(part.name, 16)} {_area(part.area.value)}" for part in parts[:6])
            lines += wrapped(
                f"{named(value_metric.behaviour, 80)}: the AUC differs by {visible(kind.by, 60)}: {shown}", "  ", "    "
            )
    return lines


def unusable_traits(analysis: Analysis) -> list[str]:
    """Name the traits of which only today's value is known, which may be a consequence of converting."""
    return [name for name, kind in analysis.observed.population.traits.kinds.items() if kind.value == "current"]


def _excluded(analysis: Analysis) -> list[str]:
    """Name what is excluded because it belongs to the conversion or follows it."""
    observed = analysis.observed
    lines: list[str] = []
    for suspect in observed.leakage:
        state = "kept on request" if suspect.kept else suspect.reason.value.replace("-", " ")
        lines += wrapped(f"{visible(suspect.event, 60):<18} {state}: {suspect.evidence.split(';')[0]}", "  ", " " * 6)
    current = unusable_traits(analysis)
    if current:
        shown = ", ".join(visible(name, 60) for name in current[:6])
        lines += wrapped(f"{f'trait {shown}':<18} today's value, no history", "  ", " " * 6)
    return ["", spread("EXCLUDED as leakage", "to keep one: --keep-event NAME"), *lines] if lines else []
