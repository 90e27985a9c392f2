"""Files that a recipe names, kept inside the workspace."""

from pathlib import Path

from tunesmith.errors import RecipeError


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
