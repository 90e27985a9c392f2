"""Your own function in the workspace as a grader."""

from pathlib import Path

from tunesmith.core.user_code import load_function
from tunesmith.graders.grade import Grade, Grader, UngradableError, grader

WHERE = "grader 'python_function'"


@grader
def python_function(*, root: Path, function: str) -> Grader:
    """Score by your own Python function, named as `file.py:function`.

    It is called with answer and expected, and returns a bool, a score between 0 and 1, or
    (score, reason). What it raises leaves the case ungraded.
    """
    call = load_function(root, function, WHERE)

    def grade(answer: str, expected: str) -> Grade:
        try:
            outcome = call(answer, expected)
        except Exception as error:  # the boundary to the user's code
            raise UngradableError(f"{function}: {type(error).__name__}: {error}") from error
        score, reason = outcome if isinstance(outcome, tuple) else (outcome, f"by {function}")
        if not isinstance(score, bool | int | float) or not 0 <= score <= 1:
            raise UngradableError(f"{function} returned {score!r}, no score between 0 and 1")
        return Grade(float(score), str(reason))

    return grade
