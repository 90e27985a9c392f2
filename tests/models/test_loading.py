"""Weights held in 4 bits have the values that bitsandbytes computes with, and nothing else of the model is rounded."""

import pytest
import torch

from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_model
from tunesmith.models.reference import resolve
from tunesmith.models.rounding import nf4_value, round_weights


def test_rounded_weights_answer_as_bitsandbytes_own_4_bit_layer_does(tiny_model):
    from bitsandbytes.nn import Linear4bit, Params4bit
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    plain = model.model.layers[0].mlp.gate_proj.weight.detach().clone()
    layer = Linear4bit(64, 128, bias=False, compute_dtype=torch.float32, quant_type="nf4")
    layer.weight = Params4bit(
        plain, requires_grad=False, quant_type="nf4", compress_statistics=True
    )
    layer = layer.to("cpu")
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(0))

    head = model.lm_head.weight.detach().clone()
    round_weights(model, nf4_value)

    rounded = model.model.layers[0].mlp.gate_proj
    torch.testing.assert_close(rounded(x), layer(x), rtol=1e-5, atol=1e-5)
    assert not torch.equal(rounded.weight, plain)
    assert torch.equal(model.lm_head.weight, head)  # QLoRA leaves the head as it is


@pytest.mark.parametrize("holding", ["packed", "unpacked"])
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_rotary_frequencies_are_not_rounded_with_the_weights(tiny_model, quantization, holding):
    config = ModelConfig(base=str(tiny_model))
    options = {"quantization": quantization, "precision": "bfloat16", "holding": holding}
    model = load_model(resolve(config, tiny_model), config, **options).model
    # Llama's own: 10000 to the minus 2i/d, for heads of 16 numbers.
    expected = 10_000.0 ** -(torch.arange(0, 16, 2) / 16)

    torch.testing.assert_close(model.model.rotary_emb.inv_freq, expected, rtol=1e-6, atol=0)
    assert model.model.norm.weight.dtype == torch.bfloat16
