"""Micro-batches computed for real on copies of the model that are a few layers deep: what a layer takes and lasts.

The very code of training runs, so that whatever it does or leaves out is in the numbers. A transformer's layers are
alike: two depths tell what each layer adds (activations kept for the backward pass, adapter, time) and what does
not depend on depth (embeddings, logits, loss). The weights are random, so none have to be loaded.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from tunesmith.core.allocator import AMPLE_MAPPED_BYTES, MAPPED_BYTES, keep_freed_memory
from tunesmith.models.config import ModelConfig
from tunesmith.models.reference import ResolvedModel
from tunesmith.train.adapters import make_trainable
from tunesmith.train.base import choose_attention
from tunesmith.train.byte_counter import ByteCounter, Held
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import Material
from tunesmith.train.micro_batch import MicroBatch

FLOAT32_BYTES = 4
DEPTHS = (1, 3)
"""Layers of the two copies, where nobody asks for others."""
TIMED_RUNS = 2
"""Runs of which the fastest counts."""


class Linear(NamedTuple):
    """A quantity that grows with depth: ends + layers x a_layer."""

    ends: float
    a_layer: float

    def at(self, layers: int) -> float:
        """The quantity at a depth."""
        return self.ends + layers * self.a_layer


class Weights(NamedTuple):
    """What the model holds, by depth."""

    layers: int
    """Of the whole model."""
    frozen_bytes: Linear
    """Weights that are not trained, as this machine holds them."""
    frozen_linear_parameters: Linear
    """Of those, the ones in linear layers, which quantization makes smaller."""
    largest_linear: Linear
    """Parameters of the largest of them."""
    trained_parameters: Linear
    small_trained: Linear
    """Trained parameters in tensors that the C library does not map by themselves."""
    middling_trained: Linear
    """The same where freed tensors are kept."""


class Activations(NamedTuple):
    """What a micro-batch makes, by depth."""

    most_bytes: Linear
    """At once, beyond weights and gradients, in a micro-batch that is not the run's first."""
    small_bytes: Linear
    """Of that, in tensors that are not mapped by themselves."""
    middling_bytes: Linear
    """The same where freed tensors are kept."""

    def scaled(self, share: float) -> "Activations":
        """What so many times the rows make."""
        return Activations(*(Linear(line.ends * share, line.a_layer * share) for line in self))


class _Copy(NamedTuple):
    model: Any
    depth: int


class Rehearsal:
    """A model as it would be trained, in two shallow copies on which micro-batches are computed."""

    def __init__(
        self, config: TrainConfig, material: Material, *, depths: tuple[int, int] = DEPTHS
    ) -> None:
        """Make the copies.

        Args:
            config: The recipe's `train:` section.
            material: What would be trained on; of the base model only its configuration is read.
            depths: Layers of the two copies, at most those of the whole model.
        """
        keep_freed_memory()
        self._config, self._material = config, material
        resolved, model = material.resolved, material.inputs.model
        self.layers: int = text_settings(resolved, model).num_hidden_layers
        """Of the whole model."""
        self._copies = [
            _Copy(_shallow(config, resolved, model, depth), depth)
            for depth in (min(depth, self.layers) for depth in depths)
        ]
        self.weights = Weights(self.layers, *self._lines(_held))

    def activations(self, batch: MicroBatch) -> Activations:
        """What a micro-batch makes, counted tensor by tensor."""
        # The backward pass makes more than is kept; that belongs to one layer or to the head, at any depth.
        extra = Held()

        def kept(copy: _Copy) -> Held:
            nonlocal extra
            compute = batch.loss_on(copy.model, self._config, self._material)
            if not _has_gradients(copy.model):
                compute().backward()
            with ByteCounter() as counter:
                loss = compute()
                kept: Held = counter.live
                loss.backward()
            extra = Held(*(most - held for most, held in zip(counter.peak, kept, strict=True)))
            return kept

        lines = zip(self._lines(kept), extra, strict=True)
        return Activations(*(Linear(line.ends + more, line.a_layer) for line, more in lines))

    def seconds(self, batch: MicroBatch) -> float:
        """Of the whole model, forward and backward, on this machine."""

        def last(copy: _Copy) -> tuple[float]:
            compute = batch.loss_on(copy.model, self._config, self._material)
            compute().backward()
            return (min(_seconds(compute) for _ in range(TIMED_RUNS)),)

        (line,) = self._lines(last)
        return max(line.at(self.layers), 0.0)

    def _lines(self, measure: Callable[[_Copy], tuple[float, ...]]) -> list[Linear]:
        shallow, deep = self._copies
        low, high = measure(shallow), measure(deep)
        between = deep.depth - shallow.depth
        lines = []
        for less, more in zip(low, high, strict=True):
            a_layer = max(0.0, (more - less) / between) if between else 0.0
            lines.append(Linear(less - shallow.depth * a_layer, a_layer))
        return lines


def _held(copy: _Copy) -> tuple[float, ...]:
    model = copy.model
    frozen = [parameter for parameter in model.parameters() if not parameter.requires_grad]
    trained = [parameter.numel() for parameter in model.parameters() if parameter.requires_grad]
    head = model.get_output_embeddings()
    linear = [
        module.weight.numel()
        for module in model.modules()
        if isinstance(module, torch.nn.Linear)
        and module is not head
        and not module.weight.requires_grad
    ]
    return (
        sum(parameter.nbytes for parameter in frozen),
        sum(linear),
        max(linear, default=0),
        sum(trained),
        *(
            sum(size for size in trained if size * FLOAT32_BYTES < mapped)
            for mapped in (MAPPED_BYTES, AMPLE_MAPPED_BYTES)
        ),
    )


def _has_gradients(model: Any) -> bool:
    return any(parameter.grad is not None for parameter in model.parameters())


def _seconds(compute: Callable[[], Any]) -> float:
    started = time.perf_counter()
    compute().backward()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


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
