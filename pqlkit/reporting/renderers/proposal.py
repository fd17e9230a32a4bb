"""The proposal for people: one rule first, how sure it is and what to run next, what later entities did, alternatives after."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pqlkit.analysis.tiers import Tier
from pqlkit.definitions.describing import qualifying
from pqlkit.definitions.nouns import nouns_of
from pqlkit.inert import visible
from pqlkit.proposal.definition_wording import in_words
from pqlkit.proposal.split import SplitKind
from pqlkit.proposal.tonight import NEW
from pqlkit.reporting.next_command import Invocation, broken, following
from pqlkit.reporting.records.proposal import candidate, record
from pqlkit.reporting.renderers.analysis import base_counts, fewer, meters, not_monotone
from pqlkit.reporting.renderers.layout import columns_of, headed, labelled, spread, styled, table, wrapped
from pqlkit.reporting.renderers.tabular import flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import about, chance, day, interval, percent, plural, rate, ratio, times
from pqlkit.statistics.estimate import Undefined

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pqlkit.analysis.effect import Effect
    from pqlkit.proposal.candidate import Candidate
    from pqlkit.proposal.proposed import Proposal

_WHY: Final = {
    "too-few": "fewer than 10 converters a parameter",
    "separation": "activity and the calendar tell converters from the others without error",
    "collinear": "what is allowed for says the same as the rule",
}
"""Why there is no adjusted figure; whatever else: the fit did not settle."""

_SELDOM: Final = 0.5
"""A criterion that a smaller share of the random halves chooses again is named beside the answer."""

ANSWER: Final = 12
"""Columns of the labels of an answer."""

SENTENCE: Final = "An association: it says who converts, not why, nor that a call helps."


def as_json(proposal: Proposal, files: dict[str, str] | None = None) -> str:
    """Give ``pqlkit/proposal/2``."""
    return to_json(record(proposal, files))


def as_csv(proposal: Proposal, files: dict[str, str] | None = None) -> str:
    """Give one row per candidate, nested keys joined with dots."""
    rows = []
    for listed in proposal.candidates:
        row = candidate(listed, (files or {}).get(listed.definition.name))
        kept = {key: value for key, value in row.items() if key not in {"definition", "by_period", "by_age"}}
        rows.append(flat(kept))
    return to_csv(rows, list(rows[0]) if rows else ["name", "file", "title", "criteria"])


def as_markdown(proposal: Proposal, files: dict[str, str] | None = None) -> str:
    """Give the menu as a table for a document."""
    header = ["definition", "rule", "later leads (qualification)", "later snapshots", "snapshot recall", "leads a week"]
    rows = [
        [
            candidate.definition.name,
            _rule(candidate),
            rate(candidate.promised.rate),
            rate(candidate.holdout.with_),
            percent(candidate.holdout.recall.rate),
            _weekly(candidate),
        ]
        for candidate in proposal.candidates
    ]
    text = to_markdown(rows, header, right=range(2, 6)) if rows else "No rule is proposed.\n"
    notes = "".join(f"\n{warning}\n" for warning in proposal.warnings)
    return f"{text}{notes}\n{SENTENCE}\n"


def as_table(
    proposal: Proposal,
    files: dict[str, str] | None = None,
    *,
    call: Invocation | None = None,
    width: int = 80,
    details: bool = False,
) -> RenderableType:
    """Give what the terminal shows: the rule, how sure it is and what to do with it, then what that rests on.

    Parameters
    ----------
    proposal
        What was found.
    files
        Where each candidate was written, by name.
    call
        How the command was called: commands that are printed repeat it.
    width
        Columns of the terminal.
    details
        Whether to show what bears the rule out, too, and not only what casts doubt on it.
    """
    from rich.console import Group
    from rich.text import Text

    call, columns = call or Invocation(), columns_of(width)
    if not proposal.candidates:
        lines = _nothing(proposal, call, columns)
    else:
        first = proposal.candidates[0]
        file = (files or {}).get(first.definition.name)
        lines = [*_proposed(proposal, first, file, call, columns), "", *_later(proposal, first, columns)]
        lines += [*_at_snapshots(proposal, first, columns), *_changed(proposal, call, columns)]
        lines += ["", *_will_it_hold(proposal, first, call, columns, details=details), ""]
        lines += [*_others(proposal, columns), "", *_search(proposal, columns)]
    return Group(*[styled(Text(line)) for line in lines])


def _nothing(proposal: Proposal, call: Invocation, width: int) -> list[str]:
    reasons = [("" if number else "Why", text) for number, text in enumerate(proposal.warnings)]
    reasons += [("", f"did not hold: {visible(words, 300)} ({'; '.join(why)})") for words, why in proposal.rejected[:5]]
    top, highest = proposal.benchmark_model, proposal.highest
    known = [] if highest is None else [("Highest rate", f"{rate(highest)} of new PQLs where chosen")]
    model = "" if top is None or top.auc is None else f"; benchmark model AUC {top.auc:.2f} (0.5 = chance)"
    known.append(("Rests on", f"{base_counts(proposal.observed)}{model}"))
    lines = ["NO DEFINITION PROPOSED", *labelled([*reasons, *known], ANSWER, width)]
    lines += [*following([_instead_of_nothing(proposal, call)], width), "", *_changed(proposal, call, width)]
    return [*lines, *meters(proposal.meters), *fewer(proposal.fewer, call)]


def _instead_of_nothing(proposal: Proposal, call: Invocation) -> str:
    """Give the command to run next where no rule is proposed: a bound that can be kept, or a look at the behaviours."""
    highest, asked = proposal.highest, proposal.wishes.min_rate
    if highest is not None and highest.rate is not None and asked is not None and asked > highest.rate:
        return call.next("propose", "--min-rate", f"{max(1, math.floor(95 * highest.rate))}%")
    return call.next("analyze")


def tonight_in_words(proposal: Proposal, candidate: Candidate) -> str | None:
    """Say how many meet the rule now, and how many of them are new; None where nobody looked."""
    tonight = proposal.tonight
    if tonight is None:
        return None
    kind = candidate.definition.entity.value
    many = f"{plural(tonight.meet, kind)} {'meets' if tonight.meet == 1 else 'meet'} it now"
    few = f"{tonight.new:,}" if tonight.new else "none"
    return f"{many}, {few} of them new in the last {NEW.in_words}" if tonight.meet else many


def expected(candidate: Candidate) -> list[tuple[str, str]]:
    """Say how many new PQLs a week brings."""
    weekly = candidate.promised.pqls_per_week
    if weekly.median is None:
        return []
    busy = "" if weekly.p90 is None else f", {weekly.p90:.0f} in a busy one"
    return [("Expect", f"{weekly.median:.0f} new PQLs in a median week{busy}")]


def score_command(candidate: Candidate, file: str | None, call: Invocation) -> str:
    """Give the command that says who is a new lead by a rule, or the one that writes the rule where none is written."""
    if file is None and call.command == "propose":  # a file of that name was there, and nothing was written
        return call.next("propose", "--name", candidate.definition.name)
    path = file or f"definitions/{candidate.definition.name}.yml"
    return call.next("score", "-d", visible(path, 200), "--since", str(NEW))


def _proposed(proposal: Proposal, candidate: Candidate, file: str | None, call: Invocation, width: int) -> list[str]:
    """Say the rule, how sure it is, what to expect of it, and what to run next."""
    title = f"PROPOSED DEFINITION {visible(candidate.definition.name, 300)}"
    written = "" if file is None else f"written: {visible(file, 200)}"
    lines = headed(title, written, width)
    lines += wrapped(qualifying(candidate.definition), "  ", "    ", width)
    rows = [*_explained(candidate), *sure(proposal, candidate), *expected(candidate)]
    rows += _worth(proposal, candidate)
    lines += labelled(rows, ANSWER, width)
    lines += following([score_command(candidate, file, call)], width)
    now = tonight_in_words(proposal, candidate)
    if now is not None:
        lines += wrapped(f"({now})", " " * (ANSWER + 2), width=width)
    lines.append(SENTENCE)
    for warning in proposal.warnings:
        lines += wrapped(f"warning: {warning}", "", "  ", width)
    return lines


def sure(proposal: Proposal, candidate: Candidate) -> list[tuple[str, str]]:
    """Say how sure the rule is, and which criterion most random halves of the data do not choose again."""
    rows = [("How sure", sureness(proposal, candidate))]
    for chosen in candidate.stability.criteria if candidate.stability is not None else ():
        if chosen.share < _SELDOM:
            rival = f", else {visible(chosen.rival, 60)}" if chosen.rival else ""
            again = f"{chosen.share:.0%} of random halves choose it again{rival}"
            rows.append(("Unsure of", f"{visible(chosen.literal.name, 60)}: {again}"))
    return rows


def sureness(proposal: Proposal, candidate: Candidate) -> str:
    """Say what part of the new PQLs of the later test period became customers, with its interval, and against what."""
    success = f"{nouns_of(candidate.definition).success} within {_window(proposal)}"
    cross = proposal.cross_fitted
    part, read = (
        ("later test period", candidate.promised.rate) if cross is None else ("part that did not choose", cross.rate)
    )
    if read.rate is None:
        return f"No new PQL in the {part} has had its {_window(proposal)}: no rate yet"
    counts = f"{read.numerator:,} of {read.denominator:,}, 95% CI {interval(read.low, read.high)}"
    compared, kind = candidate.compared, candidate.definition.entity.value
    others = None if compared is None else compared.active.others_rate
    against = (
        ""
        if others is None
        else f"; compared with {percent(others)} of {kind}s as active that day that did not meet it"
    )
    return f"{percent(read.rate)} of new PQLs in the {part} {success}: {counts}{against}"


def _window(proposal: Proposal) -> str:
    return proposal.observed.snapshots.design.conversion_window.in_words


def _explained(candidate: Candidate) -> list[tuple[str, str]]:
    effect = candidate.adjusted
    if effect is None or not effect.explained or (effect.relative_risk.low or 0) > 1:
        return []
    names = " and ".join(visible(name, 60) for name in effect.traits)
    held = ratio(effect.relative_risk, " times")
    return [("Explained by", f"{names}: adjusted for {names}, whoever meets it converts {held} as often")]


def _rule(candidate: Candidate) -> str:
    return visible(in_words(candidate.rule.literals), 300)


def _times(count: int) -> str:
    """Say how often: ``once``, ``3 times``."""
    return "once" if count == 1 else f"{count} times"


def _weekly(candidate: Candidate) -> str:
    weekly = candidate.promised.pqls_per_week
    return "-" if weekly.median is None else f"{weekly.median:.0f}"


def _later(proposal: Proposal, candidate: Candidate, width: int) -> list[str]:
    """Say what the later new PQLs were followed by, and what comparable others did: one clock."""
    title = wrapped(later_test_period(proposal), "", "  ", width)
    return [*title, *labelled(from_qualifying(proposal, candidate), width=width)]


def later_test_period(proposal: Proposal) -> str:
    """Say on what the rule was tested, and how often that has been read."""
    if proposal.cross_fitted is not None:
        return _why_cross_validated(proposal)
    span = f"{day(proposal.holdout.first)} to {day(proposal.holdout.through)}"
    read = f"read {_times(proposal.read)}" + (": optimistic" if proposal.read > 1 else "")
    return f"LATER TEST PERIOD {span}, not used to choose the rule, {read}"


def from_qualifying(proposal: Proposal, candidate: Candidate) -> list[tuple[str, str]]:
    """Say what became of the new PQLs, counted from qualifying."""
    window, cross, promised = _window(proposal), proposal.cross_fitted, candidate.promised
    if cross is None:
        complete = promised.rate.denominator + promised.too_soon
        parts = [f"{complete:,} with {window} complete", f"{promised.starts - complete:,} in progress"]
        whole = (
            f"{promised.starts:,} = {' + '.join(parts)}"
            if promised.starts > complete
            else f"{complete:,}, all complete"
        )
        rows = [("new PQLs", whole), (nouns_of(candidate.definition).success, f"{rate(promised.rate)} within {window}")]
    else:
        rows = [
            (
                "new PQLs",
                f"{rate(cross.rate)} {nouns_of(candidate.definition).success} within {window}, each by a rule chosen without it",
            )
        ]
    rows += _against_others(candidate)
    quick = promised.time_to_convert
    if quick.median_days is not None:
        rows.append(
            (
                "time to convert",
                f"median {quick.median_days:.0f} days; {quick.quick} within one day (too quick for a call)",
            )
        )
    qualified, conversions = candidate.recall
    if conversions:
        share = f"{qualified:,} of {conversions:,} conversions ({qualified / conversions:.0%})"
        rows.append(("recall", f"{share} were of PQLs that had become one within the {window} before"))
    return [*rows, *_contacted(candidate)]


def _at_snapshots(proposal: Proposal, candidate: Candidate, width: int) -> list[str]:
    """Compare those who met the rule at the later snapshots with those who did not."""
    counts = candidate.holdout
    if proposal.cross_fitted is not None or not counts.n1 or not counts.n0:
        return []
    title = spread("AT SNAPSHOTS of the later test period", f"converted within {_window(proposal)}", width)
    rows = [
        ("meets the rule", rate(counts.with_)),
        ("does not", rate(counts.without)),
        ("relative risk", ratio(counts.relative_risk())),
    ]
    return ["", title, *labelled(rows, width=width)]


def _contacted(candidate: Candidate) -> list[tuple[str, str]]:
    """Say how many somebody had called before: what such a rule counts may come of the call."""
    calls = candidate.contacted
    if calls is None or not calls.starts:
        return []
    before = calls.before.denominator
    doubt = ": what it counts may come of the call" if 2 * before >= calls.starts else ""
    return [("contacts", f"{before:,} of {calls.starts:,} had been contacted before they met it{doubt}")]


def _why_cross_validated(proposal: Proposal) -> str:
    """Say why no later period is set aside to test the rule."""
    if proposal.since is None or proposal.tier is not Tier.EVERYTHING:
        return "CROSS-VALIDATED: too few conversions for a later test period"
    read = f"read {_times(proposal.read)}"
    return f"CROSS-VALIDATED on snapshots since {day(proposal.since)}: no later period is left, {read}"


def _changed(proposal: Proposal, call: Invocation, width: int) -> list[str]:
    """Say which rules do less, or more, than they did, and what a refit comes to."""
    lines: list[str] = []
    fell = next((change for _, change in proposal.changes if change.fell), None)
    for words, change in proposal.changes[:1]:
        lines += wrapped(f"{visible(words, 300)}: {_lower(str(change))}", "  ", "    ", width)
    refit = proposal.refit
    if refit is not None and refit.words is not None and refit.rate is not None:
        said = f"best rule of what came since (cross-validated): {visible(refit.words, 300)}, {rate(refit.rate)}"
        lines += wrapped(said, "  ", "    ", width)
    elif refit is not None and refit.why is not None:
        lines += wrapped(f"no rule of what came since is offered: {refit.why}", "  ", "    ", width)
    if refit is not None and refit.words is not None and fell is not None:
        lines += broken(call.next("propose", "--learn-from", day(fell.since), without=frozenset({"name"})), "  ", width)
    return ["", "CHANGED", *lines] if lines else []


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _against_others(candidate: Candidate) -> list[tuple[str, str]]:
    """Say what accounts as active did."""
    comparison = candidate.compared
    if comparison is None or comparison.active.others_rate is None:
        return []
    active, adjusted = comparison.active, comparison.adjusted
    more = [f"{times(active.relative_risk)} times as often" if active.relative_risk is not None else "none of them"]
    if adjusted is not None and adjusted.relative_risk is not None:
        more.append(f"adjusted {times(adjusted.relative_risk)}")
    kind = candidate.definition.entity.value
    said = f"{percent(active.others_rate)} of {kind}s as active that day that did not meet it ({'; '.join(more)})"
    return [("compared with", said)]


def _independent(proposal: Proposal) -> bool:
    """Whether later snapshots were set aside: else the holdout figures are of other rules, each read where it was not chosen."""
    return proposal.split is not None and proposal.split.kind is SplitKind.TIME


def _worth(proposal: Proposal, candidate: Candidate) -> list[tuple[str, str]]:
    """Say what calling brings at the prices given, and what the sum takes for granted."""
    value, cost = proposal.wishes.value, proposal.wishes.cost
    worth = None if value is None or cost is None else candidate.worth(value, cost)
    if worth is None:
        return []
    prices = f"({value:g} a conversion, {cost:g} a lead)"
    return [
        (
            "Worth",
            f"{worth:,.0f} per 100 leads {prices} if no conversion came without the call: an experiment tells how many do",
        )
    ]


def _will_it_hold(
    proposal: Proposal, candidate: Candidate, call: Invocation, width: int, *, details: bool
) -> list[str]:
    """Say what was lost on the way from where the rule was chosen, and what casts doubt on it; with `details` what bears it out, too."""
    rows, more = holding(proposal, candidate)
    title = "WILL IT HOLD? (from qualifying, unless the line says snapshots)"
    lines = [title, *labelled([*rows, *(more if details else [])], width=width)]
    if not details and more:
        names = dict.fromkeys(name for name, _ in more)
        lines += wrapped(f"also {', '.join(names)}:", "  ", "  ", width)
        lines += broken(call.next("propose", "--details"), "    ", width)
    return lines


def holding(proposal: Proposal, candidate: Candidate) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Say what was lost from where the rule was chosen and what casts doubt on it; and, apart, what bears it out."""
    rows = [*_drop(proposal, candidate)]
    if len(candidate.by_period) > 1:
        rows.append(("over time", _by_quarter(candidate)))
    if len(candidate.by_age) > 1:
        parts = ", ".join(f"{group.name}: {about(group.table.relative_risk())}" for group in candidate.by_age)
        rows.append((f"by {candidate.definition.entity.value} age", f"relative risk {parts}{_onboarding(candidate)}"))
    if candidate.stands_for is not None:
        alike = f"{visible(candidate.stands_for, 300)}: the data cannot tell which of the two matters"
        rows.append(("same leads by", alike))
    rows += [("not monotone", not_monotone([shape])) for shape in proposal.shapes]
    for precursor in candidate.precursors:
        done, begun = visible(precursor.leads_to, 60), visible(precursor.event, 60)
        rows.append(("precursor", f"{done} stands for {begun} too, which comes before {precursor.share:.0%} of them"))
    rows += _by_trait(candidate)
    sure = [*_stability(candidate), *_adjusted(candidate.adjusted)]
    rows += [row for row, doubtful in sure if doubtful]
    more = [row for row, doubtful in sure if not doubtful]
    more += [*_shuffled(proposal), *_ranges(candidate), *_e_value(candidate), *_benchmark(proposal, candidate)]
    return rows, more


