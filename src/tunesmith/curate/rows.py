"""Rows: all refined rows of a run; what is known of them stays on disk, in columns, until it is asked for."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tunesmith.core.conversation import Example, example_of
from tunesmith.curate.column import Column
from tunesmith.curate.prompt_keys import question, said
from tunesmith.curate.removals import Removal, Removals
from tunesmith.curate.shard import UNREADABLE, read_columns, read_rows
from tunesmith.curate.unpacking import Columns
from tunesmith.errors import NoGoodRowsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERDICTS = ("", "down", "pair", "up")
"""What a row may be: an example to imitate, or a verdict of some kind."""
KEYS_AT_ONCE = 10_000

Part = Literal["said", "question"]
"""What of a row is compared: everything said, or the opening question."""


class Flags(NamedTuple):
    """What memory holds of some rows."""

    is_kept: "NDArray[np.bool_]"
    is_safe: "NDArray[np.bool_]"
    """No rule may remove them, except rules that are final."""
    verdict: "NDArray[np.int8]"
    """Index of `VERDICTS`."""


class Rows:
    """What set steps see: a position for every row read, its columns, and which rows are still kept.

    Of a row, memory holds three bytes; whatever else a step looks at lies in files, to be removed when all is done.
    """

    def __init__(
        self,
        shards: Sequence[Path],
        names: Sequence[str],
        folder: Path,
        *,
        experts: Collection[str] = (),
        keep: Collection[str] = (),
    ) -> None:
        """Open shards in reading order.

        Args:
            shards: As `refining.refine` wrote them.
            names: The source files' names, in the order that the shards refer to.
            folder: An empty one, for the columns.
            experts: Those of the names whose rows are trusted most.
            keep: Keys of rows that no rule may remove, except rules that are final.
        """
        import numpy as np

        self.shards, self.names = list(shards), list(names)
        self.columns = Columns(shards, names, folder)
        self.removals = Removals(folder / "removals")
        self._experts = np.array([name in experts for name in self.names])
        self._read: Counter[int] = Counter()
        self._good: Counter[int] = Counter()
        flags = [self._flags(shard, keep) for shard in shards]
        self._sizes = [len(one.is_kept) for one in flags]
        self.is_kept = _joined((one.is_kept for one in flags), "bool")
        self.is_safe = _joined((one.is_safe for one in flags), "bool")
        self._verdicts = _joined((one.verdict for one in flags), "int8")
        self.bonds: NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)

    def close(self) -> None:
        """Close the files."""
        self.columns.close()
        self.removals.close()

    def __len__(self) -> int:
        return len(self.is_kept)

    @property
    def kept(self) -> "NDArray[np.int64]":
        """Positions of the rows still kept, in reading order."""
        import numpy as np

        return np.flatnonzero(self.is_kept)

    def kept_of(self, verdict: str) -> "NDArray[np.int64]":
        """Those of them that are verdicts of this kind, or none at all for an empty text."""
        import numpy as np

        return np.flatnonzero(self.is_kept & (self._verdicts == VERDICTS.index(verdict)))

    def imitated(self, positions: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Those of these that are examples to imitate, and no verdicts."""
        found: NDArray[np.int64] = positions[self._verdicts[positions] == VERDICTS.index("")]
        return found

    def is_expert(self, positions: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Which of the rows at these ascending positions experts wrote."""
        import numpy as np

        if not self._experts.any():
            return np.zeros(len(positions), dtype=bool)
        found: NDArray[np.bool_] = self._experts[self.columns.values("file")[positions]]
        return found

    def key(self, position: int) -> str:
        """The key of the row's example."""
        (key,) = self.columns.values("key")[int(position) : int(position) + 1].tolist()
        return str(key.decode())

    def keys(self, positions: "NDArray[np.int64]") -> Iterator[str]:
        """The keys at these ascending positions."""
        for first in range(0, len(positions), KEYS_AT_ONCE):
            some = self.columns.values("key")[positions[first : first + KEYS_AT_ONCE]]
            yield from (key.decode() for key in some.tolist())

    def source(self, position: int) -> str:
        """Where the row was read, as `file:line`."""
        return self.columns.sources.at(int(position)).decode("utf-8")

    def signatures(self, part: Part) -> Column:
        """MinHash signature of every row's text; see `similarity.signatures`."""
        return self.columns.values(part)

    def numbers(self, part: Part) -> Column:
        """Hash of the numbers in every row's text: equal for texts with the same numbers in the same order."""
        return self.columns.values(f"{part}_numbers")

    def texts(self, positions: "NDArray[np.int64]", part: Part) -> Iterator[str]:
        """What is compared of the rows at these ascending positions."""
        examples = self.examples(positions)
        if part == "said":
            return map(said, examples)
        return (question(example.messages) for example in examples)

    def bind(self, pairs: "NDArray[np.int64]") -> None:
        """Keep the rows of each pair on one side of every split."""
        self.bonds = pairs

    def examples(self, positions: "NDArray[np.int64]") -> Iterator[Example]:
        """The examples at these ascending positions, read a shard at a time."""
        import numpy as np

        start = 0
        for shard, size in zip(self.shards, self._sizes, strict=True):
            low, high = np.searchsorted(positions, [start, start + size])
            if low < high:
                column = read_columns([shard], ["row"])["row"].take(positions[low:high] - start)
                yield from (example_of(json.loads(row.as_py())) for row in column)
            start += size

    def set_apart(self, positions: "NDArray[np.int64]") -> None:
        """Take rows out that have become golden cases."""
        self.is_kept[positions] = False

    def need_good_ones(self, excused: Mapping[str, int], unused_mappings: Sequence[str]) -> None:
        """Check that every file holds at least one example.

        Args:
            excused: Files that need not if they hold no more rows than this.
            unused_mappings: Patterns that fit no source; a misspelt one may be why there is no example.

        Raises:
            NoGoodRowsError: If one does not; with the first three reasons.
        """
        for file, name in enumerate(self.names):
            if not self._good[file] and self._read[file] > excused.get(name, -1):
                raise self._no_good(file, name, unused_mappings)

    def remove(self, removals: Iterable[Removal], *, is_final: bool = False) -> None:
        """Leave rows out; rows that a person wants kept stay, unless the step's word is final.

        Who wants a row kept wants it once: it does not save its letter-for-letter repetition.
        """
        for removal in removals:
            position = removal.position
            is_safe = self.is_safe[position] and removal.witness_key != self.key(position)
            if self.is_kept[position] and (is_final or not is_safe):
                self.is_kept[position] = False
                self.removals.add(removal)

    def _no_good(self, file: int, name: str, unused_mappings: Sequence[str]) -> NoGoodRowsError:
        reasons: list[str] = []
        for shard in self.shards:
            bad = [
                row for row in read_rows(shard, ["file", "line", "reason"]) if row["file"] == file
            ]
            reasons += [f"line {row['line']}: {row['reason']}" for row in bad]
            if len(reasons) >= 3:
                break
        patterns = " or ".join(map(repr, unused_mappings))
        hint = f"no source fits {patterns} in curate.mapping: if that was meant for {name}, correct its `files`"
        return NoGoodRowsError(
            name,
            read=self._read[file],
            reasons=reasons[:3] or ["there is no row in it"],
            fix=hint if unused_mappings else None,
        )

    def _flags(self, shard: Path, keep: Collection[str]) -> Flags:
        import numpy as np

        table = read_columns([shard], ["file", "rule", "key", "verdict"])
        rules = table["rule"].to_pylist()
        for file, rule in zip(table["file"].to_pylist(), rules, strict=True):
            self._read[file] += 1
            self._good[file] += rule != UNREADABLE
        verdicts = map(VERDICTS.index, table["verdict"].to_pylist())
        return Flags(
            np.array([rule == "" for rule in rules], dtype=bool),
            np.array([key in keep for key in table["key"].to_pylist()], dtype=bool),
            np.fromiter(verdicts, dtype=np.int8, count=len(rules)),
        )


def _joined(parts: "Iterable[NDArray[Any]]", dtype: str) -> "NDArray[Any]":
    import numpy as np

    return np.concatenate([np.empty(0, dtype=dtype), *parts])
