"""Shards to columns: each column is unpacked when it is first asked for, a shard at a time."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tunesmith.core.similarity import SIGNATURE_BYTES, Texts, fold_blocks
from tunesmith.curate.column import Column, TextColumn, write_texts
from tunesmith.curate.shard import read_columns

if TYPE_CHECKING:
    import numpy as np
    import pyarrow
    from numpy.typing import NDArray

KEY_CHARACTERS = 64
"""Of an example's key: SHA-256 in hexadecimal."""
HASH = "uint64"
TYPES: dict[str, Any] = {
    "file": "int32",
    "key": f"S{KEY_CHARACTERS}",
    "exact": HASH,
    "answer": HASH,
    "stratum": HASH,
    "characters": "int64",
    "said_numbers": HASH,
    "question_numbers": HASH,
    "said": ("uint8", SIGNATURE_BYTES),
    "question": ("uint8", SIGNATURE_BYTES),
}
"""What a column's values are."""


class Lists:
    """A column of lists of hashes: row i has `values[offsets[i] : offsets[i + 1]]`."""

    def __init__(self, values: Column, offsets: Column) -> None:
        self._values, self._offsets = values, offsets

    def close(self) -> None:
        """Close the files."""
        self._values.close()
        self._offsets.close()

    def at(self, position: int) -> list[int]:
        """The values of one row."""
        first, last = self._offsets[position : position + 2].tolist()
        found: list[int] = self._values[first:last].tolist()
        return found

    def blocks(self) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.uint64]]]":
        """All values, some rows at a time: the row each belongs to, and the value."""
        import numpy as np

        rows, step = len(self._offsets) - 1, self._offsets.step
        for first in range(0, rows, step):
            last = min(first + step, rows)
            borders = self._offsets[first : last + 1]
            owners = np.repeat(np.arange(first, last), np.diff(borders))
            yield owners, self._values[int(borders[0]) : int(borders[-1])]


class Columns:
    """All columns of some shards, each unpacked when it is first asked for."""

    def __init__(self, shards: Sequence[Path], names: Sequence[str], folder: Path) -> None:
        """Unpack nothing yet.

        Args:
            shards: In reading order.
            names: The source files' names, in the order that the shards refer to.
            folder: Where the columns go.
        """
        self._shards, self._names, self._folder = shards, names, folder
        self._values: dict[str, Column] = {}
        self._lists: dict[str, Lists] = {}
        self._sources: TextColumn | None = None
        self._files = ExitStack()

    def close(self) -> None:
        """Close their files."""
        self._files.close()

    def values(self, name: str) -> Column:
        """A column with one value a row, of those in `TYPES`."""
        if name not in self._values:
            path = self._folder / name
            with path.open("wb") as stream:
                for shard in self._shards:
                    column = read_columns([shard], [name])[name].combine_chunks()
                    _array(column, TYPES[name]).tofile(stream)
            self._values[name] = self._files.enter_context(closing(Column(path, TYPES[name])))
        return self._values[name]

    def lists(self, name: str) -> Lists:
        """A column of lists of hashes, `asked` or `links`."""
        if name not in self._lists:
            values, offsets = self._folder / name, self._folder / f"{name}.offsets"
            with values.open("wb") as into_values, offsets.open("wb") as into_offsets:
                self._unpack_lists(name, into_values, into_offsets)
            lists = Lists(Column(values, HASH), Column(offsets, "int64"))
            self._lists[name] = self._files.enter_context(closing(lists))
        return self._lists[name]

    @property
    def sources(self) -> TextColumn:
        """Where each row was read, as `file:line`."""
        if self._sources is None:
            column = write_texts(self._folder / "source", self._read_sources())
            self._sources = self._files.enter_context(closing(column))
        return self._sources

    @contextmanager
    def folded(self, texts: Iterable[str]) -> Iterator[TextColumn]:
        """Texts in the form in which they are compared, for as long as they are needed."""
        with closing(write_texts(self._folder / "folded", fold_blocks(texts))) as column:
            yield column

    def _unpack_lists(self, name: str, values: BinaryIO, offsets: BinaryIO) -> None:
        import numpy as np

        written = 0
        np.zeros(1, dtype=np.int64).tofile(offsets)
        for shard in self._shards:
            lists = read_columns([shard], [name])[name].combine_chunks()
            lists.flatten().to_numpy().tofile(values)
            borders = lists.offsets.to_numpy().astype(np.int64)
            (borders[1:] - borders[0] + written).tofile(offsets)
            written += int(borders[-1] - borders[0])

    def _read_sources(self) -> Iterator[Texts]:
        import numpy as np

        for shard in self._shards:
            rows = read_columns([shard], ["inside", "file", "line"]).to_pydict()
            sources = [
                f"{inside or self._names[file]}:{line}".encode()
                for inside, file, line in zip(*rows.values(), strict=True)
            ]
            offsets = np.cumsum([0, *map(len, sources)], dtype=np.int64)
            yield Texts(np.frombuffer(b"".join(sources), dtype=np.uint8), offsets)


def _array(values: "pyarrow.Array", dtype: object) -> "NDArray[Any]":
    import numpy as np

    if dtype == TYPES["key"]:
        return np.array(values.to_pylist(), dtype=TYPES["key"])
    if not isinstance(dtype, tuple):
        found: NDArray[Any] = values.to_numpy()
        return found
    content = np.frombuffer(values.buffers()[1] or b"", dtype=np.uint8)
    return content.reshape(-1, SIGNATURE_BYTES)[values.offset : values.offset + len(values)]