def _drop(proposal: Proposal, candidate: Candidate) -> list[tuple[str, str]]:
    """Say how much lower the rate was later than where the rule was chosen."""
    chosen, later = candidate.chosen.rate, candidate.promised.rate
    span = f"{day(proposal.fit.first)} to {day(proposal.fit.through)}"
    where = f"{percent(chosen.rate)} of {chosen.denominator:,} where chosen ({span})"
    drop = candidate.optimism
    if not _independent(proposal) or drop is None:
        return [("where chosen", f"{rate(chosen)}, optimistic ({span})")]
    said = f"{100 * drop:.1f} points" if drop > 0 else "none"
    return [("drop", f"{said}: {where}, {percent(later.rate)} of {later.denominator:,} later")]


def _ranges(candidate: Candidate) -> list[tuple[str, str]]:
    """Say which thresholds cannot be told apart, and which simpler rule is as good."""
    rows = []
    spans = [(visible(name, 60), ends) for name, ends in candidate.ranges.items() if ends[0] != ends[1]]
    if spans:
        named = ", ".join(f"{name} {low:,} to {high:,}" for name, (low, high) in spans)
        rows.append(("thresholds", f"{named} cannot be told apart"))
    if candidate.simpler is not None:
        words, read = candidate.simpler
        rows.append(("simpler", f"{visible(words, 300)}, as good within chance where chosen: {rate(read)}"))
    return rows


