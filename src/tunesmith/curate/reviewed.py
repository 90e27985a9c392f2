"""What reviewers decided, applied: rejected examples set aside, edited answers in place of the old."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tunesmith.artifacts.review import ReviewDecision
from tunesmith.core.conversation import Example


class Reviewed(NamedTuple):
    """Examples after review, in their order."""

    kept: list[Example]
    """Accepted, edited and not yet reviewed ones."""
    rejected: list[tuple[Example, str]]
    """What reviewers rejected, with who and why."""


def apply_review(examples: Iterable[Example], standing: Mapping[str, ReviewDecision]) -> Reviewed:
    """Every example once: kept, perhaps with an edited answer, or rejected.

    An edited example has a new key; a decision about that key is followed too, so that an edit can be edited,
    accepted or rejected in its turn.
    """
    reviewed = Reviewed([], [])
    for example in examples:
        final, decision = _follow(example, standing)
        if decision is not None and decision.verdict == "reject":
            note = f": {decision.note}" if decision.note else ""
            reviewed.rejected.append((final, f"rejected by {decision.reviewer}{note}"))
        elif decision is not None:
            facts = {**final.metadata, "review": decision.verdict, "reviewer": decision.reviewer}
            reviewed.kept.append(final.model_copy(update={"metadata": facts}))
        else:
            reviewed.kept.append(final)
    return reviewed


def _follow(
    example: Example, standing: Mapping[str, ReviewDecision]
) -> tuple[Example, ReviewDecision | None]:
    last: ReviewDecision | None = None
    passed: set[str] = set()
    while (decision := standing.get(example.key)) and example.key not in passed:
        passed.add(example.key)
        last = decision
        if decision.verdict != "edit" or decision.answer is None:
            break
        example = example.answered(decision.answer)
    return example, last
