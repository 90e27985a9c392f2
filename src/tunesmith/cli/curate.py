"""`tunesmith curate` and its words: preview, mask, synthesize, removed, contradictions, restore and more."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Context, Option, Typer

from tunesmith.cli.options import (
    HERE,
    DryOption,
    FolderOption,
    JsonOption,
    SetOption,
    StageOptions,
    open_lifecycle,
    open_privacy,
    open_recipe,
    run_stage,
)


class Tool(StrEnum):
    """Tools for review that examples go out to."""

    argilla = "argilla"
    label_studio = "label-studio"


app = Typer(
    invoke_without_command=True,
    rich_markup_mode="markdown",
    help="Make a dataset version and a golden set from the raw files; preview them, see what was left out.",
)


@app.callback()
def curate(
    context: Context,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    is_dry: DryOption = False,
) -> None:
    """Make a dataset version and a golden set from the raw files.

    Example: tunesmith curate --set curate.validation_share=0.05
    """
    from tunesmith.cli import render

    options = StageOptions(folder, overrides, as_json, is_dry)
    if options.wanted_by(context):
        run_stage(
            "curate",
            options,
            lambda cycle: render.curated(*cycle.curate(), cycle.workspace, as_json=as_json),
        )


@app.command()
def preview(
    rows: Annotated[int, Option(help="How many converted rows to show.", min=1)] = 10,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show rows as they would be learnt, and what would be set aside; nothing is written.

    Example: tunesmith curate preview --rows 3
    """
    from tunesmith.cli import render_curate
    from tunesmith.curate.preview import preview as look

    loaded, workspace = open_recipe(folder, overrides)
    render_curate.preview(look(loaded.recipe.curate, workspace, rows=rows), as_json=as_json)


