"""The computation of a training step: only what is trained, in the base model's own precision."""

from collections.abc import Sequence
from types import MethodType
from typing import Any

import torch
from torch.nn import functional

from tunesmith.models.template import Encoded
from tunesmith.train.head import logits_of


def loss_sum(model: Any, batch: Sequence[Encoded], *, pad_id: int) -> torch.Tensor:
    """Cross-entropy summed over the batch's trained tokens, in nats, float32.

    The head runs only at positions whose next token is trained: for short answers that is a small part of a large
    matrix product. Rows are padded on the right and masked by length, never by token id.
    """
    longest = max(len(example.ids) for example in batch)
    ids = torch.full((len(batch), longest), pad_id, dtype=torch.long)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    is_trained = torch.zeros((len(batch), longest), dtype=torch.bool)
    for row, example in enumerate(batch):
        length = len(example.ids)
        ids[row, :length] = torch.tensor(example.ids)
        mask[row, :length] = 1
        is_trained[row, :length] = torch.tensor(example.is_trained)
    ids, mask, is_trained = (tensor.to(model.device) for tensor in (ids, mask, is_trained))
    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    backbone = whole.get_decoder()
    # Rows of equal length need no mask, and attention without one is faster.
    hidden = backbone(
        input_ids=ids, attention_mask=None if bool(mask.all()) else mask, use_cache=False
    ).last_hidden_state
    logits = logits_of(whole, hidden[:, :-1][is_trained[:, 1:]])
    targets = ids[:, 1:][is_trained[:, 1:]]
    return functional.cross_entropy(logits.float(), targets, reduction="sum")


def use_base_precision(model: Any) -> None:
    """Make every plain LoRA layer compute in the precision of its input while its weights stay float32.

    peft casts the input up to the adapter's float32 and computes there, which on bf16 hardware costs several times
    the arithmetic. Casting the small weights down instead keeps float32 masters for the optimizer, and gradients
    that accumulate in float32. Layers that compute more than W x + s B A x (DoRA, stacked experts) keep peft's own.
    """
    from peft.tuners.lora import LoraLayer
    from peft.tuners.lora.layer import ParamWrapper

    for module in model.modules():
        is_lora = isinstance(module, LoraLayer) and not isinstance(module, ParamWrapper)
        if is_lora and not module.lora_variant:
            module.forward = MethodType(_lora_forward, module)


def _lora_forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    # y = W x + alpha/r * B A x, the two products and the sum fused into one call.
    if layer.disable_adapters:
        return layer.base_layer(x)
    name = layer.active_adapters[0]
    down = layer.lora_A[name].weight.to(x.dtype)
    up = layer.lora_B[name].weight.to(x.dtype)
    base = layer.base_layer(x)
    inner = functional.linear(layer.lora_dropout[name](x), down)
    added = torch.addmm(
        base.flatten(0, -2), inner.flatten(0, -2), up.t(), alpha=float(layer.scaling[name])
    )
    return added.view(base.shape)
