"""A base model in memory: tokenizer, chat template, and weights as the recipe wants them held."""

from typing import Any, Literal, NamedTuple

from tunesmith.artifacts.adapter import BaseModelId, Quantization
from tunesmith.models.config import ModelConfig
from tunesmith.models.reference import ResolvedModel
from tunesmith.models.template import ChatTemplate

Precision = Literal["float32", "bfloat16"]


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
    template = ChatTemplate(tokenizer, [ends] if isinstance(ends, int) else ends or [])
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
) -> LoadedModel:
    """The model on this machine's device, computing in `precision`.

    On CUDA, `nf4` weights stay 4-bit and are dequantized as they are used. On a CPU they are quantized to NF4 with
    double quantization and dequantized once: the very same values, faster, at the memory of plain weights.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    device = device_name()
    dtype = getattr(torch, precision)
    is_nf4 = quantization == "nf4"
    options: dict[str, Any] = (
        {"quantization_config": _nf4_options(dtype)} if is_nf4 and device == "cuda" else {}
    )
    model = AutoModelForCausalLM.from_pretrained(
        resolved.folder,
        dtype=torch.bfloat16 if is_nf4 else dtype,
        device_map=device if device == "cuda" else None,
        trust_remote_code=config.trust_remote_code,
        use_safetensors=True,
        **options,
    )
    if is_nf4 and device == "cpu":
        round_to_nf4(model)
        model.to(dtype)
    model.requires_grad_(False)
    model.eval()
    template = load_template(resolved, config)
    return LoadedModel(model, template, identify(resolved, template, quantization))


def round_to_nf4(model: Any) -> None:
    """Replace every linear weight but the head's by its value after NF4 double quantization.

    Source: Dettmers et al. (2023), QLoRA, sections 3 and 4: blocks of 64, absmax constants quantized again.
    """
    import torch
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    head = model.get_output_embeddings()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear) and module is not head:
                packed, state = quantize_4bit(
                    module.weight, quant_type="nf4", compress_statistics=True
                )
                module.weight.copy_(dequantize_4bit(packed, state))


def _nf4_options(compute_dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype,
    )
