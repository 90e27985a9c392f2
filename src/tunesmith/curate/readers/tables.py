"""Tables in columns: Parquet and Arrow."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tunesmith.curate.row import RawRow, Row
from tunesmith.errors import DataError


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
