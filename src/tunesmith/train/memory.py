"""What a run holds at its peak, by part; each term is counted from what the step was seen to keep."""

from typing import NamedTuple

from tunesmith.models.loading import Holding, default_holding
from tunesmith.train.config import TrainConfig
from tunesmith.train.devices import Device
from tunesmith.train.optimizers import choose_optimizer
from tunesmith.train.rehearsal import FLOAT32_BYTES, Activations, Weights

BFLOAT16_BYTES = 2
CONSTANT_BITS = {"nf4": 0.127, "int8": 0.008, "none": 0.0}
"""Of quantization constants for each weight: an 8-bit one for 64 weights and a 32-bit one for 256 of those (Dettmers
et al. 2023, QLoRA, section 3); LLM.int8 keeps one 32-bit value a row, here of 4096."""
WEIGHT_BITS = {"nf4": 4, "int8": 8, "none": 16}
HEAP_SHARE, AMPLE_HEAP_SHARE = 0.33, 0.5
"""Of the tensors that come and go in the C library's heap, by which it grows beyond them: pieces in between that no
tensor fits. Measured at 18 to 33 % of them, least where most tensors are of one size; a plan rather says too much.
Where freed tensors are kept, larger ones are among them, which leave larger pieces."""
GATHERED_LAYERS = 2
"""That are whole at once under `sharding: fsdp`: the one that is computed and the one that is fetched."""


def holding_of(config: TrainConfig, kind: str) -> Holding:
    """How a run on `cpu` or `cuda` holds its base where memory does not decide; what is not quantized is unpacked."""
    if config.quantization == "none" or (config.quantization, kind) == ("int8", "cpu"):
        return "unpacked"
    return default_holding(kind) if config.holding == "auto" else config.holding


class Memory(NamedTuple):
    """Bytes by what they hold, of one process."""

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
    heap: int
    """On a CPU, what the C library cannot use again between tensors too small to be mapped by themselves."""
    context: int
    """Libraries in main memory, or the CUDA context on a GPU."""
    update: int
    """By which the exchange of gradients among workers exceeds all that: activations are gone by then."""
    loading: int
    """By which loading exceeds all that: on a CPU, the mapped file is there beside the weights until all are read;
    under `fsdp`, the whole base is there before it is spread."""

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)


def estimate(
    config: TrainConfig,
    device: Device,
    seen: Weights,
    *,
    file_bytes: int,
    activations: Activations,
    is_ample: bool,
) -> Memory:
    """Memory at the peak of a run, as one of its processes sees it: in the backward pass of its largest micro-batch.

    Args:
        config: The recipe's `train:` section.
        device: Where it would run.
        seen: Weights of a rehearsal of the same method.
        file_bytes: Of the base's weight files.
        activations: What the largest micro-batch makes, with or without checkpointing as in `config`.
        is_ample: Whether freed tensors are kept for the next step.
    """
    layers = seen.layers
    trained = seen.trained_parameters.at(layers) * FLOAT32_BYTES
    weights, constants, unpacked = seen.frozen_bytes.at(layers), 0.0, 0.0
    if holding_of(config, device.kind) == "packed":
        # Packed weights are unpacked for each product, up to two layers at a time, one of them on its way there.
        linear = seen.frozen_linear_parameters.at(layers)
        weights += linear * (WEIGHT_BITS[config.quantization] / 8 - BFLOAT16_BYTES)
        constants = linear * CONSTANT_BITS[config.quantization] / 8
        unpacked = 3 * seen.largest_linear.at(layers) * BFLOAT16_BYTES
    is_full = config.method == "full"
    weights += trained if is_full else 0
    whole = round(weights + constants)
    if config.sharding == "fsdp":
        a_layer = seen.frozen_bytes.a_layer * weights / seen.frozen_bytes.at(layers)
        weights -= max(0.0, layers * (1 - 1 / config.workers) - GATHERED_LAYERS) * a_layer
    state_bytes = choose_optimizer(config.optimizer, device.kind).state_bytes
    in_heap = seen.middling_trained if is_ample else seen.small_trained
    share = AMPLE_HEAP_SHARE if is_ample else HEAP_SHARE
    made_there = activations.middling_bytes if is_ample else activations.small_bytes
    mixed = in_heap.at(layers) * (FLOAT32_BYTES + state_bytes) + made_there.at(layers)
    parts = Memory(
        weights=round(weights),
        constants=round(constants),
        adapters=0 if is_full else round(trained),
        gradients=round(trained),
        optimizer=round(trained / FLOAT32_BYTES * state_bytes),
        activations=round(layers * activations.most_bytes.a_layer + unpacked),
        logits=round(activations.most_bytes.ends),
        heap=round(share * mixed) if device.kind == "cpu" else 0,
        context=device.context_bytes,
        update=0,
        loading=0,
    )
    exchanged = trained if config.workers > 1 else 0.0
    update = exchanged - parts.activations - parts.logits
    parts = parts._replace(update=max(0, round(update)))
    # The mapped file holds the weights as they were before they were packed.
    mapped = file_bytes if device.kind == "cpu" else 0
    return parts._replace(loading=max(0, whole + mapped + parts.context - parts.total))
