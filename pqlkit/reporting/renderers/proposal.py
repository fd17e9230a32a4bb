"""The proposal for people: one rule first, what later entities did, whether it would hold, the menu after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.analysis.tiers import Tier
from pqlkit.definitions.describing import phrase
from pqlkit.definitions.nouns import nouns_of
from pqlkit.inert import visible
from pqlkit.proposal.definition_wording import in_words
from pqlkit.proposal.split import SplitKind
from pqlkit.proposal.tonight import NEW
from pqlkit.reporting.records.proposal import candidate, record
from pqlkit.reporting.renderers.analysis import base_counts, fewer, meters, not_monotone
from pqlkit.reporting.renderers.layout import fit, spread, styled, wrapped
from pqlkit.reporting.renderers.tabular import flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import about, chance, day, interval, percent, rate, ratio, times
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


def as_table(proposal: Proposal, files: dict[str, str] | None = None) -> RenderableType:
    """Give what the terminal shows: at most about 40 lines of 80 columns."""
    from rich.console import Group
    from rich.text import Text

    if not proposal.candidates:
        lines = _nothing(proposal)
    else:
        first = proposal.candidates[0]
        file = (files or {}).get(first.definition.name)
        lines = [*_proposed(first, file), "", *_later(proposal, first), "", *_changed(proposal)]
        lines += [*_would_it_hold(proposal, first), "", *_others(proposal), "", *_closing(proposal, first, file)]
    return Group(*[styled(Text(line)) for line in lines])


def _nothing(proposal: Proposal) -> list[str]:
    lines = ["NOTHING PROPOSED"]
    for warning in proposal.warnings:
        lines += wrapped(warning, "  ")
    for words, reasons in proposal.rejected[:5]:
        lines += wrapped(f"did not hold: {visible(words, 120)} ({'; '.join(reasons)})", "  ", "    ")
    lines += ["", *_changed(proposal), f"  {base_counts(proposal.observed)}"]
    top = proposal.benchmark_model
    if top is not None and top.auc is not None:
        lines.append(
            f"  a model of all behaviours reaches an AUC of {top.auc:.2f} on the later snapshots (0.5 = chance)"
        )
    lines += meters(proposal.meters)
    if proposal.fewer:
        return [*lines, *fewer(proposal.fewer)]
    believed = any("pqlkit try" in warning for warning in proposal.warnings)
    return lines if believed else [*lines, "", 'Test what you believe: pqlkit try "EVENT >= 3 in 14d"']


def _proposed(candidate: Candidate, file: str | None) -> list[str]:
    lines = [f"PROPOSED  {visible(candidate.definition.name, 68)}"]
    lines += [f"  {visible(file, 70)}"] if file else []
    lines.append(
        f"  {'An' if candidate.definition.entity.value == 'account' else 'A'} {candidate.definition.entity.value} with"
    )
    parts = [visible(phrase(part), 200) for part in candidate.definition.criteria]
    for index, part in enumerate(parts):
        lines += wrapped(part + (" and" if index < len(parts) - 1 else ""), "    ", "      ")
    for condition in candidate.definition.eligible:
        lines.append(f"    whose {visible(condition.name, 40)} is {visible(str(condition.values[0]), 40)}")
    if (
        candidate.adjusted is not None
        and candidate.adjusted.explained
        and (candidate.adjusted.relative_risk.low or 0) <= 1
    ):
        names = " and ".join(visible(name, 30) for name in candidate.adjusted.traits)
        lines += wrapped(
            f"Explained by {names}: allowing for {names} whoever meets it converts {ratio(candidate.adjusted.relative_risk, ' times')} as often",
            "  ",
            "    ",
        )
    return lines


def _rule(candidate: Candidate) -> str:
    return visible(in_words(candidate.rule.literals), 160)


def _times(count: int) -> str:
    """Say how often: ``once``, ``3 times``."""
    return "once" if count == 1 else f"{count} times"


def _weekly(candidate: Candidate) -> str:
    weekly = candidate.promised.pqls_per_week
    return "-" if weekly.median is None else f"{weekly.median:.0f}"


def _later(proposal: Proposal, candidate: Candidate) -> list[str]:
    """Say what the later qualifications were followed by, and what comparable others did: one clock."""
    span = f"{day(proposal.holdout.first)} to {day(proposal.holdout.through)}"
    window = str(proposal.observed.snapshots.design.conversion_window)
    cross = proposal.cross_fitted
    if cross is None:
        lines = wrapped(f"LATER TEST PERIOD {span}, not used to choose the rule, read {_times(proposal.read)}", "")
        promised, weekly = candidate.promised, candidate.promised.pqls_per_week
        pace = f", {weekly.median:.0f} in a median week" if weekly.median is not None else ""
        open_ = promised.starts - promised.rate.denominator - promised.too_soon
        late = f"; {open_:,} have not had their {window}" if open_ else ""
        lines += wrapped(f"{promised.starts:,} new PQLs{pace}{late}", "  ", "    ")
        lines += wrapped(
            f"{nouns_of(candidate.definition).success} within {window}   {rate(promised.rate)}", "  ", "    "
        )
    else:
        lines = wrapped(_why_cross_validated(proposal), "")
        lines += wrapped(
            f"rules chosen without a part converted {rate(cross.rate)} on it, within {window} of qualifying",
            "  ",
            "    ",
        )
    lines += _against_others(candidate)
    quick = candidate.promised.time_to_convert
    if quick.median_days is not None:
        lines += wrapped(
            f"median time to convert {quick.median_days:.0f} days; {quick.quick} within one day, too quick for a call",
            "  ",
            "    ",
        )
    qualified, conversions = candidate.recall
    if conversions:
        lines += wrapped(
            f"of {conversions:,} conversions {qualified:,} ({qualified / conversions:.0%}) had qualified within the {window} "
            "before: recall",
            "  ",
            "    ",
        )
    return [*lines, *_contacted(candidate), *_worth(proposal, candidate)]


def _contacted(candidate: Candidate) -> list[str]:
    """Say how many somebody had called before: what such a rule counts may come of the call."""
    calls = candidate.contacted
    if calls is None or not calls.starts:
        return []
    before = calls.before.denominator
    doubt = ": what it counts may come of the call" if 2 * before >= calls.starts else ""
    return wrapped(f"{before:,} of {calls.starts:,} who met it had been contacted before{doubt}", "  ", "    ")


def _why_cross_validated(proposal: Proposal) -> str:
    """Say why no later period is set aside to test the rule."""
    if proposal.since is None or proposal.tier is not Tier.EVERYTHING:
        return "CROSS-VALIDATED: too few conversions for a later test period"
    read = f"read {_times(proposal.read)}"
    return f"CROSS-VALIDATED on snapshots since {day(proposal.since)}: no later period is left, {read}"


def _changed(proposal: Proposal) -> list[str]:
    """Say which rules do less, or more, than they did, and what a refit comes to."""
    lines: list[str] = []
    fell = next((change for _, change in proposal.changes if change.fell), None)
    for words, change in proposal.changes[:1]:
        lines += wrapped(f"{visible(words, 120)}: {_lower(str(change))}", "  ", "    ")
    refit = proposal.refit
    if refit is not None and refit.words is not None and refit.rate is not None:
        lines += wrapped(
            f"best rule of what came since (cross-validated): {visible(refit.words, 120)}, {rate(refit.rate)}",
            "  ",
            "    ",
        )
    elif refit is not None and refit.why is not None:
        lines += wrapped(f"no rule of what came since is offered: {refit.why}", "  ", "    ")
    if refit is not None and refit.words is not None and fell is not None:
        lines.append(f"  pqlkit propose --learn-from {day(fell.since)}")
    return ["CHANGED", *lines, ""] if lines else []


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _against_others(candidate: Candidate) -> list[str]:
    """Say what accounts as active did."""
    comparison = candidate.compared
    if comparison is None or comparison.active.others_rate is None:
        return []
    active, adjusted = comparison.active, comparison.adjusted
    more = [f"{times(active.relative_risk)} times as often" if active.relative_risk is not None else "none of them"]
    if adjusted is not None and adjusted.relative_risk is not None:
        more.append(f"adjusted {times(adjusted.relative_risk)}")
    who = f"{candidate.definition.entity.value}s"
    return wrapped(
        f"{who} as active that day that did not meet it   {percent(active.others_rate)} ({'; '.join(more)})",
        "  ",
        "    ",
    )


def _independent(proposal: Proposal) -> bool:
    """Whether later snapshots were set aside: else the holdout figures are of other rules, each read where it was not chosen."""
    return proposal.split is not None and proposal.split.kind is SplitKind.TIME


def _worth(proposal: Proposal, candidate: Candidate) -> list[str]:
    """Say what calling brings at the prices given, and what the sum takes for granted."""
    value, cost = proposal.wishes.value, proposal.wishes.cost
    worth = None if value is None or cost is None else candidate.worth(value, cost)
    if worth is None:
        return []
    return wrapped(
        f"worth {worth:,.0f} per 100 leads ({value:g} a conversion, {cost:g} a lead) if no conversion came without the call: "
        "an experiment tells how many do",
        "  ",
        "    ",
    )


def _would_it_hold(proposal: Proposal, candidate: Candidate) -> list[str]:
    lines = ["WOULD IT HOLD?"]
    fit, later = candidate.chosen.rate, candidate.promised.rate
    span = f"{day(proposal.fit.first)} to {day(proposal.fit.through)}"
    after = f", then {rate(later)} later" if _independent(proposal) else ""
    lines += wrapped(f"chosen on   {span}, from qualifying: {rate(fit)}{after}", "  ", " " * 14)
    if len(candidate.by_period) > 1:
        lines += wrapped(f"by quarter  {_by_quarter(candidate)}", "  ", " " * 14)
    if len(candidate.by_age) > 1:
        parts = "  ".join(f"{group.name} {about(group.table.relative_risk())}x" for group in candidate.by_age)
        lines.append(f"  by age      {parts}{_onboarding(candidate)}")
    if candidate.ranges:
        ranges = ", ".join(
            f"{visible(name, 30)} {low:,} to {high:,}" for name, (low, high) in candidate.ranges.items() if low != high
        )
        if ranges:
            lines += wrapped(f"thresholds  {ranges} cannot be told apart", "  ", " " * 14)
    if candidate.stands_for is not None:
        lines += wrapped(
            f"the same leads come of {visible(candidate.stands_for, 120)}: the data cannot tell which of the two matters",
            "  ",
            "    ",
        )
    lines += _beside(proposal)
    for precursor in candidate.precursors:
        done, begun = visible(precursor.leads_to, 30), visible(precursor.event, 30)
        lines += wrapped(
            f"{done} stands for {begun} too, which comes before {precursor.share:.0%} of them", "  ", "    "
        )
    lines += _stability(candidate)
    lines += _shuffled(proposal)
    if candidate.adjusted is not None:
        lines += _adjusted(candidate.adjusted)
    lines += _by_trait(candidate)
    lines += _doubt(candidate)
    top = proposal.benchmark_model
    if top is not None and candidate.holdout.share.rate:
        reached = top.rate_at(candidate.holdout.share.rate)
        captured = "" if proposal.captured is None else f": the rule has {proposal.captured:.0%} of what is there"
        if proposal.captured is not None and proposal.captured > 1:
            captured = ": the rule does better"
        lines.append(f"  a model at the same share   {percent(reached)}{captured}")
    if candidate.simpler is not None:
        lines += wrapped(
            f"simpler, as good within chance where chosen: {visible(candidate.simpler[0], 100)}, {rate(candidate.simpler[1])}",
            "  ",
            "    ",
        )
    return lines


def _beside(proposal: Proposal) -> list[str]:
    """Say what the rule's rates leave open: whom somebody had called before, and which criteria are not monotone."""
    lines = []
    if proposal.contacted is not None:
        called, leads = proposal.contacted
        lines += wrapped(
            f"contacts    {called:,} of {leads:,} later PQLs had been contacted before they met it", "  ", " " * 14
        )
    for shape in proposal.shapes:
        lines += wrapped(not_monotone([shape]), "  ", " " * 14)
    return lines


