"""Rows written to a file in the format that its name says: JSON Lines, a JSON list, CSV or TSV."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from tunesmith.core.text import encodable
from tunesmith.core.workspace import open_whole
from tunesmith.errors import DataError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
LINES = frozenset({".jsonl", ".ndjson"})
Write = Callable[[object], None]


@contextmanager
def row_file(path: Path) -> Iterator[Write]:
    """Writes one row after another; the file appears only when it is complete, and not at all after an error.

    Raises:
        DataError: If the name ends otherwise, or CSV cannot hold a row because it is no object or has a field that the
            first row has not.
    """
    suffix = path.suffix.lower()
    if suffix not in {*DELIMITERS, *LINES, ".json"}:
        raise DataError(
            f"{path}: rows are not written as {suffix or 'a file without an ending'}",
            fix="name a file that ends in .jsonl, .json, .csv or .tsv",
        )
    with open_whole(path) as stream:
        if suffix in DELIMITERS:
            yield _delimited(stream, path, DELIMITERS[suffix])
        elif suffix in LINES:
            yield partial(_write_line, stream)
        else:
            yield from _list(stream)


def _write_line(stream: TextIO, row: object) -> None:
    stream.write(as_line(row) + "\n")


def as_line(value: object) -> str:
    """JSON on one line that can be written anywhere."""
    return encodable(json.dumps(value, ensure_ascii=False, default=str))


def _list(stream: TextIO) -> Iterator[Write]:
    before = iter("[")

    def write(row: object) -> None:
        stream.write(next(before, ",") + "\n" + as_line(row))

    yield write
    stream.write(next(before, "") + "\n]\n")


def _delimited(stream: TextIO, path: Path, delimiter: str) -> Write:
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    header: list[Any] = []

    def write(row: object) -> None:
        if not isinstance(row, dict):
            raise DataError(f"{path}: a row is no object, which CSV cannot hold", fix=FIX)
        if not header:
            header.extend(row)
            writer.writerow(map(_cell, header))
        if more := [name for name in row if name not in header]:
            raise DataError(
                f"{path}: a row has a field {more[0]!r}, the first one has not", fix=FIX
            )
        writer.writerow([_cell(row.get(name)) for name in header])

    return write


FIX = "write JSON Lines: name a file that ends in .jsonl"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return encodable(value) if isinstance(value, str) else as_line(value)