def _benchmark(proposal: Proposal, candidate: Candidate) -> list[tuple[str, str]]:
    """Say what a model reaches that calls as many."""
    top, share = proposal.benchmark_model, candidate.holdout.share.rate
    if top is None or not share:
        return []
    reached = f"{percent(top.rate_at(share))} of snapshots at the same share; the rule {percent(candidate.holdout.with_.rate)}"
    return [("benchmark model", reached)]


def _shuffled(proposal: Proposal) -> list[tuple[str, str]]:
    """Say what the search found in shuffled conversions, in counts: few shuffles allow no other."""
    test = proposal.selection
    if test is None:
        return [("permutation test", "not made (--permutations 0)")]
    many = "none" if not test.as_good else f"{test.as_good:,}"
    best = "" if test.best_relative_risk is None else f": best {times(test.best_relative_risk)}"
    ours = "" if test.relative_risk is None else f", here {times(test.relative_risk)}"
    said = f"{many} of {test.permutations} shuffled searches came to as much at snapshots{best}{ours}"
    return [("permutation test", said)]


def _adjusted(effect: Effect | None) -> list[tuple[tuple[str, str], bool]]:
    """Say what is left of the association beside activity, calendar and age, or why that cannot be said; and whether that is a doubt."""
    if effect is None:
        return []
    odds, risk = effect.odds_ratio, effect.relative_risk
    if odds.value is None:
        why = _WHY.get(odds.undefined or "", "the fit did not settle")
        return [(("adjusted", f"could not be allowed for activity, calendar and age: {why}"), True)]
    names, before = ", ".join(visible(name, 60) for name in effect.traits), effect.without_traits
    doubtful = (odds.low or 0) <= 1
    only = ": only active ones?" if doubtful and (before is None or (before.odds_ratio.low or 0) <= 1) else ""
    parts = [f"relative risk {ratio(risk)}, odds ratio {ratio(odds)}{only}"]
    if before is not None:
        said = "explained by" if effect.explained else "not told apart from" if effect.untold else "allowing too for"
        parts.append(f"{said} {names}; without {ratio(before.relative_risk)}, {ratio(before.odds_ratio)}")
    if effect.left_out:
        parts.append(
            f"left out: {effect.left_out:,} snapshots of quarters or ages in which nobody, or everybody, converted"
        )
    if effect.penalised:
        parts.append("by Firth's penalised likelihood: a group without a converter, or with converters only")
    return [(("adjusted", "; ".join(parts)), doubtful or effect.explained or effect.untold)]


