"""Your own function in the workspace as a grader."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.errors import RecipeError, nearest
from tunesmith.graders.grade import Grade, Grader, UngradableError, grader
from tunesmith.graders.inside import path_inside

WHERE = "grader 'python_function'"


@grader
def python_function(*, root: Path, function: str) -> Grader:
    """Score by your own Python function, named as `file.py:function`.

    It is called with answer and expected, and returns a bool, a score between 0 and 1, or
    (score, reason). What it raises leaves the case ungraded.
    """
    call = _load(root, function)

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


def _load(root: Path, function: str) -> Callable[[str, str], Any]:
    file, colon, name = function.partition(":")
    if not colon:
        raise RecipeError(WHERE, [f"{function!r} is not of the form file.py:function"])
    path = path_inside(root, file, WHERE)
    spec = importlib.util.spec_from_file_location(f"tunesmith_grader_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RecipeError(WHERE, [f"{file} is no Python file"])
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the boundary to the user's code
        raise RecipeError(WHERE, [f"{file} fails: {type(error).__name__}: {error}"]) from error
    found = getattr(module, name, None)
    if not callable(found):
        near = nearest(name, [key for key, value in vars(module).items() if callable(value)])
        hint = f" (did you mean {near!r}?)" if near else ""
        raise RecipeError(WHERE, [f"{file} has no function {name!r}{hint}"])
    result: Callable[[str, str], Any] = found
    return result