@app.command()
def mask(
    file: Annotated[Path, Argument(help="JSON Lines, a JSON list, CSV or Parquet.")],
    field: Annotated[str, Option(help="The field that holds the text, or turns of a chat.")],
    out: Annotated[
        Path | None,
        Option(
            help="Write the rows, masked, to this .jsonl, .json, .csv or .tsv, and a report beside."
        ),
    ] = None,
    is_check: Annotated[
        bool, Option("--check", help="Fail if there is personal data: for CI.")
    ] = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the personal data in any file and replace it; settings are the recipe's, if there is one.

    Example: tunesmith curate mask data/examples.jsonl --field output --set curate.privacy.style=tagged
    """
    from tunesmith.cli import render_curate
    from tunesmith.curate.file_masking import FileMasking

    masking = FileMasking(open_privacy(overrides), file, field, is_quiet=as_json)
    rows = masking.write(out) if out else masking.rows()
    render_curate.masked(rows, masking, as_json=as_json)
    if is_check:
        masking.need_none()


@app.command()
def synthesize(
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    is_dry: Annotated[
        bool, Option("--dry-run", help="Show the prompts and at most what it costs; ask nothing.")
    ] = False,
) -> None:
    """Let a teacher model write new rows from seeds and documents, within a budget.

    Example: tunesmith curate synthesize
    """
    from tunesmith.cli import render_synthesis
    from tunesmith.curate.synthesis.opening import foresee
    from tunesmith.curate.synthesis.opening import synthesize as write

    loaded, workspace = open_recipe(folder, overrides)
    config, model = loaded.recipe.curate, loaded.recipe.model
    if is_dry:
        render_synthesis.forecast(foresee(config, workspace), as_json=as_json)
    else:
        made = write(config, model, workspace, is_quiet=as_json)
        render_synthesis.synthesis(made, workspace, as_json=as_json)


@app.command()
def removed(
    rule: Annotated[str | None, Option(help="Only of this rule: `duplicate`, `golden`, …")] = None,
    folder: FolderOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the good rows that the newest dataset leaves out, with rule, score and the other row.

    Example: tunesmith curate removed --rule duplicate
    """
    from tunesmith.cli import render_curate

    cycle = open_lifecycle(folder, None, is_quiet=as_json)
    render_curate.removed(cycle.dataset().removed_rows(cycle.workspace, rule), as_json=as_json)


@app.command()
def contradictions(
    most: Annotated[int, Option(help="How many pairs to show.", min=1)] = 20,
    folder: FolderOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show rows that ask the same and give answers that cannot both be right, the most suspicious first.

    Example: tunesmith curate contradictions --most 5
    """
    from tunesmith.artifacts.contradictions import need_contradictions
    from tunesmith.cli import render_curate

    cycle = open_lifecycle(folder, None, is_quiet=as_json)
    found = need_contradictions(cycle.dataset(), cycle.workspace)
    render_curate.contradictions(found, most=most, as_json=as_json)


@app.command()
def restore(
    key: Annotated[str, Argument(help="Of a removed row, or its first digits.")],
    folder: FolderOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Keep a removed row in the next dataset, whatever rules say; as a reviewer's decision.

    Example: tunesmith curate restore 3fa9c01b77de
    """
    from tunesmith.cli import render_curate
    from tunesmith.curate.restoring import restore as bring_back

    cycle = open_lifecycle(folder, None, is_quiet=as_json)
    render_curate.restored(bring_back(cycle.workspace, cycle.dataset(), key), as_json=as_json)


@app.command()
def card(folder: FolderOption = HERE, as_json: JsonOption = False) -> None:
    """Make the card of the newest dataset: themes, map, gaps against the golden set, repetition.

    Example: tunesmith curate card
    """
    from tunesmith.cli import render_curate
    from tunesmith.curate.coverage.card import make_card

    cycle = open_lifecycle(folder, None, is_quiet=as_json)
    made = make_card(cycle.dataset(), cycle.golden_set(), cycle.workspace)
    render_curate.card(made, cycle.workspace, as_json=as_json)


@app.command()
def diff(
    before: Annotated[str, Argument(help="Id of a dataset version.")],
    after: Annotated[
        str | None, Argument(help="Id of another; the newest if left out.", show_default=False)
    ] = None,
    folder: FolderOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show which examples came, went, got another answer or changed sides between two versions.

    Example: tunesmith curate diff ds_3fa9c01b77de
    """
    from tunesmith.artifacts.dataset import Dataset
    from tunesmith.cli import render_curate
    from tunesmith.curate.difference import difference

    cycle = open_lifecycle(folder, None, is_quiet=as_json)
    newer = Dataset.load(cycle.workspace, after) if after else cycle.dataset()
    found = difference(Dataset.load(cycle.workspace, before), newer, cycle.workspace)
    render_curate.diff(found, as_json=as_json)


@app.command("export")
def export_(
    target: Annotated[Path, Argument(help="Folder to make.")],
    tool: Annotated[Tool, Option("--to", help="Whose format.")] = Tool.argilla,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the examples nobody has decided about yet, for review in Argilla or Label Studio.

    Example: tunesmith curate export for-review --to label-studio
    """
    from tunesmith.cli import render_exchange
    from tunesmith.curate.exchange import stage

    cycle = open_lifecycle(folder, overrides, is_quiet=as_json)
    name, dataset = cycle.recipe.name, cycle.dataset()
    made = stage.export(dataset, cycle.workspace, tool.value, target, name=name)
    render_exchange.exported(made, tool.value, as_json=as_json)


@app.command("import")
def import_(
    path: Annotated[Path, Argument(help="What Argilla or Label Studio exported, as JSON.")],
    folder: FolderOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Bring decisions back from Argilla or Label Studio; the next `curate` applies them.

    Example: tunesmith curate import for-review/tasks.json
    """
    from tunesmith.cli import render_exchange
    from tunesmith.core.workspace import Workspace
    from tunesmith.curate.exchange import stage

    render_exchange.imported(stage.import_(Workspace.find(folder), path), as_json=as_json)


@app.command()
def noise(
    most: Annotated[int, Option(help="How many rows to list.", min=1)] = 20,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List rows whose answers seem wrong to a model, trained briefly for this, that never saw them.

    Example: tunesmith curate noise --most 10
    """
    from tunesmith.cli import render_curate
    from tunesmith.lifecycle.probing import doubtful

    cycle = open_lifecycle(folder, overrides, is_quiet=as_json)
    found = doubtful(cycle.recipe, cycle.dataset(), cycle.workspace, most=most, is_quiet=as_json)
    render_curate.doubtful(found, as_json=as_json)
