"""Options that several commands share, and what they open."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from typer import BadParameter, Context, Option

if TYPE_CHECKING:
    from tunesmith.core.privacy.config import PrivacyConfig
    from tunesmith.core.workspace import Workspace
    from tunesmith.lifecycle import Lifecycle, StageName
    from tunesmith.recipe import LoadedRecipe

FolderOption = Annotated[
    Path, Option("--folder", "-C", help="The workspace, or a folder inside it.", show_default=False)
]
SetOption = Annotated[
    list[str] | None,
    Option("--set", help="Override a setting of the recipe: `--set train.epochs=1`. Repeatable."),
]
JsonOption = Annotated[bool, Option("--json", help="Print JSON, and no progress.")]
DryOption = Annotated[bool, Option("--dry-run", help="Say what would be done; do nothing.")]
HERE = Path()


class StageOptions(NamedTuple):
    """What every stage's own command takes."""

    folder: Path
    overrides: list[str] | None
    as_json: bool
    is_dry: bool

    def wanted_by(self, context: Context) -> bool:
        """Whether a group's own command was meant, and not a word of the group.

        Raises:
            BadParameter: If options stand between the group and its word, where nothing would read them.
        """
        word = context.invoked_subcommand
        is_told = self.overrides or self.as_json or self.is_dry or self.folder != HERE
        if word is not None and is_told:
            raise BadParameter(f"write options behind `{word}`")
        return word is None


def open_recipe(folder: Path, overrides: list[str] | None) -> "tuple[LoadedRecipe, Workspace]":
    """The recipe of the workspace around `folder`."""
    from tunesmith.core.workspace import Workspace
    from tunesmith.recipe import load

    workspace = Workspace.find(folder)
    return load(workspace.recipe_path, overrides or ()), workspace


def open_privacy(overrides: list[str] | None) -> "PrivacyConfig":
    """The privacy settings of the workspace around this folder, or the defaults where there is none."""
    from tunesmith.core.workspace import Workspace
    from tunesmith.recipe import load, without_file

    workspace = Workspace.around(HERE)
    given = overrides or ()
    loaded = load(workspace.recipe_path, given) if workspace else without_file(given)
    return loaded.recipe.curate.privacy


def open_lifecycle(folder: Path, overrides: list[str] | None, *, is_quiet: bool) -> "Lifecycle":
    """The lifecycle of the workspace around `folder`."""
    from tunesmith.lifecycle import Lifecycle

    loaded, workspace = open_recipe(folder, overrides)
    return Lifecycle(loaded.recipe, workspace, is_quiet=is_quiet)


def run_stage(
    stage: "StageName", options: StageOptions, work: "Callable[[Lifecycle], None]"
) -> None:
    """Run a stage and show what it made; dry, only show whether it would run and why."""
    from tunesmith.cli import render

    cycle = open_lifecycle(options.folder, options.overrides, is_quiet=options.as_json)
    if options.is_dry:
        render.state(cycle.state(stage), as_json=options.as_json)
    else:
        work(cycle)
