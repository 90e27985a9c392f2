"""Workspaces to start from: a recipe, example data and golden cases, explained where they stand."""

import shutil
from pathlib import Path

from tunesmith.errors import RecipeError, UnknownNameError

ROOT = Path(__file__).parent


def known() -> list[str]:
    """Names of the templates."""
    return sorted(path.name for path in ROOT.iterdir() if (path / "tunesmith.yaml").is_file())


def create(folder: Path, template: str) -> list[Path]:
    """Copy a template into `folder`, named after it; returns the files made, the recipe first.

    Raises:
        UnknownNameError: If there is no such template.
        RecipeError: If a file that would be made exists; nothing is written then.
    """
    if template not in known():
        raise UnknownNameError("template", template, known())
    origin = ROOT / template
    files = sorted(path.relative_to(origin) for path in origin.rglob("*") if path.is_file())
    files.sort(key=lambda path: path.name != "tunesmith.yaml")
    if existing := [str(path) for path in files if (folder / path).exists()]:
        raise RecipeError(
            str(folder),
            [f"{name} exists already" for name in existing],
            fix="name another folder",
        )
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin / path, folder / path)
    recipe = folder / "tunesmith.yaml"
    recipe.write_text(recipe.read_text().replace("name: my-case", f"name: {_name(folder)}", 1))
    return [folder / path for path in files]


def _name(folder: Path) -> str:
    letters = [c if c.isascii() and c.isalnum() else "-" for c in folder.resolve().name.lower()]
    return "".join(letters).strip("-")[:60] or "my-case"
