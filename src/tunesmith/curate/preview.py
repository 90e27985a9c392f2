"""A look before anything is written: the first rows as they would be learnt, and what would be set aside."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.loading import (
    Understood,
    bad_rows_excused,
    source_paths,
    understand,
    unused_mappings,
)
from tunesmith.curate.personal_data import protect
from tunesmith.curate.reading import guessed_encodings, read_rows
from tunesmith.curate.row import Rejected

READ_ROWS = 1_000
"""Rows read of each source: enough to see what is wrong with it, and quick on any file."""


class Converted(NamedTuple):
    """One row that became an example."""

    format: str
    example: Example


class Preview(NamedTuple):
    """What the beginnings of all sources would become."""

    converted: list[Converted]
    rejected: list[Rejected]
    read: int
    is_masked: bool = False
    """Whether personal data is replaced here as it will be in the dataset."""
    unused_mappings: tuple[str, ...] = ()
    """Patterns of `curate.mapping` that fit no source."""
    notes: tuple[str, ...] = ()
    """What is to be known of single sources, such as an encoding that was guessed."""

    def reasons(self) -> list[tuple[str, int]]:
        """Why rows would be set aside, with how many, the commonest first."""
        return Counter(row.reason for row in self.rejected).most_common()

    def as_json(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "read": self.read,
            "masked": self.is_masked,
            "unused_mappings": list(self.unused_mappings),
            "converted": [
                {"format": row.format, **row.example.model_dump(mode="json")}
                for row in self.converted
            ],
            "rejected": [row._asdict() for row in self.rejected],
            "notes": list(self.notes),
        }


def preview(config: CurateConfig, workspace: Workspace, *, rows: int = 10) -> Preview:
    """The first rows of every source, converted and masked as `run` would do it; nothing is written.

    Args:
        config: The recipe's `curate:` section.
        workspace: Where the sources lie.
        rows: How many converted rows to keep, shared evenly between the sources.

    Raises:
        DataError: If a pattern matches no file, or a file cannot be opened as what it claims to be.
    """
    excused = bad_rows_excused(config, workspace)
    paths = source_paths(config, workspace)
    looks = [_look(config, path, workspace.shown(path), rows) for path in paths]
    found = Preview(
        _shared([look.converted for look in looks], rows),
        [row for look in looks for row in look.rejected],
        sum(look.read for look in looks),
        unused_mappings=unused_mappings(config, workspace, paths),
        notes=tuple(note for look in looks for note in look.notes(config, excused)),
    )
    return _protected(found, config)


class _Look(NamedTuple):
    """What the beginning of one source would become."""

    path: Path
    shown: str
    converted: list[Converted]
    rejected: list[Rejected]
    read: int

    def notes(self, config: CurateConfig, excused: Mapping[str, int]) -> Iterator[str]:
        """What is to be known of it as a whole."""
        for name in guessed_encodings(self.path, config.encoding):
            yield f"{self.shown}: read as {name} (guessed; curate.encoding sets another)"
        if self.converted or self.read == READ_ROWS:
            return
        if self.read > excused.get(self.shown, -1):
            yield f"{self.shown}: `tunesmith curate` would stop here: it holds no row that can be used"
        elif not self.read:
            yield f"{self.shown}: there is no row in it; it is passed over"


def _look(config: CurateConfig, path: Path, shown: str, rows: int) -> _Look:
    converted: list[Converted] = []
    rejected: list[Rejected] = []
    read = 0
    for row in islice(read_rows(path, shown, config.encoding, config.mapping), READ_ROWS):
        read += 1
        outcome = row if isinstance(row, Rejected) else understand(row, shown, config)
        if isinstance(outcome, Rejected):
            rejected.append(outcome)
        elif len(converted) < max(rows, 1):
            converted.append(Converted(*outcome))
    return _Look(path, shown, converted, rejected, read)


def _protected(found: Preview, config: CurateConfig) -> Preview:
    """The same rows as they would be stored; what is read on the way to them is not looked at."""
    if config.privacy.mode != "mask":
        return found
    shown = [Understood(*row) for row in found.converted]
    outcomes = [row.outcome for row in protect([*shown, *found.rejected], config)]
    return found._replace(
        converted=[Converted(*row) for row in outcomes if isinstance(row, Understood)],
        rejected=[row for row in outcomes if isinstance(row, Rejected)],
        is_masked=True,
    )


def _shared(by_source: list[list[Converted]], rows: int) -> list[Converted]:
    """At most `rows` of them, taken in turn from each source, then shown source by source."""
    turns = sorted(
        (place, source) for source, found in enumerate(by_source) for place in range(len(found))
    )
    chosen = sorted((source, place) for place, source in turns[:rows])
    return [by_source[source][place] for source, place in chosen]
