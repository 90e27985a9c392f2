"""Sources to raw rows: every file and folder is recognised by looking inside."""

import gzip
import os
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from tunesmith.curate.decoding import GZIP_MAGIC, Line, guessed_encoding, read_lines
from tunesmith.curate.mapping import Mapping, mapping_for
from tunesmith.curate.readers import (
    archives,
    delimited,
    documents,
    folders,
    json_text,
    mail,
    postgresql_tables,
    python_code,
    sql,
    sql_logs,
    tables,
)
from tunesmith.curate.readers.threads import assembled
from tunesmith.curate.row import Row, rejected
from tunesmith.errors import DataError

PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC = b"PK\x03\x04"
OLD_OFFICE_MAGIC = b"\xd0\xcf\x11\xe0"
WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".numbers"})
DELIMITED = frozenset({".csv", ".tsv", ".tab"})
JSON = frozenset({".json", ".jsonl", ".ndjson"})
LOOKED_AT = 2
"""Lines with text in them that show what kind of table a file is."""
NO_TEXT = frozenset({".parquet", ".arrow", ".zip", ".gz", ".xlsx", *mail.SUFFIXES})
"""Files that say themselves how they are to be read."""


def read_rows(
    path: Path, shown: str, encoding: str | None = None, mappings: tuple[Mapping, ...] = ()
) -> Iterator[Row]:
    """Every row of a file or folder once, in order: readable or rejected. Blank lines are no rows.

    Args:
        path: The file or folder.
        shown: Its name in messages and in rejected rows.
        encoding: What is read in that is no UTF-8 and declares nothing; None finds out.
        mappings: Rows of a table that one of them fits are given as they stand, never put together to threads.

    Raises:
        DataError: If a file as a whole cannot be opened as what it claims to be.
    """
    if path.is_dir():
        read_file = partial(read_rows, encoding=encoding, mappings=mappings)
        yield from folders.read(path, shown, read_file)
        return
    if not path.exists():
        yield rejected(shown, 1, folders.LINK_TO_NOTHING, "")
        return
    with path.open("rb") as stream:
        start = stream.read(mail.START_BYTES)
    suffix = path.suffix.lower()
    _refuse_workbook(suffix, start, shown)
    if start.startswith(PARQUET_MAGIC) or suffix == ".parquet":
        yield from tables.parquet_rows(path, shown)
    elif start.startswith(GZIP_MAGIC):
        yield from _unpacked(path, shown, encoding, mappings)
    elif start.startswith(ZIP_MAGIC):
        yield from archives.read(path, shown)
    elif mail.is_mail(suffix, start):
        yield from mail.read([(path, shown)])
    elif documents.is_document(suffix, start):
        yield from documents.read(path, shown, encoding)
    else:
        yield from _of_text(path, shown, encoding, mappings)


def _of_text(
    path: Path, shown: str, encoding: str | None, mappings: tuple[Mapping, ...]
) -> Iterator[Row]:
    """The rows of code, a log, a script or a table."""
    suffix = path.suffix.lower()
    if suffix == ".py":
        yield from python_code.read(path, shown, encoding)
    elif sql_logs.is_log(path):
        yield from sql_logs.read(read_lines(path, encoding), shown)
    elif suffix == ".sql":
        yield from sql.read(read_lines(path, encoding), shown)
    else:
        yield from _of_table(read_lines(path, encoding), suffix, shown, mappings)


def _of_table(
    lines: Iterator[Line], suffix: str, shown: str, mappings: tuple[Mapping, ...]
) -> Iterator[Row]:
    """The rows of a table; messages are put together to threads, but where a mapping says what rows are."""
    is_mapped = mapping_for(mappings, shown) is not None
    rows = _table(lines, suffix, shown, is_mapped=is_mapped)
    return rows if is_mapped else assembled(rows, shown)


def guessed_encodings(path: Path, encoding: str | None = None) -> list[str]:
    """The encodings that the text in a file or folder is read in, where they are guessed."""
    files = [path]
    if path.is_dir():
        files = [file for file in folders.files_in(path) if file.suffix.lower() in folders.READABLE]
    texts = [file for file in files if file.suffix.lower() not in NO_TEXT]
    readable = [file for file in texts if file.is_file() and os.access(file, os.R_OK)]
    found = {guessed_encoding(file, encoding) for file in readable}
    return sorted(found - {""})


def _table(lines: Iterator[Line], suffix: str, shown: str, *, is_mapped: bool) -> Iterator[Row]:
    passed: list[Line] = []
    texts: list[str] = []
    for line in lines:
        passed.append(line)
        if text := line.text.strip():
            texts.append(text)
        if len(texts) == LOOKED_AT:
            break
    first, second = [*texts, "", ""][:2]
    every = chain(passed, lines)
    if postgresql_tables.is_csvlog(first):
        yield from postgresql_tables.read_csvlog(every, shown)
    elif postgresql_tables.is_jsonlog(first):
        yield from postgresql_tables.read_jsonlog(every, shown)
    elif suffix in DELIMITED and not first.startswith("{"):
        yield from delimited.csv_rows(every, shown, is_mapped=is_mapped)
    elif first.startswith("["):
        yield from json_text.json_array(every, shown)
    elif suffix == ".json" and first.startswith("{"):
        yield from json_text.json_object(every, shown)
    elif suffix not in JSON and _is_delimited(first, second):
        yield from delimited.csv_rows(every, shown, is_mapped=is_mapped)
    else:
        yield from json_text.json_lines(every, shown)


def _is_delimited(first: str, second: str) -> bool:
    is_json = first.startswith("{") or second.startswith(("{", "["))
    return not is_json and delimited.looks_delimited(first, second)


def _refuse_workbook(suffix: str, start: bytes, shown: str) -> None:
    if suffix in WORKBOOKS or start.startswith(OLD_OFFICE_MAGIC):
        raise DataError(
            f"{shown} is a workbook of a spreadsheet program, which is not read",
            fix="save its sheet as CSV (UTF-8) and name that file in curate.sources",
        )


def _unpacked(
    path: Path, shown: str, encoding: str | None, mappings: tuple[Mapping, ...]
) -> Iterator[Row]:
    """The rows of a table or script that gzip packed."""
    suffix = Path(path.stem).suffix.lower()
    try:
        if suffix == ".sql":
            yield from sql.read(read_lines(path, encoding), shown)
        elif suffix in {*DELIMITED, *JSON, "", ".txt"}:
            yield from _of_table(read_lines(path, encoding), suffix, shown, mappings)
        else:
            raise DataError(
                f"{shown} is packed with gzip, and no table", fix=f"unpack it: gunzip {shown}"
            )
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{shown} is damaged: {error}", fix="pack or copy it again, or leave it out"
        ) from error
