"""How unlikely a model finds each example's answers."""

from collections.abc import Callable, Sequence
from typing import Any

from tunesmith.models.template import Encoded

BATCH_TOKENS = 4_096
"""Padded tokens computed at once."""


def mean_losses(
    model: Any,
    examples: Sequence[Encoded],
    *,
    pad_id: int,
    on_done: Callable[[int], None] | None = None,
) -> list[float]:
    """Mean negative log-likelihood of each example's trained tokens, in nats a token.

    Args:
        model: A causal model in evaluation mode, with or without adapters.
        examples: With at least one trained token each.
        pad_id: Fills rows up to the longest of a batch.
        on_done: Told how many more examples are done, now and then.
    """
    import torch

    losses = [0.0] * len(examples)
    order = sorted(range(len(examples)), key=lambda position: len(examples[position].ids))
    start = 0
    with torch.inference_mode():
        while start < len(order):
            size = max(1, BATCH_TOKENS // len(examples[order[start]].ids))
            chosen = order[start : start + size]
            for position, loss in zip(
                chosen, _batch_losses(model, [examples[n] for n in chosen], pad_id), strict=True
            ):
                losses[position] = loss
            start += len(chosen)
            if on_done:
                on_done(len(chosen))
    return losses


def _batch_losses(model: Any, examples: Sequence[Encoded], pad_id: int) -> list[float]:
    import torch
    from torch.nn import functional

    length = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), length), pad_id)
    is_real = torch.zeros(len(examples), length, dtype=torch.long)
    labels = torch.full((len(examples), length), -100)
    for row, example in enumerate(examples):
        filled = torch.tensor(example.ids)
        ids[row, : len(filled)] = filled
        is_real[row, : len(filled)] = 1
        labels[row, : len(filled)] = torch.where(torch.tensor(example.is_trained), filled, -100)
    device = model.device
    logits = model(input_ids=ids.to(device), attention_mask=is_real.to(device)).logits[:, :-1]
    wanted = labels[:, 1:].to(device)
    losses = functional.cross_entropy(
        logits.float().transpose(1, 2), wanted, reduction="none", ignore_index=-100
    )
    found: list[float] = (losses.sum(1) / (wanted != -100).sum(1).clamp(min=1)).tolist()
    return found
