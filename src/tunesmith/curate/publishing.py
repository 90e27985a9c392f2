"""The last pass: every refined row goes to the file that its fate names, and the manifest counts them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

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

TokenCounter = Callable[[Example], int]
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


class Sides(NamedTuple):
    """Positions of the rows on each side, ascending."""

    train: "NDArray[np.int64]"
    validation: "NDArray[np.int64]"
    golden: "NDArray[np.int64]"
    """Held out as golden cases; empty where a golden file is named."""


def publish(
    rows: Rows,
    sides: Sides,
    workspace: Workspace,
    *,
    paths: Sequence[Path],
    count_tokens: TokenCounter | None,
    is_quiet: bool,
) -> Dataset:
    """Write all rows beside the manifest, the manifest last; memory does not grow with the rows."""
    dataset_id = fingerprint.short_id_of_lists(
        "ds", [map(rows.key, side.tolist()) for side in (sides.train, sides.validation)]
    )
    folder = Dataset.folder_of(workspace, dataset_id)
    tally = Tally()
    names = ("train", "validation", "golden", "rejected", "removed", "doubts")
    with ExitStack() as stack:
        progress = stack.enter_context(track("curate: write", len(rows), is_quiet=is_quiet))
        # Held-out rows are golden cases, which lie in the golden set.
        files = {
            name: stack.enter_context(open_whole(folder / f"{name}.jsonl"))
            for name in names
            if name != "golden"
        }
        side_of = _names(len(rows), sides)
        for position, row in _all(rows):
            name = side_of[position] or ("rejected" if row["rule"] == UNREADABLE else "removed")
            tally.count(name, position, row, rows)
            if name in {"train", "validation"} and count_tokens:
                tally.tokens.append(count_tokens(example_of(json.loads(row["row"]))))
            if name in {"train", "validation"} and row["doubts"] != "[]":
                noted = Suspicion(key=row["key"], reasons=json.loads(row["doubts"]))
                files["doubts"].write(noted.model_dump_json() + "\n")
            if name != "golden":
                _write(files[name], name, rows, position, row)
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
        sources=tally.sources(rows.names, paths),
        removed=dict(sorted(tally.rules.items())),
        held_out=len(sides.golden),
        characters=_lengths(tally.characters),
        tokens=_lengths(tally.tokens) if count_tokens else None,
    ).save(workspace)


class Tally:
    """Counts for the manifest."""

    def __init__(self) -> None:
        self.fates: Counter[tuple[int, str]] = Counter()
        self.formats: dict[int, set[str]] = {}
        self.rules: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.characters: list[int] = []
        self.tokens: list[int] = []

    def count(self, name: str, position: int, row: dict[str, Any], rows: Rows) -> None:
        """One row that goes to the file `name`."""
        self.fates[row["file"], name] += 1
        if row["format"]:
            self.formats.setdefault(row["file"], set()).add(row["format"])
        if name == "removed":
            removal = rows.removals.get(position)
            self.rules[removal.rule if removal else row["rule"]] += 1
        elif name in {"train", "validation"}:
            self.verdicts[row["verdict"]] += 1
            self.characters.append(row["characters"])

    def sources(self, names: Sequence[str], paths: Sequence[Path]) -> tuple[Source, ...]:
        """Every file with what became of its rows."""
        return tuple(
            self._source(number, shown, path)
            for number, (shown, path) in enumerate(zip(names, paths, strict=True))
        )

    def _source(self, number: int, shown: str, path: Path) -> Source:
        rejected, removed = self.fates[number, "rejected"], self.fates[number, "removed"]
        read = sum(count for (file, _), count in self.fates.items() if file == number)
        return Source(
            path=shown,
            sha256=fingerprint.of_path(path),
            format=" + ".join(sorted(self.formats.get(number, ()))),
            read=read,
            accepted=read - rejected - removed,
            rejected=rejected,
            removed=removed,
        )


def _names(count: int, sides: Sides) -> list[str]:
    import numpy as np

    code = np.zeros(count, dtype=np.int8)
    for number, positions in enumerate(sides, 1):
        code[positions] = number
    return [("", *Sides._fields)[number] for number in code.tolist()]


def _all(rows: Rows) -> Iterator[tuple[int, dict[str, Any]]]:
    position = 0
    for shard in rows.shards:
        for row in read_rows(shard, READ):
            yield position, row
            position += 1


def _write(stream: TextIO, name: str, rows: Rows, position: int, row: dict[str, Any]) -> None:
    if name in {"train", "validation"}:
        stream.write(row["row"] + "\n")
        return
    if name == "rejected":
        record = {
            "file": row["inside"] or rows.names[row["file"]],
            "line": row["line"],
            "reason": row["reason"],
            "row": row["row"],
        }
    else:
        removal = rows.removals.get(position)
        record = {
            "key": row["key"],
            "rule": removal.rule if removal else row["rule"],
            "reason": removal.reason if removal else row["reason"],
            "score": round(removal.score if removal else row["score"], 4),
            "witness": removal.witness if removal else "",
            "witness_key": removal.witness_key if removal else "",
            "example": json.loads(row["row"]),
        }
    stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def _lengths(sizes: list[int]) -> LengthStatistics:
    from statistics import median

    return LengthStatistics(total=sum(sizes), median=int(median(sizes)), longest=max(sizes))
