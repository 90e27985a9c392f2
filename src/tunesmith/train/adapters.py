"""What is trained: a LoRA adapter over frozen weights, or all weights."""

from typing import Any

from tunesmith.errors import RecipeError, nearest
from tunesmith.train.config import TrainConfig
from tunesmith.train.step import use_base_precision


def make_trainable(model: Any, config: TrainConfig) -> Any:
    """The model with the parameters of `config.method` trainable, in float32, all else frozen.

    Raises:
        RecipeError: If `targets` names a layer that the model does not have.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    # A resumed run, or the same run elsewhere, must begin with the same random A matrices.
    torch.manual_seed(config.seed)
    if config.method == "full":
        return model.requires_grad_(True)
    targets = config.targets if isinstance(config.targets, str) else list(config.targets)
    _refuse_unknown_targets(model, targets)
    options = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=targets,
        bias="none",
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, options, autocast_adapter_dtype=True)
    use_base_precision(adapted)
    return adapted


def _refuse_unknown_targets(model: Any, targets: str | list[str]) -> None:
    import torch

    if isinstance(targets, str):
        return
    present = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    problems = [
        f"targets: the model has no layer {target!r}"
        + (f" (did you mean {near!r}?)" if (near := nearest(target, present)) else "")
        for target in targets
        if target not in present
    ]
    if problems:
        raise RecipeError("train", problems, fix=f"layers there are: {', '.join(sorted(present))}")
