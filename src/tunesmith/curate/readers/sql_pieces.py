"""SQL text to its pieces: comments, semicolons, white space and all else, whichever database wrote it."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["comment", "end", "space", "code"]

PIECE = re.compile(r"--[^\n]*|/\*|['\"`]|\$(?:[A-Za-z_]\w*)?\$|[;#]|[^-/'\"`$;#]+|.", re.DOTALL)
"""What stands at a place; of a quoted text or a long comment only the opening."""
REMARK = re.compile(r"#(?![-#>])[^\n]*")
"""MySQL's comment to the end of a line; PostgreSQL has operators that begin with the same character."""
QUOTES = frozenset("'\"`")
INSTRUCTIONS = ("/*!", "/*+")
"""Comments that databases obey."""


DELIMITER_LINE = r"^[ \t]*DELIMITER[ \t]+(?P<new>[^\s'\"]+)[ \t]*$"
"""Where a script for MySQL's client says what ends its statements from here on."""


class Piece(NamedTuple):
    """A stretch of a text."""

    kind: Kind
    text: str
    line: int
    problem: str = ""
    """Why the text cannot be trusted from here on."""


def pieces(text: str) -> Iterator[Piece]:
    """The whole text in order; semicolons and comment marks inside quoted texts do not count.

    Statements end where the delimiter stands that a `DELIMITER` line names, at semicolons otherwise. An opening that
    nothing closes is code with a problem; what follows is read as if it were not there.
    """
    at, line = 0, 1
    unclosed: set[str] = set()
    marks = _Marks(text)
    while at < len(text):
        if mark := marks.take(at):
            problem = "a DELIMITER line in the middle of it" if mark["new"] else ""
            yield Piece("space" if mark["new"] else "end", mark[0], line, problem)
            at = mark.end()
            continue
        opening = _opening(text, at)
        end = None if opening in unclosed else _end(text, at, opening)
        if end is None:
            # A quote may be closed further on, but a comment that nothing closes here nothing closes there.
            unclosed |= {opening} - QUOTES
            problem = f"the {opening} in line {line} is never closed"
            piece = Piece("code", opening, line, problem)
        else:
            is_plain = end == at + len(opening) and not opening.startswith("--")
            whole = text[at : marks.first_in(at, end) if is_plain else end]
            kind = _kind(whole)
            piece = Piece("code" if kind == "end" and not marks.is_semicolon else kind, whole, line)
        yield piece
        line += piece.text.count("\n")
        at += len(piece.text)


class _Marks:
    """Finds the lines that set a delimiter, and the delimiter where it is no semicolon."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._set(";", 0)

    def _set(self, delimiter: str, at: int) -> None:
        self.is_semicolon = delimiter == ";"
        ending = "" if self.is_semicolon else f"|{re.escape(delimiter)}"
        self._pattern = re.compile(DELIMITER_LINE + ending, re.IGNORECASE | re.MULTILINE)
        self._next = self._pattern.search(self._text, at)

    def first_in(self, at: int, end: int) -> int:
        """Where the first mark of a stretch begins; its end where there is none."""
        while self._next and self._next.start() < at:
            self._next = self._pattern.search(self._text, at)
        return min(self._next.start(), end) if self._next else end

    def take(self, at: int) -> re.Match[str] | None:
        """The mark at a place; a line that sets a delimiter does so from there on."""
        self.first_in(at, at)
        mark = self._next
        if mark is None or mark.start() != at:
            return None
        if mark["new"]:
            self._set(mark["new"], mark.end())
        return mark


def _opening(text: str, at: int) -> str:
    found = PIECE.match(text, at)
    return found[0] if found else text[at]


def _end(text: str, at: int, opening: str) -> int | None:
    """Where the piece ends that begins with this; None if it never does."""
    after = at + len(opening)
    if opening in QUOTES - {"`"}:
        return _quote_end(text, at, opening)
    if opening == "#" and not text[text.rfind("\n", 0, at) + 1 : at].strip():
        remark = REMARK.match(text, at)
        return remark.end() if remark else after
    if opening in {"/*", "`"} or (len(opening) > 1 and opening.startswith("$")):
        closing = "*/" if opening == "/*" else opening
        found = text.find(closing, after)
        return None if found < 0 else found + len(closing)
    return after


def _kind(text: str) -> Kind:
    if text == ";":
        return "end"
    if text.startswith(INSTRUCTIONS):
        return "code"
    if text.startswith(("--", "/*")) or (text.startswith("#") and len(text) > 1):
        return "comment"
    return "code" if text.strip() else "space"


def _quote_end(text: str, at: int, quote: str) -> int | None:
    r"""Where a quoted text ends, whether its database takes `\'` for a quote or for the end.

    SQL's own reading is taken unless it leaves something odd behind: a letter directly after a text with `\'`
    or a line break in it, or a quote on the rest of the line that nothing closes.
    """
    plain = re.compile(rf"{quote}(?:[^{quote}]|{quote}{quote})*+{quote}").match(text, at)
    is_simple = plain is not None and "\n" not in plain[0] and f"\\{quote}" not in plain[0]
    if plain and is_simple:
        return plain.end()
    escaped = re.compile(rf"{quote}(?:[^{quote}\\]|\\.|{quote}{quote})*+{quote}", re.DOTALL).match(
        text, at
    )
    for found in (plain, escaped):
        if found and _is_plausible(text, found[0], found.end(), quote):
            return found.end()
    return plain.end() if plain and "\n" not in plain[0] else None


def _is_plausible(text: str, quoted: str, end: int, quote: str) -> bool:
    if text[end : end + 1].isalnum():
        return False
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    return f"\\{quote}" not in quoted or rest.count(quote) % 2 == 0