def _by_trait(candidate: Candidate) -> list[tuple[str, str]]:
    """Show the rule by the values of a trait where it does not hold equally for all, or where the trait explains it."""
    rows = []
    effect = candidate.adjusted
    for trait in candidate.by_trait:
        differs = trait.rest is not None
        if not differs and not (effect is not None and effect.explained and trait.name in effect.traits):
            continue
        known = [group for group in trait.groups if group.table.relative_risk().undefined is not Undefined.EMPTY_GROUP]
        parts = [f"{visible(group.name, 60)} {about(group.table.relative_risk())}" for group in known[:6]]
        said = f"relative risk at snapshots: {', '.join(parts)}"
        rest = trait.rest
        if rest is not None and trait.only_for:
            names = ", ".join(visible(name, 60) for name in trait.only_for)
            said += f"; holds only for {names}: the others convert {times(rest.relative_risk)} times as often with it as without, at most {times(rest.high)}"
        elif rest is not None:
            said += "; differs, and too few to tell whether it holds for the others"
        rows.append((f"by {visible(trait.name, 60)}", said))
    return rows


def _by_quarter(candidate: Candidate) -> str:
    """Give the newest four calendar quarters, and whether the rate of all goes up or down."""
    from pqlkit.statistics.change import cochran_armitage

    rates = [group.table.with_ for group in candidate.by_period]
    newest = candidate.by_period[-4:]
    shown = ", ".join(f"{group.name}: {percent(group.table.with_.rate)}" for group in newest) + " at snapshots"
    # Where snapshots go together the plain test would find trends in chance.
    trend = cochran_armitage([r.numerator for r in rates], [r.denominator for r in rates])
    if trend.p_value is None or trend.z is None or candidate.holdout.design_effect > 1:
        return shown
    word = "no trend found" if trend.p_value >= 0.05 else "rising" if trend.z > 0 else "falling"
    return f"{shown}; {word} ({chance(trend.p_value)})"


