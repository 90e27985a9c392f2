"""Sources to raw rows: every file and folder is recognised by looking inside."""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from tunesmith.curate.decoding import Line, read_lines
from tunesmith.curate.mapping import Mapping, mapping_for
from tunesmith.curate.readers import (
    archives,
    documents,
    folders,
    mail,
    python_code,
    sql,
    sql_logs,
    tables,
)
from tunesmith.curate.readers.threads import assembled
from tunesmith.curate.row import Row

PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC = b"PK\x03\x04"


def read_rows(path: Path, shown: str, mappings: tuple[Mapping, ...] = ()) -> Iterator[Row]:
    """Every row of a file or folder once, in order: readable or rejected. Blank lines are no rows.

    Args:
        path: The file or folder.
        shown: Its name in messages and in rejected rows.
        mappings: Rows of a table that one of them fits are given as they stand, never put together to threads.

    Raises:
        DataError: If a file as a whole cannot be opened as what it claims to be.
    """
    if path.is_dir():
        yield from folders.read(path, shown, partial(read_rows, mappings=mappings))
        return
    with path.open("rb") as stream:
        start = stream.read(mail.START_BYTES)
    suffix = path.suffix.lower()
    if start.startswith(PARQUET_MAGIC) or suffix == ".parquet":
        yield from tables.parquet_rows(path, shown)
    elif start.startswith(ZIP_MAGIC):
        yield from archives.read(path, shown)
    elif mail.is_mail(suffix, start):
        yield from mail.read([(path, shown)])
    elif suffix == ".py":
        yield from python_code.read(path, shown)
    elif sql_logs.is_log(path):
        yield from sql_logs.read(read_lines(path), shown)
    elif suffix == ".sql":
        yield from sql.read(read_lines(path), shown)
    elif documents.is_document(suffix, start):
        yield from documents.read(path, shown)
    elif mapping_for(mappings, shown) is not None:
        yield from _table(path, suffix, shown)
    else:
        yield from assembled(_table(path, suffix, shown), shown)


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
        yield from tables.csv_rows(every, shown)
    elif first.startswith("["):
        yield from tables.json_array(every, shown)
    elif suffix == ".json" and first.startswith("{"):
        yield from tables.json_object(every, shown)
    else:
        yield from tables.json_lines(every, shown)
