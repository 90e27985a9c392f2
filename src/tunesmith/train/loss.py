"""The head and its loss: logits only of trained positions, a piece at a time, never as float32 in main memory.

For a vocabulary of 49,152 the logits of 300 positions are 59 MB in float32, and cross-entropy reads and writes them
some eight times. Here a few rows at a time are softmaxed in float32 while they lie in the processor's cache, and
become their own gradient at once, so the backward pass multiplies by a number.

Source: computing the gradient in the forward pass is the idea of Liger Kernel's fused linear cross-entropy (2024).
"""

from typing import Any

import torch
from torch.nn import functional

from tunesmith.train.head import changes_logits, logits_of

PIECE_BYTES = 64 * 2**20
"""Logits in memory at once. Larger products are faster; at most this is held instead of all."""
CACHED_ROWS = 8
"""Rows softmaxed at once on a CPU: 1.6 MB of float32 for 49,152 tokens, which the second-level cache holds."""


def head_loss(model: Any, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the model's logits, summed over the rows of `hidden`, in nats, float32.

    Args:
        model: The causal model whose head is taken.
        hidden: (N, width), the states that predict.
        targets: (N,), the tokens to predict.
    """
    head = model.get_output_embeddings()
    is_plain = type(head) is torch.nn.Linear and head.bias is None
    if not is_plain or head.weight.requires_grad or changes_logits(model) or not len(targets):
        logits = logits_of(model, hidden).float()
        return functional.cross_entropy(logits, targets, reduction="sum")
    return _FrozenHeadLoss.apply(hidden, head.weight, targets)


class _FrozenHeadLoss(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        needs_gradient = ctx.needs_input_grad[0]
        gradient = torch.empty_like(hidden) if needs_gradient else hidden
        rows = max(1, PIECE_BYTES // (weight.shape[0] * weight.element_size()))
        total = torch.zeros((), device=hidden.device)
        for start in range(0, len(hidden), rows):
            piece = slice(start, start + rows)
            logits = functional.linear(hidden[piece], weight)
            total += _to_gradient(logits, targets[piece])
            if needs_gradient:
                torch.mm(logits, weight, out=gradient[piece])
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad, None, None


def _to_gradient(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    # Summed loss; `logits` become softmax minus one-hot, in place.
    step = CACHED_ROWS if logits.device.type == "cpu" else len(logits)
    total = torch.zeros((), device=logits.device)
    for start in range(0, len(logits), step):
        rows, wanted = logits[start : start + step], targets[start : start + step, None]
        scores = rows.float()
        own = scores.gather(1, wanted)
        largest = scores.amax(1, keepdim=True)
        sums = scores.sub_(largest).exp_().sum(1, keepdim=True)
        total += (largest + sums.log() - own).sum()
        scores.div_(sums).scatter_add_(1, wanted, torch.full_like(own, -1.0))
        rows.copy_(scores)
    return total
