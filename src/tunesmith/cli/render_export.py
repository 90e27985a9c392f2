"""What `tunesmith export` prints."""

from typing import TYPE_CHECKING

from rich.markup import escape

from tunesmith.cli.render import facts, out, print_json

if TYPE_CHECKING:
    from tunesmith.core.workspace import Workspace
    from tunesmith.train.export.stage import Exported, ExportPlan


def plan(made: "ExportPlan", *, as_json: bool) -> None:
    """What would be written."""
    if as_json:
        print_json(made._asdict())
        return
    facts(
        f"would export {made.adapter_id}",
        {
            "base": made.base,
            "format": made.format + (f", {made.number_format}" if made.number_format else ""),
            "size": f"about {made.bytes / 2**20:,.0f} MiB",
            "memory": f"at least {made.memory_bytes / 2**20:,.0f} MiB",
            "written by": made.writer,
            "folder": made.folder,
        },
    )


def exported(made: "Exported", workspace: "Workspace", *, as_json: bool) -> None:
    """What was written, and how exact it is."""
    export = made.export
    if as_json:
        print_json({**export.model_dump(), "folder": made.folder, "url": made.url})
        return
    rows: dict[str, object] = {
        "folder": workspace.shown(made.folder),
        "files": ", ".join(export.files),
        "license": export.license,
    }
    if export.fidelity:
        rows["same choice"] = (
            f"{100 * export.fidelity.same_choice:.1f} % of {export.fidelity.positions} tokens,"
            f" mean divergence {export.fidelity.mean_divergence:.2g} nats from the trained model"
        )
    if made.url:
        rows["hub"] = made.url
    facts(f"export {export.id}: {export.name}, {export.format}", rows)
    for note in export.notes:
        out.print(f"  note: {escape(note)}")
