"""Rounded weights are those of bitsandbytes, bit for bit."""

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit, get_4bit_type, quantize_4bit

from tunesmith.models.rounding import nf4_value


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(1536, 192), (8, 64), (3, 40)])
def test_nf4_values_are_those_that_bitsandbytes_dequantizes(shape, precision):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(precision)
    weight[1] = 0
    # Exactly between two of the 16 values, at both ends, and far from the rest of its block.
    values = get_4bit_type("nf4", device="cpu")
    weight[2] *= 0.1
    weight[2, :15], weight[2, 15], weight[2, 16] = ((values[1:] + values[:-1]) / 2), 1, -1
    weight[0, 0] = 1000
    packed, state = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)

    rounded = nf4_value(weight)

    assert rounded.dtype == precision
    assert torch.equal(rounded, dequantize_4bit(packed, state))
