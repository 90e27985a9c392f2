"""Tables: JSON Lines, JSON arrays, CSV, Parquet and Arrow."""

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tunesmith.curate.decoding import Line
from tunesmith.curate.row import RawRow, Row, rejected
from tunesmith.errors import DataError

DELIMITERS = ",;\t|"
WRAPPERS = ("data", "rows", "examples", "records", "items", "tickets", "cases", "results")
"""Names under which exports keep their rows."""


def json_lines(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a line."""
    for line in lines:
        if not line.text.strip():
            continue
        if line.problem:
            yield rejected(shown, line.number, line.problem, line.text)
            continue
        try:
            yield RawRow(line.number, json.loads(line.text))
        except (ValueError, RecursionError) as error:
            yield rejected(shown, line.number, _why(error), line.text)


def json_array(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row an element; a file of arrays, or a broken array, gives whatever lines are whole."""
    kept = list(lines)
    try:
        values = json.loads("\n".join(line.text for line in kept))
    except (ValueError, RecursionError):
        yield from json_lines(kept, shown)
        return
    for number, value in enumerate(values, 1):
        yield RawRow(number, value)


def json_object(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """JSON Lines, or one object over many lines: a row itself, or rows under a name such as `tickets`."""
    kept = list(lines)
    try:
        whole = json.loads("\n".join(line.text for line in kept))
    except (ValueError, RecursionError):
        yield from json_lines(kept, shown)
        return
    wrapped = [whole[name] for name in WRAPPERS if isinstance(whole.get(name), list)]
    for number, value in enumerate(wrapped[0] if wrapped else [whole], 1):
        yield RawRow(number, value)


class _Feed:
    """Gives csv one line after the other; remembers the lines of the record under way, and can begin again."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self.record: list[Line] = []
        self.is_at_end = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.record.append(line)
            *parts, last = line.text.split("\r")
            # A file may end its lines with carriage returns alone.
            yield from (f"{part}\r" for part in parts)
            yield f"{last}\n"
        self.is_at_end = True

    def begin_again_after_first(self) -> Line:
        """The first line of the record under way; those behind it will be given once more."""
        first, *rest = self.record
        self._lines = chain(rest, self._lines)
        self.is_at_end = False
        return first


def csv_rows(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a record, under the names in the first; the delimiter is the one that the header has most of.

    A quote that is never closed would make one record of all the rest: it costs its own line alone.
    """
    lines = iter(lines)
    passed = _through_header(lines)
    if not passed:
        return
    delimiter = max(DELIMITERS, key=passed[-1].text.count)
    feed = _Feed(chain(passed, lines))
    reader = csv.reader(iter(feed), delimiter=delimiter)
    header: list[str] | None = None
    start = 1
    while True:
        feed.record = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            start = feed.record[0].number if feed.record else start
            yield rejected(shown, start, f"not CSV: {error}", "")
            continue
        # Where lines end with carriage returns alone, many rows stand on one line.
        start = feed.record[0].number if feed.record else start
        if not any(cell.strip() for cell in cells):
            continue
        problem = next((line.problem for line in feed.record if line.problem), "")
        if header is None:
            header = [cell.strip() for cell in cells]
        elif problem or len(cells) != len(header):
            reason = problem or f"{len(cells)} cells, the header has {len(header)}"
            if feed.is_at_end and len(feed.record) > 1:
                first = feed.begin_again_after_first()
                reader = csv.reader(iter(feed), delimiter=delimiter)
                yield rejected(shown, start, "a quote is never closed", first.text)
            else:
                yield rejected(shown, start, reason, delimiter.join(cells))
        else:
            yield RawRow(start, dict(zip(header, cells, strict=True)))


def _through_header(lines: Iterator[Line]) -> list[Line]:
    """Blank lines and the first that is not."""
    passed: list[Line] = []
    for line in lines:
        passed.append(line)
        if line.text.strip():
            break
    return passed


def parquet_rows(path: Path, shown: str) -> Iterator[Row]:
    """A row a record, batch by batch.

    Raises:
        DataError: If the file cannot be read as Parquet.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as opened:
            yield from arrow_rows(opened.iter_batches(batch_size=1024))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{shown} is not a Parquet file that can be read: {str(error).splitlines()[0]}",
            fix="write the file again, or leave it out of curate.sources",
        ) from error


def arrow_rows(batches: Iterable[Any], start: int = 1) -> Iterator[RawRow]:
    """The rows of Arrow record batches, numbered from `start`; empty cells are left out."""
    number = start
    for batch in batches:
        for row in batch.to_pylist():
            yield RawRow(number, {key: cell for key, cell in row.items() if cell is not None})
            number += 1


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"broken JSON: {error.msg} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    return f"broken JSON: {error}"
