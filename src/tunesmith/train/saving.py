"""A finished run -> an Adapter with its weights, lineage, history and plot."""

import json
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tunesmith.artifacts.adapter import Adapter, BaseModelId, TrainMetrics, TrainWarning
from tunesmith.artifacts.artifact import write_lines
from tunesmith.core import fingerprint
from tunesmith.core.workspace import Workspace, write_text
from tunesmith.train.callbacks import VALIDATION_LOSS
from tunesmith.train.config import TrainConfig
from tunesmith.train.continuation import find_parent
from tunesmith.train.initialisation import save_adapter
from tunesmith.train.material import Material
from tunesmith.train.plot import draw

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")


def measured(trainer: Any, *, epochs: float, seconds: float) -> TrainMetrics:
    """What the run reports.

    Args:
        trainer: After training.
        epochs: Times that every example was seen.
        seconds: Wall time of training, validation included.
    """
    history = trainer.state.log_history
    losses = [row["loss"] for row in history if "loss" in row]
    scores = [(row[VALIDATION_LOSS], row["step"]) for row in history if VALIDATION_LOSS in row]
    rewards = _rewards(history)
    return TrainMetrics(
        train_loss=losses[-1],
        validation_loss=min(scores)[0] if scores else None,
        best_step=min(scores)[1] if scores else trainer.state.global_step,
        steps=trainer.state.global_step,
        epochs=round(epochs, 3),
        trained_tokens=trainer.trained_tokens,
        seen_tokens=trainer.seen_tokens,
        seconds=round(seconds, 3),
        tokens_per_second=round(trainer.seen_tokens / seconds, 1),
        **rewards,
    )


def _rewards(history: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of preference tuning, what was measured last; on validation where there is any."""
    found: dict[str, float] = {}
    for name, key in (
        ("reward_accuracy", "rewards/accuracies"),
        ("reward_margin", "rewards/margins"),
    ):
        for column in (key, f"eval_{key}"):
            values = [row[column] for row in history if column in row]
            if values:
                found[name] = values[-1]
    return found


def save(
    trainer: Any,
    config: TrainConfig,
    workspace: Workspace,
    material: Material,
    base: BaseModelId,
    report: tuple[TrainMetrics, Sequence[TrainWarning]],
) -> Adapter:
    """The adapter, saved; its id is a hash of dataset, base, settings and weights."""
    made = workspace.folder("training") / "finished"
    shutil.rmtree(made, ignore_errors=True)
    save_adapter(trainer.model, made)
    material.template.tokenizer.save_pretrained(made)
    weights = {path.name: fingerprint.of_file(path) for path in sorted(made.glob("*.safetensors"))}
    settings = config.model_dump(mode="json")
    parent = find_parent(config, workspace, base)
    dataset_id = material.inputs.dataset.id
    content = [dataset_id, base.model_dump(mode="json"), settings, weights]
    metrics, warnings = report
    more = () if config.objective == "sft" else ("trl",)
    adapter = Adapter(
        id=fingerprint.short_id("ad", content),
        parents=(dataset_id, *([parent.id] if parent else [])),
        name=material.inputs.name,
        method=config.method,
        base=base,
        dataset_id=dataset_id,
        settings=settings,
        libraries={library: version(library) for library in (*LIBRARIES, *more)},
        metrics=metrics,
        warnings=tuple(warnings),
    )
    name_base(made, base)
    target = adapter.weights_folder(workspace)
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    made.rename(target)
    history = trainer.state.log_history
    write_lines(adapter.history_path(workspace), history)
    draw(history, adapter.plot_path(workspace))
    return adapter.save(workspace)


def name_base(folder: Path, base: BaseModelId) -> None:
    """Write into an adapter's folder which base it belongs to; peft writes the path of this machine's cache."""
    path = folder / "adapter_config.json"
    if path.is_file():
        settings = json.loads(path.read_text(encoding="utf-8"))
        reference = base.reference.partition("@")[0]
        settings |= {"base_model_name_or_path": reference, "revision": base.revision}
        write_text(path, json.dumps(settings, indent=2) + "\n")
