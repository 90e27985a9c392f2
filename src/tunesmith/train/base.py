"""The frozen base of a run: held as the method wants it, with the attention that trains fastest."""

from typing import Any

from tunesmith.core.allocator import trim
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import Holding, LoadedModel, device_name, load_model
from tunesmith.models.reference import ResolvedModel
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import Material


def load_base(
    config: TrainConfig, material: Material, *, holding: Holding | None = None
) -> LoadedModel:
    """The base model of a run, ready for an adapter; quantized weights held as told, or as is usual there."""
    return load_frozen(config, material.inputs.model, material.resolved, holding=holding)


def load_frozen(
    config: TrainConfig,
    model: ModelConfig,
    resolved: ResolvedModel,
    *,
    holding: Holding | None = None,
) -> LoadedModel:
    """A base model, ready for an adapter."""
    loaded = load_model(
        resolved,
        model,
        quantization=config.quantization,
        precision="float32" if config.method == "full" else "bfloat16",
        holding=holding,
    )
    if device_name() == "cpu":
        # Rounding leaves pieces behind, and here the mapped file still lies beside the weights.
        trim()
        own_weights(loaded.model)
    choose_attention(loaded.model)
    return loaded


def own_weights(model: Any) -> None:
    """Copy every weight out of the file it is mapped from, so that one that is replaced later frees its memory."""
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()


def choose_attention(model: Any) -> None:
    """On a CPU, plain matrix products: the backward pass of its fused attention takes longer on short rows."""
    if device_name() == "cpu":
        model.set_attn_implementation("eager")
