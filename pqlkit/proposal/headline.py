"""The headline: the one rule that a search proposes, the plainest that no other beats by more than chance."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from pqlkit.proposal.difference import difference
from pqlkit.proposal.earning import earned

if TYPE_CHECKING:
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule

LEVEL: Final = 0.05

__all__ = ["headline", "preferred"]


def headline(search: Search) -> Rule | None:
    """Give the rule that is proposed first: the preferred one, without criteria that have not earned their place.

    Returns
    -------
    Rule or None
        None if the search found nothing.
    """
    rule = preferred(search)
    return None if rule is None else earned(search, rule)


def preferred(search: Search) -> Rule | None:
    """Choose between the best rule of named events, the best with their dates and users, and the best with activity at large.

    Parameters
    ----------
    search
        A search; `plainer` holds the best rules of the narrower vocabularies.

    Returns
    -------
    Rule or None
        The best of the narrowest vocabulary, unless a wider one holds a rule that scores more than chance explains.

    Notes
    -----
    Days and activity at large go with whatever else people do: with a few hundred literals more, one of them beats the best
    count by luck nearly always. So they must beat it by as many standard errors of the paired difference as the best of that
    many literals reaches by chance in one search of twenty (one-sided, the level of 5 % divided by the literals added). In
    worlds with a planted rule of three counts at three times the base rate this raised the searches that name the right
    events from 11 to 15 of 20; where dates or activity were planted and 500 or more converted, they still won.

    References
    ----------
    Dunn, O. J. (1961). Multiple comparisons among means. Journal of the American Statistical Association 56, 52-64.
    """
    if search.best is None:
        return None
    rungs = [*search.plainer, (len(search.literals), search.best)]
    size, chosen = rungs[0]
    for wider, rival in rungs[1:]:
        if rival.literals == chosen.literals:
            continue
        gain = difference(search, rival.literals, chosen.literals)
        # Above the level 5 % there is nothing to divide: one literal more is one comparison.
        if gain.value > -NormalDist().inv_cdf(LEVEL / max(wider - size, 1)) * gain.error:
            size, chosen = wider, rival
    return chosen
