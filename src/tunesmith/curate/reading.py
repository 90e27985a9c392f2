"""Sources to raw rows: every file and folder is recognised by looking inside."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tunesmith.curate.decoding import Line, read_lines
from tunesmith.curate.readers import (
    archives,
    delimited,
    documents,
    folders,
    mail,
    python_code,
    sql,
    tables,
)
from tunesmith.curate.readers.threads import assembled
from tunesmith.curate.row import Row

PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC = b"PK\x03\x04"


def read_rows(path: Path, shown: str) -> Iterator[Row]:
    """Every row of a file or folder once, in order: readable or rejected. Blank lines are no rows.

    Args:
        path: The file or folder.
        shown: Its name in messages and in rejected rows.

    Raises:
        DataError: If a file as a whole cannot be opened as what it claims to be.
    """
    if path.is_dir():
        yield from folders.read(path, shown, read_rows)
        return
    with path.open("rb") as stream:
        start = stream.read(512)
    suffix = path.suffix.lower()
    if start.startswith(PARQUET_MAGIC) or suffix == ".parquet":
        yield from tables.parquet_rows(path, shown)
    elif start.startswith(ZIP_MAGIC):
        yield from archives.read(path, shown)
    elif mail.is_mail(suffix, start):
        yield from mail.read([(path, shown)])
    elif suffix == ".py":
        yield from python_code.read(path, shown)
    elif suffix == ".sql":
        yield from sql.read(read_lines(path), shown)
    elif documents.is_document(suffix, start):
        yield from documents.read(path, shown)
    else:
        yield from assembled(_table(path, suffix, shown))


def _table(path: Path, suffix: str, shown: str) -> Iterator[Row]:
    lines = read_lines(path)
    passed: list[Line] = []
    for line in lines:
        passed.append(line)
        if line.text.strip():
            break
    first = passed[-1].text.strip() if passed else ""
    every = chain(passed, lines)
    if suffix in {".csv", ".tsv"} and not first.startswith("{"):
        yield from delimited.csv_rows(every, shown)
    elif first.startswith("["):
        yield from tables.json_array(every, shown)
    elif suffix == ".json" and first.startswith("{"):
        yield from tables.json_object(every, shown)
    else:
        yield from tables.json_lines(every, shown)
