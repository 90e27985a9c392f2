"""PostgreSQL's logs as tables: csvlog, whose columns have no header, and jsonlog, an object a line."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from tunesmith.curate.decoding import Line
from tunesmith.curate.readers import delimited, sql_logs
from tunesmith.curate.readers.sql_logs import Record
from tunesmith.curate.row import Row

SEVERITIES = r"DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC"
CSVLOG = re.compile(
    rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d[^,]*,(?:(?:\"(?:[^\"]|\"\")*\"|[^\",]*),){{10}}(?:{SEVERITIES}),"
)
JSONLOG = re.compile(rf'\{{"timestamp":".*"error_severity":"(?:{SEVERITIES})"')
SEVERITY, MESSAGE, QUERY = 11, 13, 19
"""Places of csvlog's columns; there are 23 of them, since version 13 one and since 14 three more."""
COLUMNS = (23, 24, 26)
FAILURES = frozenset({"ERROR", "FATAL", "PANIC"})


def is_csvlog(first: str) -> bool:
    """Whether the first line of a file begins a record of csvlog."""
    return CSVLOG.match(first) is not None


def is_jsonlog(first: str) -> bool:
    """Whether the first line of a file is a record of jsonlog."""
    return JSONLOG.match(first) is not None


def read_csvlog(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a statement, as in logs that are text."""
    yield from sql_logs.settled(_csv_records(lines), shown)


def read_jsonlog(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a statement, as in logs that are text."""
    yield from sql_logs.settled(_json_records(lines), shown)


def _csv_records(lines: Iterable[Line]) -> Iterator[Record]:
    for record in delimited.records(lines, ","):
        cells, count = record.cells, len(record.cells)
        problem = record.problem
        if not problem and count not in COLUMNS:
            problem = f"{count} cells, a record of PostgreSQL's csvlog has 23, 24 or 26"
        if problem:
            yield Record("cut", record.line, [record.text], problem)
        else:
            yield from _of(record.line, cells[SEVERITY], cells[MESSAGE], cells[QUERY])


def _json_records(lines: Iterable[Line]) -> Iterator[Record]:
    for line in lines:
        if not line.text.strip():
            continue
        problem = line.problem
        fields: object = None
        try:
            fields = json.loads(line.text)
        except (ValueError, RecursionError) as error:
            problem = problem or f"broken JSON: {error}"
        if problem or not isinstance(fields, Mapping):
            yield Record("cut", line.number, [line.text], problem or "not a record of jsonlog")
        else:
            said = (str(fields.get(key, "")) for key in ("error_severity", "message", "statement"))
            yield from _of(line.number, *said)


def _of(line: int, severity: str, message: str, query: str) -> Iterator[Record]:
    """The record, and behind an error the statement that failed."""
    if severity in FAILURES:
        yield Record("error", line, [message])
        if query:
            yield Record("failed", line, query.split("\n"))
        return
    first, *more = message.split("\n")
    logged = sql_logs.LOGGED.fullmatch(first) if severity == "LOG" else None
    if logged:
        yield Record("statement", line, [logged["said"], *more])
    else:
        yield Record("other", line, [message])
