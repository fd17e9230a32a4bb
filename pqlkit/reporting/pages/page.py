"""The page: one HTML file that holds everything it shows and loads nothing.

It has no script. The content security policy forbids every request and allows the page's own style sheet alone, by hash.
The figures that the page shows stand once more as JSON in a data block, for machines.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import TYPE_CHECKING, Any

from pqlkit.inert import visible
from pqlkit.reporting.pages.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def page(title: str, under: str, sections: Sequence[str], record: Mapping[str, Any], sentence: str) -> str:
    r"""Put a page together.

    Parameters
    ----------
    title
        Heading and title, as text: names in it are made inert here.
    under
        One line of markup below the heading.
    sections
        Markup, in their order.
    record
        What the page shows, as the JSON contract spells it.
    sentence
        What the figures do not say; it ends every page.

    Returns
    -------
    str
        The same bytes for the same input.

    Examples
    --------
    >>> text = page("A & B", "", [], {"event": "</script>"}, "Says who, not why.")
    >>> "<h1>A &amp; B</h1>" in text, text.count("</script>"), "http" in text.partition("<body>")[2]
    (True, 1, False)
    """
    shown = escape(visible(title))
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{shown}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1>{shown}</h1><p class="under">{under}</p></header>\n<main>\n'
        + "\n".join(part for part in sections if part)
        + f"\n</main>\n<footer><p>{escape(sentence)}</p></footer>\n"
        f'<script type="application/json" id="figures">{block(record)}</script>\n</body>\n</html>\n'
    )


def block(record: Mapping[str, Any]) -> str:
    r"""Write JSON for a data block inside HTML: nothing in it can end the block or begin a comment.

    Examples
    --------
    >>> block({"event": "</script><!--"})
    '{"event":"\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
