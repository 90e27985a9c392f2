"""The command line: every word, and the one place where errors become exit codes."""

import logging
import sys
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option, Typer
from typer.core import TyperGroup

from tunesmith.cli import curate, release
from tunesmith.cli.export import export
from tunesmith.cli.options import (
    HERE,
    DryOption,
    FolderOption,
    JsonOption,
    SetOption,
    StageOptions,
    open_lifecycle,
    open_recipe,
    run_stage,
)
from tunesmith.cli.train import train
from tunesmith.errors import TunesmithError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect."""


AFTER = {"curate": "init", "release": "evaluate"}
"""Groups, which would come last in the help, and the command that each follows in a model's life."""


class LifecycleOrder(TyperGroup):
    """Lists commands in the order in which a model's life goes through them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Groups stand where their stage stands."""
        names = [name for name in super().list_commands(ctx) if name not in AFTER]
        for name, before in AFTER.items():
            names.insert(names.index(before) + 1, name)
        return names


app = Typer(
    cls=LifecycleOrder,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="The whole life of a specialised language model, from a data file to an endpoint.",
)


@app.command()
def init(
    folder: Annotated[Path, Argument(help="Made if it does not exist.")],
    template: Annotated[str, Option(help="`dsl`, `json` or `style`.")] = "dsl",
    as_json: JsonOption = False,
) -> None:
    """Make a workspace to start from: a recipe, example data, golden cases, all explained.

    Example: tunesmith init my-case --template json
    """
    from tunesmith.cli import render
    from tunesmith.templates import create

    render.created(create(folder, template), as_json=as_json)


app.add_typer(curate.app, name="curate")


app.command()(train)


@app.command()
def evaluate(
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    is_dry: DryOption = False,
) -> None:
    """Ask base and tuned model the golden questions, and compare.

    Example: tunesmith evaluate --json
    """
    from tunesmith.cli import render

    run_stage(
        "evaluate",
        StageOptions(folder, overrides, as_json, is_dry),
        lambda cycle: render.report(cycle.evaluate(), cycle.workspace, as_json=as_json),
    )


app.command()(export)


app.add_typer(release.app, name="release")


@app.command()
def serve(
    folder: FolderOption = HERE,
    port: Annotated[int | None, Option(help="Instead of the recipe's; 0 takes a free one.")] = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    is_dry: DryOption = False,
) -> None:
    """Answer for the base and every release over an OpenAI-compatible endpoint.

    Example: tunesmith serve --port 8001
    """
    from tunesmith.cli import render

    ports = [f"serve.port={port}"] if port is not None else []
    cycle = open_lifecycle(folder, [*(overrides or []), *ports], is_quiet=as_json)
    if is_dry:
        render.names(cycle.served_names(), as_json=as_json)
    else:
        cycle.serve(on_ready=lambda url, names: render.serving(url, names, as_json=as_json))


@app.command()
def run(
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    is_dry: DryOption = False,
) -> None:
    """Curate, train, evaluate and release, skipping what is unchanged.

    Example: tunesmith run --dry-run
    """
    from tunesmith.cli import render

    cycle = open_lifecycle(folder, overrides, is_quiet=as_json)
    if not is_dry:
        cycle.run(on_stage=None if as_json else render.stage)
    render.status(cycle.states(), [], as_json=as_json)
    if not is_dry and not as_json:
        render.outcome(cycle.report(), cycle.workspace)


@app.command()
def status(
    folder: FolderOption = HERE,
    is_explained: Annotated[
        bool, Option("--explain", help="Also every setting and where it came from.")
    ] = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what exists, what is stale and why.

    Example: tunesmith status --explain
    """
    from tunesmith.cli import render
    from tunesmith.lifecycle import Lifecycle

    loaded, workspace = open_recipe(folder, overrides)
    states = Lifecycle(loaded.recipe, workspace).states()
    render.status(states, loaded.explain() if is_explained else [], as_json=as_json)


@app.command()
def studio(
    folder: FolderOption = HERE,
    port: Annotated[int, Option(help="0 takes a free one.", min=0, max=65535)] = 8484,
    reviewer: Annotated[
        str | None, Option(help="Whose decisions they are; you, unless said otherwise.")
    ] = None,
    is_opened: Annotated[
        bool, Option("--open/--no-open", help="Whether to open the browser.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Review data in the browser, and look at datasets and reports.

    Example: tunesmith studio --reviewer ana
    """
    from getpass import getuser

    from tunesmith.cli import render
    from tunesmith.core.workspace import Workspace
    from tunesmith.studio import server

    def on_ready(url: str) -> None:
        render.studio(url, as_json=as_json)
        if is_opened and not as_json:
            server.open_browser(url)

    server.run(
        Workspace.find(folder),
        reviewer or getuser(),
        port=port,
        on_ready=on_ready,
        is_quiet=as_json,
    )


@app.command()
def filters(as_json: JsonOption = False) -> None:
    """List the row filters that a recipe can name.

    Example: tunesmith filters
    """
    from tunesmith.cli import render
    from tunesmith.curate.filters.known import described

    render.named("filter", described(), as_json=as_json)


@app.command()
def graders(as_json: JsonOption = False) -> None:
    """List the graders that a recipe can name.

    Example: tunesmith graders
    """
    from tunesmith.cli import render
    from tunesmith.graders.known import described

    render.named("grader", described(), as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a recipe, for editors.

    Example: tunesmith schema
    """
    from tunesmith.recipe import json_schema

    sys.stdout.write(json_schema())


def main() -> None:
    """Run the command line; errors go to standard error as what happened and the fix."""
    _silence_libraries()
    try:
        app()
    except TunesmithError as error:
        sys.stderr.write(f"error: {error.what}\n  fix: {error.fix}\n")
        sys.exit(error.exit_code)
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:
            sys.stderr.write(f"\nstopped; what was finished is kept.{_on_resuming(sys.argv)}\n")
        raise


def _on_resuming(arguments: list[str]) -> str:
    """What to do after an interrupted command, where it is not simply the same command again."""
    if "train" not in arguments:
        return ""
    return " Training goes on from its last checkpoint with `tunesmith train --resume`."


def _silence_libraries() -> None:
    # bitsandbytes tells of an optional package that NF4 as we use it on a CPU has no need of.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
