"""Label noise: rows whose answers do not follow from their questions, says a model that never saw them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.likelihood import Likelihood
from tunesmith.artifacts.suspicion import (
    Reason,
    Suspicion,
    doubts_path,
    read_doubts,
    suspicions_path,
)
from tunesmith.core.conversation import Example
from tunesmith.core.workspace import Workspace
from tunesmith.errors import RecipeError

Probe = Callable[[Sequence[Example]], Sequence[Likelihood]]
"""Says of each row what a model finds that was trained on others."""
RULE = "label"
MOST_CERTAIN = 0.9
"""However unlikely an answer, it may be a rare right one."""
EASY = 0.05
"""Nats a token: an answer this cheap is no riddle, whatever it costs elsewhere."""


def no_probe(rows: Sequence[Example]) -> Sequence[Likelihood]:
    """For curation without a base model.

    Raises:
        RecipeError: Always: who asks needs one.
    """
    raise RecipeError(
        "curate.label_noise",
        [f"there is no base model here to look at {len(rows)} rows with"],
        fix="run it through `tunesmith curate`, or set curate.label_noise.by: neighbours",
    )


class Doubtful(NamedTuple):
    """A row and what a probe finds of it."""

    example: Example
    found: Likelihood

    @property
    def score(self) -> float:
        """How suspicious; see `suspicion`."""
        return suspicion(self.found)

    @property
    def text(self) -> str:
        """In words, with the numbers."""
        return reason(self.found)


def find_doubtful(rows: Sequence[Example], probe: Probe, *, most: int) -> list[Doubtful]:
    """The rows whose answers follow least from their questions, the worst first."""
    doubtful = [Doubtful(*pair) for pair in zip(rows, probe(rows), strict=True)]
    return sorted(doubtful, key=lambda row: -strangeness(row.found))[:most]


def strangeness(found: Likelihood) -> float:
    """How little an answer has to do with its question: near 0 where it follows from it, 1 where it does not help."""
    return found.after / (found.elsewhere + EASY)


def suspicion(found: Likelihood) -> float:
    """The same as a score that is never certain."""
    return min(MOST_CERTAIN, strangeness(found))


def reason(found: Likelihood) -> str:
    """Why a row is suspicious, in words that a reviewer understands."""
    place = f"after {found.context!r}" if found.context else "at its beginning"
    return (
        f"its answer costs {found.after:.2f} nats a token, behind another row's question {found.elsewhere:.2f}; {place}"
        f" it says {found.given!r} ({found.given_chance:.1%} likely) where a model that learnt from other rows expects"
        f" {found.expected!r} ({found.expected_chance:.0%})"
    )


def note(dataset: Dataset, workspace: Workspace, found: Sequence[Doubtful]) -> None:
    """Put the findings among the row filters' doubts, in place of those of an earlier probe."""
    reasons = {
        doubt.key: tuple(reason for reason in doubt.reasons if reason.rule != RULE)
        for doubt in read_doubts(dataset, workspace)
    }
    for row in found:
        noted = Reason(rule=RULE, score=round(row.score, 4), text=row.text)
        reasons[row.example.key] = (*reasons.get(row.example.key, ()), noted)
    doubts = [Suspicion(key=key, reasons=given) for key, given in reasons.items() if given]
    write_lines(doubts_path(dataset, workspace), [doubt.model_dump() for doubt in doubts])
    # Made anew, with these, when the review is opened.
    suspicions_path(dataset, workspace).unlink(missing_ok=True)
