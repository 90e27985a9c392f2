"""`tunesmith release` and its words: list, show, promote, rollback."""

from typing import Annotated

from typer import Argument, Context, Option, Typer

from tunesmith.cli.options import (
    HERE,
    DryOption,
    FolderOption,
    JsonOption,
    SetOption,
    StageOptions,
    open_recipe,
    run_stage,
)

app = Typer(
    invoke_without_command=True,
    rich_markup_mode="markdown",
    help="Register the newest adapter with what it came from; list, show, promote, rollback.",
)
VersionArgument = Annotated[
    str, Argument(help="A version number, or an alias: `champion`, `challenger`.")
]


@app.callback()
def release(
    context: Context,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    is_dry: DryOption = False,
) -> None:
    """Register the newest adapter in MLflow, with its dataset, base model and measurements.

    Example: tunesmith release
    """
    from tunesmith.cli import render

    options = StageOptions(folder, overrides, as_json, is_dry)
    if options.wanted_by(context):
        run_stage(
            "release",
            options,
            lambda cycle: render.release(cycle.release(), cycle.workspace, as_json=as_json),
        )


@app.command("list")
def list_(
    folder: FolderOption = HERE, overrides: SetOption = None, as_json: JsonOption = False
) -> None:
    """List all versions with their aliases.

    Example: tunesmith release list
    """
    from tunesmith.cli import render
    from tunesmith.release.promotion import list_releases

    loaded, workspace = open_recipe(folder, overrides)
    render.versions(list_releases(loaded.recipe.release, workspace), as_json=as_json)


@app.command()
def show(
    version: VersionArgument,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one version: lineage, metrics, and whether it passes the gates.

    Example: tunesmith release show champion
    """
    from tunesmith.cli import render
    from tunesmith.release.promotion import show as details_of

    loaded, workspace = open_recipe(folder, overrides)
    recipe = loaded.recipe
    render.details(details_of(recipe.release, workspace, recipe.name, version), as_json=as_json)


@app.command()
def promote(
    version: VersionArgument,
    is_forced: Annotated[bool, Option("--force", help="Whatever the gates say.")] = False,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version the champion, if it passes the recipe's gates.

    Example: tunesmith release promote challenger
    """
    from tunesmith.cli import render
    from tunesmith.release.promotion import promote as make_champion

    loaded, workspace = open_recipe(folder, overrides)
    recipe = loaded.recipe
    made = make_champion(recipe.release, workspace, recipe.name, version, is_forced=is_forced)
    render.versions([made], as_json=as_json)


@app.command()
def rollback(
    folder: FolderOption = HERE, overrides: SetOption = None, as_json: JsonOption = False
) -> None:
    """Make the previous champion champion again.

    Example: tunesmith release rollback
    """
    from tunesmith.cli import render
    from tunesmith.release.promotion import rollback as go_back

    loaded, workspace = open_recipe(folder, overrides)
    recipe = loaded.recipe
    render.versions([go_back(recipe.release, workspace, recipe.name)], as_json=as_json)
