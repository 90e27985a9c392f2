"""What reading a file yields: rows, and rows that had to be set aside with their reason."""

from typing import NamedTuple


class RawRow(NamedTuple):
    """One row of a file, not yet understood."""

    line: int
    """1-based line where the row begins; for Parquet the row's number."""
    value: object


class Rejected(NamedTuple):
    """A row that cannot be used."""

    file: str
    line: int
    reason: str
    row: str
    """Its beginning, as read."""


SHOWN_CHARACTERS = 500
"""How much of a rejected row is kept."""
