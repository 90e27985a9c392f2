"""Tiny random models of the families that are tuned most, each with its own style of chat template."""

from pathlib import Path
from typing import Any, NamedTuple

from conftest import make_tokenizer

TEMPLATES = Path(__file__).parent / "templates"
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
DENSE = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]
EXPERTS = ["experts.gate_up_proj", "experts.down_proj"]
CHAT = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
TURNS = ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"]
INST = ["<s>", "</s>", "[INST]", "[/INST]"]
SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}


class Family(NamedTuple):
    """One family: how its models are made, what in them is trained, and what of a conversation."""

    config: str
    template: str
    special: list[str]
    bos: str | None
    eos: str
    ends: list[str]
    """What generation_config.json names, besides or instead of `eos`."""
    layers: list[str]
    experts: list[str]
    more: dict[str, Any]
    masked: str
    """The conversation user a, assistant b, user c, assistant d, with trained tokens between ⟦ and ⟧."""


FAMILIES = {
    "llama": Family(
        "LlamaConfig",
        "llama3",
        ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        "<|begin_of_text|>",
        "<|eot_id|>",
        ["<|eot_id|>"],
        DENSE,
        [],
        {},
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\na<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦b<|eot_id|>⟧"
        "<|start_header_id|>user<|end_header_id|>\n\nc<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦d<|eot_id|>⟧",
    ),
    "mistral": Family(
        "MistralConfig",
        "mistral",
        ["<unk>", *INST],
        "<s>",
        "</s>",
        ["</s>"],
        DENSE,
        [],
        {"sliding_window": 16},
        "<s>[INST] a[/INST]⟦ b</s>⟧[INST] c[/INST]⟦ d</s>⟧",
    ),
    "mixtral": Family(
        "MixtralConfig",
        "mistral",
        ["<unk>", *INST],
        "<s>",
        "</s>",
        ["</s>"],
        ATTENTION,
        EXPERTS,
        {"num_local_experts": 4, "num_experts_per_tok": 2},
        "<s>[INST] a[/INST]⟦ b</s>⟧[INST] c[/INST]⟦ d</s>⟧",
    ),
    "qwen2": Family(
        "Qwen2Config",
        "qwen2",
        CHAT,
        None,
        "<|im_end|>",
        ["<|im_end|>", "<|endoftext|>"],
        DENSE,
        [],
        {},
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n⟦b<|im_end|>⟧\n"
        "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n⟦d<|im_end|>⟧",
    ),
    # Its template takes the empty reasoning out of earlier turns: what a server sends then is not what was
    # answered, so only the last answer is trained.
    "qwen3": Family(
        "Qwen3Config",
        "qwen3",
        [*CHAT, "<think>", "</think>"],
        None,
        "<|im_end|>",
        ["<|im_end|>", "<|endoftext|>"],
        DENSE,
        [],
        {"head_dim": 128},
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
        "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n⟦d<|im_end|>⟧",
    ),
    "gemma2": Family(
        "Gemma2Config",
        "gemma2",
        ["<unk>", *TURNS],
        "<bos>",
        "<eos>",
        ["<eos>", "<end_of_turn>"],
        DENSE,
        [],
        {"head_dim": 16, "sliding_window": 16, "final_logit_softcapping": 0.5},
        "<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\n⟦b<end_of_turn>⟧\n"
        "<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n⟦d<end_of_turn>⟧",
    ),
    "gemma3": Family(
        "Gemma3TextConfig",
        "gemma3",
        ["<unk>", *TURNS],
        "<bos>",
        "<eos>",
        ["<eos>", "<end_of_turn>"],
        DENSE,
        [],
        {
            "head_dim": 16,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        "<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\n⟦b<end_of_turn>⟧\n"
        "<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n⟦d<end_of_turn>⟧",
    ),
    # Its template closes a conversation with a second end token, which a longer conversation does not have there.
    "phi3": Family(
        "Phi3Config",
        "phi3",
        ["<unk>", "<|endoftext|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"],
        None,
        "<|endoftext|>",
        ["<|endoftext|>", "<|end|>"],
        ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"],
        [],
        {"pad_token_id": 0},
        "<|user|>\na<|end|>\n<|assistant|>\n⟦b<|end|>⟧\n<|user|>\nc<|end|>\n<|assistant|>\n⟦d<|end|>⟧",
    ),
}


def make_family_tokenizer(name: str) -> Any:
    """The family's special tokens and chat template over plain bytes."""
    family = FAMILIES[name]
    template = (TEMPLATES / f"{family.template}.jinja").read_text()
    named = {"bos_token": family.bos} if family.bos else {}
    return make_tokenizer(template, family.eos, family.special, **named)


def make_family(name: str, folder: Path) -> Path:
    """A folder with a model of the family, randomly initialised with seed 0, and its tokenizer."""
    import torch
    import transformers

    family = FAMILIES[name]
    tokenizer = make_family_tokenizer(name)
    ids = {
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
    }
    settings = getattr(transformers, family.config)(
        vocab_size=len(tokenizer), **SIZES, **ids, **family.more
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(settings)
    # Fresh weights would hide mistakes: biases of nothing, norms of one, and queries and keys so small that every
    # token attends alike to all others, wherever they are.
    for layer, parameter in model.named_parameters():
        if parameter.dim() == 1:
            parameter.data += 0.1 * torch.randn_like(parameter)
        elif any(kind in layer for kind in ("q_proj", "k_proj", "qkv_proj")):
            parameter.data *= 3
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids(family.ends)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