def _shuffled(proposal: Proposal) -> list[str]:
    """Say what the search found in shuffled conversions, in counts: few shuffles allow no other."""
    test = proposal.selection
    if test is None:
        return ["  permutation test   not made (--permutations 0)"]
    many = "none" if not test.as_good else f"{test.as_good:,}"
    best = "" if test.best_relative_risk is None else f": best {times(test.best_relative_risk)}"
    ours = "" if test.relative_risk is None else f", here {times(test.relative_risk)}"
    return wrapped(
        f"permutation test   {many} of {test.permutations} shuffled searches came to as much{best}{ours} times as often, at snapshots",
        "  ",
        "    ",
    )


def _adjusted(effect: Effect) -> list[str]:
    """Say what is left of the association beside activity, calendar and age, or why that cannot be said."""
    odds, risk = effect.odds_ratio, effect.relative_risk
    if odds.value is None:
        why = _WHY.get(odds.undefined or "", "the fit did not settle")
        return wrapped(f"adjusted   could not be allowed for activity, calendar and age: {why}", "  ", " " * 14)
    names, before = ", ".join(visible(name, 30) for name in effect.traits), effect.without_traits
    only = (
        ": only active ones?" if (odds.low or 0) <= 1 and (before is None or (before.odds_ratio.low or 0) <= 1) else ""
    )
    lines = wrapped(f"adjusted   odds ratio {ratio(odds)}, {ratio(risk, ' times')} as often{only}", "  ", " " * 14)
    if before is not None:
        said = "explained by" if effect.explained else "not told apart from" if effect.untold else "allowing too for"
        lines += wrapped(
            f"{said} {names}; without {ratio(before.odds_ratio)}, {ratio(before.relative_risk, ' times')} as often",
            " " * 13,
            " " * 14,
        )
    if effect.left_out:
        lines += wrapped(
            f"left out: {effect.left_out:,} snapshots of quarters or ages in which nobody, or everybody, converted",
            " " * 13,
            " " * 14,
        )
    if effect.penalised:
        lines += wrapped(
            "by Firth's penalised likelihood: a group without a converter, or with converters only", " " * 13, " " * 14
        )
    return lines


