"""Sources to raw rows: every file and folder is recognised by looking inside."""

import os
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from tunesmith.curate.decoding import Line, guessed_encoding, read_lines
from tunesmith.curate.readers import (
    archives,
    delimited,
    documents,
    folders,
    json_text,
    mail,
    python_code,
    sql,
    tables,
)
from tunesmith.curate.readers.threads import assembled
from tunesmith.curate.row import Row, rejected

PARQUET_MAGIC = b"PAR1"
ZIP_MAGIC = b"PK\x03\x04"
NO_TEXT = frozenset({".parquet", ".arrow", ".zip", ".gz", ".xlsx", *mail.SUFFIXES})
"""Files that say themselves how they are to be read."""


def read_rows(path: Path, shown: str, encoding: str | None = None) -> Iterator[Row]:
    """Every row of a file or folder once, in order: readable or rejected. Blank lines are no rows.

    Args:
        path: The file or folder.
        shown: Its name in messages and in rejected rows.
        encoding: What tables and SQL are read in that are no UTF-8; None finds out.

    Raises:
        DataError: If a file as a whole cannot be opened as what it claims to be.
    """
    if path.is_dir():
        yield from folders.read(path, shown, partial(read_rows, encoding=encoding))
        return
    if not path.exists():
        yield rejected(shown, 1, folders.LINK_TO_NOTHING, "")
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
        yield from sql.read(read_lines(path, encoding), shown)
    elif documents.is_document(suffix, start):
        yield from documents.read(path, shown)
    else:
        yield from assembled(_table(read_lines(path, encoding), suffix, shown))


def guessed_encodings(path: Path, encoding: str | None = None) -> list[str]:
    """The encodings that the text in a file or folder is read in, where they are guessed."""
    files = folders.files_in(path) if path.is_dir() else [path]
    texts = [file for file in files if file.suffix.lower() not in NO_TEXT]
    readable = [file for file in texts if file.is_file() and os.access(file, os.R_OK)]
    found = {guessed_encoding(file, encoding) for file in readable}
    return sorted(found - {""})


def _table(lines: Iterator[Line], suffix: str, shown: str) -> Iterator[Row]:
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
        yield from json_text.json_array(every, shown)
    elif suffix == ".json" and first.startswith("{"):
        yield from json_text.json_object(every, shown)
    else:
        yield from json_text.json_lines(every, shown)
