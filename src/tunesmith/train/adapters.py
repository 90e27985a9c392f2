"""What is trained: an adapter over frozen weights, new or continued, or all weights."""

from pathlib import Path
from typing import Any

from tunesmith.errors import ModelError, RecipeError
from tunesmith.models.calling_peft import calling_peft
from tunesmith.train.config import TrainConfig
from tunesmith.train.head import require_known_head
from tunesmith.train.initialisation import start_from_base, start_from_rounding
from tunesmith.train.shortcuts import take_shortcuts
from tunesmith.train.targets import Targets, find_targets

INIT_STEPS = {"pissa": start_from_base, "loftq": start_from_rounding}


def make_trainable(model: Any, config: TrainConfig, *, parent: Path | None = None) -> Any:
    """The model with the parameters of `config.method` trainable, in float32, all else frozen.

    Args:
        model: The base model; `init: pissa` moves a part of its weights into the adapter.
        config: The recipe's `train:` section.
        parent: Folder of the adapter whose training goes on; None starts a new one.

    Raises:
        RecipeError: If `targets` names a layer that the model does not have, or a setting does not suit its layers.
        ModelError: If the parent does not fit the base.
        TrainingError: If the model's loss cannot be computed exactly here.
    """
    import torch
    from peft import get_peft_model

    require_known_head(model)
    # A resumed run, or the same run elsewhere, must begin with the same random A matrices.
    torch.manual_seed(config.seed)
    if config.method == "full":
        model.requires_grad_(True)
        take_shortcuts(model)
        return model
    if parent is not None:
        adapted = _continued(model, parent)
    else:
        targets = find_targets(model, config.targets)
        _refuse_misfits(config, targets)
        with calling_peft():
            adapted = get_peft_model(model, _options(config, targets), autocast_adapter_dtype=True)
        if config.init != "default":
            INIT_STEPS[config.init](adapted)
    take_shortcuts(adapted, is_sharded=config.sharding == "fsdp")
    return adapted


def _options(config: TrainConfig, targets: Targets) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        use_dora=config.variant == "dora",
        use_rslora=config.variant == "rslora",
        target_modules=targets.layers,
        target_parameters=targets.experts or None,
        bias="none",
        task_type="CAUSAL_LM",
    )


def _continued(model: Any, folder: Path) -> Any:
    from peft import PeftModel

    try:
        with calling_peft():
            return PeftModel.from_pretrained(model, folder, is_trainable=True)
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"the adapter in {folder} does not fit this base model: {str(error).splitlines()[0]}",
            fix="continue it over the base it was trained on",
        ) from error


def _refuse_misfits(config: TrainConfig, targets: Targets) -> None:
    # Experts are one stacked parameter, not layers: peft adapts the parameter itself, which leaves no place for these.
    if not targets.experts:
        return
    problems = [
        f"{setting} does not work on expert layers ({', '.join(targets.experts)})"
        for setting, is_set in (
            (f"dropout: {config.dropout}", config.dropout > 0),
            ("variant: dora", config.variant == "dora"),
            ("init: pissa", config.init == "pissa"),
        )
        if is_set
    ]
    if problems:
        layers = ", ".join(targets.layers)
        raise RecipeError("train", problems, fix=f"leave it out, or set train.targets: [{layers}]")