def _e_value(candidate: Candidate) -> list[tuple[str, str]]:
    """Say how strong an unmeasured factor would have to be (the E-value)."""
    confounder = candidate.confounder
    if confounder is None:
        return []
    limit = confounder.limit
    end = "" if limit is None else "; the interval holds 1" if limit <= 1 else f" (CI end {times(limit)})"
    said = f"an unmeasured factor must go with both by a relative risk of {times(confounder.value)}{end} to explain it away"
    return [("E-value", said)]


def _onboarding(candidate: Candidate) -> str:
    """Say so when only the youngest carry the rule."""
    risks = [group.table.relative_risk().low for group in candidate.by_age]
    clear = [low is not None and low > 1 for low in risks]
    return "; an onboarding rule: --snapshots age" if clear[0] and not any(clear[1:]) else ""


def _stability(candidate: Candidate) -> list[tuple[tuple[str, str], bool]]:
    """Say how often random halves choose each criterion again, and whether one of them is doubtful."""
    if candidate.stability is None:
        return []
    rows = []
    for chosen in candidate.stability.criteria:
        unsure = f", else {visible(chosen.rival, 60)}" if chosen.rival else ""
        if chosen.share < 0.6:
            said = f"{visible(chosen.literal.name, 60)} again in only {chosen.share:.0%} of random halves{unsure}"
            rows.append((("selection", said), True))
    if rows:
        return rows
    shares = ", ".join(
        f"{visible(chosen.literal.name, 60)} again in {chosen.share:.0%}" for chosen in candidate.stability.criteria
    )
    return [(("selection", f"random halves choose {shares}"), False)]


