"""Attention over packed rows: every example sees its shared beginning and itself, and nothing else.

Registered with transformers under `NAME`, so any architecture whose attention goes through its interface can use it.
Short rows, the usual case in chat data, are plain batched matrix products with the query heads of a key head side by
side, so that keys are never repeated, and a backward pass written out. Long rows go through torch's own
memory-lean attention. Without a packed micro-batch the call falls through to transformers' SDPA.
"""

from typing import Any

import torch
from torch.nn import functional

from tunesmith.train.packing import Packed

NAME = "tunesmith_packed"
OPEN_BYTES = 64 * 2**20
"""Attention weights of a layer above this size are recomputed in torch's attention instead of kept."""


class UnsupportedAttentionError(NotImplementedError):
    """The architecture wants something of attention that packed rows do not offer; plain rows do."""


def register() -> None:
    """Make `NAME` known to transformers; plain calls under it get SDPA's masks."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(NAME, packed_attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)


def packed_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it.

    Args:
        module: The attention layer.
        query: (1, heads, T, size) over the packed tokens.
        key: (1, key heads, T, size).
        value: (1, key heads, T, size).
        attention_mask: Ignored for a packed micro-batch, whose groups say who sees whom.
        options: transformers' own; `packed` is the micro-batch.

    Returns:
        (1, T, heads, size), and no weights.

    Raises:
        UnsupportedAttentionError: If scores are to be capped, or queries and values differ in size.
    """
    packed: Packed | None = options.pop("packed", None)
    if packed is None:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        out, _ = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return out, None
    if options.get("softcap") is not None or options.get("s_aux") is not None:
        raise UnsupportedAttentionError("attention scores with a cap or a sink")
    if query.shape[-1] != value.shape[-1]:
        raise UnsupportedAttentionError("values of another size than queries")
    scaling = options.get("scaling") or query.shape[-1] ** -0.5
    window = options.get("sliding_window")
    q, k, v = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    return attend(q, k, v, packed, scaling=scaling, window=window)[None], None


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    packed: Packed,
    *,
    scaling: float,
    window: int | None = None,
) -> torch.Tensor:
    """(T, heads, size): what each token gathers; `key` and `value` are (T, key heads, size).

    Args:
        query: (T, heads, size).
        key: (T, key heads, size).
        value: (T, key heads, size).
        packed: Who sees whom.
        scaling: Factor of the scores.
        window: Tokens that a token sees at most, itself included; None for all.
    """
    parts = []
    for number, group in enumerate(packed.groups):
        start, own = group.start, group.start + group.shared
        if group.shared:
            part = slice(start, own)
            q, k, v = (tensor[part].unsqueeze(0) for tensor in (query, key, value))
            parts.append(_one_block(q, k, v, scaling=scaling, window=window)[0])
        slots = packed.slots[number]
        q, k, v = (
            tensor.index_select(0, slots).view(-1, group.longest, *tensor.shape[1:])
            for tensor in (query, key, value)
        )
        if group.shared:
            rows = len(group.lengths)
            k = torch.cat([key[start:own].expand(rows, -1, -1, -1), k], dim=1)
            v = torch.cat([value[start:own].expand(rows, -1, -1, -1), v], dim=1)
        out = _one_block(q, k, v, scaling=scaling, window=window)
        parts.append(out.flatten(0, 1).index_select(0, packed.unpadded[number]))
    if packed.unused:
        parts.append(query.new_zeros(packed.unused, *query.shape[1:]))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _one_block(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scaling: float,
    window: int | None,
) -> torch.Tensor:
    """(rows, S, heads, size) for `query` of that shape and keys (rows, L, key heads, size), L >= S.

    The last S of the L keys belong to the queries, and no query sees a later key.
    """
    rows, length, heads, _ = query.shape
    weights_bytes = rows * heads * length * key.shape[1] * query.element_size()
    if query.is_cuda or weights_bytes > OPEN_BYTES:
        # Without a mask torch can take flash attention, which skips the hidden half of the scores.
        is_causal = length == key.shape[1] and (window is None or window >= length)
        mask = None if is_causal else allowed(length, key.shape[1], window, query.device)
        q, k, v = (tensor.transpose(1, 2) for tensor in (query, key, value))
        out = functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=is_causal, scale=scaling, enable_gqa=True
        )
        return out.transpose(1, 2)
    return OpenAttention.apply(query, key, value, scaling, window)


def allowed(length: int, keys: int, window: int | None, device: torch.device) -> torch.Tensor:
    """(length, keys) booleans: which key each query sees."""
    places = torch.arange(keys - length, keys, device=device)[:, None]
    others = torch.arange(keys, device=device)
    seen = others <= places
    return seen if window is None else seen & (others > places - window)


class OpenAttention(torch.autograd.Function):  # type: ignore[misc]  # torch is untyped
    """Attention whose weights are kept for a backward pass of five matrix products.

    Heads that share a key head lie side by side: scores are (rows x key heads, group x S, L).
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scaling: float,
        window: int | None,
    ) -> torch.Tensor:
        """See `_one_block`."""
        rows, length, heads, size = query.shape
        keys, key_heads = key.shape[1:3]
        q = _by_key_head(query, key_heads)
        k, v = (_by_key_head(tensor, key_heads) for tensor in (key, value))
        hidden = ~allowed(length, keys, window, query.device)
        bias = torch.zeros(hidden.shape, dtype=q.dtype, device=q.device).masked_fill_(
            hidden, -torch.inf
        )
        bias = bias.repeat(heads // key_heads, 1)
        scores = torch.baddbmm(bias, q, k.transpose(1, 2), alpha=scaling)
        weights = scores.softmax(-1)
        ctx.save_for_backward(q, k, v, weights)
        ctx.shape, ctx.scaling = (rows, length, heads, size, key_heads), scaling
        return _by_token(weights @ v, rows, key_heads, length)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradients of query, key and value."""
        q, k, v, weights = ctx.saved_tensors
        rows, length, _, _, key_heads = ctx.shape
        grad = _by_key_head(grad, key_heads)
        grad_v = weights.transpose(1, 2) @ grad
        grad_weights = grad @ v.transpose(1, 2)
        grad_scores = torch._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
        grad_scores.mul_(ctx.scaling)
        grad_q = _by_token(grad_scores @ k, rows, key_heads, length)
        grad_k = grad_scores.transpose(1, 2) @ q
        keys = k.shape[1]
        return (
            grad_q,
            _by_token(grad_k, rows, key_heads, keys),
            _by_token(grad_v, rows, key_heads, keys),
            None,
            None,
        )


def _by_key_head(tensor: torch.Tensor, key_heads: int) -> torch.Tensor:
    # (rows, S, heads, size) -> (rows x key heads, group x S, size)
    rows, length, heads, size = tensor.shape
    grouped = tensor.view(rows, length, key_heads, heads // key_heads, size)
    return grouped.permute(0, 2, 3, 1, 4).reshape(rows * key_heads, -1, size)


def _by_token(tensor: torch.Tensor, rows: int, key_heads: int, length: int) -> torch.Tensor:
    # (rows x key heads, group x S, size) -> (rows, S, heads, size)
    size = tensor.shape[-1]
    grouped = tensor.view(rows, key_heads, -1, length, size)
    return grouped.permute(0, 3, 1, 2, 4).reshape(rows, length, -1, size)
