"""Removals: which good rows are left out and why, kept on disk until the dataset is written."""

import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Removal(NamedTuple):
    """A good row that a step leaves out."""

    position: int
    rule: str
    reason: str
    """A sentence's end: what was found, without the row itself."""
    score: float = 1.0
    witness: str = ""
    """Where the other row lies, as `file:line`."""
    witness_key: str = ""


class Removals:
    """One a row at most, in the order in which they come; of each, memory holds two numbers."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("w+b")
        self._positions, self._places = array("q"), array("q")
        self._written = 0

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def add(self, removal: Removal) -> None:
        """Note a removal."""
        line = json.dumps(removal).encode() + b"\n"
        self._stream.write(line)
        self._positions.append(removal.position)
        self._places.append(self._written)
        self._written += len(line)

    def in_reading_order(self) -> Iterator[Removal]:
        """All of them, by position."""
        import numpy as np

        for index in np.argsort(self._positions):
            self._stream.seek(self._places[index])
            yield Removal(*json.loads(self._stream.readline()))
