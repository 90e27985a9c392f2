"""The adapter whose training goes on: found, and refused where the recipe describes another."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.artifacts.adapter import Adapter, BaseModelId
from tunesmith.core import fingerprint
from tunesmith.core.workspace import Workspace
from tunesmith.errors import ModelError, RecipeError
from tunesmith.train.config import TrainConfig

WEIGHTS_NAME = "adapter_model.safetensors"


class Parent(NamedTuple):
    """An adapter to start from."""

    id: str
    """Its artifact id; for a folder from elsewhere, the hash of its weights."""
    folder: Path


def find_parent(config: TrainConfig, workspace: Workspace, base: BaseModelId) -> Parent | None:
    """The adapter that `continue_from` names; None where a new one is trained.

    Raises:
        UnknownNameError: If it names neither a folder nor an adapter of this workspace.
        ModelError: If it was trained on another base, or holds no safetensors.
        RecipeError: If rank, alpha or variant in the recipe are not the adapter's own.
    """
    if config.continue_from is None:
        return None
    folder = workspace.path_of(config.continue_from)
    if folder.is_dir():
        weights = folder / WEIGHTS_NAME
        _require_weights(weights)
        parent = Parent(f"sha256:{fingerprint.of_file(weights)[: fingerprint.ID_LENGTH]}", folder)
    else:
        adapter = Adapter.load(workspace, config.continue_from)
        _refuse_other_base(adapter, base)
        parent = Parent(adapter.id, adapter.weights_folder(workspace))
        _require_weights(parent.folder / WEIGHTS_NAME)
    _refuse_other_shape(config, parent.folder)
    return parent


def _require_weights(path: Path) -> None:
    if not path.is_file():
        raise ModelError(
            f"{path.parent} holds no {path.name}, so there is no adapter to continue",
            fix="name an adapter in peft's safetensors format; for a fully trained model, set model.base to it",
        )


def _refuse_other_base(adapter: Adapter, base: BaseModelId) -> None:
    for what, theirs, ours in (
        ("base", adapter.base.name, base.name),
        ("chat template", adapter.base.template_fingerprint, base.template_fingerprint),
    ):
        if theirs != ours:
            raise ModelError(
                f"{adapter.id} was trained with the {what} {theirs}, the recipe's is {ours}",
                fix="continue it over the base it was trained on, or leave out train.continue_from",
            )


def _refuse_other_shape(config: TrainConfig, folder: Path) -> None:
    settings: dict[str, Any] = json.loads(
        (folder / "adapter_config.json").read_text(encoding="utf-8")
    )
    theirs = {
        "rank": settings["r"],
        "alpha": settings["lora_alpha"],
        "variant": "dora"
        if settings.get("use_dora")
        else "rslora"
        if settings.get("use_rslora")
        else "lora",
    }
    problems = [
        f"{name}: {getattr(config, name)}, but the adapter to continue has {value}"
        for name, value in theirs.items()
        if getattr(config, name) != value
    ]
    if config.targets != "all-linear" and set(config.targets) != set(settings["target_modules"]):
        problems.append(
            f"targets: {', '.join(config.targets)}, but the adapter to continue has"
            f" {', '.join(sorted(settings['target_modules']))}"
        )
    if problems:
        fixes = ", ".join(f"train.{name}: {value}" for name, value in theirs.items())
        raise RecipeError("train", problems, fix=f"set {fixes}")