def _by_trait(candidate: Candidate) -> list[str]:
    """Show the rule by the values of a trait where it does not hold equally for all, or where the trait explains it."""
    lines = []
    effect = candidate.adjusted
    for trait in candidate.by_trait:
        differs = trait.rest is not None
        if not differs and not (effect is not None and effect.explained and trait.name in effect.traits):
            continue
        known = [group for group in trait.groups if group.table.relative_risk().undefined is not Undefined.EMPTY_GROUP]
        parts = [f"{visible(group.name, 24)} {about(group.table.relative_risk())}x" for group in known[:6]]
        lines += wrapped(f"by {visible(trait.name, 30)}   {'  '.join(parts)}", "  ", " " * 14)
        rest = trait.rest
        if rest is None:
            continue
        if trait.only_for:
            names = ", ".join(visible(name, 24) for name in trait.only_for)
            said = f"holds only for {names}: the others convert {times(rest.relative_risk)} times as often with it as without, at most"
            lines += wrapped(f"{said} {times(rest.high)}", " " * 13, " " * 14)
        else:
            lines += wrapped("differs, and too few to tell whether it holds for the others", " " * 13, " " * 14)
    return lines


def _by_quarter(candidate: Candidate) -> str:
    """Give the newest four calendar quarters, and whether the rate of all goes up or down."""
    from pqlkit.statistics.change import cochran_armitage

    rates = [group.table.with_ for group in candidate.by_period]
    shown = "  ".join(f"{group.name} {percent(group.table.with_.rate)}" for group in candidate.by_period[-4:])
    # Where snapshots go together the plain test would find trends in chance.
    trend = cochran_armitage([r.numerator for r in rates], [r.denominator for r in rates])
    if trend.p_value is None or trend.z is None or candidate.holdout.design_effect > 1:
        return shown
    word = "no clear change" if trend.p_value >= 0.05 else "rising" if trend.z > 0 else "falling"
    return f"{shown}   {word} ({chance(trend.p_value)})"


