"""Shelf: one dataset version opened for looking, golden and removed rows included; texts stay on disk."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tunesmith.artifacts.contradictions import read_contradictions
from tunesmith.artifacts.dataset import Dataset, RemovedRow
from tunesmith.artifacts.suspicion import (
    Neighbour,
    Reason,
    Suspicion,
    has_suspicions,
    read_doubts,
    read_suspicions,
    write_suspicions,
)
from tunesmith.core.conversation import Example, example_of
from tunesmith.core.progress import Progress, track
from tunesmith.core.workspace import Workspace
from tunesmith.curate.noise import RULE as LABEL_NOISE
from tunesmith.curate.steps.leakage import RULE as GOLDEN
from tunesmith.curate.suspicion import suspect

Place = Literal["train", "validation", "golden", "removed"]
PARTS: tuple[Place, ...] = ("train", "validation")
"""What the dataset is; rows of other places are reviewed beside it."""
Order = Literal["suspicion", "uncertainty", "random", "reading"]


class Entry(NamedTuple):
    """One row, without its texts."""

    key: str
    place: Place
    source: str
    """Where it was read, as `file:line`."""
    earlier: str
    """Who wrote its answer in the review of an earlier version; empty where nobody did."""
    reasons: tuple[Reason, ...]
    neighbours: tuple[Neighbour, ...]
    offset: int
    """Where its line begins in the file of its place."""

    @property
    def file(self) -> str:
        """The raw file it comes from."""
        return self.source.rpartition(":")[0] or self.source

    @property
    def is_learnt(self) -> bool:
        """Whether it is part of the dataset."""
        return self.place in PARTS

    @property
    def score(self) -> float:
        """How sure the most certain rule is that something is wrong."""
        return max((reason.score for reason in self.reasons), default=0.0)


class Part(NamedTuple):
    """Some rows in an order."""

    entries: list[Entry]
    positions: dict[str, int]
    """Where each key stands."""


class Shelf:
    """A dataset version's rows in reading order, golden cases of its sources, removed rows that may be brought back."""

    def __init__(self, dataset: Dataset, workspace: Workspace, *, is_quiet: bool = True) -> None:
        """Read keys and suspicions; where no rule has looked yet, look now and keep what is found."""
        self.dataset, self._workspace = dataset, workspace
        self._entries: dict[str, Entry] = {}
        self._parts: dict[tuple[str, ...], Part] = {}
        count = dataset.train_count + dataset.validation_count + dataset.held_out
        is_new = not has_suspicions(dataset, workspace)
        with track(f"open {dataset.id}", count * (1 + is_new), is_quiet=is_quiet) as progress:
            if is_new:
                examples = (example for _, _, example in self._examples(progress))
                doubts = read_doubts(dataset, workspace)
                known = read_contradictions(dataset, workspace)
                found = suspect(examples, count, doubts, known)
                write_suspicions(dataset, workspace, found)
            self._keep(self._dataset_rows(progress))
        self.rows = sum(entry.is_learnt for entry in self._entries.values())
        """How many there are to review: golden and removed ones aside, letter-for-letter repetitions counted once."""
        self._keep(self._removed_rows())
        self.rules = sorted({one.rule for entry in self._entries.values() for one in entry.reasons})
        """Names of all that noticed or removed a row."""
        self.files = sorted({entry.file for entry in self._entries.values() if entry.file})
        """Raw files that rows come from."""
        entries = self._entries.values()
        self.edited_earlier = [entry for entry in entries if entry.earlier and entry.is_learnt]
        """Rows whose answer was written in the review of an earlier version."""
        # Drawn while a progress bar is shown, and not while a browser waits: of a million rows it takes seconds.
        self._drawn = sorted(self._entries.values(), key=self._draw)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def entry(self, key: str) -> Entry:
        """The row with this key, which must be here."""
        return self._entries[key]

    def example(self, key: str) -> Example:
        """The texts of a row, read from disk."""
        entry = self._entries[key]
        with self._path(entry.place).open("rb") as stream:
            stream.seek(entry.offset)
            row = json.loads(stream.readline())
        return RemovedRow.of(row).example if entry.place == "removed" else example_of(row)

    def part(
        self, order: Order, *, place: Place | Literal[""] = "", file: str = "", rule: str = ""
    ) -> Part:
        """The rows that fit, in an order that is the same for every reviewer; sorted once, for nothing changes.

        Args:
            order: Which come first.
            place: Empty for the whole dataset, which golden and removed rows are no part of.
            file: The raw file they come from; empty for any.
            rule: What noticed or removed them; empty for anything and nothing.
        """
        name = (order, place, file, rule)
        if name not in self._parts:
            fitting = [
                entry
                for entry in (self._entries.values() if order == "reading" else self._drawn)
                if (entry.place == place if place else entry.is_learnt)
                and file in {"", entry.file}
                and (not rule or any(reason.rule == rule for reason in entry.reasons))
            ]
            # Sorting keeps equal ones in the order in which they were drawn.
            if order == "suspicion":
                fitting.sort(key=lambda entry: -entry.score)
            if order == "uncertainty":
                fitting.sort(key=_certainty)
            positions = {entry.key: position for position, entry in enumerate(fitting)}
            self._parts[name] = Part(fitting, positions)
        return self._parts[name]

    def _draw(self, entry: Entry) -> str:
        # The version's id is part of the draw: rows that survived an earlier sample are no random sample of this
        # version, for what was found bad in that sample is gone and what was not looked at is still here.
        return hashlib.sha256(f"{self.dataset.id}:{entry.key}".encode()).hexdigest()

    def _path(self, place: Place) -> Path:
        if place == "removed":
            return self.dataset.removed_path(self._workspace)
        if place == "golden":
            return self.dataset.golden_path(self._workspace)
        return self.dataset.examples_path(self._workspace, place)

    def _keep(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            # A row that is letter for letter another one shows nothing new, and a decision is about both.
            self._entries.setdefault(entry.key, entry)

    def _examples(self, progress: Progress) -> Iterator[tuple[Place, int, Example]]:
        places: tuple[Place, ...] = (*PARTS, "golden")
        for place in places:
            for offset, row in _lines(self._path(place)):
                yield place, offset, example_of(row)
                progress.advance()

    def _dataset_rows(self, progress: Progress) -> Iterator[Entry]:
        found = {one.key: one for one in read_suspicions(self.dataset, self._workspace)}
        for place, offset, example in self._examples(progress):
            key = example.key
            seen = found.get(key, Suspicion(key=key))
            # An edited row has a new key here; of others the log still knows.
            is_edited = example.metadata.get("review") == "edit"
            earlier = example.metadata.get("reviewer", "") if is_edited else ""
            yield Entry(key, place, example.source, earlier, seen.reasons, seen.neighbours, offset)

    def _removed_rows(self) -> Iterator[Entry]:
        for offset, line in _lines(self._path("removed")):
            row = RemovedRow.of(line)
            if row.rule == GOLDEN:
                continue
            reason = Reason(rule=row.rule, score=row.score, text=row.reason)
            neighbours: tuple[Neighbour, ...] = ()
            if row.witness_key in self._entries and row.witness_key != row.key:
                # How wrong an answer seems says nothing about the row it was compared with.
                is_likeness = row.rule != LABEL_NOISE
                similarity = row.score if is_likeness else None
                neighbours = (Neighbour(key=row.witness_key, similarity=similarity),)
                if is_likeness:
                    self._witness(row)
            yield Entry(row.key, "removed", row.example.source, "", (reason,), neighbours, offset)

    def _witness(self, removed: RemovedRow) -> None:
        """Show the removed row beside the row that it was removed for."""
        kept = self._entries[removed.witness_key]
        other = Neighbour(key=removed.key, similarity=removed.score)
        self._entries[kept.key] = kept._replace(neighbours=(*kept.neighbours, other))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if not path.is_file():
        return
    offset = 0
    with path.open("rb") as stream:
        for line in stream:
            yield offset, json.loads(line)
            offset += len(line)


def _certainty(entry: Entry) -> float:
    """Distance from a score that says nothing either way; rows that no rule noticed come last."""
    return abs(entry.score - 0.5) if entry.reasons else 1.0
