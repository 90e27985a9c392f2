"""The expected text somewhere in the answer."""

from tunesmith.graders.grade import Grade, Grader, grader


@grader
def contains(*, ignore_case: bool = True) -> Grader:
    """Score 1 when the expected text appears anywhere in the answer."""

    def grade(answer: str, expected: str) -> Grade:
        haystack, needle = answer, expected.strip()
        if ignore_case:
            haystack, needle = haystack.casefold(), needle.casefold()
        is_found = needle in haystack
        return Grade(
            float(is_found), f"{expected.strip()!r} {'found' if is_found else 'not found'}"
        )

    return grade
