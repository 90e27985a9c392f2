"""Equal but for case, white space and closing punctuation."""

from tunesmith.core.text import normalise
from tunesmith.graders.grade import Grade, Grader, grader


@grader
def normalised() -> Grader:
    """Score 1 when answer and expected are equal but for case, white space, closing punctuation."""

    def grade(answer: str, expected: str) -> Grade:
        is_equal = normalise(answer) == normalise(expected)
        return Grade(float(is_equal), "equal" if is_equal else "differs")

    return grade