def _others(proposal: Proposal, width: int) -> list[str]:
    several = len(proposal.candidates) > 1
    cells = [("", "conversion rate", "recall", "new PQLs"), ("", "[95% CI]", "", "a week")]
    for index, alternative in enumerate(proposal.candidates):
        promised = alternative.promised.rate
        recall = alternative.recall[0] / alternative.recall[1] if alternative.recall[1] else None
        marks = ("* " if index == 0 else "") + ("! " if alternative.over_capacity else "")
        said = "the rule proposed" if index == 0 and several else _rule(alternative)
        figures = f"{percent(promised.rate)} {interval(promised.low, promised.high)}".strip()
        cells.append((f"{marks}{said}", figures, percent(recall), _weekly(alternative)))
    lines = ["ALTERNATIVES, from qualifying" if several else "THE RULE, from qualifying"]
    lines += table(cells, width=width)
    if any(alternative.over_capacity for alternative in proposal.candidates):
        lines.append("  ! over capacity")
    for words, reasons in proposal.rejected[:3]:
        lines += wrapped(f"did not hold later: {visible(words, 300)} ({'; '.join(reasons)})", "  ", "    ", width)
    for alternative in proposal.mechanical:
        days = alternative.promised.time_to_convert.median_days
        ahead = "" if days is None else f", half of the conversions within {days:.0f} days"
        words = f"{visible(_rule(alternative), 300)}, {rate(alternative.promised.rate)}, {_weekly(alternative)} a week{ahead}"
        lines += wrapped(f"Limit event, apart: {words}", "  ", "    ", width)
    lines += meters(proposal.meters)
    rival = proposal.champion
    if rival is not None:
        same = rival.at_same_leads
        expected = f"; {percent(same[0] / same[1])} at as many leads as the rule proposed" if same and same[1] else ""
        said = (
            f"Against {visible(rival.definition.name, 60)} (in use): {rate(rival.promised.rate)} of its PQLs{expected}"
        )
        lines += wrapped(said, "  ", "    ", width)
    return [*lines, *_instead(proposal, width)]


