"""A text as a person reads it, behind the escapes of JSON and HTML; and how changes are written back into it."""

import html
import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Literal, NamedTuple

from tunesmith.core.privacy.config import TELLING
from tunesmith.core.privacy.span import EDGES, Span

LETTER = (
    r"[^\W\d_](?:[\u0300-\u036f]|\\u03[0-6][\da-fA-F])+"
    r"|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u(?![dD][89a-fA-F])[\da-fA-F]{4}"
    r"|&(?:#\d{2,6}|#[xX][\da-fA-F]{2,5}|[a-zA-Z]{2,8}\d?);"
    r"|[\ud800-\udfff]"
)
"""One letter in several characters, as an escape of JSON or of HTML or a letter and its marks; or half a letter."""
WINDOWS_PATH = r"(?P<path>(?<![^\W_])(?:[a-zA-Z]:|\\)\\[\w\\.$-]+)"
BREAK = r"(?<=[^\s\\])\\[nrt]|\\[nrt](?![a-z])|\\[\"']"
"""A line end, a tab or a quote that was written as an escape; behind a space `\\tau` is a sign of mathematics."""
ESCAPE = re.compile(f"{WINDOWS_PATH}|{LETTER}|{BREAK}")
STRING_ESCAPE = re.compile(rf"{LETTER}|\\[\"\\/bfnrt]")
JSON_BEGINS = re.compile(r"[\[{](?=\s*[\"\[{\]}\w-])")
JSON_LITERAL = re.compile(r'"(?P<string>(?:[^"\\]|\\.)*)"(?P<key>\s*:)?|(?P<number>-?\d[\d.eE+-]*)')
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
START, AT = attrgetter("start"), attrgetter("at")
MOST_READ = 4
"""Times its length that a text is read at most in search of JSON."""


class Stretch(NamedTuple):
    """Characters `start` to `end` (exclusive) that may be personal data: what is not JSON, or says something in it."""

    start: int
    end: int
    kind: Literal["plain", "string", "key", "number"]


class Escape(NamedTuple):
    """Characters `start` to `end` (exclusive) of what is written are those from `at` to `until` of what is read."""

    start: int
    end: int
    at: int
    until: int


class Legible:
    """One text, as it is written and as it is read."""

    def __init__(self, written: str) -> None:
        self.written = written
        self._stretches = list(_stretches(written))
        self._escapes: list[Escape] = []
        self.read = written
        """What it says; the same as `written` where nothing is escaped."""
        if "\\" in written or "&" in written or not written.isascii():
            self.read = self._decoded()

    def in_written(self, spans: Iterable[Span]) -> list[Span]:
        """Spans of what is read as spans of what is written, in order.

        None reaches beyond a string or a number of JSON; a number is covered as a whole or not at all, and of keys only
        what points at one person.
        """
        parts: list[Span] = []
        for span in spans:
            start, end = self._written_at(span.start), self._written_behind(span.end - 1)
            for part in self._parts(span._replace(start=start, end=end)):
                if not parts or parts[-1].end <= part.start:  # else they are the same number
                    parts.append(part)
        return parts

    def said(self, span: Span) -> str:
        """What is read where a span of what is written stands."""
        return self.read[self._read_at(span.start) : self._read_at(span.end)]

    def replaced(self, spans: Iterable[Span], replacement: Callable[[str, str], str]) -> str:
        """The text with every span of what is written replaced; what was JSON still is.

        Args:
            spans: In order, none overlapping another.
            replacement: Makes it from the type of a span and what is read there.
        """
        pieces, done = [], 0
        for span in spans:
            new = replacement(span.type, self.said(span))
            kind = self._stretches[self._stretch_at(span.start)].kind
            pieces += [self.written[done : span.start], _as(kind, new)]
            done = span.end
        return "".join([*pieces, self.written[done:]])

    def _parts(self, span: Span) -> Iterator[Span]:
        first, behind = self._stretch_at(span.start), self._stretch_at(span.end - 1) + 1
        for stretch in self._stretches[first:behind]:
            start, end = max(span.start, stretch.start), min(span.end, stretch.end)
            if stretch.kind == "key" and span.type not in TELLING:
                continue
            if self.written[start:end].strip(EDGES):
                is_number = stretch.kind == "number"
                yield Span(*(stretch[:2] if is_number else (start, end)), *span[2:])

    def _stretch_at(self, position: int) -> int:
        """The last one that begins there or before."""
        return bisect_right(self._stretches, position, key=START) - 1

    def _decoded(self) -> str:
        pieces, done, length = [], 0, 0
        for stretch in self._stretches:
            escape = ESCAPE if stretch.kind == "plain" else STRING_ESCAPE
            for match in escape.finditer(self.written, stretch.start, stretch.end):
                written = match.group()
                letters = written if match.lastgroup == "path" else _letters(written)
                if letters == written:
                    continue
                at = length + match.start() - done
                pieces += [self.written[done : match.start()], letters]
                done, length = match.end(), at + len(letters)
                self._escapes.append(Escape(*match.span(), at, length))
        return "".join([*pieces, self.written[done:]])

    def _written_at(self, place: int) -> int:
        escape = self._escape(place, AT)
        return escape.start if place < escape.until else escape.end + place - escape.until

    def _written_behind(self, place: int) -> int:
        escape = self._escape(place, AT)
        return escape.end if place < escape.until else escape.end + place - escape.until + 1

    def _read_at(self, position: int) -> int:
        escape = self._escape(position, START)
        return escape.at if position < escape.end else escape.until + position - escape.end

    def _escape(self, place: int, begin: "attrgetter[int]") -> Escape:
        """The last escape that begins there or before, in what is written or in what is read."""
        number = bisect_right(self._escapes, place, key=begin)
        return self._escapes[number - 1] if number else Escape(0, 0, 0, 0)


def _as(kind: str, text: str) -> str:
    if kind == "plain" or (kind == "number" and NUMBER.fullmatch(text)):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if kind == "number" else quoted[1:-1]


def _letters(escape: str) -> str:
    if escape == "\\'":
        return "'"
    if escape[0] == "&":
        return html.unescape(escape)
    if "\ud800" <= escape <= "\udfff":
        return "\ufffd"
    said = str(json.loads(f'"{escape}"')) if "\\" in escape else escape
    return unicodedata.normalize("NFC", said)


def _stretches(text: str) -> Iterator[Stretch]:
    done = 0
    for start, end in _values(text):
        yield Stretch(done, start, "plain")
        for match in JSON_LITERAL.finditer(text, start, end):
            if match["number"]:
                yield Stretch(*match.span("number"), "number")
            else:
                yield Stretch(*match.span("string"), "key" if match["key"] else "string")
        done = end
    yield Stretch(done, len(text), "plain")


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Where objects and lists of JSON stand."""
    done, left = 0, MOST_READ * len(text)
    decoder = json.JSONDecoder()
    for match in JSON_BEGINS.finditer(text):
        if match.start() < done:
            continue
        try:
            _, done = decoder.raw_decode(text, match.start())
        except json.JSONDecodeError as error:
            left -= error.pos - match.start()
        except RecursionError:
            return
        else:
            yield match.start(), done
        if left < 0:
            return
