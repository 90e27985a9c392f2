"""The answer is JSON that fits a schema."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.core.user_code import path_inside
from tunesmith.errors import RecipeError
from tunesmith.graders.grade import Grade, Grader, grader
from tunesmith.graders.json_text import parse_json

WHERE = "grader 'json_schema'"


@grader
def json_schema(
    *, root: Path, schema: Mapping[str, object] | None = None, file: str | None = None
) -> Grader:
    """Score 1 when the answer is JSON that fits `schema`, or the schema in `file`."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, best_match

    if (schema is None) == (file is None):
        raise RecipeError(WHERE, ["give either `schema` or `file`"])
    wanted = schema if schema is not None else _read(root, str(file))
    try:
        Draft202012Validator.check_schema(wanted)
    except SchemaError as error:
        raise RecipeError(WHERE, [f"no JSON Schema: {error.message}"]) from error
    validator = Draft202012Validator(wanted)

    def grade(answer: str, expected: str) -> Grade:
        try:
            value = parse_json(answer)
        except ValueError as error:
            return Grade(0.0, f"no JSON: {error}")
        problem = best_match(validator.iter_errors(value))
        if problem is None:
            return Grade(1.0, "fits the schema")
        return Grade(0.0, f"{problem.json_path}: {problem.message}"[:300])

    return grade


def _read(root: Path, file: str) -> Any:
    try:
        return json.loads(path_inside(root, file, WHERE).read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecipeError(WHERE, [f"{file} is no JSON: {error}"]) from error
