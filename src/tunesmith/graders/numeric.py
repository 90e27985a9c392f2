"""The last number in the answer against the expected one."""

import math
import re

from tunesmith.graders.grade import Grade, Grader, UngradableError, grader

NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?:[eE][-+]?\d+)?\s?%?")


@grader
def numeric(*, tolerance: float = 1e-6, absolute: float = 0.0) -> Grader:
    """Score 1 when the last number of the answer is the expected one, within a tolerance.

    `tolerance` is relative to the larger of both, `absolute` counts near zero. `12 %` is 0.12.
    """

    def grade(answer: str, expected: str) -> Grade:
        wanted, given = last_number(expected), last_number(answer)
        if wanted is None:
            raise UngradableError("expected holds no number")
        if given is None:
            return Grade(0.0, "no number in the answer")
        is_near = math.isclose(given, wanted, rel_tol=tolerance, abs_tol=absolute)
        return Grade(float(is_near), f"{given:g}, expected {wanted:g}")

    return grade


def last_number(text: str) -> float | None:
    """The last number in a text: thousands commas, exponents and percent signs understood."""
    found = [match[0] for match in NUMBER.finditer(text) if any(c.isdigit() for c in match[0])]
    if not found:
        return None
    number = found[-1].replace(",", "").strip()
    return float(number.rstrip("% ")) / 100 if number.endswith("%") else float(number)
