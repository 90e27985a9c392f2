"""Two models' grades on the same cases -> rates, their difference, and how sure both are."""

from collections.abc import Sequence

from tunesmith.artifacts.eval_report import Change, GraderResult, Rate
from tunesmith.core.statistics import (
    Interval,
    mcnemar_exact,
    paired_bootstrap,
    wilson_interval,
)
from tunesmith.evaluate.grading import CaseGrade

NO_KNOWLEDGE = Interval(0.0, 1.0)
"""The interval of a rate of which not one case was graded."""


def compare(
    name: str, *, base: Sequence[CaseGrade], tuned: Sequence[CaseGrade], is_secondary: bool
) -> GraderResult:
    """One grader's result over all cases.

    Scores of 0 and 1 alone are rates: Wilson intervals, McNemar's test. Other scores are means: bootstrap intervals,
    no test. The difference is taken over the cases that both models have a grade for.
    """
    scores = [grade.score for grade in (*base, *tuned) if grade.score is not None]
    is_binary = not is_secondary and all(score in {0.0, 1.0} for score in scores)
    return GraderResult(
        grader=name,
        is_secondary=is_secondary,
        base=rate(base, is_binary=is_binary),
        tuned=rate(tuned, is_binary=is_binary),
        change=_change(base, tuned, is_binary=is_binary),
    )


def rate(grades: Sequence[CaseGrade], *, is_binary: bool) -> Rate:
    """Mean score with its 95 % interval; ungraded cases are counted beside it, never in it."""
    scores = [grade.score for grade in grades if grade.score is not None]
    passes = sum(grade.is_passed for grade in grades)
    if not scores:
        interval = NO_KNOWLEDGE
    elif is_binary:
        interval = wilson_interval(passes, len(scores))
    else:
        interval = paired_bootstrap([0.0] * len(scores), scores).interval
    return Rate(
        passed=passes,
        graded=len(scores),
        ungraded=len(grades) - len(scores),
        mean=sum(scores) / len(scores) if scores else 0.0,
        low=interval.low,
        high=interval.high,
    )


def _change(base: Sequence[CaseGrade], tuned: Sequence[CaseGrade], *, is_binary: bool) -> Change:
    pairs = [
        (before.score, after.score)
        for before, after in zip(base, tuned, strict=True)
        if before.score is not None and after.score is not None
    ]
    if not pairs:
        return Change(mean=0.0, low=-1.0, high=1.0, only_base=0, only_tuned=0, p_value=None)
    difference = paired_bootstrap(*zip(*pairs, strict=True))
    only_base = sum(one.is_passed and not other.is_passed for one, other in _both(base, tuned))
    only_tuned = sum(other.is_passed and not one.is_passed for one, other in _both(base, tuned))
    return Change(
        mean=difference.mean,
        low=difference.interval.low,
        high=difference.interval.high,
        only_base=only_base,
        only_tuned=only_tuned,
        p_value=mcnemar_exact(only_base, only_tuned) if is_binary else None,
    )


def _both(
    base: Sequence[CaseGrade], tuned: Sequence[CaseGrade]
) -> list[tuple[CaseGrade, CaseGrade]]:
    return [
        (one, other)
        for one, other in zip(base, tuned, strict=True)
        if one.score is not None and other.score is not None
    ]
