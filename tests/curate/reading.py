"""Reads one source the way curation does, for tests of what single readers understand."""

from pathlib import Path
from typing import NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.loading import understand
from tunesmith.curate.reading import read_rows
from tunesmith.curate.row import Rejected


class Read(NamedTuple):
    examples: list[Example]
    rejected: list[Rejected]
    formats: list[str]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Question and answer of each example."""
        return [(example.prompt[-1].content, example.answer) for example in self.examples]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """Line of each rejected row, and why."""
        return [(row.line, row.reason) for row in self.rejected]


def load(path: Path, shown: str, config: CurateConfig | None = None) -> Read:
    """Every row of a source, understood or rejected."""
    read, config = Read([], [], []), config or CurateConfig()
    for row in read_rows(path, shown, config.encoding, config.mapping):
        outcome = row if isinstance(row, Rejected) else understand(row, shown, config)
        if isinstance(outcome, Rejected):
            read.rejected.append(outcome)
        else:
            read.examples.append(outcome.example)
            read.formats.append(outcome.format)
    return read


def read(path: Path, text: str) -> Read:
    """The rows of a file with this text."""
    path.write_text(text, encoding="utf-8")
    return load(path, path.name)
