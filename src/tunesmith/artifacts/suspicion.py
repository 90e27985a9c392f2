"""Suspicion: why a row of a dataset may be worth a person's look; kept beside the dataset, decides nothing."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field

from tunesmith.artifacts.artifact import MANIFEST_NAME, read_lines, write_lines
from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace


class Reason(Section):
    """What one rule noticed about a row."""

    rule: str
    """The rule's name: `length`, `contradiction`, `near_duplicate`, …"""
    score: float = Field(ge=0, le=1)
    """How sure the rule is that something is wrong."""
    text: str
    """In words that a reviewer understands, with the numbers."""


class Neighbour(Section):
    """Another row to look at beside it: most often one that says nearly the same."""

    key: str
    similarity: float | None = Field(None, ge=0, le=1)
    """Unset where the two were compared, but not for what they say."""


class Suspicion(Section):
    """What all rules noticed about one row; the most certain first."""

    key: str
    """The row's `Example.key`."""
    reasons: tuple[Reason, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    """Those that speak against it first, then the most similar."""

    @property
    def score(self) -> float:
        """How sure the most certain rule is."""
        return max((reason.score for reason in self.reasons), default=0.0)


def suspicions_path(dataset: Dataset, workspace: Workspace) -> Path:
    """JSON Lines of the rows that a rule noticed; absent until rules have looked."""
    return dataset.folder(workspace) / "suspicions.jsonl"


def has_suspicions(dataset: Dataset, workspace: Workspace) -> bool:
    """Whether rules have looked since the dataset was last made: other settings may make the same rows again."""
    manifest = dataset.folder(workspace) / MANIFEST_NAME
    path = suspicions_path(dataset, workspace)
    return path.is_file() and path.stat().st_mtime_ns >= manifest.stat().st_mtime_ns


def write_suspicions(dataset: Dataset, workspace: Workspace, found: Iterable[Suspicion]) -> None:
    """Keep what rules noticed beside the dataset, in place of what they noticed before."""
    rows = [suspicion.model_dump(mode="json") for suspicion in found]
    write_lines(suspicions_path(dataset, workspace), rows)


def read_suspicions(dataset: Dataset, workspace: Workspace) -> Iterator[Suspicion]:
    """What rules noticed; nothing where none has looked."""
    path = suspicions_path(dataset, workspace)
    if path.is_file():
        yield from map(Suspicion.model_validate, read_lines(path))


def doubts_path(dataset: Dataset, workspace: Workspace) -> Path:
    """JSON Lines of what row filters and losses noted without removing the row."""
    return dataset.folder(workspace) / "doubts.jsonl"


def read_doubts(dataset: Dataset, workspace: Workspace) -> Iterator[Suspicion]:
    """What row filters noted while the dataset was made, without removing the row."""
    path = doubts_path(dataset, workspace)
    if path.is_file():
        yield from map(Suspicion.model_validate, read_lines(path))
