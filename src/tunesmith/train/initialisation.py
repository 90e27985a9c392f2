"""First weights of an adapter that are not random: PiSSA and LoftQ; and an adapter as peft loads it anywhere.

Legend: W weight of a layer [out, in], A [rank, in] and B [out, rank] of its adapter, s the scale of their product.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.core.workspace import write_text

ADAPTER = "default"
"""peft's name for the one adapter that is trained."""
OVERSAMPLING, POWER_STEPS = 2, 8
"""Of the randomised decomposition: columns for each one kept, and rounds that sharpen it."""


class Factors(NamedTuple):
    """A low-rank matrix as s B A."""

    down: Any
    """A [rank, in]"""
    up: Any
    """B [out, rank]"""


def start_from_base(adapted: Any) -> None:
    """Begin with W's largest singular directions in the adapter and the rest of W in the base.

    The model computes what it did before. A and B as they begin are kept beside the layer, for `save_adapter`.

    Source: Meng et al. (2024), PiSSA: Principal Singular Values and Singular Vectors Adaptation, section 3.
    """
    import torch

    with torch.no_grad():
        for _, layer in _adapted_layers(adapted):
            weight = layer.get_base_layer().weight
            factors = _set_factors(layer, weight.float())
            layer.register_buffer("initial_down", factors.down.clone(), persistent=False)
            layer.register_buffer("initial_up", factors.up.clone(), persistent=False)
            rest = weight.float() - layer.scaling[ADAPTER] * factors.up @ factors.down
            weight.copy_(rest)


def start_from_rounding(adapted: Any) -> None:
    """Begin with the largest part of what 4 bits took from W in the adapter; the base stays as it was rounded.

    This is one round of LoftQ, the one in which the rounded base is the plain NF4 one: the adapter loads over it
    anywhere. The weights before rounding are read from the model's folder again.

    Source: Li et al. (2023), LoftQ: LoRA-Fine-Tuning-Aware Quantization, algorithm 1 with T = 1.
    """
    import torch
    from peft.utils.integrations import dequantize_module_weight
    from transformers import AutoModelForCausalLM

    model = adapted.get_base_model()
    original = AutoModelForCausalLM.from_pretrained(
        model.name_or_path, dtype=torch.bfloat16, use_safetensors=True
    )
    with torch.no_grad():
        for name, layer in _adapted_layers(adapted):
            rounded = dequantize_module_weight(layer.get_base_layer()).float()
            weight = original.get_submodule(name).weight.to(rounded)
            _set_factors(layer, weight - rounded)


def save_adapter(adapted: Any, folder: Path) -> None:
    """Write the trained model in peft's layout, loadable over the original base.

    Where training began with a part of the base (`start_from_base`), what is saved is the change since then:
    s (B A - B0 A0), an adapter of twice the rank.
    """
    adapted.save_pretrained(folder, safe_serialization=True)
    moved = [
        (name, layer)
        for name, layer in (_adapted_layers(adapted) if hasattr(adapted, "peft_config") else ())
        if hasattr(layer, "initial_down")
    ]
    if moved:
        _save_change(adapted.peft_config[ADAPTER], moved, folder)


def _save_change(options: Any, moved: list[tuple[str, Any]], folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {}
    for name, layer in moved:
        down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
        # The file says alpha / rank with both doubled; what `rslora` scales beyond that goes into B.
        beyond = layer.scaling[ADAPTER] * options.r / options.lora_alpha
        prefix = f"base_model.model.{name}"
        tensors[f"{prefix}.lora_A.weight"] = torch.cat([down, layer.initial_down], dim=0)
        tensors[f"{prefix}.lora_B.weight"] = beyond * torch.cat([up, -layer.initial_up], dim=1)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(plain, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    path = folder / "adapter_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings |= {"r": 2 * options.r, "lora_alpha": 2 * options.lora_alpha, "use_rslora": False}
    write_text(path, json.dumps(settings, indent=2) + "\n")


def _adapted_layers(adapted: Any) -> Iterator[tuple[str, Any]]:
    import torch
    from peft.tuners.lora import LoraLayer

    prefix = "base_model.model."
    for name, module in adapted.named_modules():
        if isinstance(module, LoraLayer) and isinstance(module.get_base_layer(), torch.nn.Linear):
            yield name.removeprefix(prefix), module


def _set_factors(layer: Any, matrix: Any) -> Factors:
    import torch

    down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
    rank = down.shape[0]
    columns = min(OVERSAMPLING * rank, *matrix.shape)
    left, values, right = torch.svd_lowrank(matrix, q=columns, niter=POWER_STEPS)
    root = (values[:rank] / layer.scaling[ADAPTER]).sqrt()
    kept = len(root)
    down.zero_()
    up.zero_()
    down[:kept] = root[:, None] * right[:, :rank].T
    up[:, :kept] = left[:, :rank] * root
    return Factors(down, up)