def _doubt(candidate: Candidate) -> list[str]:
    """Say how strong an unmeasured factor would have to be (the E-value)."""
    confounder = candidate.confounder
    if confounder is None:
        return []
    limit = confounder.limit
    ends = (
        "" if limit is None else "; the interval holds 1" if limit <= 1 else f" ({times(limit)} for the interval's end)"
    )
    return wrapped(
        f"an unmeasured factor would have to be tied to both by a risk ratio of at least {times(confounder.value)} each to explain "
        f"it away{ends}",
        "  ",
        "    ",
    )


def _onboarding(candidate: Candidate) -> str:
    """Say so when only the youngest carry the rule."""
    risks = [group.table.relative_risk().low for group in candidate.by_age]
    clear = [low is not None and low > 1 for low in risks]
    return "   an onboarding rule: --snapshots age" if clear[0] and not any(clear[1:]) else ""


def _stability(candidate: Candidate) -> list[str]:
    if candidate.stability is None:
        return []
    lines = []
    for chosen in candidate.stability.criteria:
        unsure = f", else {visible(chosen.rival, 24)}" if chosen.rival else ""
        if chosen.share < 0.6:
            lines.append(
                f"  unstable    {visible(chosen.literal.name, 30)}: in {chosen.share:.0%} of random halves{unsure}"
            )
    if not lines:
        shares = ", ".join(
            f"{visible(chosen.literal.name, 30)} {chosen.share:.0%}" for chosen in candidate.stability.criteria
        )
        lines += wrapped(f"random halves choose them again: {shares}", "  ", "    ")
    return lines


