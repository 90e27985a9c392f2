"""Logs of PostgreSQL and MySQL: a record a statement, whatever else the database writes between them."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from tunesmith.curate.decoding import Line, decode_lines
from tunesmith.curate.readers import sql
from tunesmith.curate.row import Row, rejected

LOOKED_AT_BYTES = 1 << 16
"""How much of a file is searched for a record: a log may begin in the middle of a long statement."""
HELD_STATEMENTS = 10_000
"""Statements kept back until their errors can have come."""
SUFFIX = re.compile(r"|\.log|\.txt|\.sql|\.[\d-]+")
"""Of files that may be logs; those of rotated ones are a number or a date."""
DATED = re.compile(r"\W{0,2}\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
POSTGRESQL = re.compile(
    r"(?!--|/\*)(?:\S.{0,200}?)?\b"
    r"(?:(?P<error>ERROR|FATAL|PANIC)|(?P<detail>DETAIL|HINT|QUERY|CONTEXT|LOCATION|BACKTRACE)"
    r"|(?P<failed>STATEMENT)|(?P<other>LOG|WARNING|NOTICE|INFO|DEBUG\d?)):  ?(?P<said>.*)"
)
LOGGED = re.compile(
    r"(?:duration: [\d.]+ ms\s+)?(?:statement|execute (?!fetch from)[^:]*): ?(?P<said>.*)"
)
"""What carries a statement that was run; `parse` and `bind` only prepare one."""
MYSQL = re.compile(
    r"(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)\s+|\d{6}\s+\d{1,2}:\d\d:\d\d\s+|\t\t?[ ]*)\d+ "
    r"(?:(?:Query|Execute)\b\s*(?P<said>.*)|[A-Z][a-z]+(?: [A-Za-z]+)?(?:\t.*|\s*)$)"
)
SLOW = re.compile(r"# (?:Time: \d|User@Host: |Query_time: |Thread_id: |Schema: )")
SLOW_HEAD = re.compile(r"(?:(?:#.*|use .*;)\n)*(?:SET timestamp=\d+;)?", re.IGNORECASE)
STARTED = re.compile(
    r"\S*(?:mysqld|mariadbd)\S*, Version: |Tcp port: |Time\s+Id\s+Command\s+Argument"
)
"""Lines that MySQL writes whenever it starts."""

Kind = Literal["statement", "slow", "error", "failed", "detail", "other", "cut"]


class Start(NamedTuple):
    """How a record begins."""

    kind: Kind
    said: str


@dataclass
class Record:
    """A record with the lines that belong to it."""

    kind: Kind
    line: int
    lines: list[str] = field(default_factory=list)
    error: str | None = None
    """Why the statement failed, or the record is none, where it is so."""

    @property
    def text(self) -> str:
        """The statement, or whatever else it says."""
        text = "\n".join(self.lines)
        if self.kind == "slow":
            # Empty lines in place of the head keep the numbers of the lines below it.
            text = SLOW_HEAD.sub(lambda head: "\n" * head[0].count("\n"), text, count=1)
        return text


def is_log(path: Path) -> bool:
    """Whether a file holds records of PostgreSQL or MySQL near its beginning."""
    if not SUFFIX.fullmatch(path.suffix.lower()):
        return False
    with path.open("rb") as stream:
        beginning = stream.read(LOOKED_AT_BYTES)
    return any(_dialect(line.text) is not None for line in decode_lines(beginning))


def read(lines: Iterable[Line], shown: str) -> Iterator[Row]:
    """A row a statement under a comment; those without one, and those that failed, are set aside."""
    yield from settled(_records(lines), shown)


def settled(records: Iterable[Record], shown: str) -> Iterator[Row]:
    """The rows of a log's records.

    A statement counts as failed if an error that names it comes before 10,000 more statements do.
    """
    held = _Held()
    error: str | None = None
    is_empty = True
    for record in records:
        if record.kind == "failed" and error is not None:
            held.mark(record, error)
        elif record.kind in {"statement", "slow", "cut"}:
            held.add(record)
        if record.kind not in {"detail", "failed"}:
            error = record.text.strip() if record.kind == "error" else None
        for settled in held.take(HELD_STATEMENTS):
            is_empty = False
            yield from _rows(settled, shown)
    for settled in held.take(0):
        is_empty = False
        yield from _rows(settled, shown)
    if is_empty:
        reason = "a log without statements: have them logged (log_statement = all, lc_messages = C)"
        yield rejected(shown, 1, reason, "")


class _Held:
    """Statements in the log's order, of which an error may still be told."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self._latest: dict[str, Record] = {}
        """By their text; those that failed are no more here."""

    def add(self, record: Record) -> None:
        """Hold a statement."""
        self._records.append(record)
        self._latest[record.text] = record

    def mark(self, failed: Record, error: str) -> None:
        """Note the error at the latest statement of that text; one that was not logged before is added."""
        record = self._latest.pop(failed.text, None)
        if record is None:
            record = failed
            self._records.append(record)
        record.error = error

    def take(self, limit: int) -> Iterator[Record]:
        """The oldest ones, until so many are left."""
        while len(self._records) > limit:
            record = self._records.popleft()
            if self._latest.get(record.text) is record:
                del self._latest[record.text]
            yield record


def _rows(record: Record, shown: str) -> Iterator[Row]:
    if record.kind == "cut":
        reason = record.error or "not part of a record: the log begins in the middle of one"
        yield rejected(shown, record.line, reason, record.text)
    elif record.error is not None:
        reason = f"the statement failed: {record.error}"
        yield rejected(shown, record.line, reason, record.text)
    else:
        for statement in sql.statements(record.text):
            line = record.line + statement.line - 1
            yield sql.row_of(statement._replace(line=line), shown)


def _records(lines: Iterable[Line]) -> Iterator[Record]:
    """Every record with the lines below it, up to the next one."""
    record: Record | None = None
    dialect: Callable[[str], Start | None] | None = None
    for line in lines:
        dialect = dialect or _dialect(line.text)
        start = dialect(line.text) if dialect else None
        if start is not None:
            if record is not None:
                yield record
            record = Record(start.kind, line.number, [start.said])
        elif record is not None:
            # PostgreSQL puts a tab before every further line of a record.
            is_indented = dialect is not _mysql
            record.lines.append(line.text.removeprefix("\t") if is_indented else line.text)
        elif line.text.strip():
            record = Record("cut", line.number, [line.text])
    if record is not None:
        yield record


def _dialect(text: str) -> Callable[[str], Start | None] | None:
    """What reads the lines of a log in which this one stands; None where it says nothing."""
    if _mysql(text) is not None:
        return _mysql
    start = _undated(text)
    if start is None:
        return None
    if DATED.match(text):
        return _dated
    return _undated if start.kind == "statement" else None


def _dated(text: str) -> Start | None:
    return _undated(text) if DATED.match(text) else None


def _undated(text: str) -> Start | None:
    found = POSTGRESQL.match(text)
    if found is None:
        return None
    logged = LOGGED.fullmatch(found["said"])
    if logged and found["other"] == "LOG":
        return Start("statement", logged["said"])
    kinds: tuple[Kind, ...] = ("error", "failed", "detail", "other")
    return Start(next(kind for kind in kinds if found[kind]), found["said"])


def _mysql(text: str) -> Start | None:
    found = MYSQL.match(text)
    if found is not None:
        is_statement = found["said"] is not None
        return Start("statement" if is_statement else "other", found["said"] or "")
    if SLOW.match(text):
        return Start("slow", text)
    return Start("other", text) if STARTED.match(text) else None
