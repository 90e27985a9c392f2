"""The last pass: every refined row goes to the file that its fate names, and the manifest counts them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunesmith.artifacts.dataset import Dataset, LengthStatistics, Source, VerdictCounts
from tunesmith.artifacts.suspicion import Suspicion
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Example, example_of
from tunesmith.core.progress import track
from tunesmith.core.workspace import Workspace, open_whole
from tunesmith.curate.rows import Rows
from tunesmith.curate.shard import UNREADABLE, read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TokenCounter = Callable[[Sequence[Example]], Sequence[int]]
"""Gives how long each of some examples is, in tokens."""
ROWS_COUNTED = 512
"""Rows whose tokens are counted together: enough for all cores."""
READ = (
    "line",
    "file",
    "inside",
    "rule",
    "reason",
    "score",
    "key",
    "format",
    "verdict",
    "row",
    "characters",
    "doubts",
)
FATES = ("train", "validation", "golden", "rejected", "removed")
"""What can become of a row, and the name of the file it goes to."""
LEARNT = frozenset({"train", "validation"})
REVIEWED = LEARNT | {"golden"}
"""Golden cases lie in the golden set; their rows are written for the review."""


class Sides(NamedTuple):
    """Positions of the rows on each side, ascending."""

    train: "NDArray[np.int64]"
    validation: "NDArray[np.int64]"
    golden: "NDArray[np.int64]"
    """Held out as golden cases; empty where a golden file is named."""

    @property
    def all(self) -> "NDArray[np.int64]":
        """All of them, ascending."""
        import numpy as np

        return np.sort(np.concatenate(self))


class Origins(NamedTuple):
    """Where rows come from."""

    paths: Mapping[Path, str]
    """The source files, each with the encoding that was guessed for it, if one was."""
    unused_mappings: tuple[str, ...]
    """Patterns of `curate.mapping` that fit none of them."""


def publish(
    rows: Rows,
    sides: Sides,
    workspace: Workspace,
    *,
    origins: Origins,
    count_tokens: TokenCounter | None,
    is_quiet: bool,
) -> Dataset:
    """Write all rows beside the manifest, the manifest last; memory does not grow with the rows.

    Args:
        rows: Those that were read.
        sides: Which of them are kept, and where.
        workspace: Where the dataset is put.
        origins: What the manifest says of where they come from.
        count_tokens: Lengths of examples in tokens, for the manifest.
        is_quiet: Show no progress.
    """
    dataset_id = fingerprint.short_id_of_lists(
        "ds", [rows.keys(side) for side in (sides.train, sides.validation)]
    )
    folder = Dataset.folder_of(workspace, dataset_id)
    tally = Tally(count_tokens)
    with ExitStack() as stack:
        progress = stack.enter_context(track("curate: write", len(rows), is_quiet=is_quiet))
        files = {
            name: stack.enter_context(open_whole(folder / f"{name}.jsonl"))
            for name in (*FATES, "doubts")
        }
        for name, row in _with_fates(rows, sides):
            tally.count(name, row)
            if name in REVIEWED and row["doubts"] != "[]":
                noted = Suspicion(key=row["key"], reasons=json.loads(row["doubts"]))
                files["doubts"].write(noted.model_dump_json() + "\n")
            files[name].write(_line(name, row, rows.names) + "\n")
            progress.advance()
    return Dataset(
        id=dataset_id,
        train_count=len(sides.train),
        validation_count=len(sides.validation),
        verdicts=VerdictCounts(
            pairs=tally.verdicts["pair"],
            thumbs_up=tally.verdicts["up"],
            thumbs_down=tally.verdicts["down"],
        ),
        sources=tally.sources(rows.names, origins.paths),
        removed=dict(sorted(tally.rules.items())),
        held_out=len(sides.golden),
        unused_mappings=origins.unused_mappings,
        characters=_lengths(tally.characters),
        tokens=tally.tokens(),
    ).save(workspace)


class Tally:
    """Counts for the manifest."""

    def __init__(self, count_tokens: TokenCounter | None) -> None:
        self.fates: Counter[tuple[int, str]] = Counter()
        self.formats: dict[int, set[str]] = {}
        self.rules: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.characters: Counter[int] = Counter()
        self._count_tokens = count_tokens
        self._tokens: Counter[int] = Counter()
        self._uncounted: list[str] = []

    def count(self, name: str, row: dict[str, Any]) -> None:
        """One row that goes to the file `name`."""
        self.fates[row["file"], name] += 1
        if row["format"]:
            self.formats.setdefault(row["file"], set()).add(row["format"])
        if name == "removed":
            self.rules[row["rule"]] += 1
        elif name in LEARNT:
            self.verdicts[row["verdict"]] += 1
            self.characters[row["characters"]] += 1
            self._uncounted.append(row["row"])
            if len(self._uncounted) == ROWS_COUNTED:
                self._count()

    def tokens(self) -> LengthStatistics | None:
        """How long rows to learn from are, in tokens, if these are counted."""
        self._count()
        return _lengths(self._tokens) if self._count_tokens else None

    def _count(self) -> None:
        if self._count_tokens:
            examples = [example_of(json.loads(row)) for row in self._uncounted]
            self._tokens.update(self._count_tokens(examples))
        self._uncounted.clear()

    def sources(self, names: Sequence[str], paths: Mapping[Path, str]) -> tuple[Source, ...]:
        """Every file with what became of its rows."""
        return tuple(
            self._source(number, shown, *file)
            for number, (shown, file) in enumerate(zip(names, paths.items(), strict=True))
        )

    def _source(self, number: int, shown: str, path: Path, guessed: str) -> Source:
        rejected, removed = self.fates[number, "rejected"], self.fates[number, "removed"]
        read = sum(self.fates[number, name] for name in FATES)
        return Source(
            path=shown,
            sha256=fingerprint.of_path(path),
            format=" + ".join(sorted(self.formats.get(number, ()))),
            read=read,
            accepted=read - rejected - removed,
            rejected=rejected,
            removed=removed,
            guessed_encoding=guessed,
        )


def _with_fates(rows: Rows, sides: Sides) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row, with the name of the file that it goes to; of removed ones, with what removed them."""
    import numpy as np

    fates = np.zeros(len(rows), dtype=np.int8)
    for number, positions in enumerate(sides, 1):
        fates[positions] = number
    names = ("", *Sides._fields)
    removals = rows.removals.in_reading_order()
    removal = next(removals, None)
    for position, row in enumerate(chain.from_iterable(read_rows(at, READ) for at in rows.shards)):
        if removal and removal.position == position:
            row |= removal._asdict()
            removal = next(removals, None)
        yield names[fates[position]] or _left_out(row), row


