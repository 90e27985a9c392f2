"""Contradictions: rows that ask the same and answer differently; kept beside the dataset, decide nothing."""

from pathlib import Path

from pydantic import Field

from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace, write_text
from tunesmith.errors import NotMadeYetError


class Side(Section):
    """One of two rows."""

    key: str
    source: str
    """Where it was read, as `file:line`."""
    question: str
    """The last one, its beginning."""
    answer: str
    """Its beginning."""


class Contradiction(Section):
    """Two rows of which one is likely to be wrong."""

    score: float = Field(ge=0, le=1)
    """How sure that is."""
    likeness: float = Field(ge=0, le=1)
    """Similarity of what is asked; 1 where it is the same."""
    one: Side
    other: Side


class Contradictions(Section):
    """All that were found in a dataset and in the golden cases held out of the same sources."""

    prompts: int = 0
    """Questions with answers that contradict each other; nearly the same ones count once."""
    pairs: tuple[Contradiction, ...] = ()
    """The most suspicious ones, these first."""


def write_contradictions(dataset: Dataset, workspace: Workspace, found: Contradictions) -> None:
    """Put them beside the dataset."""
    write_text(_path(dataset, workspace), found.model_dump_json() + "\n")


def read_contradictions(dataset: Dataset, workspace: Workspace) -> Contradictions | None:
    """What was found when the dataset was made; None where nobody looked."""
    path = _path(dataset, workspace)
    return Contradictions.model_validate_json(path.read_text("utf-8")) if path.is_file() else None


def need_contradictions(dataset: Dataset, workspace: Workspace) -> Contradictions:
    """What was found.

    Raises:
        NotMadeYetError: If the dataset was made when nobody looked.
    """
    found = read_contradictions(dataset, workspace)
    if found is None:
        raise NotMadeYetError(
            f"search for contradictions in {dataset.id}", made_by="tunesmith curate"
        )
    return found


def _path(dataset: Dataset, workspace: Workspace) -> Path:
    return dataset.folder(workspace) / "contradictions.json"
