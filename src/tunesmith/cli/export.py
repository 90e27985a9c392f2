"""`tunesmith export`: the tuned model for other programs."""

from pathlib import Path
from typing import Annotated

from typer import Option

from tunesmith.cli.options import (
    HERE,
    DryOption,
    FolderOption,
    JsonOption,
    SetOption,
    open_lifecycle,
)


def export(  # noqa: PLR0913  # one for each option
    format_: Annotated[
        str, Option("--format", help="`merged` (safetensors), `gguf` (Ollama) or `adapter` (peft).")
    ] = "merged",
    numbers: Annotated[
        str | None, Option(help="`bfloat16`, `float16`, `float32` or, for gguf, `q8_0`.")
    ] = None,
    is_plain: Annotated[
        bool, Option("--plain-base", help="Merge into the base as published, not as quantized.")
    ] = False,
    adapter: Annotated[
        str | None, Option(help="Id of an adapter; the newest one otherwise.")
    ] = None,
    output: Annotated[
        Path | None, Option(help="A folder that does not exist yet; in the workspace otherwise.")
    ] = None,
    push: Annotated[
        str | None, Option(help="Also upload to the hub, as `owner/name`; needs HF_TOKEN.")
    ] = None,
    folder: FolderOption = HERE,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    is_dry: DryOption = False,
) -> None:
    """Write the tuned model for other programs, with a model card, and prove that it is the same model.

    Example: tunesmith export --format gguf
    """
    from tunesmith.cli import render_export
    from tunesmith.train.export import stage
    from tunesmith.train.export.config import read_options

    config = read_options(
        {"format": format_, "numbers": numbers, "into_plain_base": is_plain, "push": push}
    )
    cycle = open_lifecycle(folder, overrides, is_quiet=as_json)
    inputs = cycle.export_inputs(adapter, output.resolve() if output else None)
    if is_dry:
        render_export.plan(stage.plan(config, cycle.workspace, inputs), as_json=as_json)
    else:
        made = stage.run(config, cycle.workspace, inputs, is_quiet=as_json)
        render_export.exported(made, cycle.workspace, as_json=as_json)
