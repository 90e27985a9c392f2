"""A function of the user's own, from a Python file of the workspace."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.errors import RecipeError, nearest


def path_inside(root: Path, name: str, where: str) -> Path:
    """The file `name` of the workspace `root`.

    Raises:
        RecipeError: If there is no such file, or it lies outside of `root`.
    """
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise RecipeError(where, [f"{name!r} lies outside of the workspace"])
    if not path.is_file():
        raise RecipeError(where, [f"there is no file {name!r} in {root}"])
    return path


def load_function(root: Path, function: str, where: str) -> Callable[..., Any]:
    """The function named as `file.py:function`.

    Args:
        root: The workspace; the file lies in it.
        function: As the recipe writes it.
        where: What asks for it, for messages.

    Raises:
        RecipeError: If there is no such file or function, or the file fails.
    """
    file, colon, name = function.partition(":")
    if not colon:
        raise RecipeError(where, [f"{function!r} is not of the form file.py:function"])
    path = path_inside(root, file, where)
    spec = importlib.util.spec_from_file_location(f"tunesmith_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RecipeError(where, [f"{file} is no Python file"])
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the boundary to the user's code
        raise RecipeError(where, [f"{file} fails: {type(error).__name__}: {error}"]) from error
    found = getattr(module, name, None)
    if not callable(found):
        near = nearest(name, [key for key, value in vars(module).items() if callable(value)])
        hint = f" (did you mean {near!r}?)" if near else ""
        raise RecipeError(where, [f"{file} has no function {name!r}{hint}"])
    result: Callable[..., Any] = found
    return result
