"""Grade: a score with its reason; and the decorator that makes a grader known."""

from collections.abc import Callable
from typing import NamedTuple

from tunesmith.core.catalog import Catalog


class Grade(NamedTuple):
    """What a grader says about one answer; there is no score without a reason."""

    score: float
    """Between 0 and 1; 1 is right."""
    reason: str


class UngradableError(Exception):
    """The case itself cannot be graded; it is counted as ungraded, never as failed."""


Grader = Callable[[str, str], Grade]
"""Called with the answer and the expected answer."""

graders: Catalog[Grader] = Catalog("grader")
grader = graders.add


def passed(score: float) -> bool:
    """Whether a score counts as right."""
    return score >= 1.0