def _left_out(row: dict[str, Any]) -> str:
    return "rejected" if row["rule"] == UNREADABLE else "removed"


def _line(name: str, row: dict[str, Any], names: Sequence[str]) -> str:
    if name in REVIEWED:
        return str(row["row"])
    if name == "rejected":
        record = {
            "file": row["inside"] or names[row["file"]],
            "line": row["line"],
            "reason": row["reason"],
            "row": row["row"],
        }
    else:
        record = {
            "key": row["key"],
            "rule": row["rule"],
            "reason": row["reason"],
            "score": round(row["score"], 4),
            "witness": row.get("witness", ""),
            "witness_key": row.get("witness_key", ""),
            "example": json.loads(row["row"]),
        }
    return json.dumps(record, ensure_ascii=False)


def _lengths(sizes: Counter[int]) -> LengthStatistics:
    """Of lengths and how often each occurs; the median as `statistics.median` has it, rounded down."""
    total, count = 0, sizes.total()
    middle: list[int] = []
    for size in sorted(sizes):
        before, total = total, total + sizes[size]
        middle += [size for place in ((count - 1) // 2, count // 2) if before <= place < total]
    return LengthStatistics(
        total=sum(size * times for size, times in sizes.items()),
        median=sum(middle) // 2,
        longest=max(sizes),
    )
