"""Exchange: a dataset's examples out to another tool, its people's decisions back into the review log."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.review import ReviewDecision, ReviewLog
from tunesmith.core.workspace import Workspace
from tunesmith.curate.decoding import decode_text
from tunesmith.curate.exchange import argilla, label_studio
from tunesmith.curate.exchange.opinion import Entry, Opinion, Shown, decision_of
from tunesmith.curate.row import Rejected, rejected
from tunesmith.errors import DataError, RecipeError

Tool = Literal["argilla", "label-studio"]
WRITERS: dict[Tool, Callable[[Path, str, Iterable[Shown]], int]] = {
    "argilla": argilla.write,
    "label-studio": label_studio.write,
}


class Exported(NamedTuple):
    """What went out."""

    folder: Path
    examples: int
    decided: int
    """Examples left out because a decision about them stands."""


class Imported(NamedTuple):
    """What came back."""

    new: int
    known: int
    """Decisions that are in the log already."""
    unreviewed: int
    """Records that nobody has decided about."""
    rejected: list[Rejected]


def export(
    dataset: Dataset, workspace: Workspace, tool: Tool, folder: Path, *, name: str
) -> Exported:
    """Write the examples that nobody has decided about yet, as the tool imports them.

    Args:
        dataset: The version to review.
        workspace: Where it lies.
        tool: Which tool's format.
        folder: Made if it does not exist.
        name: What the tool calls the dataset.

    Raises:
        RecipeError: If the folder holds something already.
    """
    if folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise RecipeError(str(folder), ["it exists already"], fix="name a new folder")
    standing = ReviewLog(workspace).standing()
    counts = {"decided": 0}

    def undecided() -> Iterator[Shown]:
        for split in ("train", "validation"):
            for example in dataset.examples(workspace, split):
                if example.key in standing:
                    counts["decided"] += 1
                else:
                    yield Shown(example, split)

    written = WRITERS[tool](folder, name, undecided())
    return Exported(folder, written, counts["decided"])


def import_(workspace: Workspace, path: Path) -> Imported:
    """Put the decisions in a tool's file into the review log; the next curation applies them.

    A record that cannot be read, or a decision that is none, is counted with its reason; the others are kept.

    Raises:
        DataError: If the file is none of Argilla's or Label Studio's.
    """
    file = path / argilla.RECORDS if path.is_dir() else path
    records = _records(file)
    log = ReviewLog(workspace)
    now = datetime.now(UTC)
    standing = log.by_reviewer()
    decisions: list[ReviewDecision] = []
    aside: list[Rejected] = []
    unreviewed = known = 0
    for number, record in enumerate(records, 1):
        entry = _entry(record)
        if entry.problem:
            aside.append(rejected(file.name, number, entry.problem, _shown(record)))
        elif not entry.opinions:
            unreviewed += 1
        for opinion in entry.opinions:
            try:
                decision = decision_of(opinion, now=now)
            except ValidationError as error:
                reason = error.errors()[0]["msg"]
                aside.append(rejected(file.name, number, reason, _shown(record)))
            except ValueError as error:
                aside.append(rejected(file.name, number, str(error), _shown(record)))
            else:
                before = standing.get((decision.example_key, decision.reviewer))
                if before is not None and _is_same(before, decision, opinion):
                    known += 1
                else:
                    decisions.append(decision)
    new = log.append(decisions)
    return Imported(new, known + len(decisions) - new, unreviewed, aside)


def _is_same(before: ReviewDecision, decision: ReviewDecision, opinion: Opinion) -> bool:
    """Whether a decision says again what stands; tools that give no time say it at every export."""
    same = ("verdict", "answer", "note")
    is_equal = all(getattr(before, name) == getattr(decision, name) for name in same)
    return is_equal and (opinion.when is None or opinion.when == before.decided_at)


def _records(file: Path) -> list[object]:
    try:
        found = json.loads(decode_text(file.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{file.name} cannot be read: {error}",
            fix="export it as JSON from Argilla or Label Studio",
        ) from error
    if not isinstance(found, list) or not any(map(_is_known, found)):
        raise DataError(
            f"{file.name} holds neither Argilla's records nor Label Studio's tasks",
            fix="export it as JSON: `dataset.to_disk(folder)`, or Export, JSON",
        )
    return found


def _is_known(record: object) -> bool:
    return argilla.is_record(record) or label_studio.is_task(record)


def _entry(record: object) -> Entry:
    if argilla.is_record(record):
        return argilla.read(record)
    if label_studio.is_task(record):
        return label_studio.read(record)
    return Entry([], "neither a record of Argilla's nor a task of Label Studio's")


def _shown(record: object) -> str:
    return json.dumps(record, ensure_ascii=False)
