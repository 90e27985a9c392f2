"""JSON Lines, JSON arrays, and objects that hold the rows: what is whole is read, what is broken is named once."""

import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from tunesmith.core.text import is_json
from tunesmith.curate.decoding import Line
from tunesmith.curate.formats import is_known
from tunesmith.curate.readers.wrapped import WRAPPERS, Wrapped, may_be_page, rows_in, rows_of_page
from tunesmith.curate.row import RawRow, Row, rejected

BETWEEN = re.compile(r"[\s,]*")
STRAY = re.compile(r"[\s,\[\]}]*")
"""What may stand between two arrays in one file, or behind the inner brackets of a broken element."""
NEXT_ON_LINE = re.compile(r",\s*(?=\{)|(?=\]\s*\Z)")
CANDIDATES = 1000
"""Objects that are looked at to find where the next row begins."""
DECODER = json.JSONDecoder()
NO_CHARACTER = "\ufffd"


class Element(NamedTuple):
    """A value inside of a text."""

    start: int
    end: int
    value: Any
    problem: str = ""
    """Why it is none, where it is not."""


class Text:
    """A whole file: where its rows begin, and which of its bytes were no text."""

    def __init__(self, lines: Iterable[Line], shown: str) -> None:
        kept = list(lines)
        self.lines, self.shown = kept, shown
        self.text = "\n".join(line.text for line in kept)
        self._problems = {line.number: line.problem for line in kept if line.problem}
        self._is_one_line = "\n" not in self.text.strip()
        self._counted, self._line = 0, kept[0].number if kept else 1

    def row(self, element: Element, number: int) -> Row:
        """The element as a row: with its line, or with its number where all stand on one line."""
        line = self.line_of(element.start)
        shown = number if self._is_one_line else line
        piece = self.text[element.start : element.end]
        if element.problem:
            return rejected(self.shown, shown, element.problem, piece)
        if NO_CHARACTER in piece and self._problems:
            last = line + piece.count("\n")
            problems = [self._problems.get(at, "") for at in range(line, last + 1)]
            if problem := next(filter(None, problems), ""):
                return rejected(self.shown, shown, problem, piece)
        return RawRow(shown, element.value)

    def line_of(self, position: int) -> int:
        """The line of a position; fastest where positions ascend."""
        if position < self._counted:
            self._counted, self._line = 0, self.lines[0].number
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def behind(self, position: int) -> list[Line]:
        """What is left of the lines from a position on."""
        first = self.line_of(position)
        return [
            Line(number, text, self._problems.get(number, ""))
            for number, text in enumerate(self.text[position:].split("\n"), first)
        ]


