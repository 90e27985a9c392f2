"""What a run holds at its peak, by part; each term is counted from what the step was seen to keep."""

from typing import NamedTuple

from tunesmith.models.loading import Holding, default_holding
from tunesmith.train.config import TrainConfig
from tunesmith.train.devices import Device
from tunesmith.train.optimizers import choose_optimizer
from tunesmith.train.rehearsal import Rehearsal

FLOAT32_BYTES, BFLOAT16_BYTES = 4, 2
CONSTANT_BITS = {"nf4": 0.127, "int8": 0.008, "none": 0.0}
"""Of quantization constants for each weight: an 8-bit one for 64 weights and a 32-bit one for 256 of those (Dettmers
et al. 2023, QLoRA, section 3); LLM.int8 keeps one 32-bit value a row, here of 4096."""
WEIGHT_BITS = {"nf4": 4, "int8": 8, "none": 16}


def holding_of(config: TrainConfig, kind: str) -> Holding:
    """How a run on `cpu` or `cuda` holds its base where memory does not decide; what is not quantized is unpacked."""
    if config.quantization == "none" or (config.quantization, kind) == ("int8", "cpu"):
        return "unpacked"
    return default_holding(kind) if config.holding == "auto" else config.holding


class Memory(NamedTuple):
    """Bytes by what they hold."""

    weights: int
    """The base as it is held; under `full` the trained weights themselves."""
    constants: int
    """Of quantization, where the weights stay packed."""
    adapters: int
    """Trained A and B, in float32."""
    gradients: int
    """Of everything trained, in float32, kept from one micro-batch to the next."""
    optimizer: int
    """Its two moments for everything trained."""
    activations: int
    """What all layers keep for the backward pass of the largest micro-batch, and what that pass makes in between."""
    logits: int
    """The part of the step that does not depend on depth: embeddings, logits where a token is trained, loss."""
    context: int
    """Libraries in main memory, or the CUDA context on a GPU."""
    loading: int
    """By which loading exceeds all that: on a CPU, the mapped file is there beside the weights until all are read."""

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)


def estimate(config: TrainConfig, device: Device, seen: Rehearsal, *, tokens: int) -> Memory:
    """Memory at the peak of a run: in the backward pass of its largest micro-batch, once the optimizer has its moments.

    Args:
        config: The recipe's `train:` section.
        device: Where it would run.
        seen: A rehearsal of the same method, with or without checkpointing as in `config`.
        tokens: Real tokens of the largest micro-batch; activations grow linearly with them.
    """
    layers, share = seen.layers, tokens / seen.tokens
    trained = seen.trained_parameters.at(layers)
    whole = seen.frozen_bytes.at(layers)
    weights, constants, unpacked = whole, 0.0, 0.0
    if holding_of(config, device.kind) == "packed":
        # Packed weights are unpacked for each product, up to two layers at a time, one of them on its way there.
        linear = seen.frozen_linear_parameters.at(layers)
        weights += linear * (WEIGHT_BITS[config.quantization] / 8 - BFLOAT16_BYTES)
        constants = linear * CONSTANT_BITS[config.quantization] / 8
        unpacked = 3 * seen.largest_linear.at(layers) * BFLOAT16_BYTES
    is_full = config.method == "full"
    parts = Memory(
        weights=round(weights + (trained * FLOAT32_BYTES if is_full else 0)),
        constants=round(constants),
        adapters=0 if is_full else round(trained * FLOAT32_BYTES),
        gradients=round(trained * FLOAT32_BYTES),
        optimizer=round(trained * choose_optimizer(config.optimizer, device.kind).state_bytes),
        activations=round(share * layers * seen.activation_bytes.a_layer + unpacked),
        logits=round(share * seen.activation_bytes.ends),
        context=device.context_bytes,
        loading=0,
    )
    if device.kind == "cuda":
        return parts
    # The mapped file holds the weights as they were before they were packed.
    while_loading = parts.weights + max(parts.weights, round(whole)) + parts.context
    return parts._replace(loading=max(0, while_loading - parts.total))
