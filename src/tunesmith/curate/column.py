"""Columns on disk: one value a row, read a piece at a time, so that memory does not grow with the number of rows."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core.similarity import Texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike, NDArray

BYTES_AT_ONCE = 1 << 20
"""How much of a column is read in one piece: much longer than a call takes, and little beside the program itself."""
OFFSETS = ".offsets"
"""Ends the name of the file that says where each text of a text column begins."""


class Column:
    """Values of one type in a file; a slice of it, or an array of ascending positions, is read as an array."""

    def __init__(self, path: Path, dtype: "DTypeLike") -> None:
        """Open a file that holds the values one after another, as `numpy.ndarray.tofile` writes them.

        Args:
            path: The file.
            dtype: Of a value; a value may be an array itself.
        """
        import numpy as np

        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._count = path.stat().st_size // self._dtype.itemsize
        self._file = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __len__(self) -> int:
        """How many values."""
        return self._count

    @property
    def step(self) -> int:
        """How many values are read in one piece."""
        return max(1, BYTES_AT_ONCE // self._dtype.itemsize)

    def __getitem__(self, where: "slice | NDArray[np.signedinteger]") -> "NDArray[Any]":
        """The values of a range, or of ascending positions; a new array."""
        import numpy as np

        if isinstance(where, slice):
            first, last, _ = where.indices(self._count)
            return self._read(first, last)
        found = np.empty(len(where), dtype=self._dtype)
        done = 0
        while done < len(where):
            first = int(where[done])
            end = int(np.searchsorted(where, first + self.step))
            piece = self._read(first, int(where[end - 1]) + 1)
            found[done:end] = piece[where[done:end] - first]
            done = end
        return found

    def _read(self, first: int, last: int) -> "NDArray[Any]":
        import numpy as np

        size = self._dtype.itemsize
        content = os.pread(self._file, max(0, last - first) * size, first * size)
        return np.frombuffer(content, dtype=self._dtype).copy()


class Chosen:
    """Some values of a column, at ascending positions, as if they were all there are."""

    def __init__(self, column: Column, positions: "NDArray[np.int64]") -> None:
        self._column, self._positions = column, positions

    def __len__(self) -> int:
        """How many values."""
        return len(self._positions)

    def __getitem__(self, where: "slice | NDArray[np.signedinteger]") -> "NDArray[Any]":
        """Those of a range, or at these ascending places."""
        return self._column[self._positions[where]]


class TextColumn:
    """Texts in a file, each found by its position; see `write_texts`."""

    def __init__(self, path: Path) -> None:
        self._offsets = Column(path.with_name(path.name + OFFSETS), "int64")
        self._file = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        """Close the files."""
        self._offsets.close()
        os.close(self._file)

    def __len__(self) -> int:
        """How many texts."""
        return len(self._offsets) - 1

    def at(self, position: int) -> bytes:
        """One text, as UTF-8."""
        begin, end = self._offsets[position : position + 2].tolist()
        return os.pread(self._file, end - begin, begin)

    def of(self, positions: "NDArray[np.int64]") -> Texts:
        """The texts at these ascending positions."""
        import numpy as np

        begin, end = self._offsets[positions], self._offsets[positions + 1]
        offsets = np.concatenate([[0], np.cumsum(end - begin)])
        texts = [
            os.pread(self._file, size, place)
            for place, size in zip(begin.tolist(), (end - begin).tolist(), strict=True)
        ]
        return Texts(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets)


def write_texts(path: Path, pieces: Iterable[Texts]) -> TextColumn:
    """Write texts, as many as come, and open them."""
    import numpy as np

    written = 0
    with path.open("wb") as data, path.with_name(path.name + OFFSETS).open("wb") as offsets:
        np.zeros(1, dtype=np.int64).tofile(offsets)
        for piece in pieces:
            piece.data.tofile(data)
            (piece.offsets[1:] + written).astype(np.int64).tofile(offsets)
            written += int(piece.offsets[-1])
    return TextColumn(path)
