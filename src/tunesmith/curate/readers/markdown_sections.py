"""Markdown to its sections: headings as a reader sees them, what stands below them as it is written."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from tunesmith.curate.readers.sections import Section, plain_title

FRONT_MATTER = re.compile(
    r"(?P<fence>---|\+\+\+)[ \t]*\n"
    r"(?P<fields>\s*(?:#[^\n]*\n\s*)*+[\w.\"'-]+[ \t]*[:=].*?|\s*)^(?P=fence)[ \t]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
"""Fields between two fences at the very beginning; a text between two rules has none."""
TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)


class _Heading(NamedTuple):
    line: int
    """0-based, as are all here."""
    body_line: int
    level: int
    title: str
    written: str


def markdown_sections(text: str) -> Iterator[Section]:
    """A section a heading; before them one of the page's title, with what stands above the first heading."""
    front = FRONT_MATTER.match(text)
    cut = front.end() if front else 0
    # Empty lines in place of the front matter keep the numbers of the lines below it.
    lines = ("\n" * text.count("\n", 0, cut) + text[cut:]).split("\n")
    title = TITLE.search(front["fields"]) if front else None
    headings = _headings("\n".join(lines))
    first = headings[0].line if headings else len(lines)
    start = text.count("\n", 0, cut)
    intro = "\n".join(lines[start:first])
    name = _unquoted(title[1]) if title else ""
    is_repeated = bool(headings) and headings[0].title == name
    if intro.strip() or (name and not is_repeated):
        yield _section(_Heading(0 if title else start, start, 0, name, name), intro)
    ends = [heading.line for heading in headings[1:]] + [len(lines)]
    for heading, end in zip(headings, ends, strict=False):
        yield _section(heading, "\n".join(lines[heading.body_line : end]))


def _section(heading: _Heading, body: str) -> Section:
    above = body[: len(body) - len(body.lstrip())].count("\n")
    return Section(
        line=heading.line + 1,
        level=heading.level,
        title=heading.title,
        body=body.strip(),
        body_line=heading.body_line + above + 1,
        heading=heading.written,
    )


def _headings(text: str) -> list[_Heading]:
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(text)
    found: list[_Heading] = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.map:
            level, written = int(token.tag[1:]), inline.content.strip()
            title, heading = _inline_text(inline), f"{'#' * level} {written}"
            found.append(_Heading(token.map[0], token.map[1], level, title, heading))
    return found


def _inline_text(token: Any) -> str:
    kept = [
        child.content for child in token.children or [] if child.type in {"text", "code_inline"}
    ]
    return plain_title("".join(kept))


def _unquoted(title: str) -> str:
    is_quoted = len(title) > 1 and title[0] == title[-1] and title[0] in "\"'"
    return title[1:-1].strip() if is_quoted else title.strip()
