"""The page of statistics: every figure with its question, and the formula, limits and references that its own code states."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import TYPE_CHECKING, Final

import pqlkit.statistics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIGURES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "Conversion rate, and every other share, with [95% CI]": (
        "Of those who could, how many did, and between which ends may the true share lie?",
        ("rate.wilson",),
    ),
    "Correlation (phi)": ("How closely does doing it go with converting?", ("comparison.phi",)),
    "Relative risk": (
        "How many times as often do those who do it convert?",
        ("comparison.relative_risk", "comparison.log_relative_risk"),
    ),
    "Odds ratio": ("The same of odds, which a logistic model adjusts.", ("comparison.odds_ratio", "exact.odds_ratio")),
    "Lift": ("How many times the rate of everybody?", ("comparison.lift",)),
    "Adjusted relative risk, adjusted odds ratio": (
        "What is left when activity, age and fixed traits are held equal?",
        (
            "standardisation.risk_ratio",
            "adjusted.fit_logistic",
            "firth.fit_firth",
            "standardisation.firth_risk_ratio",
            "standardisation.log_ratio_change",
        ),
    ),
    "Associated (FDR 5%), q": (
        "Which of all behaviours that were tested go with converting by more than chance?",
        (
            "comparison.p_value",
            "comparison.mid_p",
            "exact.fisher",
            "exact.fisher_greater",
            "multiplicity.bonferroni",
            "multiplicity.benjamini_hochberg",
        ),
    ),
    "Less likely to convert, of those as active": (
        "What do fewer convert after, among those who were as active?",
        ("stratified.mantel_haenszel", "stratified.excess", "stratified.mid_p", "stratified.conditional_mean"),
    ),
    "Done by nearly the same": (
        "Which behaviours cannot be told apart?",
        ("collinearity.spearman_matrix", "collinearity.interchangeable", "ranks.spearman"),
    ),
    "Points [interval]: a change or a difference of rates": (
        "By how many points do two rates differ?",
        ("comparison.risk_difference", "comparison.newcombe"),
    ),
    "n / 1.3: snapshots that go together": (
        "How many independent rows are snapshots of one entity, or users of one account?",
        ("design_effect.design_effect", "design_effect.mean_design_effect"),
    ),
    "Conversion curves and their median": (
        "Which share has converted by each day, counting those who are not through?",
        (
            "survival.kaplan_meier",
            "survival.log_rank",
            "clustered_log_rank.clustered_log_rank",
            "survival.disagreement",
        ),
    ),
    "AUC, value metrics": (
        "How well does more of it tell who converts?",
        (
            "ranks.auc",
            "ranks.auc_error",
            "discrimination.area_interval",
            "discrimination.area_difference",
            "discrimination.heterogeneity",
            "ranks.average_precision",
        ),
    ),
    "Your definitions: Holm-adjusted": (
        "Which of a few written definitions surely goes with converting?",
        ("multiplicity.holm",),
    ),
    "A relative risk that would show": (
        "What could have been missed?",
        ("power.detectable_relative_risk", "power.detectable_fall", "power.detectable_difference", "power.sample_size"),
    ),
    "Objective of a search": ("Which rule is better?", ("agreement.kappa", "agreement.f_beta", "agreement.youden")),
    "Permutation test": ("Would shuffled conversions give as good a rule?", ("permutation.shuffled",)),
    "E-value": (
        "How strong would an unmeasured factor have to be?",
        ("evalue.e_value", "evalue.e_value_limit", "evalue.risk_ratio_of_odds"),
    ),
    "One rule against another": (
        "Do leads of one rule convert more often than those of another that shares accounts with it?",
        ("predictive_value.relative_predictive_value", "mean.difference_of_means", "mean.mean"),
    ),
    "Verdicts of periods, trend, since when": (
        "Has the definition changed what it does?",
        (
            "drift.assess",
            "homogeneity.homogeneity",
            "change.cochran_armitage",
            "change.at_same_ages",
            "change.risk_ratio_change",
            "change.stability_index",
            "change_point.change_point",
        ),
    ),
}
"""Figure as screens name it -> the question it answers, and what computes it in `pqlkit.statistics`."""

_HEAD: Final = """\
# Statistics, by figure

This page is written by `make docs` from the code that computes each figure: the question, what is computed and within which
limits, and the references. Intervals are of 95 %. An undefined figure is shown as `-` and stands as `null` in JSON, with the reason; it
is never 0 or 1. Every figure is an association: none says what causes a conversion. How it was checked: `tests/statistics/` holds
each against R, SciPy, statsmodels or the paper, `tests/simulation/RESULTS.md` against worlds of known truth.
"""
_SECTION: Final = re.compile(r"^(\w+)\n-{3,}\n", re.M)
REFERENCES: Final = "References"


def statistics_page() -> str:
    """Write the page.

    Examples
    --------
    >>> statistics_page().splitlines()[0]
    '# Statistics, by figure'
    """
    named = {name for _, names in FIGURES.values() for name in names}
    beneath = sorted(name for name in documented() if name not in named)
    parts = [_HEAD, *(line for figure in FIGURES for line in _figure(figure))]
    parts += ["## Beneath the figures\n", *(line for name in beneath for line in _function(name))]
    return "\n".join(parts).rstrip() + "\n"


def documented() -> dict[str, str]:
    """Give the docstring of each public formula that has a reference, by its module and name."""
    found: dict[str, str] = {}
    for info in pkgutil.iter_modules(pqlkit.statistics.__path__):
        module = importlib.import_module(f"pqlkit.statistics.{info.name}")
        for name, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            text = inspect.getdoc(function) or "" if own else ""
            if not name.startswith("_") and f"{REFERENCES}\n---" in text:
                found[f"{info.name}.{name}"] = text
    return found


def _figure(figure: str) -> Iterator[str]:
    question, names = FIGURES[figure]
    yield f"## {figure}\n"
    yield f"{question}\n"
    for name in names:
        yield from _function(name)


def _function(name: str) -> Iterator[str]:
    head, *rest = _SECTION.split(documented()[name])
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    yield f"### `{name}`\n"
    yield f"{_markdown(head)}\n"
    if "Notes" in sections:
        yield f"{_markdown(sections['Notes'])}\n"
    if "Returns" in sections:
        _, _, said = sections["Returns"].partition("\n")
        yield f"*Gives*: {_markdown(inspect.cleandoc(said))}\n"
    yield from (f"- {' '.join(reference.split())}" for reference in sections[REFERENCES].strip().split("\n\n"))
    yield ""


def _markdown(text: str) -> str:
    """Turn a docstring's markup into Markdown: formulas into blocks, literals into code."""
    text = re.sub(r":math:`([^`]+)`", r"`\1`", text.replace("``", "`"))
    return re.sub(
        r"\.\. math:: *\n?((?:.+\n?)+)", lambda found: f"```math\n{inspect.cleandoc(found[1])}\n```\n", text
    ).strip()
