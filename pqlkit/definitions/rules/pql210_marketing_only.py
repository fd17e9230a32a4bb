"""The rule PQL210: only marketing events, no behaviour in the product."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.model import Ref, leaves
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject

MARKETING: Final = re.compile(
    r"(marketing_)?(e?mail|newsletter|webinar|ebook|whitepaper|white_paper|ad|advert|blog|landing_page|"
    r"drip|nurture|push_notification)s?"
    r"(_(delivered|sent|opened|open|clicked|click|bounced|unsubscribed|subscribed|viewed|view|visited|downloaded|"
    r"download|registered|attended|received|link_clicked|link_click|conversion|impression|shown|seen))+|"
    r"(viewed|visited|opened|clicked|downloaded|attended|subscribed_to|received)_"
    r"(the_)?(e?mail|newsletter|campaign|webinar|ebook|whitepaper|ad|blog|landing_page)(_link)?|"
    r"(pricing|landing|home|marketing|blog)(_page)?_(viewed|view|visited|visit)|"
    r"(viewed|visited|view|visit)_(the_)?(pricing|landing|home|marketing|blog)(_page)?"
)
"""Events of the marketing site and of mailings, in snake case."""


def check(subject: Subject) -> Iterator[Finding]:
    """Find definitions in which every event is one of marketing's."""
    parts = list(leaves(subject.definition.qualify))
    events = [name for leaf in parts if not isinstance(leaf, Ref) for name in leaf.events or ("",)]
    if events and not any(isinstance(leaf, Ref) for leaf in parts) and all(map(_marketing, events)):
        names = ", ".join(dict.fromkeys(events))
        yield Finding(
            path=("qualify",),
            key=True,
            message=f"only marketing events ({names}): this makes a marketing lead, not a product one",
            hint="add something that people do in the product",
        )


def _marketing(name: str) -> bool:
    snake = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    return MARKETING.fullmatch(snake) is not None


RULE = Rule(
    code=Code("PQL210", "marketing-only", Severity.WARNING),
    what="Every event of the definition is of mailings or the marketing site: opened, clicked, downloaded, page viewed.",
    why="A product qualified lead is known by what it does in the product. Mails reach everybody, are opened by machines, and "
    "follow your own campaigns.",
    fix="Add a behaviour in the product, or leave these to the marketing tool.",
    bad=Example(text="qualify: {event: [email_opened, newsletter_clicked], at_least: 3, within: 14d}\n"),
    good=Example(text="qualify: {event: report_shared, at_least: 3, within: 14d}\n"),
    check=check,
)
