"""What is left of a web page in a text that should be plain."""

import re

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter

ATTRIBUTES = r"(?:\s{1,9}[\w:-]{1,40}\s?=[^<>]{0,400})?\s{0,9}/?>"
"""Without an equals sign, what follows a name is no attribute but a comparison, as in `a <b and c> d`."""
TAG = re.compile(
    r"</?(?:p|br|hr|div|span|td|th|tr|table|tbody|thead|font|ul|li|ol|img|h[1-6]|style|script|strong|em|center)"
    rf"{ATTRIBUTES}|(?<!\w)<[abiu]{ATTRIBUTES}|<a\s{{1,9}}href=[^<>]{{0,400}}>|</[abiu]>",
    re.IGNORECASE,
)
"""A single letter behind a word is a type, as in `List<a>`."""
ENTITY = re.compile(
    r"&(?:nbsp|amp|lt|gt|quot|apos|[lr][sd]quo|[nm]dash|hellip|bull|middot|euro|copy|reg|trade|szlig|ccedil|ntilde"
    r"|[aeiou](?:acute|grave|circ|uml|tilde)|#\d{2,6}|#x[0-9a-f]{2,5});",
    re.IGNORECASE,
)
CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
CELL = re.compile(r"^[ \t]*\|.*$", re.MULTILINE)
BREAK = re.compile(r"<br\s?/?>", re.IGNORECASE)
DOCUMENT = re.compile(r"\s*<(?:\?xml|!doctype|html|svg)\b", re.IGNORECASE)
SUBJECT = re.compile(
    r"\b(?:x?html5?|xml|svg|css|jsx|xsl\w*|rss|sitemap|markup|tags?|entit(?:y|ies))\b",
    re.IGNORECASE,
)
"""Who asks about these is answered with them."""
NAMED = re.compile(r"\b(?:x?html|xml|tags?|elements?|attributes?|entit(?:y|ies))\b", re.IGNORECASE)
NEARBY_CHARACTERS = 30
"""So near to a tag, these words say that the answer speaks of it."""


@row_filter
def markup() -> RowFilter:
    """Note answers with HTML tags or entities outside of code, where the question has none."""

    def check(example: Example) -> Finding | None:
        if "<" not in example.answer and "&" not in example.answer:
            return None
        found = _remains(example.answer)
        if not found or any(
            SUBJECT.search(turn.content) or TAG.search(turn.content) for turn in example.prompt
        ):
            return None
        return Finding(0.6, f"the answer has remains of HTML: {found[:40]!r}")

    return check


def _remains(answer: str) -> str | None:
    """A tag or entity that is neither code, nor spoken of, nor a break in a cell of a table."""
    if DOCUMENT.match(answer):
        return None
    plain = CELL.sub(lambda row: BREAK.sub("", row.group()), CODE.sub("", answer))
    for pattern in (TAG, ENTITY):
        for found in pattern.finditer(plain):
            start, end = found.span()
            around = (
                plain[max(0, start - NEARBY_CHARACTERS) : start]
                + " "
                + plain[end : end + NEARBY_CHARACTERS]
            )
            if not NAMED.search(around):
                return found.group()
    return None
