"""Two SQL queries compared by what they return."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tunesmith.core.user_code import path_inside
from tunesmith.errors import RecipeError
from tunesmith.graders.grade import Grade, Grader, UngradableError, grader
from tunesmith.graders.json_text import unfenced

WHERE = "grader 'sql_result'"
STEPS = 5_000_000
"""SQLite virtual-machine steps a query may take: about a second; an endless one ends here."""
ROWS = 10_000
"""Most rows a query may return."""
ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
Row = tuple[object, ...]


@grader
def sql_result(*, root: Path, fixture: str, ignore_order: bool = True) -> Grader:
    """Score 1 when the answer's query returns what the expected query returns on `fixture`.

    The fixture is a file of SQL that fills an empty SQLite database; queries can only read it. Rows are
    compared in any order, unless `ignore_order` is off or the expected query has an ORDER BY.
    """
    script = path_inside(root, fixture, WHERE).read_text(encoding="utf-8")
    database = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        database.executescript(script)
    except sqlite3.Error as error:
        raise RecipeError(WHERE, [f"{fixture}: {error}"]) from error
    database.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY
    )

    def grade(answer: str, expected: str) -> Grade:
        try:
            wanted = _rows(database, expected)
        except sqlite3.Error as error:
            raise UngradableError(f"the expected query fails: {error}") from error
        try:
            given = _rows(database, answer)
        except (sqlite3.Error, sqlite3.Warning) as error:
            return Grade(0.0, f"the query fails: {error}")
        is_ordered = not ignore_order or "order by" in expected.casefold()
        is_equal = given == wanted if is_ordered else Counter(given) == Counter(wanted)
        return Grade(float(is_equal), "same rows" if is_equal else _difference(given, wanted))

    return grade


def _rows(database: sqlite3.Connection, query: str) -> list[Row]:
    database.set_progress_handler(_budget(), 1000)
    with closing(database.execute(unfenced(query).rstrip("; \n"))) as cursor:
        rows = cursor.fetchmany(ROWS + 1)
    if len(rows) > ROWS:
        raise sqlite3.OperationalError(f"more than {ROWS} rows")
    return rows


def _budget() -> Callable[[], int]:
    left = STEPS // 1000

    def is_spent() -> int:
        nonlocal left
        left -= 1
        return int(left < 0)

    return is_spent


def _difference(given: list[Row], wanted: list[Row]) -> str:
    if len(given) != len(wanted):
        return f"{len(given)} row(s), expected {len(wanted)}"
    pair = next((pair for pair in zip(given, wanted, strict=True) if pair[0] != pair[1]), None)
    return f"{pair[0]}, expected {pair[1]}"[:300] if pair else "other rows"
