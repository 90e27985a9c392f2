"""CSV and its like: records with quoted cells, one row each, under the names in the header."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from tunesmith.curate.decoding import Line
from tunesmith.curate.readers.header import Header
from tunesmith.curate.row import RawRow, Row, rejected

DELIMITERS = ",;\t|"
CELL_CHARACTERS = 2**31 - 1
"""Longest cell, as long as csv allows anywhere: how long a row may be is for the recipe to say."""
QUOTED = re.compile(r'"(?:[^"]|"")*(?:"|$)')
FIRST_QUOTE = re.compile(r'(?:[^"]|"")*"')
SEPARATOR = re.compile(r'"?sep=([^"])"?')
NEVER_CLOSED = "a quote is never closed"
NOT_DOUBLED = "not CSV: a quote inside a quoted cell is not doubled"


class Record(NamedTuple):
    """What stands between two line ends outside quotes."""

    lines: Sequence[Line]
    cells: Sequence[str] = ()
    problem: str = ""
    """Why it is none, where it is not."""

    @property
    def line(self) -> int:
        """Number of its first line."""
        return self.lines[0].number

    @property
    def text(self) -> str:
        """As it stands in the file."""
        return "".join(line.text for line in self.lines).rstrip("\n")


def csv_rows(lines: Iterable[Line], shown: str, *, is_mapped: bool = False) -> Iterator[Row]:
    """A row a record, under the names in the first; the delimiter is the one that the header has most of.

    Excel's `sep=;` above the header names it as well. A quote that is never closed would make one record of all the
    rest: it costs its own line alone.
    """
    csv.field_size_limit(CELL_CHARACTERS)
    lines = iter(lines)
    passed = _through_text(lines)
    if not passed:
        return
    delimiter = delimiter_of(passed[-1].text)
    if said := SEPARATOR.fullmatch(passed[-1].text.strip(" \r")):
        passed, delimiter = [], said[1]
    header: Header | None = None
    for record in records(chain(passed, lines), delimiter):
        if record.problem:
            yield rejected(shown, record.line, record.problem, record.text)
        elif header is None:
            header = Header(record.cells, is_mapped=is_mapped)
        elif flaw := header.flaw(record.cells):
            yield rejected(shown, record.line, flaw, record.text)
        else:
            yield RawRow(record.line, header.fields(record.cells))


def delimiter_of(header: str) -> str:
    """The delimiter that the line has most of outside of quotes."""
    bare = QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


def looks_delimited(first: str, second: str) -> bool:
    """Whether two lines have as many cells, and more than one."""
    delimiter = delimiter_of(first)
    counts = [QUOTED.sub("", line).count(delimiter) for line in (first, second)]
    return counts[0] == counts[1] > 0


def _through_text(lines: Iterator[Line]) -> list[Line]:
    """Blank lines and the first that is not."""
    passed: list[Line] = []
    for line in lines:
        passed.append(line)
        if line.text.strip():
            break
    return passed


class _Feed:
    """Gives csv one line after the other; remembers the lines of the record under way, and can begin again."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = _ended(lines)
        self.record: list[Line] = []
        self.is_at_end = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.record.append(line)
            yield line.text
        self.is_at_end = True

    def begin_again_after_first(self) -> None:
        """The lines behind the first of the record under way will be given once more."""
        self._lines = chain(self.record[1:], self._lines)
        del self.record[1:]
        self.is_at_end = False


def _ended(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines with their ends; a file may end its lines with carriage returns alone."""
    for line in lines:
        number, text, problem = line
        if "\r" in text:
            *parts, text = text.split("\r")
            for part in parts:
                yield Line(number, f"{part}\r", problem)
        yield Line(number, f"{text}\n", problem)


def records(lines: Iterable[Line], delimiter: str) -> Iterator[Record]:
    """Every record that is not blank, broken ones with their problem."""
    feed = _Feed(lines)
    reader = csv.reader(iter(feed), delimiter=delimiter, strict=True)
    while True:
        feed.record = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield _broken(feed, delimiter)
            reader = csv.reader(iter(feed), delimiter=delimiter, strict=True)
            continue
        if any(cell.strip() for cell in cells):
            problem = next((line.problem for line in feed.record if line.problem), "")
            yield Record(feed.record, cells, problem)


def _broken(feed: _Feed, delimiter: str) -> Record:
    """The record under way, which csv refuses; the feed stands where the next one begins.

    Where a line of it seems to open a cell inside of a quote, or the file ends there, the quote was never closed: what
    stands behind the first line are records of their own. Otherwise it reaches as far as its quoted cell.
    """
    is_swallowing = len(feed.record) > 1 and _opens_cell(feed.record[-1].text, delimiter)
    if not feed.is_at_end and not is_swallowing:
        more = iter(feed)
        while not _is_closed(feed, delimiter) and next(more, None) is not None:
            pass
    if feed.is_at_end or is_swallowing:
        feed.begin_again_after_first()
        return Record(feed.record, problem=NEVER_CLOSED)
    return Record(feed.record, problem=NOT_DOUBLED)


def _opens_cell(line: str, delimiter: str) -> bool:
    """Whether the first quote of a line stands where a cell begins."""
    found = FIRST_QUOTE.match(line)
    return found is not None and (found.end() == 1 or line[found.end() - 2] == delimiter)


def _is_closed(feed: _Feed, delimiter: str) -> bool:
    """Whether the quotes of the record under way are even, or its last one stands where a cell ends."""
    if not sum(line.text.count('"') for line in feed.record) % 2:
        return True
    _, quote, behind = feed.record[-1].text.rpartition('"')
    return bool(quote) and behind.lstrip(" ")[:1] in {delimiter, "\r", "\n"}
