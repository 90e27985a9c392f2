"""The frozen base of a run: held as the method wants it, with the attention that trains fastest."""

from typing import Any

from tunesmith.models.loading import LoadedModel, device_name, load_model
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import Material


def load_base(config: TrainConfig, material: Material) -> LoadedModel:
    """The base model, ready for an adapter."""
    loaded = load_model(
        material.resolved,
        material.inputs.model,
        quantization=config.quantization,
        precision="float32" if config.method == "full" else "bfloat16",
    )
    choose_attention(loaded.model)
    return loaded


def choose_attention(model: Any) -> None:
    """On a CPU, plain matrix products: the backward pass of its fused attention takes longer on short rows."""
    if device_name() == "cpu":
        model.set_attn_implementation("eager")
