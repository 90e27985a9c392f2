"""Tables: JSON Lines, JSON arrays, Parquet and Arrow."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tunesmith.curate.decoding import Line
from tunesmith.curate.row import RawRow, Row, rejected
from tunesmith.errors import DataError

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