def json_lines(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a line, or a page of rows a line."""
    for line in lines:
        if not line.text.strip():
            continue
        if line.problem:
            yield rejected(shown, line.number, line.problem, line.text)
            continue
        try:
            value = json.loads(line.text)
        except (ValueError, RecursionError) as error:
            yield rejected(shown, line.number, _why(error), line.text)
            continue
        if may_be_page(value):
            for row in rows_of_page(value):
                yield RawRow(line.number, row)
        else:
            yield RawRow(line.number, value)


def json_array(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row an element; broken elements cost themselves alone, and commas may be missing or stand at the end."""
    file = Text(lines, shown)
    place = file.text.index("[") + 1
    while True:
        place = _behind(STRAY, file.text, (yield from _array(file, place)))
        if file.text[place : place + 1] != "{":
            break
    if place < len(file.text):
        yield from json_lines(file.behind(place), shown)


def json_object(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """JSON Lines, or one object over many lines: a row itself, or rows in lists under names such as `tickets`."""
    file = Text(lines, shown)
    try:
        whole = json.loads(file.text)
    except (ValueError, RecursionError) as error:
        yield from _broken_object(file, error)
        return
    wrapped = rows_in(whole)
    if not wrapped:
        yield file.row(Element(0, len(file.text), whole), 1)
    for one in wrapped:
        yield from _unwrapped(file, one)


def _unwrapped(file: Text, wrapped: Wrapped) -> Iterator[Row]:
    if not wrapped.is_read:
        reason = f"{wrapped.name} holds {len(wrapped.values)} objects that are no rows"
        place = max(file.text.find(f'"{wrapped.name}"'), 0)
        yield rejected(file.shown, file.line_of(place), reason, str(wrapped.values[0]))
        return
    for number, element in enumerate(_placed(file, wrapped), 1):
        yield file.row(element, number)


def _placed(file: Text, wrapped: Wrapped) -> Sequence[Element]:
    """The rows with their places in the text."""
    for found in re.finditer(rf'"{re.escape(wrapped.name)}"\s*:\s*\[', file.text):
        elements = list(_elements(file.text, found.end()))
        if [element.value for element in elements] == wrapped.values:
            return elements
    return [Element(0, len(file.text), value) for value in wrapped.values]


def _broken_object(file: Text, error: ValueError | RecursionError) -> Iterator[Row]:
    """The rows of a file that is no JSON as a whole: JSON Lines, or rows under a name some of which are broken."""
    first = next((line for line in file.lines if line.text.strip()), None)
    if first is None or is_json(first.text) or len(file.lines) == 1:
        yield from json_lines(file.lines, file.shown)
        return
    opened = _list_of_rows(file.text)
    if opened is not None:
        end = yield from _array(file, opened)
        if file.text[end:].strip(" \t\r\n}"):
            reason = f"{_why(error)}; what stands behind the rows is not read"
            yield rejected(file.shown, file.line_of(end), reason, file.text[end:])
        return
    for number, element in enumerate(_elements(file.text, 0, closing=""), 1):
        yield file.row(element, number)


def _list_of_rows(text: str) -> int | None:
    """Where the first list of rows begins in text that is no JSON as a whole."""
    found = re.match(rf'\s*\{{[^{{}}\[\]]*"(?:{"|".join(sorted(WRAPPERS))})"\s*:\s*\[', text)
    return found.end() if found else None


def _array(file: Text, start: int) -> Generator[Row, None, int]:
    """The rows of an array whose bracket is open; returns the place behind its end."""
    place = start
    for number, element in enumerate(_elements(file.text, start), 1):
        place = element.end
        yield file.row(element, number)
    place = _behind(BETWEEN, file.text, place)
    if file.text[place : place + 1] != "]":
        reason = "broken JSON: the array is never closed; perhaps the file is cut off"
        yield rejected(file.shown, file.line_of(place), reason, file.text[place:])
        return len(file.text)
    return place + 1


def _elements(text: str, start: int, closing: str = "]") -> Iterator[Element]:
    """The values from a place on, up to what closes them, or to the end."""
    place = start
    while True:
        place = _behind(BETWEEN, text, place)
        if place == len(text) or text[place] == closing:
            return
        try:
            value, end = DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            end = _next_beginning(text, place, getattr(error, "pos", place))
            yield Element(place, end, None, _why_in(text, place, error))
        else:
            yield Element(place, end, value)
        place = end


def _behind(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _next_beginning(text: str, place: int, fault: int) -> int:
    """Where the element behind a broken one begins: on a line of its own, indented as much, or behind a comma."""
    line = text.rfind("\n", 0, place) + 1
    indent = text[line:place].replace("[", "", 1)
    found = None
    if not indent.strip():
        # Or the bracket that closes the array, indented less.
        closing = rf"[ \t]{{0,{max(len(indent) - 1, 0)}}}(?=\])"
        found = re.compile(rf"\n(?:{indent}(?=\{{)|{closing})").search(text, place)
    return found.end() if found else _next_on_line(text, place, fault)


def _next_on_line(text: str, place: int, fault: int) -> int:
    """The next row of a known format, else the next object behind the fault: those before may be parts of a row."""
    starts = [found.end() for found in islice(NEXT_ON_LINE.finditer(text, place), CANDIDATES)]
    for start in starts:
        try:
            value, _ = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if is_known(value):
            return start
    return next((start for start in starts if start > fault), len(text))


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"broken JSON: {error.msg.removesuffix(' at')} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    return f"broken JSON: {error}"


def _why_in(text: str, start: int, error: ValueError | RecursionError) -> str:
    """The same for an element over many lines, with the line of the fault."""
    if isinstance(error, json.JSONDecodeError) and "\n" in text[start : error.pos]:
        place = f"line {error.lineno}, column {error.colno}"
        return f"broken JSON: {error.msg.removesuffix(' at')} at {place}"
    return _why(error)
