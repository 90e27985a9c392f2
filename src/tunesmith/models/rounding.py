"""What a weight is worth once it was quantized: NF4 and LLM.int8, as values of its own precision."""

from collections.abc import Callable
from typing import Any

BLOCK = 64
"""Neighbouring weights that share a scale."""
PIECE_BLOCKS = 1024
"""Blocks rounded at once: 256 KiB in float32, which the second-level cache holds."""


def round_weights(model: Any, rounded: Callable[[Any], Any]) -> None:
    """Replace every linear weight but the head's by its value after quantization."""
    import torch

    head = model.get_output_embeddings()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) and module is not head:
                # A tensor of its own: writing into the mapped file would keep the page as long as any of the file.
                module.weight.data = rounded(module.weight).to(module.weight.dtype)


def nf4_value(weight: Any) -> Any:
    """A weight as NF4 with double quantization holds it, bit for bit as bitsandbytes dequantizes it.

    bitsandbytes searches the 16 values for each weight, one weight at a time; comparing with the 15 midpoints, many
    weights at once, takes less than half as long. Only on a CPU: a GPU has a kernel for it.

    Source: Dettmers et al. (2023), QLoRA, sections 3 and 4: blocks of 64, absmax constants quantized again.
    """
    import torch
    from bitsandbytes.functional import dequantize_4bit, get_4bit_type, quantize_4bit

    if weight.device.type != "cpu" or weight.numel() % BLOCK:
        packed, state = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
        return dequantize_4bit(packed, state)
    values = get_4bit_type("nf4", device="cpu")
    midpoints = ((values[:-1] + values[1:]) / 2).tolist()
    blocks = weight.reshape(-1, BLOCK)
    result = torch.empty_like(blocks)
    largest = blocks.abs().amax(1).float()
    inverse, scales = 1 / largest.clamp(min=1e-38), _doubly_quantized(largest)
    for start in range(0, len(blocks), PIECE_BLOCKS):
        piece = slice(start, start + PIECE_BLOCKS)
        shares = blocks[piece].float() * inverse[piece, None]
        places = torch.zeros(shares.shape, dtype=torch.uint8)
        for midpoint in midpoints:
            places += shares > midpoint
        result[piece] = values[places.long()].mul_(scales[piece, None])
    return result.view(weight.shape)


def _doubly_quantized(largest: Any) -> Any:
    from bitsandbytes.functional import dequantize_blockwise, quantize_blockwise

    mean = largest.mean()
    packed, state = quantize_blockwise(largest - mean, blocksize=256)
    return dequantize_blockwise(packed, state) + mean


def int8_value(weight: Any) -> Any:
    """A weight as LLM.int8 holds it: each row in 255 even steps of its own largest value.

    Source: Dettmers et al. (2022), LLM.int8(), section 2.1: vector-wise quantization.
    """
    import torch
    from bitsandbytes.functional import int8_vectorwise_dequant, int8_vectorwise_quant

    packed, largest, _ = int8_vectorwise_quant(weight.to(torch.float16))
    return int8_vectorwise_dequant(packed, largest)
