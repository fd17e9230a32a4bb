"""The page: one HTML file that holds everything it shows and loads nothing.

The content security policy forbids every request and allows the page's own style sheet alone, by hash; and on the page that has
one its own script, by hash, too.
The figures that the page shows stand once more as JSON in a data block, for machines. Pages are Jinja templates: what they
show is escaped unless it is markup, and a name that nobody gave is an error.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Undefined
from markupsafe import Markup

from pqlkit.inert import visible
from pqlkit.reporting.pages import markup
from pqlkit.reporting.pages.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Mapping


def page(
    template: str, title: str, figures: Mapping[str, Any], sentence: str, *, script: str | None = None, **shown: Any
) -> str:
    """Put a page together.

    Parameters
    ----------
    template
        The file in ``templates/``.
    title
        Heading and title, as text: names in it are made inert here.
    figures
        What the page shows, as the JSON contract spells it.
    sentence
        What the figures do not say; it ends every page.
    script
        The script in ``templates/`` that the page runs; None = it runs none.
    shown
        What else the template asks for: drawings, and words that are not in the JSON.

    Returns
    -------
    str
        The same bytes for the same input.
    """
    code = None if script is None else templates().get_template(script).render().strip()
    runs = "" if code is None else f"script-src {_hash(code)}; "
    return (
        templates()
        .get_template(template)
        .render(
            title=visible(title),
            figures=figures,
            sentence=sentence,
            policy=f"default-src 'none'; {runs}style-src {_hash(STYLE)}; base-uri 'none'; form-action 'none'",
            style=Markup(STYLE),  # noqa: S704 - our own
            script=None if code is None else Markup(code),  # noqa: S704 - our own
            figures_as_json=block(figures),
            **shown,
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class _Templates(Environment):
    """Templates in which ``figures.clear`` is what figures say under ``clear``, and no method of theirs."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a key of a mapping before an attribute."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _shown(value: object) -> object:
    """Refuse to show a function: somebody forgot to call it, or its name hides a key that is missing."""
    if callable(value) and not isinstance(value, Undefined):
        raise TypeError(f"a page shows what things are, not {value!r}")
    return value


@cache
def templates() -> Environment:
    """Give the templates, with the functions that show numbers and names."""
    environment = _Templates(
        finalize=_shown,
        loader=PackageLoader("pqlkit.reporting.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shows = (
        markup.name,
        markup.moment,
        markup.number,
        markup.chance,
        markup.fraction,
        markup.quantity,
        markup.difference,
        markup.ratio,
        markup.interval,
        markup.rate,
        visible,
        block,
    )
    environment.globals.update({function.__name__: function for function in shows}, nothing=markup.NOTHING)
    return environment


def block(figures: Mapping[str, Any]) -> Markup:
    r"""Write JSON for a data block inside HTML: nothing in it can end the block or begin a comment.

    Examples
    --------
    >>> str(block({"event": "</script><!--"}))
    '{"event":"\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(figures, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above
