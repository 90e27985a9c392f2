"""The answer as a whole matches a pattern."""

import re

from tunesmith.errors import RecipeError
from tunesmith.graders.grade import Grade, Grader, UngradableError, grader


@grader
def regex(*, pattern: str | None = None, ignore_case: bool = False) -> Grader:
    """Score 1 when the whole answer matches `pattern`, or the expected text as a pattern."""
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    try:
        fixed = re.compile(pattern, flags) if pattern is not None else None
    except re.error as error:
        raise RecipeError("grader 'regex'", [f"pattern {pattern!r}: {error}"]) from error

    def grade(answer: str, expected: str) -> Grade:
        try:
            wanted = fixed or re.compile(expected, flags)
        except re.error as error:
            raise UngradableError(f"expected is no pattern: {error}") from error
        is_match = wanted.fullmatch(answer.strip()) is not None
        return Grade(
            float(is_match), f"{'matches' if is_match else 'does not match'} {wanted.pattern}"
        )

    return grade
