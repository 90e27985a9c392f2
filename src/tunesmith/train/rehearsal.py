"""A micro-batch computed for real on a copy of the model that is a few layers deep: what a layer takes and lasts.

The very code of training runs, so that whatever it does or leaves out is in the numbers. A transformer's layers are
alike: two depths tell what each layer adds (activations kept for the backward pass, adapter, time) and what does
not depend on depth (embeddings, logits, loss). The weights are random, so none have to be loaded.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from tunesmith.models.config import ModelConfig
from tunesmith.models.reference import ResolvedModel
from tunesmith.models.template import Encoded
from tunesmith.train.adapters import make_trainable
from tunesmith.train.allocator import return_freed_memory
from tunesmith.train.base import choose_attention
from tunesmith.train.byte_counter import ByteCounter
from tunesmith.train.config import TrainConfig
from tunesmith.train.step import loss_sum

DEPTHS = (1, 3)
"""Layers of the two copies."""
TIMED_RUNS = 2
"""Runs of which the fastest counts, after one that warms up."""


class Linear(NamedTuple):
    """A quantity that grows with depth: ends + layers x a_layer."""

    ends: float
    a_layer: float

    def at(self, layers: int) -> float:
        """The quantity at a depth."""
        return self.ends + layers * self.a_layer


class Rehearsal(NamedTuple):
    """What the micro-batch took, by depth."""

    frozen_bytes: Linear
    """Weights that are not trained, as this machine holds them."""
    frozen_linear_parameters: Linear
    """Of those, the ones in linear layers, which quantization makes smaller."""
    largest_linear: Linear
    """Parameters of the largest of them."""
    trained_parameters: Linear
    activation_bytes: Linear
    """The most bytes of tensors at once, beyond weights and gradients."""
    seconds: Linear
    layers: int
    """Of the whole model."""
    tokens: int
    """Real tokens of the micro-batch."""


class _Measured(NamedTuple):
    frozen_bytes: float
    frozen_linear_parameters: float
    largest_linear: float
    trained_parameters: float
    kept_bytes: float
    """Held between the forward and the backward pass."""
    seconds: float
    extra_bytes: float
    """By which the backward pass exceeds that."""


def rehearse(
    config: TrainConfig, resolved: ResolvedModel, model: ModelConfig, group: Sequence[Encoded]
) -> Rehearsal:
    """Compute a micro-batch, forward and backward, at two depths.

    Args:
        config: The recipe's `train:` section.
        resolved: The base model; only its configuration is read.
        model: The recipe's `model:` section.
        group: The micro-batch.
    """
    return_freed_memory()
    layers = text_settings(resolved, model).num_hidden_layers
    shallow, deep = (min(depth, layers) for depth in DEPTHS)
    low, high = (_measure(config, resolved, model, group, depth) for depth in (shallow, deep))
    lines: list[Linear] = []
    for less, more in zip(low[:-1], high[:-1], strict=True):
        a_layer = max(0.0, (more - less) / (deep - shallow)) if deep > shallow else 0.0
        lines.append(Linear(less - shallow * a_layer, a_layer))
    frozen, linear, largest, trained, kept, seconds = lines
    # What the backward pass makes besides belongs to one layer or to the head, at any depth.
    activations = Linear(kept.ends + high.extra_bytes, kept.a_layer)
    tokens = sum(len(example.ids) for example in group)
    return Rehearsal(frozen, linear, largest, trained, activations, seconds, layers, tokens)


def _measure(
    config: TrainConfig,
    resolved: ResolvedModel,
    model: ModelConfig,
    group: Sequence[Encoded],
    depth: int,
) -> _Measured:
    trained = _shallow(config, resolved, model, depth)

    def compute() -> float:
        started = time.perf_counter()
        loss_sum(trained, group, pad_id=0).backward()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() - started

    compute()
    seconds = min(compute() for _ in range(TIMED_RUNS))
    with ByteCounter() as counter:
        loss = loss_sum(trained, group, pad_id=0)
        kept = counter.live_bytes
        loss.backward()
    head = trained.get_output_embeddings()
    linear = [
        module.weight.numel()
        for module in trained.modules()
        if isinstance(module, torch.nn.Linear)
        and module is not head
        and not module.weight.requires_grad
    ]
    return _Measured(
        sum(parameter.nbytes for parameter in trained.parameters() if not parameter.requires_grad),
        sum(linear),
        max(linear, default=0),
        sum(parameter.numel() for parameter in trained.parameters() if parameter.requires_grad),
        kept,
        seconds,
        counter.peak_bytes - kept,
    )


def _shallow(config: TrainConfig, resolved: ResolvedModel, model: ModelConfig, depth: int) -> Any:
    from transformers import AutoModelForCausalLM

    settings = _settings(resolved, model)
    text = settings.get_text_config()
    text.num_hidden_layers = depth
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:depth]
    made = AutoModelForCausalLM.from_config(
        settings,
        dtype=torch.float32 if config.method == "full" else torch.bfloat16,
        trust_remote_code=model.trust_remote_code,
    )
    made.to("cuda" if torch.cuda.is_available() else "cpu")
    made.requires_grad_(False)
    choose_attention(made)
    # First weights from elsewhere are of no matter here.
    plain = config.model_copy(update={"init": "default", "continue_from": None})
    trained = make_trainable(made, plain)
    trained.train()
    if config.gradient_checkpointing:
        trained.activation_checkpointing_enable()
        if config.method != "full":
            trained.enable_input_require_grads()
    return trained


def text_settings(resolved: ResolvedModel, model: ModelConfig) -> Any:
    """The configuration of the model's text part, as transformers reads it."""
    return _settings(resolved, model).get_text_config()


def _settings(resolved: ResolvedModel, model: ModelConfig) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(resolved.folder, trust_remote_code=model.trust_remote_code)
