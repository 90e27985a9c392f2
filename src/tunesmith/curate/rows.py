"""Rows: all refined rows of a run as columns of numbers; their texts stay on disk until they are asked for."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from tunesmith.core.conversation import Example, example_of
from tunesmith.core.similarity import SIGNATURE_BYTES, Texts, fold
from tunesmith.curate.prompt_keys import question, said
from tunesmith.curate.shard import UNREADABLE, read_columns, read_rows
from tunesmith.errors import NoGoodRowsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


COLUMNS = ("line", "file", "inside", "rule", "key", "verdict", "exact", "stratum", "characters")


Part = Literal["said", "question"]
"""What of a row is compared: everything said, or the opening question."""


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


class Lists(NamedTuple):
    """A column of lists, flat: row i has `values[offsets[i] : offsets[i + 1]]`."""

    values: "NDArray[np.uint64]"
    offsets: "NDArray[np.int64]"

    def owners(self) -> "NDArray[np.int64]":
        """The row each value belongs to."""
        import numpy as np

        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def of(self, position: int) -> "NDArray[np.uint64]":
        """The values of one row."""
        return self.values[self.offsets[position] : self.offsets[position + 1]]


class Rows:
    """What set steps see: a position for every row read, its columns, and which rows are still kept."""

    def __init__(
        self,
        shards: Sequence[Path],
        names: Sequence[str],
        *,
        experts: Collection[str] = (),
        keep: Collection[str] = (),
    ) -> None:
        """Open shards in reading order.

        Args:
            shards: As `refining.refine` wrote them.
            names: The source files' names, in the order that the shards refer to.
            experts: Those of the names whose rows are trusted most.
            keep: Keys of rows that no rule may remove, except rules that are final.
        """
        import numpy as np

        self.shards, self.names = list(shards), list(names)
        table = read_columns(shards, COLUMNS)
        self.lines = table["line"].to_numpy()
        self.files = table["file"].to_numpy()
        self.exact = table["exact"].to_numpy()
        self.stratum = table["stratum"].to_numpy()
        self.characters = table["characters"].to_numpy()
        self.verdicts = table["verdict"].to_numpy()
        self._inside = table["inside"].combine_chunks()
        self._keys = table["key"].combine_chunks()
        self.is_safe = _is_in(table["key"], keep)
        self.is_expert = np.array([name in experts for name in self.names])[self.files]
        self.is_kept = _is_in(table["rule"], [""])
        self.is_rejected = _is_in(table["rule"], [UNREADABLE])
        self.removals: dict[int, Removal] = {}
        self.bonds: NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def kept(self) -> "NDArray[np.int64]":
        """Positions of the rows still kept, in reading order."""
        import numpy as np

        return np.flatnonzero(self.is_kept)

    def key(self, position: int) -> str:
        """The key of the row's example."""
        return str(self._keys[int(position)])

    def source(self, position: int) -> str:
        """Where the row was read, as `file:line`."""
        inside = str(self._inside[int(position)])
        return f"{inside or self.names[self.files[position]]}:{self.lines[position]}"

    def lists(self, column: str) -> Lists:
        """A column of lists of hashes, `asked` or `links`."""
        lists = read_columns(self.shards, [column])[column].combine_chunks()
        return Lists(lists.values.to_numpy(), lists.offsets.to_numpy().astype("int64"))

    def signatures(self, part: Part) -> "NDArray[np.uint8]":
        """MinHash signature of every row's text; see `similarity.signatures`."""
        import numpy as np

        column = read_columns(self.shards, [part])[part].combine_chunks()
        content = np.frombuffer(column.buffers()[1] or b"", dtype=np.uint8)
        return content.reshape(-1, SIGNATURE_BYTES)[column.offset : column.offset + len(column)]

    def numbers(self, part: Part) -> "NDArray[np.uint64]":
        """Hash of the numbers in every row's text: equal for texts with the same numbers in the same order."""
        column = f"{part}_numbers"
        found: NDArray[np.uint64] = read_columns(self.shards, [column])[column].to_numpy()
        return found

    def texts(self, positions: "NDArray[np.int64]", part: Part) -> Texts:
        """What is compared of the rows at these ascending positions."""
        examples = self.examples(positions)
        if part == "said":
            return fold(said(example) for example in examples)
        return fold(question(example.messages) for example in examples)

    def bind(self, pairs: "NDArray[np.int64]") -> None:
        """Keep the rows of each pair on one side of every split."""
        self.bonds = pairs

    def examples(self, positions: "NDArray[np.int64]") -> Iterator[Example]:
        """The examples at these ascending positions, read a shard at a time."""
        import numpy as np

        start = 0
        for shard in self.shards:
            column = read_columns([shard], ["row"])["row"]
            low, high = np.searchsorted(positions, [start, start + len(column)])
            for position in positions[low:high]:
                yield example_of(json.loads(column[int(position - start)].as_py()))
            start += len(column)

    def set_apart(self, positions: "NDArray[np.int64]") -> None:
        """Take rows out that have become golden cases."""
        self.is_kept[positions] = False

    def need_one_good(self, file: int, name: str) -> None:
        """Check that a file holds at least one example.

        Raises:
            NoGoodRowsError: If it does not; with the first three reasons.
        """
        mine = self.files == file
        if (mine & ~self.is_rejected).any():
            return
        reasons: list[str] = []
        for shard in self.shards:
            bad = [
                row for row in read_rows(shard, ["file", "line", "reason"]) if row["file"] == file
            ]
            reasons += [f"line {row['line']}: {row['reason']}" for row in bad]
            if len(reasons) >= 3:
                break
        raise NoGoodRowsError(
            name, read=int(mine.sum()), reasons=reasons[:3] or ["the file is empty"]
        )

    def remove(self, removals: Iterable[Removal], *, is_final: bool = False) -> None:
        """Leave rows out; rows that a person wants kept stay, unless the step's word is final.

        Who wants a row kept wants it once: it does not save its letter-for-letter repetition.
        """
        for removal in removals:
            position = removal.position
            is_twin = removal.witness_key == self.key(position)
            if self.is_kept[position] and (is_final or is_twin or not self.is_safe[position]):
                self.is_kept[position] = False
                self.removals[position] = removal


def _is_in(column: object, wanted: Collection[str]) -> "NDArray[np.bool_]":
    import pyarrow as pa
    import pyarrow.compute as pc

    value_set = pa.array(sorted(wanted), type=pa.string())
    found: NDArray[np.bool_] = pc.is_in(column, value_set=value_set).to_numpy(zero_copy_only=False)
    return found.copy()
