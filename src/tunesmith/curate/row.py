"""What reading a file yields: rows, and rows that had to be set aside with their reason."""

from typing import NamedTuple


class RawRow(NamedTuple):
    """One row of a source, not yet understood."""

    line: int
    """1-based line where the row begins; for Parquet, Arrow and JSON that stands on one line, the row's number."""
    value: object
    file: str = ""
    """The file, where the source is a folder or an archive that holds many."""
    format: str = ""
    """What the reader took it for, where the row's own keys do not say."""


class Rejected(NamedTuple):
    """A row that cannot be used."""

    file: str
    line: int
    reason: str
    row: str
    """Its beginning, as read."""


Row = RawRow | Rejected
"""Every reader yields these, each row of its source once."""

SHOWN_CHARACTERS = 500
"""How much of a rejected row is kept."""


def rejected(file: str, line: int, reason: str, row: str) -> Rejected:
    """The row set aside, its beginning kept in a form that can be written anywhere."""
    shown = row[:SHOWN_CHARACTERS].encode("utf-8", errors="replace").decode("utf-8")
    return Rejected(file, line, reason, shown)
