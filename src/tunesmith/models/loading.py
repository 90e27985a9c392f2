"""A base model in memory: tokenizer, chat template, and weights as the recipe wants them held."""

from typing import Any, Literal, NamedTuple

from tunesmith.artifacts.adapter import BaseModelId, Quantization
from tunesmith.models.config import ModelConfig
from tunesmith.models.reference import ResolvedModel
from tunesmith.models.rounding import int8_value, nf4_value, round_weights
from tunesmith.models.template import ChatTemplate

Precision = Literal["float32", "bfloat16"]
Holding = Literal["packed", "unpacked"]
"""How quantized weights lie in memory: in their 4 or 8 bits, or as the 16-bit values that those stand for."""


class LoadedModel(NamedTuple):
    """A base model ready to compute."""

    model: Any
    """The transformers model, frozen, in evaluation mode."""
    template: ChatTemplate
    identity: BaseModelId


def load_template(resolved: ResolvedModel, config: ModelConfig) -> ChatTemplate:
    """The model's chat template with every token that ends an answer."""
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(
        resolved.folder, trust_remote_code=config.trust_remote_code
    )
    ends: int | list[int] | None = None
    if (resolved.folder / "generation_config.json").is_file():
        ends = GenerationConfig.from_pretrained(resolved.folder).eos_token_id
    template = ChatTemplate(
        tokenizer,
        [ends] if isinstance(ends, int) else ends or [],
        is_thinking=config.is_thinking,
    )
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(template.pad_id())
    return template


def identify(
    resolved: ResolvedModel, template: ChatTemplate, quantization: Quantization
) -> BaseModelId:
    """The lineage entry of this base model."""
    return BaseModelId(
        reference=resolved.reference,
        revision=resolved.revision,
        quantization=quantization,
        template_fingerprint=template.fingerprint(),
    )


def default_holding(device: str) -> Holding:
    """How quantized weights are held on `cuda` or `cpu` where nobody decides: 4-bit products are slow on a CPU."""
    return "packed" if device == "cuda" else "unpacked"


def device_name() -> str:
    """`cuda` where a CUDA device is, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load_model(
    resolved: ResolvedModel,
    config: ModelConfig,
    *,
    quantization: Quantization,
    precision: Precision,
    holding: Holding | None = None,
) -> LoadedModel:
    """The model on this machine's device, computing in `precision`.

    Packed weights are dequantized whenever they are used; unpacked ones were, once: the very same values, faster, at
    the memory of plain weights. Unless told, they are packed on CUDA and unpacked on a CPU. LLM.int8 on CUDA also
    rounds the layers' inputs to 8 bits; on a CPU they stay as they are, and 8-bit weights are always unpacked.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    device = device_name()
    dtype = getattr(torch, precision)
    is_quantized = quantization != "none"
    is_packed = is_quantized and (holding or default_holding(device)) == "packed"
    if device == "cpu" and quantization == "int8":
        is_packed = False
    options: dict[str, Any] = (
        {"quantization_config": _bitsandbytes_options(quantization, dtype)} if is_packed else {}
    )
    model = AutoModelForCausalLM.from_pretrained(
        resolved.folder,
        dtype=torch.bfloat16 if is_quantized else dtype,
        device_map=device if device == "cuda" else None,
        trust_remote_code=config.trust_remote_code,
        use_safetensors=True,
        **options,
    )
    if is_quantized and not is_packed:
        round_weights(model, nf4_value if quantization == "nf4" else int8_value)
        # Weights alone: in bfloat16 the rotary frequencies, which are buffers, would turn long rows elsewhere.
        for weight in model.parameters():
            weight.data = weight.data.to(dtype)
    if is_packed and device == "cpu":
        _keep_packing(model)
    model.requires_grad_(False)
    model.eval()
    template = load_template(resolved, config)
    return LoadedModel(model, template, identify(resolved, template, quantization))


def _keep_packing(model: Any) -> None:
    # Outside training, a 4-bit layer on a CPU with AVX512 lays its weight out anew, and dequantizing reads it wrongly.
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _bitsandbytes_options(quantization: Quantization, compute_dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    if quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
    )
