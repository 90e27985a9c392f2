"""Grades the intent alone."""

import json


def same_intent(answer: str, expected: str) -> tuple[bool, str]:
    """Whether the answer is JSON with the expected intent."""
    wanted = json.loads(expected)["intent"]
    try:
        value = json.loads(answer)
    except ValueError as error:
        return False, f"no JSON: {error}"
    given = value.get("intent") if isinstance(value, dict) else None
    return given == wanted, f"{given}, expected {wanted}"
