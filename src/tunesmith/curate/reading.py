"""Files to raw rows: JSON Lines, JSON arrays, CSV and Parquet, recognised by looking inside."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunesmith.curate.decoding import Line, decode_lines
from tunesmith.curate.row import SHOWN_CHARACTERS, RawRow, Rejected
from tunesmith.errors import DataError

PARQUET_MAGIC = b"PAR1"
PARQUET_BATCH = 1_000
"""Rows of a Parquet file held in memory at once."""
DELIMITERS = ",;\t|"


def read_rows(path: Path, shown: str) -> Iterator[RawRow | Rejected]:
    """Every row of a file once, in order: readable or rejected. Blank lines are no rows.

    Args:
        path: The file.
        shown: Its name in messages and in rejected rows.

    Raises:
        DataError: If the file as a whole cannot be opened as what it claims to be.
    """
    with path.open("rb") as stream:
        is_parquet = stream.read(4) == PARQUET_MAGIC or path.suffix == ".parquet"
    if is_parquet:
        yield from _parquet(path, shown)
        return
    first = next((line.text.lstrip() for line in decode_lines(path) if line.text.strip()), "")
    lines = decode_lines(path)
    if path.suffix in {".csv", ".tsv"} and not first.startswith("{"):
        yield from _csv(lines, first, shown)
    elif first.startswith("["):
        yield from _json_array(lines, shown)
    else:
        yield from _json_lines(lines, shown)


def _json_lines(lines: Iterable[Line], shown: str) -> Iterator[RawRow | Rejected]:
    for line in lines:
        if not line.text.strip():
            continue
        if line.problem:
            yield _rejected(shown, line.number, line.problem, line.text)
            continue
        try:
            yield RawRow(line.number, json.loads(line.text))
        except (ValueError, RecursionError) as error:
            yield _rejected(shown, line.number, _why(error), line.text)


def _json_array(lines: Iterable[Line], shown: str) -> Iterator[RawRow | Rejected]:
    lines = list(lines)
    text = "\n".join(line.text for line in lines)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        # A file of arrays, or a broken array: line by line whatever is whole can still be used.
        yield from _json_lines(lines, shown)
        return
    for number, value in enumerate(values, 1):
        yield RawRow(number, value)


def _csv(lines: Iterable[Line], header_line: str, shown: str) -> Iterator[RawRow | Rejected]:
    bad: dict[int, str] = {}
    delimiter = max(DELIMITERS, key=header_line.count)
    reader = csv.reader(_noting_problems(lines, bad), delimiter=delimiter)
    header: list[str] | None = None
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _rejected(shown, start, f"not CSV: {error}", "")
            start = reader.line_num + 1
            continue
        numbers, start = range(start, reader.line_num + 1), reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        problem = next((bad[number] for number in numbers if number in bad), "")
        if header is None:
            header = [cell.strip() for cell in cells]
        elif problem or len(cells) != len(header):
            reason = problem or f"{len(cells)} cells, the header has {len(header)}"
            yield _rejected(shown, numbers[0], reason, delimiter.join(cells))
        else:
            yield RawRow(numbers[0], dict(zip(header, cells, strict=True)))


def _noting_problems(lines: Iterable[Line], problems: dict[int, str]) -> Iterator[str]:
    for line in lines:
        if line.problem:
            problems[line.number] = line.problem
        yield line.text + "\n"


def _parquet(path: Path, shown: str) -> Iterator[RawRow | Rejected]:
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as opened:
            for batch in opened.iter_batches(PARQUET_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield RawRow(
                        number, {key: value for key, value in row.items() if value is not None}
                    )
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{shown} is not a Parquet file that can be read: {reason}",
            fix="write the file again, or leave it out of curate.sources",
        ) from error


def _rejected(shown: str, line: int, reason: str, row: str) -> Rejected:
    return Rejected(shown, line, reason, row[:SHOWN_CHARACTERS])


def _why(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"broken JSON: {error.msg} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    return f"broken JSON: {error}"
