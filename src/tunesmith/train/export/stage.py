"""Export: a trained adapter and its lineage -> a folder that another program loads, proven to be the same model."""

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.artifact import MANIFEST_NAME
from tunesmith.artifacts.export import Export, Fidelity
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Prompt
from tunesmith.core.progress import Progress, track
from tunesmith.core.workspace import Workspace
from tunesmith.engines.opening import serving_precision
from tunesmith.errors import DoesNotFitError, ModelError, RecipeError
from tunesmith.models.config import ModelConfig
from tunesmith.models.provenance import as_published, license_of
from tunesmith.models.reference import ResolvedModel, resolve
from tunesmith.train.devices import find_device
from tunesmith.train.export.card import Lineage, write_card
from tunesmith.train.export.config import ExportConfig
from tunesmith.train.export.gguf_file import find_converter
from tunesmith.train.export.push import push, require_token
from tunesmith.train.export.weights import Tuned, parameter_count, write_weights

LIBRARIES = ("torch", "transformers", "peft", "gguf")
BYTES = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "q8_0": 1.0625}
"""Of a weight as written; q8_0 holds 32 weights in 34 bytes."""
STEPS = 4
NOTABLE_DIVERGENCE = 0.01
"""Nats per token over the plain base from which a user should evaluate again before relying on it."""


class ExportPlan(NamedTuple):
    """What an export would write, and where."""

    id: str
    adapter_id: str
    base: str
    format: str
    number_format: str | None
    folder: Path
    bytes: int
    """About; of the weights alone."""
    memory_bytes: int
    """At least; of the weights that are in memory at once, one model beside the one it is compared with."""
    writer: str
    """What writes the file: tunesmith, or llama.cpp's own converter."""


class ExportInputs(NamedTuple):
    """What is exported."""

    lineage: Lineage
    model: ModelConfig
    output: Path | None = None
    """Instead of the workspace's own folder."""


class Exported(NamedTuple):
    """A finished export."""

    export: Export
    folder: Path
    url: str | None
    """Commit on the hub, if it was pushed."""


def plan(config: ExportConfig, workspace: Workspace, inputs: ExportInputs) -> ExportPlan:
    """What `run` would do; nothing is written.

    Raises:
        RecipeError: If there is no adapter to write, or the folder exists.
        ModelError: If a converter is needed and not there, or the recipe names another base now.
    """
    adapter = inputs.lineage.adapter
    if adapter.method == "full" and (config.format == "adapter" or config.into_plain_base):
        raise RecipeError(
            "export",
            [f"{adapter.id} was trained with method: full, so there is no adapter beside the base"],
            fix="choose --format merged or gguf, without --plain-base",
        )
    resolved = resolve(inputs.model, workspace.root)
    _refuse_other_base(adapter, resolved)
    converter = find_converter(_model_type(resolved)) if config.format == "gguf" else None
    settings = [adapter.id, config.model_dump(mode="json", exclude={"push"})]
    export_id = fingerprint.short_id("ex", settings)
    weights = adapter.weights_folder(workspace)
    parameters = parameter_count(resolved.folder)
    size = (
        float(sum(path.stat().st_size for path in weights.glob("*.safetensors")))
        if config.number_format is None
        else BYTES[config.number_format] * parameters
    )
    return ExportPlan(
        export_id,
        adapter.id,
        adapter.base.name,
        config.format,
        config.number_format,
        inputs.output or Export.folder_of(workspace, export_id),
        round(size),
        round(_bytes_at_once(config, adapter) * parameters),
        f"llama.cpp's {converter}" if converter else "tunesmith",
    )


def run(
    config: ExportConfig, workspace: Workspace, inputs: ExportInputs, *, is_quiet: bool = False
) -> Exported:
    """Write the export, whole or not at all, and push it if asked.

    Args:
        config: What to write.
        workspace: Where adapter and dataset lie.
        inputs: The adapter with its lineage, the base model, and a folder to write to.
        is_quiet: Show no progress.

    Raises:
        RecipeError: If the folder exists, the method has no adapter, or a token is missing.
        ModelError: If the files as written do not predict what the trained model predicts.
        DoesNotFitError: If memory surely does not hold the weights.
    """
    planned = plan(config, workspace, inputs)
    if config.push:
        require_token()
    if planned.folder.exists():
        export = _existing(planned, is_pushed=config.push is not None)
    else:
        require_memory(planned)
        with track("exporting", STEPS, is_quiet=is_quiet) as progress:
            export = _make(config, workspace, inputs, planned, progress)
    url = push(planned.folder, config.push) if config.push else None
    return Exported(export, planned.folder, url)