def _instead(proposal: Proposal, width: int) -> list[str]:
    """Say what the rule would change for those who work by the definition in use."""
    new, rival = proposal.replacement, proposal.champion
    if new is None or rival is None:
        return []
    name = visible(rival.definition.name, 60)
    lines = [] if new.change is None else wrapped(f"{name}: {_lower(str(new.change))}", "  ", "    ", width)
    if new.both is None or new.only_new is None or new.only_old is None:
        return lines
    said = f"the rule instead of {name}, later leads: of both {rate(new.both)}; new {rate(new.only_new)}; no longer {rate(new.only_old)}"
    return lines + wrapped(said, "  ", "    ", width)


def _search(proposal: Proposal, width: int) -> list[str]:
    """Say what was searched and left out, and what an experiment would need."""
    search = proposal.search
    lines: list[str] = []
    if search is not None:
        state = "complete" if search.complete else "incomplete" if search.in_time else "stopped by --max-rules"
        lines.append(f"SEARCH {state}: {_many(search.considered)} rules of {_sizes(proposal)}")
    if proposal.points_offer is not None:
        offer = proposal.points_offer
        said = f"A points card is surely better where both were chosen; later {rate(offer.promised.rate)} of its PQLs"
        lines += wrapped(f"{said}: {visible(offer.definition.name, 60)}", "  ", "    ", width)
    left_out = [suspect for suspect in proposal.leakage if suspect.excluded]
    if left_out:
        names = ", ".join(f"{visible(suspect.event, 60)} ({suspect.reason.value})" for suspect in left_out[:4])
        lines += wrapped(f"Excluded as leakage: {names}", "  ", "    ", width)
    plan = proposal.experiment
    if plan is not None:
        arm = next((arm for arm in plan.arms if arm.gain == 0.05 and arm.control_share == 0.2), None)
        if arm is not None and arm.weeks is not None:
            said = f"with --control 20% for {arm.weeks} weeks pqlkit score can see +5 points"
            size = f"({arm.control + arm.contacted:,} leads, 80% power)"
            lines += wrapped(f"To learn whether calls help: {said} {size}", "  ", "    ", width)
    return lines


def _sizes(proposal: Proposal) -> str:
    """Say how many criteria the searched rules had: at most two with little data."""
    most = min(proposal.wishes.max_criteria, 2 if proposal.tier is Tier.COARSE else 3)
    return "1 criterion" if most == 1 else f"1 to {most} criteria"


def _many(count: int) -> str:
    return f"{count / 1e6:,.1f} million" if count >= 1_000_000 else f"{count:,}"