def _others(proposal: Proposal) -> list[str]:
    lines = [
        spread(
            "ALTERNATIVES, from qualifying" if len(proposal.candidates) > 1 else "THE RULE, from qualifying",
            "conversion rate      recall    PQLs",
        ),
        f"  {'':<40} {'rate':>6} {'[95 %]':<12} {'':>8} {'a week':>7}",
    ]
    for index, alternative in enumerate(proposal.candidates):
        promised = alternative.promised.rate
        recall = alternative.recall[0] / alternative.recall[1] if alternative.recall[1] else None
        marks = ("*" if index == 0 else " ") + ("!" if alternative.over_capacity else " ")
        said = "the rule proposed" if index == 0 and len(proposal.candidates) > 1 else _rule(alternative)
        first, *more = wrapped(said, "", width=40)[:3]
        lines.append(
            f"{marks}{fit(first, 40)} {percent(promised.rate):>6} {interval(promised.low, promised.high):<12} "
            f"{percent(recall):>8} {_weekly(alternative):>7}"
        )
        lines += [f"    {fit(line, 40)}".rstrip() for line in more]
    if any(alternative.over_capacity for alternative in proposal.candidates):
        lines.append("  ! over capacity")
    for words, reasons in proposal.rejected[:3]:
        lines += wrapped(f"did not hold later: {visible(words, 100)} ({'; '.join(reasons)})", "  ", "    ")
    for alternative in proposal.mechanical:
        days = alternative.promised.time_to_convert.median_days
        ahead = "" if days is None else f", half of the conversions within {days:.0f} days"
        words = (
            f"Limit list apart: {visible(_rule(alternative), 60)}, {rate(alternative.promised.rate)}, "
            f"{_weekly(alternative)} a week{ahead} (mechanical)"
        )
        lines += wrapped(words, "  ", "    ")
    lines += meters(proposal.meters)
    rival = proposal.champion
    if rival is not None:
        same = rival.at_same_leads
        expected = f"; {percent(same[0] / same[1])} at as many leads as the rule proposed" if same and same[1] else ""
        lines += wrapped(
            f"Against {visible(rival.definition.name, 40)} (in use): {rate(rival.promised.rate)} of its PQLs{expected}",
            "  ",
            "    ",
        )
    return [*lines, *_instead(proposal)]


