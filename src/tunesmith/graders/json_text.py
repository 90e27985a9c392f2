"""JSON in an answer: bare, or in a fenced block as chat models like to write it."""

import json
import re

FENCED = re.compile(r"```\w*\s*\n(.*?)```", re.DOTALL)


def unfenced(text: str) -> str:
    """What stands in the first fenced block, or the whole text where there is none."""
    found = FENCED.search(text)
    return (found[1] if found else text).strip()


def parse_json(text: str) -> object:
    """The JSON value in an answer.

    Raises:
        ValueError: If there is none; NaN and infinities are not JSON.
    """

    def refuse(name: str) -> object:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(unfenced(text), parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
