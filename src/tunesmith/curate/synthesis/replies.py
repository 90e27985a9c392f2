"""What a teacher's reply must look like, as JSON Schemas that are sent along and always checked."""

from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.graders.json_text import parse_json

TEXT = {"type": "string", "minLength": 1}


def _object(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


INSTRUCTIONS = _object(instructions={"type": "array", "items": TEXT, "minItems": 1})
INSTRUCTION = _object(instruction=TEXT)
PAIRS = _object(
    pairs={"type": "array", "items": _object(question=TEXT, answer=TEXT), "minItems": 1}
)
VERDICT = _object(reason=TEXT, score={"type": "integer", "minimum": 1, "maximum": 5})


def fitting(schema: Mapping[str, Any]) -> Callable[[str], Any]:
    """A check that takes the JSON value out of an answer and raises ValueError unless it fits the schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    validator = Draft202012Validator(schema)

    def check(text: str) -> Any:
        value = parse_json(text)
        problem = best_match(validator.iter_errors(value))
        if problem is not None:
            raise ValueError(f"not as asked: {problem.json_path}: {problem.message}"[:300])
        return value

    return check


def any_text(text: str) -> str:
    """The answer itself; raises ValueError if it is empty."""
    if not text.strip():
        raise ValueError("an empty answer")
    return text.strip()
