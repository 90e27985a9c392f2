"""Letter for letter."""

from tunesmith.graders.grade import Grade, Grader, grader


@grader
def exact() -> Grader:
    """Score 1 when answer and expected are equal, white space around them aside."""

    def grade(answer: str, expected: str) -> Grade:
        given, wanted = answer.strip(), expected.strip()
        if given == wanted:
            return Grade(1.0, "equal")
        at = next(
            (i for i, (a, b) in enumerate(zip(given, wanted, strict=False)) if a != b),
            min(len(given), len(wanted)),
        )
        return Grade(0.0, f"differs at character {at + 1}")

    return grade