def require_memory(planned: ExportPlan) -> None:
    """Return only if this machine's memory may hold the weights.

    Raises:
        DoesNotFitError: If it surely does not.
    """
    device = find_device(None)
    if planned.memory_bytes > device.available_bytes - device.context_bytes:
        raise DoesNotFitError(
            task="the export",
            needed_bytes=planned.memory_bytes + device.context_bytes,
            available_bytes=device.available_bytes,
            device=device.shown,
            fix="export on a machine with more memory; the workspace can be copied there as it is",
        )


def _bytes_at_once(config: ExportConfig, adapter: Adapter) -> float:
    """Of each parameter: as computed with, and as held beside that while the two are compared."""
    computed = BYTES[serving_precision()]
    if adapter.base.quantization != "none" or config.format == "gguf":
        return 2 * computed
    return computed + (BYTES[config.number_format] if config.number_format else 0)


def _refuse_other_base(adapter: Adapter, resolved: ResolvedModel) -> None:
    found = f"{resolved.reference.partition('@')[0]}@{resolved.revision}"
    if found != adapter.base.name:
        raise ModelError(
            f"{adapter.id} was trained on {adapter.base.name}, the recipe's base is {found}",
            fix=f"set model.base to {adapter.base.reference}, or name another --adapter",
        )


def _existing(planned: ExportPlan, *, is_pushed: bool) -> Export:
    manifest = planned.folder / MANIFEST_NAME
    if is_pushed and manifest.is_file():
        found = Export.model_validate_json(manifest.read_text(encoding="utf-8"))
        if found.id == planned.id:
            return found
    raise RecipeError(
        "export",
        [f"{planned.folder} exists already, and exports overwrite nothing"],
        fix="choose another --output, or delete it first",
    )


def _make(
    config: ExportConfig,
    workspace: Workspace,
    inputs: ExportInputs,
    planned: ExportPlan,
    progress: Progress,
) -> Export:
    lineage = inputs.lineage
    resolved = resolve(inputs.model, workspace.root)
    tuned = Tuned(
        lineage.adapter, lineage.adapter.weights_folder(workspace), resolved, inputs.model
    )
    planned.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=planned.folder.parent, prefix=".export-") as made:
        staging = Path(made) / "files"
        staging.mkdir()
        facts = {
            "name": lineage.adapter.name,
            "license": license_of(lineage.adapter.base.reference, resolved.folder),
        }
        written = write_weights(
            config, tuned, _conversations(workspace, lineage), staging, facts, progress
        )
        export = Export(
            id=planned.id,
            parents=(lineage.adapter.id, *([lineage.report.id] if lineage.report else [])),
            name=lineage.adapter.name,
            format=config.format,
            number_format=config.number_format,
            adapter_id=lineage.adapter.id,
            dataset_id=lineage.dataset.id,
            report_id=lineage.report.id if lineage.report else None,
            base=as_published(lineage.adapter.base),
            license=facts["license"],
            fidelity=written.fidelity,
            over_plain_base=written.over_plain_base,
            notes=(*written.notes, *_notes(config, lineage, written.over_plain_base)),
            files={},
            libraries={library: version(library) for library in LIBRARIES},
        )
        (staging / "README.md").write_text(write_card(export, lineage), encoding="utf-8")
        export = export.model_copy(update={"files": _hashes(staging)})
        manifest = export.model_dump_json(indent=2) + "\n"
        (staging / MANIFEST_NAME).write_text(manifest, encoding="utf-8")
        shutil.move(staging, planned.folder)
    progress.advance(1, "written")
    return export


def _conversations(workspace: Workspace, lineage: Lineage) -> list[Prompt]:
    dataset = lineage.dataset
    examples = dataset.examples(workspace, "validation") or dataset.examples(workspace, "train")
    return [example.messages for example in examples]


def _notes(config: ExportConfig, lineage: Lineage, over_plain: Fidelity | None) -> list[str]:
    if over_plain is None:
        return []
    held = lineage.adapter.base.quantization
    differs = (
        f"over the base without quantization the adapter predicts the same likeliest token at"
        f" {100 * over_plain.same_choice:.1f} % of the compared positions"
        f" (mean divergence {over_plain.mean_divergence:.2g} nats)"
    )
    advice = (
        "; measure it there before relying on it"
        if over_plain.mean_divergence > NOTABLE_DIVERGENCE
        else ""
    )
    if config.format == "adapter" or config.into_plain_base:
        return [f"It was trained over a base held as {held}: {differs}{advice}."]
    return [
        f"Its base weights are the {held} values that training used, written out;"
        f" {differs}: do not swap them for the published ones without measuring."
    ]


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): fingerprint.of_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _model_type(resolved: ResolvedModel) -> str:
    from transformers import AutoConfig

    return str(AutoConfig.from_pretrained(resolved.folder).model_type)