def _instead(proposal: Proposal) -> list[str]:
    """Say what the rule would change for those who work by the definition in use."""
    new, rival = proposal.replacement, proposal.champion
    if new is None or rival is None:
        return []
    name = visible(rival.definition.name, 40)
    lines = [] if new.change is None else wrapped(f"{name}: {_lower(str(new.change))}", "  ", "    ")
    if new.both is None or new.only_new is None or new.only_old is None:
        return lines
    return lines + wrapped(
        f"the rule instead of {name}, later leads: of both {rate(new.both)}; new {rate(new.only_new)}; no longer {rate(new.only_old)}",
        "  ",
        "    ",
    )


def _closing(proposal: Proposal, first: Candidate, file: str | None) -> list[str]:
    search = proposal.search
    lines: list[str] = []
    if search is not None:
        state = "complete" if search.complete else "incomplete" if search.in_time else "stopped by --max-rules"
        lines.append(f"  Search {state}: {_many(search.considered)} rules of {_sizes(proposal)}.")
    if proposal.points_offer is not None:
        offer = proposal.points_offer
        lines += wrapped(
            f"A points card is surely better where both were chosen; later {rate(offer.promised.rate)} of its PQLs: "
            f"{visible(offer.definition.name, 60)}",
            "  ",
            "    ",
        )
    left_out = [suspect for suspect in proposal.leakage if suspect.excluded]
    if left_out:
        names = ", ".join(f"{visible(suspect.event, 30)} ({suspect.reason.value})" for suspect in left_out[:4])
        lines += wrapped(f"Left out: {names}", "  ", "    ")
    plan = proposal.experiment
    if plan is not None:
        arm = next((arm for arm in plan.arms if arm.gain == 0.05 and arm.control_share == 0.2), None)
        if arm is not None and arm.weeks is not None:
            lines += wrapped(
                f"To learn whether calls help: pqlkit score --control 20% for {arm.weeks} weeks can see +5 points "
                f"({arm.control + arm.contacted:,} leads, 80 % power)",
                "  ",
                "    ",
            )
    for warning in proposal.warnings:
        lines += wrapped(warning, "  ! ", "    ")
    return [*lines, *_tonight(proposal, first, file), SENTENCE]


def _sizes(proposal: Proposal) -> str:
    """Say how many criteria the searched rules had: at most two with little data."""
    most = min(proposal.wishes.max_criteria, 2 if proposal.tier is Tier.COARSE else 3)
    return "1 criterion" if most == 1 else f"1 to {most} criteria"


def _many(count: int) -> str:
    return f"{count / 1e6:,.1f} M" if count >= 1_000_000 else f"{count:,}"


def _tonight(proposal: Proposal, first: Candidate, file: str | None) -> list[str]:
    """Say how many meet it already, and the command that takes only the new ones."""
    tonight = proposal.tonight
    if tonight is None:
        return []
    kind = first.definition.entity.value
    who = f"1 {kind} already meets it" if tonight.meet == 1 else f"{tonight.meet:,} {kind}s already meet it"
    split = f"{tonight.fresh:,} fresh, {tonight.meet - tonight.fresh:,} stale: a backlog, not new leads"
    lines = [
        "",
        *(wrapped(f"TONIGHT  {who} ({split}).", "") if tonight.meet else [f"TONIGHT  no {kind} meets it now."]),
    ]
    path = visible(file or f"definitions/{first.definition.name}.yml", 200)
    command = f"  pqlkit score -d {path} --since {NEW}   -> {tonight.new:,} new"
    # A command is copied: a line that is too long breaks where a shell goes on.
    broken = [f"  pqlkit score --since {NEW} \\", f"    -d {path}   -> {tonight.new:,} new"]
    return [*lines, *([command] if len(command) < 80 else broken)]
