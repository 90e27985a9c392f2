"""Answers x graders -> grades; what cannot be graded stays ungraded, with its reason."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.core.conversation import Case
from tunesmith.evaluate.config import EvaluateConfig
from tunesmith.evaluate.generation import Answer
from tunesmith.graders.grade import Grader, UngradableError, passed
from tunesmith.graders.known import get_grader


class CaseGrade(NamedTuple):
    """What one grader says about one answer."""

    score: float | None
    """Between 0 and 1; None where the case could not be graded."""
    reason: str

    @property
    def is_passed(self) -> bool:
        """Whether it counts as right."""
        return self.score is not None and passed(self.score)


def make_graders(config: EvaluateConfig, root: Path) -> dict[str, Grader]:
    """The recipe's graders by name, the deciding one first, secondary ones last.

    Raises:
        UnknownNameError: If there is no such grader.
        RecipeError: If an option does not exist or has no good value.
    """
    made: dict[str, Grader] = {}
    for choice in [*config.graders, *config.secondary]:
        options: Mapping[str, Mapping[str, object]] = (
            {choice: {}} if isinstance(choice, str) else choice
        )
        for name, values in options.items():
            made[_label(name, values, made)] = get_grader(name, values, root=root)
    return made


def _label(name: str, options: Mapping[str, object], taken: Container[str]) -> str:
    """What the report calls a grader; one that appears twice is told apart by its options."""
    label = str(options.get("function", name))
    if label not in taken:
        return label
    return f"{label}({', '.join(f'{key}={value}' for key, value in options.items())})"


def grade_all(grader: Grader, cases: Sequence[Case], answers: Sequence[Answer]) -> list[CaseGrade]:
    """A grade for each case, in order."""
    return [_grade(grader, case, answer) for case, answer in zip(cases, answers, strict=True)]


def _grade(grader: Grader, case: Case, answer: Answer) -> CaseGrade:
    if answer.problem:
        return CaseGrade(None, answer.problem)
    try:
        return CaseGrade(*grader(answer.text, case.expected))
    except UngradableError as error:
        return CaseGrade(None, str(error))
