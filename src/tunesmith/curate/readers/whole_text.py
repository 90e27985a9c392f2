"""A file as one text: a row whose bytes are no text is set aside, with the line that they stand in."""

import json
from collections.abc import Iterable
from pathlib import Path

from tunesmith.curate.decoding import Line, read_lines
from tunesmith.curate.row import RawRow, Row, rejected

NO_CHARACTER = "\ufffd"
"""What stands in a text for bytes that are none."""


class WholeText:
    """All lines of a file, the bad ones known."""

    def __init__(self, path: Path, shown: str, encoding: str | None = None) -> None:
        """Read the file in the encoding that it shows or declares, or else in the one that is given."""
        lines = list(_parted(read_lines(path, encoding)))
        self.text = "\n".join(line.text for line in lines)
        self._shown = shown
        self._problems = {
            number: line.problem
            for number, line in enumerate(lines, 1)
            if line.problem and NO_CHARACTER in line.text
        }

    def trusted(self, row: Row) -> Row:
        """The row as it is, or set aside if some of its text could not be read."""
        if not isinstance(row, RawRow) or not self._problems:
            return row
        said = json.dumps(row.value, ensure_ascii=False)
        if NO_CHARACTER not in said:
            return row
        below = (number for number in self._problems if number >= row.line)
        reason = self.problem_at(next(below, min(self._problems)))
        return rejected(self._shown, row.line, reason, said)

    def problem_at(self, number: int) -> str:
        """Why the bytes of a line are no text, and what to do; empty where they are."""
        problem = self._problems.get(number)
        return f"line {number}: {problem}; save the file as UTF-8" if problem else ""


def _parted(lines: Iterable[Line]) -> Iterable[Line]:
    """A line for every carriage return, too: old files end their lines so."""
    for line in lines:
        for part in line.text.split("\r"):
            yield line._replace(text=part)
